//! A command of the user's that gets decrypted values: in its environment, or in a file that it reads.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use zeroize::Zeroizing;

use super::editor::Watch;
use crate::cli::{Context, Failed};
use crate::document::{Document, KeyPath, flat_spelling};
use crate::error::Class;
use crate::sops::{NewValue, SopsError};
use crate::system::memory::PrivateFolder;

/// A name and a value.
pub(crate) type Variable = (String, Zeroizing<Vec<u8>>);

/// How the command is run.
#[derive(Debug, Default)]
pub(crate) struct Child {
    /// The command.
    pub(crate) words: Vec<OsString>,
    /// What it finds in its environment, after everything else.
    pub(crate) variables: Vec<Variable>,
    /// Whether it gets nothing of ours.
    pub(crate) pristine: bool,
    /// Variables of ours that it does not get.
    pub(crate) without: Vec<&'static str>,
    /// Whose rights it gets.
    pub(crate) user: Option<User>,
}

/// A user of this machine.
#[derive(Clone, Debug)]
pub(crate) struct User {
    name: String,
    id: u32,
    group: u32,
    home: String,
}

impl User {
    /// The user of that name; `None` if there is none.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
        accounts.lines().find_map(|line| {
            let parts: Vec<&str> = line.split(':').collect();
            let [found, _, id, group, _, home, ..] = parts[..] else { return None };
            (found == name).then(|| {
                Some(Self {
                    name: name.to_owned(),
                    id: id.parse().ok()?,
                    group: group.parse().ok()?,
                    home: home.to_owned(),
                })
            })?
        })
    }
}

/// Why values cannot be put into an environment.
#[derive(Debug)]
pub(crate) enum NoEnvironment {
    /// A value cannot be had at all.
    Value(SopsError),
    /// A mapping or list.
    Complex(String),
    /// A name with `=`.
    Equals(String),
    /// A name or value with a NUL.
    Nul(String),
}

/// The top-level values of a document's first document as variables.
///
/// # Errors
/// [`NoEnvironment`].
pub(crate) fn variables(document: &Document) -> Result<Vec<Variable>, NoEnvironment> {
    let root = NewValue::at(document, &KeyPath::default()).map_err(NoEnvironment::Value)?;
    let Some(NewValue::Map(entries)) = root else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (name, value) in entries {
        let NewValue::Leaf { kind, text } = value else { return Err(NoEnvironment::Complex(name)) };
        if name.contains('=') {
            return Err(NoEnvironment::Equals(name));
        }
        let value = Zeroizing::new(flat_spelling(kind, text.expose_secret().as_bytes()).unwrap_or_default());
        if name.contains('\0') || value.contains(&0) {
            return Err(NoEnvironment::Nul(name));
        }
        found.push((name, value));
    }
    Ok(found)
}

impl Child {
    /// A command line for the shell.
    pub(crate) fn shell(line: &OsStr) -> Self {
        Self { words: vec!["/bin/sh".into(), "-c".into(), line.to_owned()], ..Self::default() }
    }

    fn command(&self, context: &Context) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).current_dir(&context.directory);
        if self.pristine {
            command.env_clear();
        }
        for name in &self.without {
            command.env_remove(name);
        }
        if let Some(user) = &self.user {
            command.uid(user.id).gid(user.group);
            command.env("HOME", &user.home).env("USER", &user.name).env("LOGNAME", &user.name);
        }
        for (name, value) in &self.variables {
            command.env(name, OsStr::from_bytes(value));
        }
        command
    }

    fn failed(&self, error: &std::io::Error) -> Failed {
        Failed::new(Class::Usage, format!("`{}` cannot be started: {error}", self.words[0].to_string_lossy()))
    }

    /// Runs it to its end. A signal from the keyboard is its affair; one that ends us wipes `folder` first.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn run(&self, context: &Context, folder: Option<&Path>) -> Result<ExitStatus, Failed> {
        let watch = Watch::over(folder.map(Path::to_owned))?;
        let child = self.command(context).spawn().map_err(|error| self.failed(&error))?;
        watch.wait_for(child).map_err(|error| self.failed(&error))
    }

    /// Starts it and leaves it alone, with nothing to read and nowhere to write.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(&self, context: &Context) -> Result<(), Failed> {
        let mut command = self.command(context);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(drop).map_err(|error| self.failed(&error))
    }

    /// Becomes it; returns only where that fails.
    pub(crate) fn become_it(&self, context: &Context) -> Failed {
        let error = self.command(context).exec();
        self.failed(&error)
    }
}

/// The code that a command's end is passed on with.
pub(crate) fn code_of(status: ExitStatus) -> u8 {
    status.code().map_or(255, |code| u8::try_from(code).unwrap_or(255))
}

/// In words, as Go's `os/exec` has them; nothing after success.
pub(crate) fn said_by_go(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, signal) => {
            let name = match signal.unwrap_or_default() {
                1 => "hangup",
                2 => "interrupt",
                3 => "quit",
                6 => "aborted",
                9 => "killed",
                11 => "segmentation fault",
                13 => "broken pipe",
                15 => "terminated",
                other => return Some(format!("signal: signal {other}")),
            };
            Some(format!("signal: {name}"))
        }
    }
}

/// A file for one command to read.
pub(crate) struct Readable {
    pub(crate) path: PathBuf,
    folder: PrivateFolder,
}

impl Readable {
    /// Whether a name stays inside the folder.
    pub(crate) fn is_local(name: &str) -> bool {
        !name.is_empty()
            && Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    }

    /// A regular file that only `user` can read.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn file(
        folder: PrivateFolder,
        name: &str,
        user: Option<&User>,
        content: &[u8],
    ) -> Result<Self, std::io::Error> {
        let path = folder.path().join(name);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(content)?;
        Self::given(path, folder, user)
    }

    /// A FIFO that gives `content` to its first reader.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn fifo(
        folder: PrivateFolder,
        name: &str,
        user: Option<&User>,
        content: Zeroizing<Vec<u8>>,
    ) -> Result<Self, std::io::Error> {
        let path = folder.path().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::from_raw_mode(0o600))?;
        let place = path.clone();
        // Opening waits for a reader. If none ever comes, the thread ends with the process.
        std::thread::spawn(move || {
            if let Ok(mut pipe) = std::fs::OpenOptions::new().write(true).open(place) {
                let _ = pipe.write_all(&content);
            }
        });
        Self::given(path, folder, user)
    }

    fn given(path: PathBuf, folder: PrivateFolder, user: Option<&User>) -> Result<Self, std::io::Error> {
        if let Some(user) = user {
            chown(folder.path(), Some(user.id), Some(user.group))?;
            chown(&path, Some(user.id), Some(user.group))?;
        }
        Ok(Self { path, folder })
    }

    /// The folder that goes with the command.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}
