//! The start world of the tests: staging on an older build, one config variable changed and one missing, no domain, no
//! certificate, no record; a repository in memory; a ledger in a temporary bare repository.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;
use lockage::promote::{
    Engine, Event, FileVersion, JournalError, Ledger, Observer, Pipeline, Plan, PromoteError, Report, Repository,
    RepositoryError, Request, Source, SourceError, StageName,
};
use lockage::repo::refs::Refs;
use lockage::secret::{SecretRef, SecretString};

use super::world::{App, Memory, World, die};

pub(crate) const NEW: &str = "1111111111111111111111111111111111111111";
pub(crate) const OLD: &str = "0000000000000000000000000000000000000001";
pub(crate) const BLOB: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const OLDER_BLOB: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub(crate) const STAGING: &str = "secrets/config.pangeo-forge-staging.yaml";

/// A repository in memory: blobs by name, each a map of leaves.
pub(crate) struct Memo {
    pub(crate) head: String,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) older: BTreeMap<String, Vec<String>>,
    pub(crate) leaves: BTreeMap<(String, String), String>,
    pub(crate) changed: Option<String>,
}

impl Source for Memo {
    fn secret(&self, reference: &SecretRef) -> Result<SecretString, SourceError> {
        let key = (reference.blob.clone(), reference.path.clone());
        let value = self.leaves.get(&key).ok_or_else(|| SourceError::Missing { reference: reference.clone() })?;
        Ok(SecretString::new(value.clone()))
    }

    fn archive(&self, commit: &str) -> Result<Vec<u8>, SourceError> {
        Ok(commit.as_bytes().to_vec())
    }
}

impl Repository for Memo {
    fn head(&self) -> Result<String, RepositoryError> {
        Ok(self.head.clone())
    }

    fn file(&self, path: &str) -> Result<Option<FileVersion>, RepositoryError> {
        if self.changed.as_deref() == Some(path) {
            return Err(RepositoryError::Changed { path: path.to_owned() });
        }
        Ok(self.files.get(path).map(|blob| FileVersion { path: path.to_owned(), blob: blob.clone() }))
    }

    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(self.files.keys().cloned().collect())
    }

    fn older(&self, path: &str, _: usize) -> Result<Vec<String>, RepositoryError> {
        Ok(self.older.get(path).cloned().unwrap_or_default())
    }

    fn merged(&self, _: &str, _: &str) -> Result<Option<bool>, RepositoryError> {
        Ok(None)
    }

    fn tag(&self, _: &str, _: &str) -> Result<Option<String>, RepositoryError> {
        Ok(None)
    }
}

pub(crate) struct Fixture {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) world: World,
    pub(crate) repository: Memo,
    pub(crate) pipeline: Pipeline,
    pub(crate) connector: Memory,
}

/// The pipeline of these tests: five writes to two targets; places in it are asserted.
pub(crate) const PIPELINE: &str = include_str!("pipeline.yaml");

/// One of the repository's own.
pub(crate) fn pipeline_text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(format!("{name}.yaml"));
    std::fs::read_to_string(path).unwrap()
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let world = World::default();
        let config = |changed: &str| {
            BTreeMap::from([
                ("AWS_ACCESS_KEY_ID".to_owned(), changed.to_owned()),
                ("PANGEO_FORGE_DEPLOYMENT".to_owned(), "pangeo-forge-staging".to_owned()),
                ("UNDECLARED".to_owned(), "left alone".to_owned()),
            ])
        };
        let addons = BTreeMap::from([("postgres".to_owned(), "hobby-0".to_owned())]);
        let start = App { commit: OLD.to_owned(), config: config("CANARY-heron-by-hand"), addons, ..App::default() };
        world.add_app("pangeo-forge-api-staging", start);
        world.add_app("pforge-pr-80", App { commit: NEW.to_owned(), ..App::default() });
        let descriptors = lockage::platforms::DESCRIPTORS;
        let leaf = |blob: &str, path: &str, value: &str| ((blob.to_owned(), path.to_owned()), value.to_owned());
        let repository = Memo {
            head: NEW.to_owned(),
            files: BTreeMap::from([
                (STAGING.to_owned(), BLOB.to_owned()),
                ("secrets/config.pforge-pr-80.yaml".to_owned(), "cc".repeat(20)),
            ]),
            older: BTreeMap::from([(STAGING.to_owned(), vec![OLDER_BLOB.to_owned()])]),
            leaves: BTreeMap::from([
                leaf(BLOB, "aws-access-key-id", "CANARY-heron-id"),
                leaf(BLOB, "aws-secret-access-key", "CANARY-heron-key"),
                leaf(OLDER_BLOB, "aws-access-key-id", "CANARY-heron-old-id"),
                leaf(OLDER_BLOB, "aws-secret-access-key", "CANARY-heron-old-key"),
            ]),
            changed: None,
        };
        let pipeline = Pipeline::parse("pipelines/pangeo-forge.yaml", PIPELINE, descriptors).unwrap();
        let connector = Memory { world: world.clone() };
        Self { folder: tempfile::tempdir().unwrap(), world, repository, pipeline, connector }
    }

    /// The live value of the changed variable is an older blob's, so that it can be written back.
    pub(crate) fn with_known_origin(self) -> Self {
        {
            let mut inner = self.world.get();
            let app = inner.apps.get_mut("pangeo-forge-api-staging").unwrap();
            app.config.insert("AWS_ACCESS_KEY_ID".to_owned(), "CANARY-heron-old-id".to_owned());
        }
        self
    }

    pub(crate) fn engine(&self) -> Engine<'_> {
        Engine {
            connector: &self.connector,
            repository: &self.repository,
            ledger: Ledger::new(Refs::create(&self.folder.path().join("ledger.git")).unwrap()),
            journals: self.folder.path().join("journal"),
            clock: Timestamp::now,
            by: "ana".to_owned(),
        }
    }

    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            pipeline: &self.pipeline,
            from: Some(StageName::plain("review")),
            to: StageName::plain("staging"),
            approved: false,
        }
    }

    pub(crate) fn plan(&self) -> Result<Plan, PromoteError> {
        run(self.engine().plan(&self.request()))
    }

    pub(crate) fn apply(&self, plan: &Plan) -> Result<Report, PromoteError> {
        run(self.engine().apply(plan, &lockage::promote::Unobserved))
    }

    pub(crate) fn resume(&self) -> Result<Option<Report>, PromoteError> {
        let stage = StageName::plain("staging");
        loop {
            match run(self.engine().resume("pangeo-forge", &stage, &lockage::promote::Unobserved)) {
                // A `git` that another test starts holds the dead process's file until it becomes `git`.
                Err(PromoteError::Journal(JournalError::Running { .. })) => std::thread::yield_now(),
                other => return other,
            }
        }
    }

    /// Every file of the journal and the ledger, to look for secrets in.
    pub(crate) fn written(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut open = vec![self.folder.path().join("journal")];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                all.extend(std::fs::read(path).unwrap_or_default());
            }
        }
        all
    }
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Dies after the nth event is on the disk.
pub(crate) struct DiesAfter {
    pub(crate) event: usize,
    pub(crate) seen: Mutex<usize>,
}

impl DiesAfter {
    pub(crate) fn new(event: usize) -> Self {
        Self { event, seen: Mutex::new(0) }
    }
}

impl Observer for DiesAfter {
    fn journalled(&self, _: &Event) {
        let mut seen = self.seen.lock().unwrap();
        *seen += 1;
        if *seen > self.event {
            drop(seen);
            die();
        }
    }
}

/// Applies a plan in a "process" that may die; `None` when it did.
pub(crate) fn in_a_process<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}
