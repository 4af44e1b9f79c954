//! An app, what runs on it, and what is attached to it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sandbox::vault::Sealed;

/// The platform an app's builds are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stack {
    /// Images, built from a `heroku.yml`.
    Container,
    /// Slugs, built by buildpacks.
    Slug,
}

impl Stack {
    /// The name that the vendor gives this stack.
    pub(in crate::sandbox) const fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Slug => "heroku-24",
        }
    }
}

/// One app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct App {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) stack: Stack,
    pub(in crate::sandbox) maintenance: bool,
    pub(in crate::sandbox) acm: bool,
    /// The values as set last, whether or not a release with them succeeded.
    pub(in crate::sandbox) config: BTreeMap<String, Sealed>,
    pub(in crate::sandbox) formation: Vec<Process>,
    pub(in crate::sandbox) one_offs: Vec<OneOff>,
    /// The release that serves.
    pub(in crate::sandbox) current: Option<String>,
    /// How many more questions about the dynos are answered with `starting`.
    pub(in crate::sandbox) starting: u32,
    pub(in crate::sandbox) last_version: u64,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
    pub(in crate::sandbox) released_at: Option<Timestamp>,
}

/// One process type of an app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Process {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) kind: String,
    pub(in crate::sandbox) command: String,
    pub(in crate::sandbox) quantity: u32,
    pub(in crate::sandbox) size: String,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}

/// A dyno that runs one command and ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct OneOff {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) command: String,
    pub(in crate::sandbox) created_at: Timestamp,
    /// How many more questions find it alive.
    pub(in crate::sandbox) left: u32,
}

/// How far a release or a build is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::sandbox) enum Status {
    Pending,
    Succeeded,
    Failed,
}

impl Status {
    /// The vendor's word.
    pub(in crate::sandbox) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// What a release serves, under a configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Release {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) app: String,
    pub(in crate::sandbox) version: u64,
    pub(in crate::sandbox) status: Status,
    pub(in crate::sandbox) description: String,
    pub(in crate::sandbox) artifact: Option<String>,
    pub(in crate::sandbox) config: BTreeMap<String, Sealed>,
    /// Names the release command's output; none where no command runs.
    pub(in crate::sandbox) stream: Option<String>,
    /// How many more questions find it pending.
    pub(in crate::sandbox) left: u32,
    /// Whether its command will fail.
    pub(in crate::sandbox) doomed: bool,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}

/// What kind of thing a build makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sandbox) enum ArtifactKind {
    OciImage,
    Slug,
}

/// A slug or an image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Artifact {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) app: String,
    pub(in crate::sandbox) kind: ArtifactKind,
    pub(in crate::sandbox) stack: Stack,
    pub(in crate::sandbox) commit: Option<String>,
    pub(in crate::sandbox) commit_description: Option<String>,
    pub(in crate::sandbox) checksum: Option<String>,
    pub(in crate::sandbox) process_types: BTreeMap<String, String>,
    pub(in crate::sandbox) created_at: Timestamp,
}

/// One build.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Build {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) app: String,
    pub(in crate::sandbox) status: Status,
    pub(in crate::sandbox) stack: Stack,
    pub(in crate::sandbox) url: String,
    pub(in crate::sandbox) version: Option<String>,
    pub(in crate::sandbox) version_description: Option<String>,
    pub(in crate::sandbox) checksum: Option<String>,
    pub(in crate::sandbox) artifact: Option<String>,
    pub(in crate::sandbox) release: Option<String>,
    pub(in crate::sandbox) stream: String,
    pub(in crate::sandbox) left: u32,
    /// Why it will fail, if it will.
    pub(in crate::sandbox) doom: Option<String>,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}

/// A place a source archive is uploaded to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Source {
    pub(in crate::sandbox) id: String,
    /// SHA-256 of what was uploaded, in hexadecimal digits.
    pub(in crate::sandbox) sha256: Option<String>,
    pub(in crate::sandbox) size: u64,
    /// Whether it begins as a gzip file does.
    pub(in crate::sandbox) gzip: bool,
}

/// A custom domain of an app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Domain {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) app: String,
    pub(in crate::sandbox) hostname: String,
    pub(in crate::sandbox) cname: Option<String>,
    pub(in crate::sandbox) status: Status,
    pub(in crate::sandbox) acm_status: Option<String>,
    pub(in crate::sandbox) acm_reason: Option<String>,
    /// Why no certificate is issued whatever the zone says, until a refresh.
    pub(in crate::sandbox) stuck: Option<String>,
    /// How many questions have found the certificate failing.
    pub(in crate::sandbox) failing: u32,
    pub(in crate::sandbox) certificate: Option<String>,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}

/// A certificate that the world's authority issued for one host name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Certificate {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) app: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) hostname: String,
    pub(in crate::sandbox) chain: String,
    pub(in crate::sandbox) key: Sealed,
    pub(in crate::sandbox) starts_at: Timestamp,
    pub(in crate::sandbox) expires_at: Timestamp,
}

/// An add-on of an app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct AddOn {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) app: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) service: String,
    pub(in crate::sandbox) plan: String,
    pub(in crate::sandbox) config_vars: Vec<String>,
    pub(in crate::sandbox) left: u32,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}
