//! How a platform fails: what was asked of it, what it answered, and whether a request may have been processed.

use std::time::Duration;

use super::source::SourceError;
use crate::error::{Class, Failure};

/// A failed question or request. Never holds a remote body: status, the vendor's error code and the request's id are what
/// is kept.
#[derive(Debug, thiserror::Error)]
#[error("`{target}`: {action}: {fault}")]
pub struct PlatformError {
    /// The target's name.
    pub target: Box<str>,
    /// What was tried, lower case (`patch the config variables of pangeo-forge-api-staging`).
    pub action: Box<str>,
    /// What went wrong; told by the message itself.
    pub fault: PlatformFault,
    /// Whether the request may have been processed. Of a question: [`Fate::NotProcessed`].
    pub fate: Fate,
    /// What the platform's own client has to say about it (which variable held the token); comes before the general hint.
    pub advice: Vec<String>,
}

/// Whether the receiving side may have acted on a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It certainly did not: never sent, or refused with an answer.
    NotProcessed,
    /// It may have: a timeout, a reset after sending, a 5xx.
    Unknown,
}

/// What went wrong between us and a platform.
#[derive(Debug, thiserror::Error)]
pub enum PlatformFault {
    /// The word is known, but nothing can speak with it yet.
    #[error("`{backend}` has no client yet ({declared})")]
    NoClient {
        /// The backend's word.
        backend: String,
        /// Where it stands, `file:line:column`.
        declared: String,
    },
    /// A credential is neither in the stage's file nor in the environment.
    #[error("the credential `{key}` is not set")]
    NoCredential {
        /// The descriptor's key.
        key: &'static str,
        /// The environment variable that can hold it.
        variable: &'static str,
    },
    /// An address or option of the target does not mean anything to its backend.
    #[error("{what}")]
    Misconfigured {
        /// What is wrong with it.
        what: String,
    },
    /// The platform answered with an error. 401 and 403 are refusals too.
    #[error("the platform answers {status}{}", suffix(.code.as_deref(), .request_id.as_deref()))]
    Refused {
        /// HTTP status, or the DNS response code's number.
        status: u16,
        /// The vendor's error code (`rate_limit`, `not_found`, `NXRRSET`); from a closed alphabet, never free text.
        code: Option<String>,
        /// The vendor's id of the request.
        request_id: Option<String>,
    },
    /// Too many requests, and waiting as told did not help.
    #[error("the platform asks to slow down{}", .retry_after.map(|wait| format!(" for {} s", wait.as_secs())).unwrap_or_default())]
    RateLimited {
        /// What `Retry-After` said.
        retry_after: Option<Duration>,
    },
    /// No connection, or none in time.
    #[error("the platform cannot be reached: {why}")]
    Unreachable {
        /// In our words (`connection refused`, `no answer within 30 s`).
        why: String,
    },
    /// A redirect, a certificate or an address that must not be trusted.
    #[error("{what}")]
    Untrusted {
        /// What is not trusted.
        what: String,
    },
    /// An answer that does not look like one.
    #[error("the platform's answer makes no sense: {what}")]
    Senseless {
        /// What is missing or malformed, never the answer itself.
        what: String,
    },
    /// A secret, or the source archive, could not be had.
    #[error("{0}")]
    Source(Box<SourceError>),
}

fn suffix(code: Option<&str>, request_id: Option<&str>) -> String {
    let mut text = code.map(|code| format!(" `{code}`")).unwrap_or_default();
    if let Some(id) = request_id {
        text.push_str(&format!(" (request {id})"));
    }
    text
}

impl From<SourceError> for PlatformFault {
    fn from(error: SourceError) -> Self {
        Self::Source(Box::new(error))
    }
}

impl PlatformError {
    /// A failure of which it is certain that nothing was processed.
    #[must_use]
    pub fn new(target: impl Into<String>, action: impl Into<String>, fault: impl Into<PlatformFault>) -> Self {
        Self {
            target: target.into().into(),
            action: action.into().into(),
            fault: fault.into(),
            fate: Fate::NotProcessed,
            advice: Vec::new(),
        }
    }

    /// The same with a hint of the platform's own.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    /// The same, but the request may have been processed.
    #[must_use]
    pub fn fate_unknown(mut self) -> Self {
        self.fate = Fate::Unknown;
        self
    }
}

impl Failure for PlatformError {
    fn class(&self) -> Class {
        match &self.fault {
            PlatformFault::NoClient { .. }
            | PlatformFault::NoCredential { .. }
            | PlatformFault::Misconfigured { .. } => Class::Usage,
            PlatformFault::Untrusted { .. } => Class::Untrusted,
            PlatformFault::Source(error) => error.class(),
            PlatformFault::Refused { .. }
            | PlatformFault::RateLimited { .. }
            | PlatformFault::Unreachable { .. }
            | PlatformFault::Senseless { .. } => Class::World,
        }
    }

    fn hints(&self) -> Vec<String> {
        if !self.advice.is_empty() {
            return self.advice.clone();
        }
        match &self.fault {
            PlatformFault::NoCredential { key, variable } => {
                vec![format!("set `{variable}`, or put `{key}` into the stage's encrypted file")]
            }
            PlatformFault::Refused { status: 401, .. } => {
                vec![format!("the credential of `{}` is wrong or has expired", self.target)]
            }
            PlatformFault::Refused { status: 403, .. } => {
                vec![format!("the account behind the credential of `{}` may not do this", self.target)]
            }
            PlatformFault::Refused { status: 507, .. } => {
                vec![format!(
                    "the platform of `{}` has no room left: make some, then run the same command again",
                    self.target
                )]
            }
            PlatformFault::RateLimited { .. } => vec!["run the same command again later: it resumes".to_owned()],
            PlatformFault::Source(error) => error.hints(),
            _ => Vec::new(),
        }
    }
}
