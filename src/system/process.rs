//! Child processes: a clean environment, secrets by stdin or environment and never in the argument list, bounded
//! output, and no child left behind.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use crate::error::{Class, Failure};
use crate::secret::{SecretBytes, SecretString};

/// The last bytes of what a child wrote to stderr are kept, so that its own words can be shown.
const STDERR_LIMIT: usize = 64 << 10;

/// A program to run: it sees the variables given here and no other.
pub struct Process {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    secrets: Vec<(OsString, SecretString)>,
    directory: Option<PathBuf>,
    stdin: Option<SecretBytes>,
    time_limit: Duration,
}

/// What a finished child left.
pub struct Output {
    /// Its exit status, `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout; may be secret.
    pub stdout: SecretBytes,
    /// The end of what it wrote to stderr; may be secret.
    pub stderr: SecretBytes,
}

/// Why a child did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It is not there, or may not be run.
    #[error("`{program}` cannot be started: {kind}")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// The pipes to it broke.
    #[error("the connection to `{program}` broke: {kind}")]
    Pipe {
        /// The program.
        program: String,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// It wrote more than was allowed.
    #[error("`{program}` writes more than {limit} bytes")]
    TooMuch {
        /// The program.
        program: String,
        /// The bound, in bytes.
        limit: usize,
    },
    /// It took longer than was allowed.
    #[error("`{program}` takes longer than {limit:?} and was ended")]
    TooLong {
        /// The program.
        program: String,
        /// The bound.
        limit: Duration,
    },
    /// It ended and reports failure.
    #[error("`{program}` failed: {}", code.map_or_else(|| "a signal ended it".to_owned(), |code| format!("exit status {code}")))]
    Failed {
        /// The program.
        program: String,
        /// Its exit status.
        code: Option<i32>,
    },
}

impl Failure for ProcessError {
    fn class(&self) -> Class {
        Class::World
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Start { program, kind: std::io::ErrorKind::NotFound } => {
                vec![format!("install `{program}`, or put it into a folder that `PATH` lists")]
            }
            _ => Vec::new(),
        }
    }
}

impl Process {
    /// A program, found by the `PATH` among its own variables, ended after ten minutes.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            secrets: Vec::new(),
            directory: None,
            stdin: None,
            time_limit: Duration::from_secs(600),
        }
    }

    /// One argument more; every user of the machine can read it.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// A variable that the child sees.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// A secret variable that the child sees.
    #[must_use]
    pub fn secret_env(mut self, name: impl AsRef<OsStr>, value: SecretString) -> Self {
        self.secrets.push((name.as_ref().to_owned(), value));
        self
    }

    /// What the child reads on stdin; otherwise it reads nothing.
    #[must_use]
    pub fn stdin(mut self, bytes: SecretBytes) -> Self {
        self.stdin = Some(bytes);
        self
    }

    /// Where the child stands.
    #[must_use]
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory = Some(path.into());
        self
    }

    /// How long the child may take.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Runs it to its end and keeps at most `limit` bytes of stdout.
    ///
    /// # Errors
    /// [`ProcessError`]; an exit status other than 0 is no error here.
    pub async fn output(mut self, limit: usize) -> Result<Output, ProcessError> {
        let child = self.start(Stdio::piped())?;
        self.finish(child, limit).await
    }

    /// Runs it to its end with stdout going into `file`, however much it is.
    ///
    /// # Errors
    /// [`ProcessError`], also for an exit status other than 0.
    pub async fn stream_to(mut self, file: std::fs::File) -> Result<(), ProcessError> {
        let program = self.name();
        let child = self.start(file.into())?;
        let output = self.finish(child, 0).await?;
        match output.code {
            Some(0) => Ok(()),
            code => Err(ProcessError::Failed { program, code }),
        }
    }

    fn start(&self, stdout: Stdio) -> Result<Child, ProcessError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().stdout(stdout).stderr(Stdio::piped()).kill_on_drop(true);
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        for (name, value) in &self.secrets {
            command.env(name, value.expose_secret());
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.spawn().map_err(|error| ProcessError::Start { program: self.name(), kind: error.kind() })
    }

    async fn finish(&mut self, mut child: Child, limit: usize) -> Result<Output, ProcessError> {
        let program = self.name();
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let input = self.stdin.take();
        let feed = async {
            if let (Some(mut pipe), Some(bytes)) = (stdin, input) {
                match pipe.write_all(bytes.expose_secret()).await {
                    // A child may end without having read everything.
                    Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                        return Err(Ended::Pipe(error.kind()));
                    }
                    _ => {}
                }
            }
            Ok(())
        };
        let out = async {
            match stdout {
                Some(pipe) => read(pipe, limit, Excess::Refuse).await,
                None => Ok(Zeroizing::default()),
            }
        };
        let err = async {
            match stderr {
                Some(pipe) => read(pipe, STDERR_LIMIT, Excess::DropOldest).await,
                None => Ok(Zeroizing::default()),
            }
        };
        let whole = async {
            let ((), stdout, stderr) = tokio::try_join!(feed, out, err)?;
            let status = child.wait().await.map_err(|error| Ended::Pipe(error.kind()))?;
            Ok((status, stdout, stderr))
        };
        // Dropping the child on any way out kills it.
        match tokio::time::timeout(self.time_limit, whole).await {
            Ok(Ok((status, mut stdout, mut stderr))) => Ok(Output {
                code: status.code(),
                stdout: SecretBytes::new(std::mem::take(&mut *stdout)),
                stderr: SecretBytes::new(std::mem::take(&mut *stderr)),
            }),
            Ok(Err(Ended::Pipe(kind))) => Err(ProcessError::Pipe { program, kind }),
            Ok(Err(Ended::TooMuch)) => Err(ProcessError::TooMuch { program, limit }),
            Err(_) => Err(ProcessError::TooLong { program, limit: self.time_limit }),
        }
    }

    fn name(&self) -> String {
        Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy().into_owned()
    }
}

enum Ended {
    Pipe(std::io::ErrorKind),
    TooMuch,
}

#[derive(Clone, Copy, PartialEq)]
enum Excess {
    Refuse,
    DropOldest,
}

async fn read(
    mut pipe: impl tokio::io::AsyncRead + Unpin,
    limit: usize,
    excess: Excess,
) -> Result<Zeroizing<Vec<u8>>, Ended> {
    let mut all = Zeroizing::new(Vec::new());
    let mut part = Zeroizing::new(vec![0; 16 << 10]);
    loop {
        let count = pipe.read(&mut part).await.map_err(|error| Ended::Pipe(error.kind()))?;
        if count == 0 {
            return Ok(all);
        }
        if all.len() + count > limit {
            if excess == Excess::Refuse {
                return Err(Ended::TooMuch);
            }
            let surplus = (all.len() + count - limit).min(all.len());
            all.drain(..surplus);
        }
        if all.len() + count > all.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity((all.len() + count).next_power_of_two()));
            larger.extend_from_slice(&all);
            all = larger;
        }
        all.extend_from_slice(&part[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::new("sh").arg("-c").arg(script).env("PATH", "/usr/bin:/bin")
    }

    #[tokio::test]
    async fn sees_its_own_variables_only() {
        let process = shell("env | cut -d= -f1 | sort; echo $TOKEN | wc -c")
            .secret_env("TOKEN", SecretString::new("CANARY-heron".into()));
        let output = process.output(4096).await.unwrap();
        let text = String::from_utf8_lossy(output.stdout.expose_secret()).into_owned();
        assert_eq!(text.trim(), "PATH\nPWD\nTOKEN\n13", "the shell itself adds PWD");
    }

    #[tokio::test]
    async fn feeds_stdin_and_reads_a_bounded_stdout() {
        let big = SecretBytes::new(vec![b'x'; 300_000]);
        let output = shell("cat").stdin(big.clone()).output(300_000).await.unwrap();
        assert_eq!(output.stdout.len(), 300_000);
        let error = shell("cat").stdin(big).output(299_999).await.err().unwrap();
        assert!(matches!(error, ProcessError::TooMuch { limit: 299_999, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_child_that_reads_nothing_is_no_failure() {
        let output = shell("exit 3").stdin(SecretBytes::new(vec![0; 1 << 20])).output(10).await.unwrap();
        assert_eq!(output.code, Some(3));
    }

    /// The reading end of a pipe ends when the last process that could write to it has died.
    #[tokio::test]
    async fn is_ended_at_its_limit_and_when_nobody_waits_for_it() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let limit = Duration::from_millis(1);
        let slow = shell("exec sleep 600").time_limit(limit).stream_to(std::os::fd::OwnedFd::from(writer).into());
        let error = slow.await.unwrap_err();
        assert!(matches!(error, ProcessError::TooLong { .. }), "{error}");
        std::io::Read::read_to_end(&mut reader, &mut Vec::new()).unwrap();

        let (mut reader, writer) = std::io::pipe().unwrap();
        let running = shell("echo ready; exec sleep 600").stream_to(std::os::fd::OwnedFd::from(writer).into());
        let mut ready = reader.try_clone().unwrap();
        let ready = tokio::task::spawn_blocking(move || std::io::Read::read_exact(&mut ready, &mut [0; 6]));
        tokio::select! {
            result = running => panic!("{result:?}"),
            read = ready => read.unwrap().unwrap(),
        }
        std::io::Read::read_to_end(&mut reader, &mut Vec::new()).unwrap();
    }

    #[tokio::test]
    async fn streams_to_a_file_and_reports_failure() {
        let mut file = tempfile::tempfile().unwrap();
        shell("printf abc").stream_to(file.try_clone().unwrap()).await.unwrap();
        let mut text = String::new();
        std::io::Seek::rewind(&mut file).unwrap();
        std::io::Read::read_to_string(&mut file, &mut text).unwrap();
        assert_eq!(text, "abc");
        let error = shell("exit 128").stream_to(file).await.unwrap_err();
        assert_eq!(error.to_string(), "`sh` failed: exit status 128");
        assert!(matches!(Process::new("no-such-program").output(1).await, Err(ProcessError::Start { .. })));
    }
}
