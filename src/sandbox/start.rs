//! What a world begins with.

use std::path::Path;

use jiff::Timestamp;

use super::authority::Authority;
use super::dns;
use super::error::SandboxError;
use super::heroku::Heroku;
use super::state::{App, Build, Coupling, Pipeline, Process, ReviewApp, Stack, State, Status, hex};
use super::store::Store;
use super::vault::Vault;
use crate::secret::SecretString;

/// What a world begins with; the caller has it from the repository's own files.
#[derive(Clone, Debug, Default)]
pub struct StartWorld {
    /// The account's address.
    pub email: String,
    /// The pipelines' names.
    pub pipelines: Vec<String>,
    /// The apps.
    pub apps: Vec<StartApp>,
    /// The zones.
    pub zones: Vec<StartZone>,
}

/// An app with one succeeded release.
#[derive(Clone, Debug)]
pub struct StartApp {
    /// Its name.
    pub name: String,
    /// Its stack.
    pub stack: Stack,
    /// The pipeline's name and the stage's word there (`review`, `staging`, `production`).
    pub pipeline: Option<(String, String)>,
    /// The branch and the pull request, for a review app.
    pub review: Option<(String, u64)>,
    /// The commit that it runs.
    pub commit: String,
    /// Its config vars.
    pub config: Vec<(String, SecretString)>,
    /// Its process types, with `release` where it has a release command.
    pub processes: Vec<StartProcess>,
    /// The plans of its add-ons (`heroku-postgresql:hobby-0`).
    pub addons: Vec<String>,
}

/// A process type.
#[derive(Clone, Debug)]
pub struct StartProcess {
    /// Its name (`web`).
    pub kind: String,
    /// Its command.
    pub command: String,
    /// How many dynos run it.
    pub quantity: u32,
}

/// A zone; its SOA and NS records are made.
#[derive(Clone, Debug)]
pub struct StartZone {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub records: Vec<StartRecord>,
}

/// A record as a zone file has it.
#[derive(Clone, Debug)]
pub struct StartRecord {
    /// The absolute name.
    pub name: String,
    /// The type's word.
    pub kind: String,
    /// Seconds.
    pub ttl: u32,
    /// The data's words.
    pub data: String,
}

impl StartWorld {
    /// Writes a new world into `dir`, which must be there and empty.
    ///
    /// # Errors
    /// When the disk does not take it, or a part of the start is none that the platform could be in.
    pub(super) fn create(self, dir: &Path, now: Timestamp) -> Result<(), SandboxError> {
        let vault = Vault::create(&dir.join("key"))?;
        Authority::create(dir, &vault, now)?;
        let authority = Authority::open(dir, &vault)?;
        let mut state = State::default();
        state.about.id = hex(&vault.derive("world")[..16]);
        state.about.email = self.email;
        state.about.created_at = now;
        for name in self.pipelines {
            let id = state.new_id();
            state.pipelines.insert(id.clone(), Pipeline { id, name, created_at: now, updated_at: now });
        }
        for app in self.apps {
            let name = app.name.clone();
            add_app(&mut state, &vault, &authority, now, app).ok_or(SandboxError::BadStart { what: name })?;
        }
        for zone in self.zones {
            let name = zone.name.clone();
            dns::add_zone(&mut state, zone).ok_or(SandboxError::BadStart { what: name })?;
        }
        Store::create(dir, &state)
    }
}

fn add_app(state: &mut State, vault: &Vault, authority: &Authority, now: Timestamp, start: StartApp) -> Option<()> {
    let id = state.new_id();
    let mut formation = Vec::new();
    for process in &start.processes {
        formation.push(Process {
            id: state.new_id(),
            kind: process.kind.clone(),
            command: process.command.clone(),
            quantity: process.quantity,
            size: "Basic".to_owned(),
            created_at: now,
            updated_at: now,
        });
    }
    let mut config = std::collections::BTreeMap::new();
    for (name, value) in &start.config {
        config.insert(name.clone(), vault.seal(name, value).ok()?);
    }
    let app = App {
        id: id.clone(),
        name: start.name,
        stack: start.stack,
        maintenance: false,
        acm: false,
        config,
        formation,
        one_offs: Vec::new(),
        current: None,
        starting: 0,
        last_version: 0,
        created_at: now,
        updated_at: now,
        released_at: None,
    };
    state.apps.insert(id.clone(), app);
    if let Some((pipeline, stage)) = start.pipeline {
        let pipeline = state.pipelines.values().find(|row| row.name == pipeline)?.id.clone();
        let coupling = state.new_id();
        let row = Coupling {
            id: coupling.clone(),
            app: id.clone(),
            pipeline: pipeline.clone(),
            stage,
            created_at: now,
            updated_at: now,
        };
        state.couplings.insert(coupling, row);
        if let Some((branch, number)) = start.review {
            let review = state.new_id();
            let row = ReviewApp {
                id: review.clone(),
                app: id.clone(),
                pipeline,
                branch,
                pr_number: Some(number),
                created_at: now,
                updated_at: now,
            };
            state.review_apps.insert(review, row);
        }
    }
    let mut platform = Heroku { state, vault, authority, now, base: "", remaining: 0 };
    for plan in &start.addons {
        let addon = platform.provision(&id, plan).ok()?;
        if let Some(row) = platform.state.addons.get_mut(&addon.id) {
            row.left = 0;
        }
    }
    platform.deploy(&id, &start.commit)
}

impl Heroku<'_> {
    /// Gives the app a succeeded release of this commit, as a build of it would; nothing where it serves it already.
    pub(super) fn deploy(&mut self, app: &str, commit: &str) -> Option<()> {
        let app = self.state.app(app)?.clone();
        let serving = app.current.as_ref().and_then(|id| self.state.releases.get(id)?.artifact.as_ref());
        let serving = serving.and_then(|id| self.state.artifacts.get(id)?.commit.as_deref());
        if serving == Some(commit) {
            return Some(());
        }
        let build = Build {
            id: self.state.new_id(),
            app: app.id.clone(),
            status: Status::Pending,
            stack: app.stack,
            url: format!("{}/uploads/{}", self.base, self.state.id_of(commit)),
            version: Some(commit.to_owned()),
            version_description: None,
            checksum: None,
            artifact: None,
            release: None,
            stream: self.state.new_id(),
            left: 0,
            doom: None,
            created_at: self.now,
            updated_at: self.now,
        };
        let id = build.id.clone();
        self.state.builds.insert(id.clone(), build);
        let release = self.finish_build(&id).ok()??;
        self.settle_release(&release);
        self.test_head(&app.id, commit);
        // Nobody watched it start: it has been up for a while.
        if let Some(app) = self.state.apps.get_mut(&app.id) {
            app.starting = 0;
        }
        Some(())
    }
}
