//! How an exchange fails, in words that hold nothing of what was sent or received.

use std::time::Duration;

use crate::error::{Class, Failure, Outcome};

/// Why an exchange did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The server answered and declined.
    #[error("`{what}` is refused: status {status}{}{}", of(" ", id.as_deref()), of(", request ", request_id.as_deref()))]
    Refused {
        /// Method and path.
        what: String,
        /// The status, 3xx to 5xx.
        status: u16,
        /// The vendor's word for it.
        id: Option<String>,
        /// What the vendor calls this exchange.
        request_id: Option<String>,
        /// When to come back, if it was said.
        retry_after: Option<Duration>,
        /// Where the credential was found that went with the request.
        credential: Option<String>,
    },
    /// No connection came about: nothing was sent.
    #[error("`{what}` reaches nobody: {why}")]
    Unreachable {
        /// Method and path.
        what: String,
        /// The kind of failure.
        why: &'static str,
    },
    /// The connection broke before the answer was there.
    #[error("`{what}` has no answer: {why}")]
    Broken {
        /// Method and path.
        what: String,
        /// The kind of failure.
        why: &'static str,
    },
    /// A change was sent, and whether it was made is not known.
    #[error("`{what}` was sent, and whether it was processed is not known: {why}")]
    Unanswered {
        /// Method and path.
        what: String,
        /// What came instead of an answer.
        why: String,
    },
    /// The answer cannot be used.
    #[error("`{what}` cannot be used: {why}")]
    Unreadable {
        /// Method and path.
        what: String,
        /// What is wrong with the answer.
        why: &'static str,
    },
    /// The request cannot be made at all.
    #[error("{0}")]
    Configuration(String),
}

impl HttpError {
    /// The status, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The vendor's word, where there was one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Refused { id, .. } => id.as_deref(),
            _ => None,
        }
    }

    /// Whether a change may have been made although no success was reported.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        matches!(self, Self::Unanswered { .. })
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// For requests that change nothing.
    pub(super) fn may_be_read_again(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Unanswered { .. } | Self::Unreadable { .. } | Self::Configuration(_) => false,
        }
    }

    /// For requests that change something: the server has surely not done it.
    pub(super) fn was_not_processed(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Refused { status: 429, .. })
    }

    /// The same failure as seen by whoever sent a change: after a 5xx or a broken connection its fate is not known.
    pub(super) fn of_write(self, method: &str, path: &str) -> Self {
        let what = format!("{method} {path}");
        match self {
            Self::Broken { why, .. } | Self::Unreadable { why, .. } => Self::Unanswered { what, why: why.to_owned() },
            Self::Refused { status, .. } if status >= 500 => Self::Unanswered { what, why: format!("status {status}") },
            other => other,
        }
    }
}

impl Failure for HttpError {
    fn class(&self) -> Class {
        match self {
            Self::Configuration(_) => Class::Usage,
            _ => Class::World,
        }
    }

    fn outcome(&self) -> Option<Outcome> {
        self.is_unanswered().then_some(Outcome::Unknown)
    }
}

/// What went wrong below HTTP; the library's own message is dropped, for it may quote the address.
pub(super) fn transport(error: &reqwest::Error, what: &str) -> HttpError {
    let what = what.to_owned();
    if error.is_builder() {
        HttpError::Configuration(format!("`{what}` is no request that can be sent"))
    } else if error.is_connect() {
        HttpError::Unreachable { what, why: reason(error) }
    } else if error.is_timeout() {
        HttpError::Broken { what, why: "the time limit is over" }
    } else {
        HttpError::Broken { what, why: "the connection broke" }
    }
}

fn reason(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return "the connection took too long";
    }
    match super::visit::tls_failure(error) {
        Some(rustls::Error::InvalidCertificate(_)) => return "its certificate is not trusted",
        Some(_) => return "the TLS handshake failed",
        None => {}
    }
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        let io = inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if io == Some(std::io::ErrorKind::ConnectionRefused) {
            return "the connection is refused";
        }
        source = inner.source();
    }
    "no connection"
}

fn of(before: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!("{before}{value}"))
}
