//! A sandbox in this process, and the Heroku client against it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lockage::platforms::HEROKU;
use lockage::promote::{
    Act, Build, Change, Connection, Observed, PlatformError, Query, Receipt, Resource, Settled, Source, SourceError,
    Stack, State, Target, Value, Writer,
};
use lockage::sandbox::{
    Fault, Server, Stack as StartStack, StartApp, StartProcess, StartRecord, StartWorld, StartZone, World, requests,
};
use lockage::secret::{SecretRef, SecretString};
use tempfile::TempDir;

/// What staging runs when the world begins.
pub(crate) const OLD: &str = "1111111111111111111111111111111111111111";
/// What the review app runs.
pub(crate) const NEW: &str = "2222222222222222222222222222222222222222";
/// The app that is promoted to.
pub(crate) const APP: &str = "demo-staging";
/// The review app.
pub(crate) const REVIEW: &str = "demo-pr-80";

/// Secrets by their path; every archive is the same tiny one.
pub(crate) struct Repository;

impl Source for Repository {
    fn secret(&self, reference: &SecretRef) -> Result<SecretString, SourceError> {
        Ok(SecretString::new(format!("CANARY-heron {}", reference.path)))
    }

    fn archive(&self, _commit: &str) -> Result<Vec<u8>, SourceError> {
        Ok(vec![0x1f, 0x8b, 8, 0])
    }
}

/// The secret at `path` of a file.
pub(crate) fn secret(path: &str) -> Value {
    let (file, blob) = ("secrets/x.yaml".to_owned(), "0".repeat(40));
    Value::Secret(SecretRef { file, path: path.to_owned(), blob })
}

/// A served world with a review app and a staging app, and an `example.org` zone.
pub(crate) struct HerokuWorld {
    pub(crate) world: World,
    _folder: TempDir,
}

impl HerokuWorld {
    pub(crate) async fn start(stack: StartStack) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("world");
        let app = |name: &str, stage: &str, commit: &str| StartApp {
            name: name.to_owned(),
            stack,
            pipeline: Some(("demo".to_owned(), stage.to_owned())),
            review: (stage == "review").then(|| ("feature".to_owned(), 80)),
            commit: commit.to_owned(),
            config: vec![
                ("KEEP".to_owned(), SecretString::new("CANARY-heron kept".to_owned())),
                ("STALE".to_owned(), SecretString::new("CANARY-heron stale".to_owned())),
            ],
            processes: ["web", "release"]
                .map(|kind| StartProcess {
                    kind: kind.to_owned(),
                    command: "./run".to_owned(),
                    quantity: u32::from(kind == "web"),
                })
                .to_vec(),
            addons: vec!["heroku-postgresql:hobby-0".to_owned()],
        };
        let apps = vec![app(REVIEW, "review", NEW), app(APP, "staging", OLD), app("other", "staging", OLD)];
        let record =
            StartRecord { name: "old.example.org".into(), kind: "A".into(), ttl: 300, data: "192.0.2.1".into() };
        let zones = vec![StartZone { name: "example.org".to_owned(), records: vec![record] }];
        let start = StartWorld { email: "a@example.org".into(), pipelines: vec!["demo".into()], apps, zones };
        World::create(&dir, start, jiff::Timestamp::now()).unwrap();
        let server = Server::bind(&dir, Arc::new(jiff::Timestamp::now)).await.unwrap();
        tokio::spawn(server.run());
        let found = dir.clone();
        let world = tokio::task::spawn_blocking(move || World::find(&found).unwrap().unwrap()).await.unwrap();
        Self { world, _folder: folder }
    }

    pub(crate) fn connection(&self, app: &str) -> Connection {
        let endpoint = self.world.endpoint();
        Connection {
            target: Target {
                name: "app".into(),
                backend: "heroku".into(),
                address: app.into(),
                options: BTreeMap::new(),
                declared: "pipelines/x.yaml:1:1".into(),
                credentials: BTreeMap::new(),
            },
            credentials: BTreeMap::from([("heroku-api-key", endpoint.heroku_token.clone())]),
            endpoints: vec![endpoint.heroku_url.clone()],
            authority: None,
            interval: Duration::from_millis(5),
            clock: jiff::Timestamp::now,
        }
    }

    pub(crate) fn app(&self, name: &str) -> Arc<dyn Writer> {
        (HEROKU.client.unwrap().writer)(&self.connection(name)).unwrap()
    }

    /// Lets something go wrong, in the JSON form of a fault.
    pub(crate) fn fault(&self, fault: serde_json::Value) {
        let fault: Fault = serde_json::from_value(fault).unwrap();
        tokio::task::block_in_place(|| self.world.add_fault(&fault).unwrap());
    }

    /// How many requests of this method and path arrived.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        let all = requests(self.world.dir()).unwrap();
        all.iter().filter(|request| request.method == method && request.path == path).count()
    }

    /// Everything that was asked but GET.
    pub(crate) fn writes(&self) -> Vec<String> {
        let all = requests(self.world.dir()).unwrap();
        let writes = all.iter().filter(|request| request.service == "heroku" && request.method != "GET");
        writes.map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

pub(crate) fn resource(kind: &str) -> Resource {
    Resource { target: "app".into(), kind: kind.into(), name: String::new() }
}

pub(crate) fn fields<const N: usize>(fields: [(&str, Value); N]) -> State {
    State::Fields(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn change(kind: &str, after: State) -> Act {
    Act::Change(Change { resource: resource(kind), before: State::Absent, after })
}

pub(crate) fn build(stack: Stack, commit: &str, slug: Option<String>) -> State {
    State::Build(Build { commit: Some(commit.to_owned()), stack, slug, image: None, release: None })
}

pub(crate) async fn observe(app: &dyn Writer, kind: &str, wanted: &State) -> Observed {
    let resource = resource(kind);
    let query = Query { resource: &resource, wanted, known: &BTreeMap::new(), source: &Repository };
    app.reader().observe(query).await.unwrap()
}

/// Asks until what was sent has ended.
pub(crate) async fn settle(app: &dyn Writer, act: &Act, receipt: &Receipt) -> Settled {
    loop {
        match app.reader().settled(act, receipt, &Repository).await.unwrap() {
            Settled::Waiting(_) => tokio::time::sleep(app.reader().interval()).await,
            ended => return ended,
        }
    }
}

/// Sends it and waits for its end.
pub(crate) async fn apply(app: &dyn Writer, act: &Act) -> Result<Settled, PlatformError> {
    let receipt = app.send(act, &Repository).await?;
    Ok(settle(app, act, &receipt).await)
}

/// The same as the engine does it: after an unclear failure it is looked for, and only what is not there is sent again.
pub(crate) async fn apply_once(app: &dyn Writer, act: &Act) -> Result<Settled, PlatformError> {
    let since = app.reader().watermark(act).await?;
    let receipt = match app.send(act, &Repository).await {
        Ok(receipt) => receipt,
        Err(error) if error.fate == lockage::promote::Fate::Unknown => {
            match app.reader().adopt(act, &since, &Repository).await? {
                Some(receipt) => receipt,
                None => app.send(act, &Repository).await?,
            }
        }
        Err(error) => return Err(error),
    };
    Ok(settle(app, act, &receipt).await)
}

pub(crate) fn done(settled: &Settled) -> &BTreeMap<String, String> {
    match settled {
        Settled::Done(receipt) => &receipt.notes,
        other => panic!("{other:?}"),
    }
}
