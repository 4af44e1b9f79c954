//! The audit that a machine asks for: every use of a file is a line in a PostgreSQL, before anything comes of it.
//!
//! Recorded under both names, because who mandates an audit wants to see every decryption, whatever the program is
//! called. There is no variable or flag to leave it out.
//!
//! *Source*: the SOPS format, section 12: the file, the table, the actions and what is written into its columns.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::secrets::rules::clean;
use super::{Context, Failed};
use crate::error::Class;
use crate::sops::{Publication, SopsError};
use crate::system::postgres::{Postgres, PostgresError, Settings};

/// Where a machine says so.
pub(crate) const FILE: &str = "/etc/sops/audit.yaml";

/// What SOPS writes, column for column.
const INSERT: &str = "INSERT INTO audit_event (action, username, file) VALUES ($1, $2, $3)";

/// What was done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Decrypt,
    Encrypt,
    Rotate,
}

impl Action {
    const fn word(self) -> &'static str {
        match self {
            Self::Decrypt => "decrypt",
            Self::Encrypt => "encrypt",
            Self::Rotate => "rotate",
        }
    }
}

/// The databases of this machine, connected to when something is first to be recorded.
#[derive(Clone, Default)]
pub(crate) struct Audit(Arc<OnceLock<Vec<Backend>>>);

/// Records what is done with one file; there is one only after the databases were reached.
#[derive(Clone)]
pub(crate) struct Witness {
    audit: Audit,
    /// Absolute; for stdin the folder that the user stands in.
    path: PathBuf,
}

struct Backend {
    shown: String,
    user: String,
    database: Postgres,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    backends: Backends,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Backends {
    postgres: Vec<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    connection_string: String,
}

impl Audit {
    /// Connects to every database that the machine names, if it has not been done yet, and watches over a file, or stdin.
    ///
    /// # Errors
    /// The list cannot be read, or a database is away: then nothing must be done.
    pub(crate) fn witness(&self, context: &Context, file: Option<&Path>) -> Result<Witness, Failed> {
        if self.0.get().is_none() {
            let connected = connected(context)?;
            let _ = self.0.set(connected);
        }
        let path = clean(&context.path(file.unwrap_or(Path::new(""))));
        Ok(Witness { audit: self.clone(), path })
    }
}

impl Witness {
    /// Records what is about to be done.
    ///
    /// # Errors
    /// It could not be recorded, and must not be done.
    pub(crate) fn record(&self, action: Action) -> Result<(), Failed> {
        for backend in self.audit.0.get().into_iter().flatten() {
            let path = self.path.to_string_lossy();
            let recorded = backend.database.execute(INSERT, &[action.word(), &backend.user, &path]);
            recorded.map_err(|error| not_recorded(&backend.shown, &error))?;
        }
        Ok(())
    }

    /// Records a decryption as soon as somebody had the key of the file, be it whole or not.
    ///
    /// # Errors
    /// As for [`Witness::record`].
    pub(crate) fn decrypted<T>(&self, opened: Result<T, SopsError>) -> Result<Result<T, SopsError>, Failed> {
        let had_the_key = match &opened {
            Ok(_) => true,
            Err(error) => matches!(
                error,
                SopsError::Value { .. }
                    | SopsError::NotText { .. }
                    | SopsError::Content { .. }
                    | SopsError::MacMissing
                    | SopsError::MacUnreadable { .. }
                    | SopsError::MacMismatch
            ),
        };
        if had_the_key {
            self.record(Action::Decrypt)?;
        }
        Ok(opened)
    }
}

impl Witness {
    /// Records what was done with a file in order to publish it: nothing, where it goes as it is.
    ///
    /// # Errors
    /// As for [`Witness::record`].
    pub(crate) fn published(
        &self,
        made: Result<Publication, SopsError>,
    ) -> Result<Result<Publication, SopsError>, Failed> {
        let Ok(publication) = &made else { return self.decrypted(made) };
        if publication.opened {
            self.record(Action::Decrypt)?;
        }
        if publication.recreated.is_some() {
            self.record(Action::Encrypt)?;
        }
        Ok(made)
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Witness({})", self.path.display())
    }
}

fn connected(context: &Context) -> Result<Vec<Backend>, Failed> {
    let text = match std::fs::read_to_string(FILE) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        // SOPS goes on without an audit then.
        Err(error) => {
            return Err(Failed::new(Class::Usage, format!("`{FILE}` asks for an audit and cannot be read: {error}")));
        }
    };
    let asked = if text.trim().is_empty() { Ok(Asked::default()) } else { serde_saphyr::from_str::<Asked>(&text) };
    // The reader's own words could quote a password.
    let asked = asked.map_err(|_| Failed::new(Class::Usage, format!("`{FILE}` cannot be understood")))?;
    let mut backends = Vec::new();
    for named in asked.backends.postgres {
        let user = username(context)?;
        let variable = |name: &str| context.variable(name).map(str::to_owned);
        let text = Zeroizing::new(named.connection_string);
        let settings = Settings::read(&text, variable, &user, context.home());
        let settings = settings.map_err(|error| Failed::new(Class::Usage, format!("`{FILE}`: {error}")))?;
        let database = Postgres::connect(&settings, &context.background);
        let database = database.map_err(|error| away(&settings.shown(), &error))?;
        tracing::info!("every use of a file is recorded at {}", settings.shown());
        backends.push(Backend { shown: settings.shown(), user, database });
    }
    Ok(backends)
}

fn away(shown: &str, error: &PostgresError) -> Failed {
    Failed::new(Class::World, format!("the audit at {shown}, which `{FILE}` asks for, is out of reach: {error}"))
        .hint("nothing is decrypted or encrypted on this machine without it")
}

fn not_recorded(shown: &str, error: &PostgresError) -> Failed {
    Failed::new(Class::World, format!("Failed to insert audit record: {error} (at {shown})"))
}

/// The name of this process's user in the machine's list, else what `USER` says.
fn username(context: &Context) -> Result<String, Failed> {
    let id = rustix::process::getuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let known = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let known = known.filter(|fields| fields.len() > 2 && fields[2] == id).map(|fields| fields[0].to_owned()).next();
    let claimed = || context.home().and_then(|_| context.variable("USER")).map(str::to_owned);
    known.or_else(claimed).ok_or_else(|| {
        Failed::new(Class::Usage, format!("user {id} of this process has no name for the audit that `{FILE}` asks for"))
    })
}
