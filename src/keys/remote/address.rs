//! Where a key service listens.

use std::fmt;
use std::path::PathBuf;

/// `unix:///PATH` or `tcp://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServiceAddress {
    /// A socket in the file system.
    Unix(PathBuf),
    /// `HOST:PORT`, in clear.
    Tcp(String),
}

/// Why a text is no address of a key service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceAddressError {
    /// It has no scheme.
    #[error("`{0}` is no URI: a key service is at `unix:///PATH` or `tcp://HOST:PORT`")]
    NoUri(String),
    /// Its scheme is another one.
    #[error("dial {0}: unknown network {0}")]
    UnknownNetwork(String),
    /// There is nothing behind the scheme.
    #[error("`{0}` names no host, port or path")]
    Empty(String),
}

impl ServiceAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`ServiceAddressError`].
    pub fn parse(text: &str) -> Result<Self, ServiceAddressError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(ServiceAddressError::NoUri(text.to_owned()));
        };
        match scheme {
            "unix" => {
                // What stands before the path would be a host, which a socket has none of.
                let path = rest.find('/').map(|at| &rest[at..]).unwrap_or_default();
                if path.len() < 2 {
                    return Err(ServiceAddressError::Empty(text.to_owned()));
                }
                Ok(Self::Unix(path.into()))
            }
            "tcp" => {
                let host = rest.split('/').next().unwrap_or_default();
                match host.rsplit_once(':') {
                    Some((name, port)) if !name.is_empty() && port.parse::<u16>().is_ok() => Ok(Self::Tcp(host.into())),
                    _ => Err(ServiceAddressError::Empty(text.to_owned())),
                }
            }
            other => Err(ServiceAddressError::UnknownNetwork(other.to_owned())),
        }
    }
}

impl fmt::Display for ServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let unix = ServiceAddress::parse("unix:///run/keys.sock").unwrap();
        assert_eq!(unix, ServiceAddress::Unix("/run/keys.sock".into()));
        assert_eq!(unix.to_string(), "unix:///run/keys.sock");
        assert_eq!(ServiceAddress::parse("tcp://[::1]:5000"), Ok(ServiceAddress::Tcp("[::1]:5000".into())));
        let shown = |text| ServiceAddress::parse(text).unwrap_err().to_string();
        assert_eq!(shown("http://localhost:1"), "dial http: unknown network http");
        assert!(shown("127.0.0.1:5098").contains("is no URI"));
        for text in ["tcp://localhost", "tcp://:5000", "unix://", "unix:///", "tcp://h:port"] {
            assert!(matches!(ServiceAddress::parse(text), Err(ServiceAddressError::Empty(_))), "{text}");
        }
    }
}
