//! How an exchange fails before there is an answer, in words that hold nothing of what was sent.

use std::error::Error;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// No connection came about: nothing was sent.
    #[error("{what}: {why}")]
    Unreachable {
        /// Method, host and path.
        what: String,
        /// The kind of failure.
        why: &'static str,
    },
    /// The certificate of the other side, or the handshake with it.
    #[error("{what}: {why}")]
    Untrusted {
        /// Method, host and path.
        what: String,
        /// The kind of failure.
        why: &'static str,
    },
    /// The connection broke before the answer was there.
    #[error("{what}: {why}")]
    Broken {
        /// Method, host and path.
        what: String,
        /// The kind of failure.
        why: String,
    },
    /// The answer took too long.
    #[error("{what}: context deadline exceeded")]
    TooSlow {
        /// Method, host and path.
        what: String,
    },
    /// The answer is longer than any that is expected.
    #[error("{what}: the answer is longer than {limit} bytes")]
    TooLong {
        /// Method, host and path.
        what: String,
        /// The bound.
        limit: usize,
    },
    /// The address or a header cannot be sent.
    #[error("{what}: no such request can be sent")]
    Unsendable {
        /// Method, host and path.
        what: String,
    },
    /// Certificates or a proxy that were named cannot be used.
    #[error("{0}")]
    Settings(String),
}

impl WireError {
    /// Whether another try could do better.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Broken { .. } | Self::TooSlow { .. })
    }
}

/// The library's own message is dropped, for it may quote the address.
pub(super) fn of(error: &reqwest::Error, what: &str) -> WireError {
    let what = what.to_owned();
    if error.is_builder() {
        WireError::Unsendable { what }
    } else if let Some(why) = distrust(error) {
        WireError::Untrusted { what, why }
    } else if error.is_connect() {
        WireError::Unreachable { what, why: reason(error) }
    } else if error.is_timeout() {
        WireError::TooSlow { what }
    } else {
        WireError::Broken { what, why: "the connection broke".into() }
    }
}

fn distrust(error: &reqwest::Error) -> Option<&'static str> {
    match crate::system::http::tls_failure(error)? {
        rustls::Error::InvalidCertificate(_) => Some("its certificate is not trusted"),
        _ => Some("the TLS handshake failed"),
    }
}

fn reason(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return "the connection took too long";
    }
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::ConnectionRefused => return "connect: connection refused",
                std::io::ErrorKind::HostUnreachable => return "connect: no route to host",
                std::io::ErrorKind::NetworkUnreachable => return "connect: network is unreachable",
                _ => {}
            }
        }
        source = inner.source();
    }
    "no connection"
}
