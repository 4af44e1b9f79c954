//! What a vendor implements: a [`Reader`] that can only ask, and a [`Writer`] that can also send.
//!
//! The engine drives every write the same way, and only the engine does:
//!
//! 1. [`Reader::watermark`]: the receiving side's newest version, kept in the journal before anything is sent;
//! 2. [`Writer::send`]: the *one* request that makes the change (what prepares it, an upload for example, may be repeated);
//! 3. [`Reader::settled`], again and again, until the platform has done it;
//! 4. [`Reader::observe`]: the state is read back and compared.
//!
//! After a kill, or a [`PlatformError`] whose [`Fate`] is unknown, [`Reader::adopt`] asks the receiving side whether the
//! announced request arrived; only if it did not is it sent again. Deciding *what* to change is
//! [`Change::between`](super::Change::between), never a platform's business.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::change::{Change, Resource, State, Value};
use super::descriptor::Descriptor;
pub use super::platform_error::{Fate, PlatformError, PlatformFault};
use super::source::Source;
use crate::secret::SecretRef;

/// One target of a pipeline with every variable filled in. Holds no secret; part of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its name in the pipeline file (`app`).
    pub name: String,
    /// The backend's word (`heroku`).
    pub backend: String,
    /// What stands at the backend's word: the app's name, the zone, or a map (`{zone, servers, key}`).
    pub address: serde_json::Value,
    /// The other words of the target (`pipeline`, `login`, `namespace`, …).
    pub options: BTreeMap<String, serde_json::Value>,
    /// Where it stands in the pipeline file, `file:line:column`, for messages.
    pub declared: String,
    /// References to its credentials in the stage's encrypted file, by the descriptor's credential key; what is not here
    /// is looked for in the environment by the one who connects.
    pub credentials: BTreeMap<String, SecretRef>,
}

impl Target {
    /// The address where it is one text; empty where it is a map.
    #[must_use]
    pub fn address_text(&self) -> &str {
        self.address.as_str().unwrap_or_default()
    }
}

/// Makes clients. `cli` gives one to the engine; it may put another backend in a target's place.
pub trait Connector: Send + Sync {
    /// Every backend whose words a pipeline file may use.
    fn descriptors(&self) -> &[&'static Descriptor];

    /// A client that can only ask.
    ///
    /// # Errors
    /// [`PlatformFault::NoClient`] for a word without a client, [`PlatformFault::NoCredential`] when one is missing.
    fn reader(&self, target: &Target, source: &dyn Source) -> Result<Arc<dyn Reader>, PlatformError>;

    /// A client that can also write.
    ///
    /// # Errors
    /// As [`Connector::reader`].
    fn writer(&self, target: &Target, source: &dyn Source) -> Result<Arc<dyn Writer>, PlatformError>;

    /// A client for `check: "https://…"`, which belongs to no target.
    ///
    /// # Errors
    /// As [`Connector::reader`].
    fn prober(&self) -> Result<Arc<dyn Reader>, PlatformError>;
}

/// What is asked of a resource.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// Which resource.
    pub resource: &'a Resource,
    /// What it shall be: names the fields to look at. `Absent`: everything there is, values of fields as `Held`.
    pub wanted: &'a State,
    /// Older versions that a live secret may have come from, by field, newest first (from the ledger).
    pub known: &'a BTreeMap<String, Vec<SecretRef>>,
    /// Opens secrets, so that a live value can be recognised; see [`Query::recognise`].
    pub source: &'a dyn Source,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// What the resource is.
    pub state: State,
    /// The platform's own version that holds this state (Heroku: the current release's id; DNS: none), to which
    /// [`Act::Restore`] can go back.
    pub version: Option<String>,
    /// Whether `version` can be gone back to now (Heroku: `eligible_for_rollback`), and what else comes back with it: the
    /// kinds of resource of the same target that a restore covers (Heroku: `config`, `build`). Empty: it cannot.
    pub restores: Vec<String>,
}

/// What the engine sends: an ordinary change, or the platform's own way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "nearly every act is a change")]
pub enum Act {
    /// Makes the resource equal to `after`, whatever it was. Facts are filled in. `before` serves as the prerequisite
    /// where the platform has one (RFC 2136).
    Change(Change),
    /// Goes back to a recorded version (Heroku: a release of an older release's id), which restores all of `covers`.
    Restore {
        /// The target's name.
        target: String,
        /// The version to go back to.
        version: String,
        /// What comes back with it, as changes from what is now. A value that was of unknown origin is [`Value::Held`].
        covers: Vec<Change>,
    },
}

impl Act {
    /// The target's name.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::Change(change) => &change.resource.target,
            Self::Restore { target, .. } => target,
        }
    }
}

/// The receiving side's newest version before a request, in the platform's own spelling (Heroku: the last release's
/// number and the last build's id; RFC 2136: the zone's serial). No secret; part of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark(pub String);

/// What the receiving side called the thing that a request made (a build's id, a release's id), and what a person may
/// want to know of it. No secret; part of the journal and the report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The platform's id to ask after; empty where there is none.
    pub id: String,
    /// Things to report, by name (`release`, `build`, `image`, `slug`, `serial`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
}

/// Whether what a request started has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Not yet; a word about what is waited for.
    Waiting(String),
    /// Done. The receipt, perhaps with more notes than before.
    Done(Receipt),
    /// It ended, and not well (a failed build, a failed release command, one name server that answers otherwise). Says why.
    Failed(String),
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// True now; what was seen, in few words (`web.1 up on v42`).
    Good(String),
    /// Not yet true, may become so; what is waited for.
    Waiting(String),
    /// Will not become true by waiting; why.
    Bad(String),
}

/// What tests at a platform say of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tests {
    /// The platform runs none for this target.
    None,
    /// It runs some, and has run none for this commit; which.
    Absent(String),
    /// Their verdict; `Waiting` while they run.
    Asked(Verdict),
}

/// One check: `verify:` entries, `check:` steps and the health of a source stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The target's name, or the `https://` address itself.
    pub subject: String,
    /// What has to be true, by the descriptor's check words (`dynos: up`, `release: succeeded`, `status: 200`).
    pub words: BTreeMap<String, serde_json::Value>,
    /// How long to wait for it; without it the descriptor's default.
    pub timeout: Option<Duration>,
}

/// The half that can only ask. An implementation holds a client type that offers GET and DNS queries and nothing else.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Reads one resource.
    ///
    /// Every field that `wanted` names is in the answer, recognised by [`Query::recognise`]. A whole resource that is not
    /// there (an app that does not exist) is an error; one that may be created (a record set) is [`State::Absent`].
    async fn observe(&self, query: Query<'_>) -> Result<Observed, PlatformError>;

    /// What the receiving side's versions are now, for `act`'s kind of request. Read before the request is announced.
    async fn watermark(&self, act: &Act) -> Result<Watermark, PlatformError>;

    /// Whether the request for `act`, announced at `since`, arrived. `Some` with its receipt when it did (also when it is
    /// still being worked on or has failed since: that is [`Reader::settled`]'s to say), `None` when it did not.
    async fn adopt(&self, act: &Act, since: &Watermark, source: &dyn Source) -> Result<Option<Receipt>, PlatformError>;

    /// Asks once whether what `act` started has ended. The engine repeats it with the descriptor's interval.
    async fn settled(&self, act: &Act, receipt: &Receipt, source: &dyn Source) -> Result<Settled, PlatformError>;

    /// A fact of this target (`domain.cname`); `None` while the platform does not know it yet. A fact that several things
    /// of the target have is asked for by the thing's name (`domain/api.example.org.cname`).
    async fn fact(&self, fact: &str) -> Result<Option<String>, PlatformError>;

    /// Asks once whether `check` is true.
    async fn check(&self, check: &Check) -> Result<Verdict, PlatformError>;

    /// Asks once whether the target is well as a *source*: what it runs has been released and is up. The build it runs
    /// comes from [`Reader::observe`].
    async fn healthy(&self) -> Result<Verdict, PlatformError>;

    /// What tests at the platform say of a commit.
    async fn tested(&self, _commit: &str) -> Result<Tests, PlatformError> {
        Ok(Tests::None)
    }

    /// How often to ask again; the descriptor's interval unless the connector gave another.
    fn interval(&self) -> Duration;
}

/// The half that can write.
#[async_trait]
pub trait Writer: Send + Sync {
    /// The half that reads.
    fn reader(&self) -> &dyn Reader;

    /// Sends the one request that does `act`, once. Does not wait for the work to end.
    ///
    /// What prepares the request and changes nothing (reading, uploading a source archive) may be repeated inside; the
    /// request itself may be repeated inside only when it certainly was not processed (connection refused, 429). An error
    /// says by [`PlatformError::fate`] whether the request may have been processed.
    async fn send(&self, act: &Act, source: &dyn Source) -> Result<Receipt, PlatformError>;
}

impl Query<'_> {
    /// Says where a live value comes from without keeping it: the wanted secret, an older version, or nowhere known.
    ///
    /// `live`: the value as the platform gave it, `None` when the field is not there. `version`: the platform's version
    /// that holds it. A field that is declared as plain text is shown as it is, every other live value is not.
    ///
    /// # Errors
    /// When the wanted secret cannot be opened. An older version that cannot be opened is passed over.
    pub fn recognise(
        &self,
        field: &str,
        live: Option<&str>,
        version: Option<&str>,
    ) -> Result<Value, super::source::SourceError> {
        let Some(live) = live else { return Ok(Value::Absent) };
        let wanted = if let State::Fields(fields) = self.wanted { fields.get(field) } else { None };
        let held = Value::Held { version: version.map(str::to_owned) };
        match wanted {
            Some(Value::Text(_)) => return Ok(Value::Text(live.to_owned())),
            Some(Value::Secret(reference)) if self.source.secret(reference)?.expose_secret() == live => {
                return Ok(Value::Secret(reference.clone()));
            }
            _ => {}
        }
        let older = self.known.get(field).map(Vec::as_slice).unwrap_or_default();
        let known = older
            .iter()
            .find(|reference| self.source.secret(reference).is_ok_and(|value| value.expose_secret() == live));
        Ok(known.map_or(held, |reference| Value::Secret(reference.clone())))
    }
}
