//! Child processes: a clean environment, secrets by stdin or environment and never in the argument list, bounded
//! output, a time limit, and no child left behind.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use zeroize::Zeroizing;

use crate::error::{Class, Failure};
use crate::secret::{SecretBytes, SecretString};

/// The last bytes of what a child wrote to stderr are kept, so that its own words can be shown.
const STDERR_LIMIT: usize = 64 << 10;

/// What git sets for its hooks, which may run us for another repository.
const HOOKS: [&str; 6] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX"];

/// A program to run: it sees the variables given here and no other, unless it is the user's own.
pub struct Process {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    secrets: Vec<(OsString, SecretString)>,
    directory: Option<PathBuf>,
    stdin: Option<SecretBytes>,
    time_limit: Duration,
    of_user: bool,
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

/// What a finished child said, where it says nothing secret.
pub struct Words {
    /// Its exit status, `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to stderr.
    pub stderr: Vec<u8>,
}

impl Output {
    /// The same of a program that says nothing secret.
    #[must_use]
    pub fn words(self) -> Words {
        let (stdout, stderr) = (self.stdout.expose_secret().to_vec(), self.stderr.expose_secret().to_vec());
        Words { code: self.code, stdout, stderr }
    }
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
            of_user: false,
        }
    }

    /// The user's own `git`: it sees everything that the user's shell gave us (agents, transports, credential helpers), but
    /// for what a hook sets for its own repository, and it may ask on the user's terminal, as `ssh` does for a passphrase.
    #[must_use]
    pub fn git() -> Self {
        Self { of_user: true, ..Self::new("git") }.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C")
    }

    /// One argument more; every user of the machine can read it.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Several arguments more.
    #[must_use]
    pub fn args(self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        arguments.into_iter().fold(self, |process, argument| process.arg(argument))
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
    pub fn output(self, limit: usize) -> Result<Output, ProcessError> {
        self.run(Stdio::piped(), limit)
    }

    /// Runs it to its end with stdout going into `file`, however much it is.
    ///
    /// # Errors
    /// [`ProcessError`], also for an exit status other than 0.
    pub fn stream_to(self, file: std::fs::File) -> Result<(), ProcessError> {
        let program = self.name();
        match self.run(file.into(), 0)?.code {
            Some(0) => Ok(()),
            code => Err(ProcessError::Failed { program, code }),
        }
    }

    fn run(mut self, stdout: Stdio, limit: usize) -> Result<Output, ProcessError> {
        let program = self.name();
        let input = self.stdin.take();
        let mut group = Group { child: self.start(stdout, input.is_some())?, leads: !self.of_user };
        let child = &mut group.child;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (pid, leads) = (group.pid(), group.leads);
        let (ended, end) = channel::<()>();
        let (result, too_long) = thread::scope(|scope| {
            let watch = scope.spawn(move || {
                let late = end.recv_timeout(self.time_limit) == Err(RecvTimeoutError::Timeout);
                if late {
                    kill(pid, leads);
                }
                late
            });
            scope.spawn(move || {
                if let (Some(mut pipe), Some(bytes)) = (stdin, input) {
                    // A child may end without having read everything.
                    let _ = pipe.write_all(bytes.expose_secret());
                }
            });
            let errors = scope.spawn(move || {
                stderr.map_or_else(|| Ok(Zeroizing::default()), |pipe| read(pipe, STDERR_LIMIT, Excess::DropOldest))
            });
            let output = stdout.map_or_else(|| Ok(Zeroizing::default()), |pipe| read(pipe, limit, Excess::Refuse));
            if output.is_err() {
                kill(pid, leads);
            }
            let errors = errors.join().unwrap_or(Err(Ended::Pipe(ErrorKind::Other)));
            let waited = wait(pid);
            drop(ended);
            let too_long = watch.join().unwrap_or(false);
            (output.and_then(|output| Ok((output, errors?, waited?))), too_long)
        });
        if too_long {
            return Err(ProcessError::TooLong { program, limit: self.time_limit });
        }
        let whole = result.and_then(|(output, errors, ())| Ok((output, errors, group.reap()?)));
        match whole {
            Ok((mut stdout, mut stderr, status)) => Ok(Output {
                code: status.code(),
                stdout: SecretBytes::new(std::mem::take(&mut *stdout)),
                stderr: SecretBytes::new(std::mem::take(&mut *stderr)),
            }),
            Err(Ended::Pipe(kind)) => Err(ProcessError::Pipe { program, kind }),
            Err(Ended::TooMuch) => Err(ProcessError::TooMuch { program, limit }),
        }
    }

    fn start(&self, stdout: Stdio, feeds: bool) -> Result<Child, ProcessError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdout(stdout).stderr(Stdio::piped());
        command.stdin(if feeds { Stdio::piped() } else { Stdio::null() });
        if self.of_user {
            // In our own group: in another one a question on the terminal would stop it for ever.
            for name in HOOKS {
                command.env_remove(name);
            }
        } else {
            // Its own group, so that what it starts itself can be ended with it.
            command.env_clear().process_group(0);
        }
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

    fn name(&self) -> String {
        Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy().into_owned()
    }
}

/// A child and, where it leads a group, what it started; ended and reaped when dropped.
struct Group {
    child: Child,
    leads: bool,
}

impl Group {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn reap(&mut self) -> Result<ExitStatus, Ended> {
        self.child.wait().map_err(|error| Ended::Pipe(error.kind()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // After a wait the number may be somebody else's.
        if let Ok(None) = self.child.try_wait() {
            kill(self.pid(), self.leads);
            let _ = self.child.wait();
        }
    }
}

fn kill(pid: Pid, leads: bool) {
    let _ = if leads { kill_process_group(pid, Signal::KILL) } else { kill_process(pid, Signal::KILL) };
}

/// Waits for the end of a child without reaping it: until then nobody else can get its number, and it may be ended by it.
fn wait(pid: Pid) -> Result<(), Ended> {
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Ended::Pipe(error.kind())),
            Ok(_) => return Ok(()),
        }
    }
}

enum Ended {
    Pipe(ErrorKind),
    TooMuch,
}

#[derive(Clone, Copy, PartialEq)]
enum Excess {
    Refuse,
    DropOldest,
}

fn read(mut pipe: impl Read, limit: usize, excess: Excess) -> Result<Zeroizing<Vec<u8>>, Ended> {
    let mut all = Zeroizing::new(Vec::new());
    let mut part = Zeroizing::new(vec![0; 16 << 10]);
    loop {
        let count = match pipe.read(&mut part) {
            Ok(0) => return Ok(all),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Ended::Pipe(error.kind())),
        };
        if all.len() + count > limit {
            if excess == Excess::Refuse {
                return Err(Ended::TooMuch);
            }
            let surplus = (all.len() + count - limit).min(all.len());
            all.drain(..surplus);
        }
        if all.len() + count > all.capacity() {
            // By hand, so that the smaller buffer is wiped and not only freed.
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

    #[test]
    fn sees_its_own_variables_only() {
        let process = shell("env | cut -d= -f1 | sort; echo $TOKEN | wc -c")
            .secret_env("TOKEN", SecretString::new("CANARY-heron".into()));
        let output = process.output(4096).unwrap();
        let text = String::from_utf8_lossy(output.stdout.expose_secret()).into_owned();
        assert_eq!(text.trim(), "PATH\nPWD\nTOKEN\n13", "the shell itself adds PWD");
    }

    #[test]
    fn feeds_stdin_and_reads_a_bounded_stdout() {
        let big = SecretBytes::new(vec![b'x'; 300_000]);
        let output = shell("cat").stdin(big.clone()).output(300_000).unwrap();
        assert_eq!(output.stdout.len(), 300_000);
        let error = shell("cat").stdin(big).output(299_999).err().unwrap();
        assert!(matches!(error, ProcessError::TooMuch { limit: 299_999, .. }), "{error}");
    }

    #[test]
    fn a_child_that_reads_nothing_is_no_failure() {
        let output = shell("exit 3").stdin(SecretBytes::new(vec![0; 1 << 20])).output(10).unwrap();
        assert_eq!(output.code, Some(3));
    }

    #[test]
    fn git_sees_what_the_user_has_but_not_the_hook() {
        let home = Process::git().args(["var", "GIT_EDITOR"]).env("GIT_EDITOR", "ed").output(4096).unwrap().words();
        assert_eq!((home.code, home.stdout), (Some(0), b"ed\n".to_vec()));
        let path = Process::git().args(["-c", "alias.p=!printenv PATH", "p"]).output(65536).unwrap().words();
        assert!(path.code == Some(0) && !path.stdout.is_empty(), "{}", String::from_utf8_lossy(&path.stderr));
    }

    /// The reading end of a pipe ends when the last process that could write to it has died: the shell's own child too.
    #[test]
    fn is_ended_at_its_limit_with_what_it_started() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let slow = shell("sleep 600; true").time_limit(Duration::from_millis(1));
        let error = slow.stream_to(std::os::fd::OwnedFd::from(writer).into()).unwrap_err();
        assert!(matches!(error, ProcessError::TooLong { .. }), "{error}");
        reader.read_to_end(&mut Vec::new()).unwrap();
    }

    #[test]
    fn is_ended_when_it_says_too_much() {
        let error = shell("yes").output(1000).err().unwrap();
        assert!(matches!(error, ProcessError::TooMuch { .. }), "{error}");
    }

    #[test]
    fn streams_to_a_file_and_reports_failure() {
        let mut file = tempfile::tempfile().unwrap();
        shell("printf abc").stream_to(file.try_clone().unwrap()).unwrap();
        let mut text = String::new();
        std::io::Seek::rewind(&mut file).unwrap();
        std::io::Read::read_to_string(&mut file, &mut text).unwrap();
        assert_eq!(text, "abc");
        let error = shell("exit 128").stream_to(file).unwrap_err();
        assert_eq!(error.to_string(), "`sh` failed: exit status 128");
        assert!(matches!(Process::new("no-such-program").output(1), Err(ProcessError::Start { .. })));
    }
}
