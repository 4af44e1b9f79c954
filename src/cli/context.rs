//! What a command may know of the machine: read once, here, and handed down.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use super::args::Global;
use super::audit::{Audit, Witness};
use super::failure::Failed;
use super::secrets::services::Choice;
use crate::error::Class;
use crate::system::background::Background;

/// The machine as one command sees it.
#[derive(Clone)]
pub(crate) struct Context {
    /// The directory the user stands in, absolute.
    pub(crate) directory: PathBuf,
    /// Whether a question may be asked.
    pub(crate) interactive: bool,
    /// Whether somebody at the controlling terminal may be asked for a passphrase, wherever stdin and stdout lead.
    pub(crate) attended: bool,
    /// Whether stderr is a terminal, so that progress may move.
    pub(crate) terminal: bool,
    /// Whether stdout carries one JSON document.
    pub(crate) json: bool,
    /// Whether words on stderr may be coloured.
    pub(crate) color: bool,
    /// Whether only errors are said.
    pub(crate) quiet: bool,
    /// Bytes of an input above which it is refused.
    pub(crate) max_size: u64,
    /// `--config` or `SOPS_CONFIG`.
    pub(crate) config: Option<PathBuf>,
    /// Which key services are asked.
    pub(crate) choice: Choice,
    /// The network's threads, which start when something first needs them.
    pub(crate) background: Background,
    audit: Audit,
    environment: BTreeMap<OsString, OsString>,
}

impl Context {
    /// Reads the environment and the terminal, and starts the log.
    pub(crate) fn from_machine(global: &Global) -> Result<Self, Failed> {
        let environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        let here = std::env::current_dir()
            .map_err(|error| Failed::new(Class::Usage, format!("the current directory cannot be read: {error}")))?;
        let directory = match &global.directory {
            Some(path) => here.join(path),
            None => here,
        };
        if !directory.is_dir() {
            return Err(Failed::new(Class::Usage, format!("`{}` is not a directory", directory.display())));
        }
        let ci =
            environment.get("CI".as_ref() as &std::ffi::OsStr).is_some_and(|value| value == "true" || value == "1");
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let color = match global.color.as_str() {
            "always" => true,
            "never" => false,
            _ => anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never,
        };
        let context = Self {
            directory,
            terminal: std::io::stderr().is_terminal(),
            attended: !ci && !global.non_interactive,
            interactive: terminal && !ci && !global.non_interactive,
            json: global.json,
            color,
            quiet: global.quiet,
            max_size: global.max_size,
            config: global.config.clone(),
            choice: Choice::of_variables(|name| {
                environment.get(name.as_ref() as &std::ffi::OsStr)?.to_str().map(str::to_owned)
            }),
            background: Background::default(),
            audit: Audit::default(),
            environment,
        };
        super::log::start(&context, global.verbose);
        Ok(context)
    }

    /// A variable of the environment, if it is set, not empty, and text.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.environment.get(std::ffi::OsStr::new(name))?;
        value.to_str().filter(|text| !text.is_empty())
    }

    /// A variable of the environment, if it is set, be it empty, and text.
    pub(crate) fn set_variable(&self, name: &str) -> Option<&str> {
        self.environment.get(std::ffi::OsStr::new(name))?.to_str()
    }

    /// The same machine with other key services.
    pub(crate) fn choosing(&self, choice: Choice) -> Self {
        Self { choice, ..self.clone() }
    }

    /// Every variable, for a program that works in the user's name.
    pub(crate) fn variables(&self) -> Vec<(OsString, OsString)> {
        self.environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Who records what is done with a file, or with stdin, where this machine asks for an audit.
    ///
    /// # Errors
    /// The audit is out of reach, and nothing must be done.
    pub(crate) fn witness(&self, file: Option<&Path>) -> Result<Witness, Failed> {
        self.audit.witness(self, file)
    }

    /// The time now.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    /// The user's home folder.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }

    /// A path as the user gave it, made absolute.
    pub(crate) fn path(&self, given: &std::path::Path) -> PathBuf {
        self.directory.join(given)
    }
}
