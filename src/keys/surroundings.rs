//! What the clients of clouds may know of the process: handed in, never looked up.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::secret::SecretString;
use crate::system::wire::Trust;

/// Variables, a clock, and the name of the machine. Whoever calls fills it; nothing here reads the environment.
#[derive(Clone)]
pub struct Surroundings {
    variables: Arc<BTreeMap<String, SecretString>>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    machine: String,
}

impl Surroundings {
    /// The variables that the vendors' own programs would find in the environment, the time (signatures hold it), and the
    /// machine's name, which becomes part of the session's name where a role is assumed.
    pub fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        machine: impl Into<String>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name, SecretString::new(value))).collect();
        Self { variables: Arc::new(variables), clock: Arc::new(clock), machine: machine.into() }
    }

    /// A secret in a variable, if it is set and not empty.
    pub(super) fn secret(&self, name: &str) -> Option<&SecretString> {
        self.variables.get(name).filter(|value| !value.expose_secret().is_empty())
    }

    /// What is in a variable, if it is set and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.secret(name).map(SecretString::expose_secret)
    }

    /// The first of some variables that is set and not empty.
    pub(super) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.text(name))
    }

    /// Whether a variable says yes.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    }

    /// The user's home folder.
    pub(super) fn home(&self) -> Option<PathBuf> {
        self.text("HOME").map(PathBuf::from)
    }

    /// A path that may begin with `~/`.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), self.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        }
    }

    /// Every variable, for a vendor's program that is to see what we see.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The machine's name.
    pub(super) fn machine(&self) -> &str {
        &self.machine
    }

    /// Certificates and proxies by the usual variables.
    pub(super) fn trust(&self) -> Trust {
        let owned = |names: &[&str]| self.first(names).map(str::to_owned);
        Trust {
            authorities: self.text("SSL_CERT_FILE").map(PathBuf::from),
            folders: owned(&["SSL_CERT_DIR"]),
            blind: false,
            identity: None,
            alias: None,
            only_proxy: None,
            secure_proxy: owned(&["HTTPS_PROXY", "https_proxy"]),
            clear_proxy: owned(&["HTTP_PROXY", "http_proxy"]),
            direct: owned(&["NO_PROXY", "no_proxy"]),
        }
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Surroundings {{ {} variables }}", self.variables.len())
    }
}
