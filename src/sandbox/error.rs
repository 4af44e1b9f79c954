//! What can go wrong around a world, apart from what its servers answer.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Class, Failure};

/// A world that cannot be made, opened, served or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A world was to begin with something that the platform could not be in.
    #[error("`{what}` cannot be what a world begins with")]
    BadStart {
        /// The app or the zone.
        what: String,
    },
    /// A file of the world is not what this program wrote.
    #[error("`{}` is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A file of the world cannot be used.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No port on loopback can be opened.
    #[error("no port can be opened on 127.0.0.1")]
    Listen {
        /// Why.
        source: io::Error,
    },
    /// The directory is no world.
    #[error("`{}` holds no world", dir.display())]
    NoWorld {
        /// The directory.
        dir: PathBuf,
    },
    /// The world's server did not start.
    #[error("the sandbox did not start: {reason}")]
    NotStarted {
        /// Its last words.
        reason: String,
    },
    /// The world's server gives no proper answer.
    #[error("the sandbox does not answer on {address}")]
    NoAnswer {
        /// Where it was asked.
        address: String,
    },
    /// The world's server breaks its connections.
    #[error("the sandbox on {address} is ending")]
    Dying {
        /// Where it was asked.
        address: String,
    },
    /// The world's server refuses what it was told.
    #[error("the sandbox answers {status} to `{request}`")]
    Refused {
        /// The request.
        request: String,
        /// The HTTP status.
        status: u16,
    },
    /// The machine has no randomness.
    #[error("the machine gives no random bytes")]
    Randomness,
    /// A value does not open under the world's key.
    #[error("a value of the world does not open under its key")]
    Sealing,
    /// Another process serves the world.
    #[error("`{}` is served by another process", dir.display())]
    Served {
        /// The world's directory.
        dir: PathBuf,
    },
    /// The world's certificate authority cannot be made.
    #[error("a certificate of the world cannot be made")]
    Certificate,
}

/// The status of an answer that could not be kept (RFC 4918, 11.5).
pub(super) const FULL_DISK: u16 = 507;

/// The system's words for a full disk, in which a server that did not start tells it.
const NO_ROOM: &str = "No space left";

impl SandboxError {
    /// Whether it comes from a disk without room.
    pub(super) fn is_full_disk(&self) -> bool {
        match self {
            Self::File { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Refused { status, .. } => *status == FULL_DISK,
            Self::NotStarted { reason } => reason.contains(NO_ROOM),
            _ => false,
        }
    }

    /// This file, this trouble.
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

impl Failure for SandboxError {
    fn class(&self) -> Class {
        match self {
            Self::NoWorld { .. } => Class::Usage,
            Self::BadStart { .. } => Class::Bug,
            Self::Damaged { .. } | Self::Sealing => Class::Untrusted,
            _ => Class::World,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            full if full.is_full_disk() => {
                vec!["make room on the disk, then run the same command again".to_owned()]
            }
            Self::Damaged { .. } | Self::Sealing | Self::NoAnswer { .. } | Self::Refused { .. } => {
                vec!["run `lockage sandbox reset` to begin with a new world".to_owned()]
            }
            Self::NoWorld { .. } => vec!["run `lockage promote review staging --sandbox` to make one".to_owned()],
            _ => Vec::new(),
        }
    }
}
