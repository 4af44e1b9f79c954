//! Where encrypted files are published: buckets, and the KV engine of a Vault, which gets their values.
//!
//! These are no keys. They are here because the signatures, tokens and sources of credentials are those of the keys of the
//! same clouds, and nobody above needs them for anything else.
//!
//! *Source*: the SOPS format, section 11; the notes on the wire, section 6.

use std::time::Duration;

use zeroize::Zeroizing;

use super::aws::S3;
use super::gcp::Gcs;
use super::trouble::Trouble;
use super::vault_kv::VaultKv;
use crate::keys::{KeyError, ServiceError, Surroundings};
use crate::system::background::Background;
use crate::system::wire::{Response, Wire, WireError};

/// A slow line takes a large file, too.
pub(super) const UPLOAD_LIMIT: Duration = Duration::from_secs(600);

/// One place that files can be published to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A bucket of Amazon S3.
    S3 {
        /// Its name.
        bucket: String,
        /// What stands before the file's name.
        prefix: String,
    },
    /// A bucket of Google Cloud Storage.
    Gcs {
        /// Its name.
        bucket: String,
        /// What stands before the file's name.
        prefix: String,
    },
    /// The KV engine of a Vault.
    VaultKv {
        /// The server; empty for that of the environment.
        address: String,
        /// Where the engine is mounted; empty for `secret`.
        mount: String,
        /// The folder in it.
        path: String,
        /// Whether it is the engine of version 1, which keeps no older values.
        first: bool,
    },
}

impl Destination {
    /// Whether it takes the values in clear, as one JSON object; a bucket takes the encrypted file.
    #[must_use]
    pub const fn takes_values(&self) -> bool {
        matches!(self, Self::VaultKv { .. })
    }
}

/// What stands at a destination already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Nothing,
    /// What would be put there.
    Same,
    /// Something else: of a bucket its bytes, unless they are far more than those that would replace them.
    Other(Option<Zeroizing<Vec<u8>>>),
    /// It could not be found out, for this reason.
    Unknown(String),
}

/// What an object store holds under a name.
pub(super) enum Found {
    Nothing,
    Object(Zeroizing<Vec<u8>>),
    TooLong,
}

impl Found {
    /// What an answer says, or that it was too long; `nothing` is whether there is no such object, `refused` what else a
    /// failure means.
    pub(super) fn of(
        answer: Result<Response, WireError>,
        nothing: impl Fn(&Response) -> bool,
        refused: impl Fn(&Response) -> Trouble,
    ) -> Result<Self, Trouble> {
        match answer {
            Ok(answer) if answer.is_success() => Ok(Self::Object(Zeroizing::new(answer.body().to_vec()))),
            Ok(answer) if nothing(&answer) => Ok(Self::Nothing),
            Ok(answer) => Err(refused(&answer)),
            Err(WireError::TooLong { .. }) => Ok(Self::TooLong),
            Err(error) => Err(error.into()),
        }
    }
}

/// Brings files to destinations. Nothing is read or sent before the first call.
pub struct Publisher {
    s3: S3,
    gcs: Gcs,
    vault: VaultKv,
}

impl Publisher {
    /// A client with the variables that the vendors' own programs would find.
    #[must_use]
    pub fn new(surroundings: &Surroundings, background: &Background) -> Self {
        let wire = Wire::new(background.clone(), surroundings.trust());
        let (s3, gcs) = (S3::new(surroundings, &wire), Gcs::new(surroundings, &wire));
        Self { s3, gcs, vault: VaultKv::new(surroundings, &wire) }
    }

    /// The address of a file of that name, as SOPS shows it.
    #[must_use]
    pub fn address(&self, destination: &Destination, name: &str) -> String {
        match destination {
            Destination::S3 { bucket, prefix } => format!("s3://{bucket}/{prefix}{name}"),
            Destination::Gcs { bucket, prefix } => format!("gcs://{bucket}/{prefix}{name}"),
            Destination::VaultKv { .. } => self.vault.address(destination, name),
        }
    }

    /// Compares what is there with `content`, which would replace it. Whoever may write need not be able to read: then
    /// that is what the answer says.
    #[must_use]
    pub fn look(&self, destination: &Destination, name: &str, content: &[u8]) -> Standing {
        let limit = 2 * content.len();
        let found = match destination {
            Destination::S3 { bucket, prefix } => self.s3.get(bucket, &format!("{prefix}{name}"), limit),
            Destination::Gcs { bucket, prefix } => self.gcs.get(bucket, &format!("{prefix}{name}"), limit),
            Destination::VaultKv { .. } => {
                let standing = self.vault.compare(destination, name, content);
                return standing.unwrap_or_else(|trouble| Standing::Unknown(trouble.problem));
            }
        };
        match found {
            Err(trouble) => Standing::Unknown(trouble.problem),
            Ok(Found::Nothing) => Standing::Nothing,
            Ok(Found::Object(object)) if object.as_slice() == content => Standing::Same,
            Ok(Found::Object(object)) => Standing::Other(Some(object)),
            Ok(Found::TooLong) => Standing::Other(None),
        }
    }

    /// Puts `content` there: an encrypted file, or the values as a JSON object.
    ///
    /// # Errors
    /// [`KeyError::Service`] for everything but an answer that says that it is there now.
    pub fn put(&self, destination: &Destination, name: &str, content: &[u8]) -> Result<(), KeyError> {
        let put = match destination {
            Destination::S3 { bucket, prefix } => self.s3.put(bucket, &format!("{prefix}{name}"), content),
            Destination::Gcs { bucket, prefix } => self.gcs.put(bucket, &format!("{prefix}{name}"), content),
            Destination::VaultKv { .. } => self.vault.put(destination, name, content),
        };
        put.map_err(|Trouble { class, problem, sops, hint, .. }| {
            let id = self.address(destination, name);
            ServiceError { id, problem, class, hint, sops: Some(sops) }.into()
        })
    }
}
