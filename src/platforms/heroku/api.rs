//! The answers of the Platform API that are used, each with the fields that are used.
//!
//! *Source*: Heroku's published JSON schema of version 3. Fields that an answer may lack have a default.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::secret::SecretString;

/// An object named by its id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Id {
    pub(super) id: String,
}

/// An object named by its name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct App {
    #[serde(default)]
    pub(super) acm: bool,
    #[serde(default)]
    pub(super) maintenance: bool,
    pub(super) stack: Named,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Release {
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) status: String,
    #[serde(default)]
    pub(super) current: bool,
    #[serde(default)]
    pub(super) slug: Option<Id>,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) eligible_for_rollback: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Coupling {
    pub(super) pipeline: Id,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct TestRun {
    pub(super) number: u64,
    pub(super) commit_sha: String,
    pub(super) status: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Build {
    pub(super) id: String,
    pub(super) created_at: String,
    pub(super) status: String,
    pub(super) source_blob: SourceBlob,
    #[serde(default)]
    pub(super) release: Option<Id>,
    #[serde(default)]
    pub(super) slug: Option<Id>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct SourceBlob {
    #[serde(default)]
    pub(super) version: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Slug {
    #[serde(default)]
    pub(super) commit: Option<String>,
}

/// Where a source archive is put and fetched; whoever has an address may use it.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) source_blob: SourceAddresses,
}

#[derive(Debug, Deserialize)]
pub(super) struct SourceAddresses {
    pub(super) get_url: Plaintext,
    pub(super) put_url: Plaintext,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Domain {
    pub(super) hostname: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) cname: Option<String>,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) acm_status: Option<String>,
    #[serde(default)]
    pub(super) acm_status_reason: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Formation {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) quantity: u64,
    #[serde(default)]
    pub(super) size: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Dyno {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) release: DynoRelease,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct DynoRelease {
    pub(super) version: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Addon {
    pub(super) addon_service: Named,
    pub(super) plan: Named,
    #[serde(default)]
    pub(super) state: String,
}

/// A text that goes from the answer straight into a wiped one.
#[derive(Clone)]
pub(super) struct Plaintext(pub(super) SecretString);

impl<'de> Deserialize<'de> for Plaintext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretString::new(text)))
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
