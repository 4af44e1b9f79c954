//! What the world is at one moment: rows in tables, every one of which can be written down.
//!
//! Time does not move here. What takes a while on the vendor's side (a build, a release command, a domain's status, a
//! certificate) counts the requests that ask about it, so a world is as slow as its observer and tests need no clock.

mod app;
mod pipeline;
mod zone;

use std::collections::BTreeMap;

use jiff::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize};

pub use app::Stack;
pub(super) use app::{
    AddOn, App, Artifact, ArtifactKind, Build, Certificate, Domain, OneOff, Process, Release, Source, Status,
};
pub(super) use pipeline::{Coupling, Pipeline, Promotion, PromotionTarget, ReviewApp, ReviewAppConfig, TestRun};
pub(super) use zone::{Behind, RecordSet, Zone};

use super::fault::Fault;

/// Every row of the world.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    pub(super) about: About,
    pub(super) apps: BTreeMap<String, App>,
    pub(super) releases: BTreeMap<String, Release>,
    pub(super) builds: BTreeMap<String, Build>,
    pub(super) artifacts: BTreeMap<String, Artifact>,
    pub(super) sources: BTreeMap<String, Source>,
    pub(super) domains: BTreeMap<String, Domain>,
    pub(super) certificates: BTreeMap<String, Certificate>,
    pub(super) addons: BTreeMap<String, AddOn>,
    pub(super) pipelines: BTreeMap<String, Pipeline>,
    pub(super) couplings: BTreeMap<String, Coupling>,
    pub(super) promotions: BTreeMap<String, Promotion>,
    pub(super) review_apps: BTreeMap<String, ReviewApp>,
    pub(super) review_app_configs: BTreeMap<String, ReviewAppConfig>,
    pub(super) test_runs: BTreeMap<String, TestRun>,
    pub(super) zones: BTreeMap<String, Zone>,
    pub(super) faults: BTreeMap<String, Fault>,
}

/// What there is once in a world.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct About {
    /// Random at the world's creation; every id of the world is derived from it.
    pub(super) id: String,
    pub(super) email: String,
    pub(super) created_at: Timestamp,
    /// How many ids have been given out.
    pub(super) ids: u64,
}

impl State {
    /// A fresh id: a version 4 UUID in shape, the same for the same world and count, so that a replay cannot differ.
    pub(super) fn new_id(&mut self) -> String {
        self.about.ids += 1;
        derived_id(&self.about.id, &self.about.ids.to_string())
    }

    /// The id that stands for `what` in this world, for things that are not rows (an account, a region, a dyno).
    pub(super) fn id_of(&self, what: &str) -> String {
        derived_id(&self.about.id, what)
    }

    /// The app with this id or name.
    pub(super) fn app(&self, id_or_name: &str) -> Option<&App> {
        self.apps.get(id_or_name).or_else(|| self.apps.values().find(|app| app.name == id_or_name))
    }

    /// The releases of an app, oldest first.
    pub(super) fn releases_of(&self, app: &str) -> Vec<&Release> {
        let mut found: Vec<&Release> = self.releases.values().filter(|release| release.app == app).collect();
        found.sort_by_key(|release| release.version);
        found
    }

    /// The coupling of an app, which has at most one.
    pub(super) fn coupling_of(&self, app: &str) -> Option<&Coupling> {
        self.couplings.values().find(|coupling| coupling.app == app)
    }
}

fn derived_id(world: &str, what: &str) -> String {
    let digest = digest::digest(&digest::SHA256, format!("{world}\n{what}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
