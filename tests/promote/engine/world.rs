//! A world in memory: apps with releases, a zone, a request log, and ways to fail and to die.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use lockage::promote::{
    Act, Build, Change, Check, Connector, Descriptor, Observed, PlatformError, PlatformFault, Query, Reader, Receipt,
    RecordSet, Settled, Source, Stack, State, Target, Value, Verdict, Watermark, Writer,
};

/// What an app is, release numbers left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct App {
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) commit: String,
    pub(crate) domains: BTreeMap<String, String>,
    pub(crate) automatic: bool,
    pub(crate) addons: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub(crate) id: String,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) commit: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Inner {
    pub(crate) apps: BTreeMap<String, App>,
    pub(crate) releases: BTreeMap<String, Vec<Release>>,
    pub(crate) zone: BTreeMap<String, (u32, Vec<String>)>,
    pub(crate) serial: u64,
    /// Every write that was processed, in order.
    pub(crate) log: Vec<String>,
    /// Every question, so that a plan can be shown to ask only.
    pub(crate) questions: usize,
    /// The nth write (from 0) is refused.
    pub(crate) refuse: Option<usize>,
    /// The nth write is taken, and what it started ends badly.
    pub(crate) spoil: Option<usize>,
    /// The nth write is processed, and its answer is lost.
    pub(crate) lose: Option<usize>,
    /// The nth write is processed, and the process dies before its answer.
    pub(crate) die: Option<usize>,
    /// Checks say no.
    pub(crate) unwell: bool,
    /// Writes tried, refused ones included.
    pub(crate) tried: usize,
    pub(crate) spoiled: Vec<String>,
}

/// The payload of a process that "dies": unwinds without a message.
pub(crate) struct Death;

pub(crate) fn die() -> ! {
    std::panic::resume_unwind(Box::new(Death))
}

/// Apps by name, record sets by name and type.
pub(crate) type Facts = (BTreeMap<String, App>, BTreeMap<String, (u32, Vec<String>)>);

#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<Inner>>);

impl World {
    pub(crate) fn get(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn add_app(&self, name: &str, app: App) {
        let mut inner = self.get();
        inner.apps.insert(name.to_owned(), app);
        inner.release(name);
    }

    /// Everything that must be equal before and after, release numbers left out.
    pub(crate) fn facts(&self) -> Facts {
        let inner = self.get();
        (inner.apps.clone(), inner.zone.clone())
    }
}

impl Inner {
    fn release(&mut self, app: &str) -> String {
        let now = self.apps[app].clone();
        let releases = self.releases.entry(app.to_owned()).or_default();
        let id = format!("v{}", releases.len() + 1);
        releases.push(Release { id: id.clone(), config: now.config, commit: now.commit });
        id
    }
}

pub(crate) struct Memory {
    pub(crate) world: World,
}

impl Connector for Memory {
    fn descriptors(&self) -> &[&'static Descriptor] {
        lockage::platforms::DESCRIPTORS
    }

    fn reader(&self, target: &Target, _: &dyn Source) -> Result<Arc<dyn Reader>, PlatformError> {
        Ok(Arc::new(self.client(target)?))
    }

    fn writer(&self, target: &Target, _: &dyn Source) -> Result<Arc<dyn Writer>, PlatformError> {
        Ok(Arc::new(self.client(target)?))
    }

    fn prober(&self) -> Result<Arc<dyn Reader>, PlatformError> {
        Ok(Arc::new(Client { world: self.world.clone(), name: "https".to_owned(), app: None }))
    }
}

impl Memory {
    fn client(&self, target: &Target) -> Result<Client, PlatformError> {
        let app = match target.backend.as_str() {
            "heroku" => Some(target.address_text().to_owned()),
            "he.net" | "rfc2136" => None,
            backend => {
                let (backend, declared) = (backend.to_owned(), target.declared.clone());
                return Err(PlatformError::new(&target.name, "connect", PlatformFault::NoClient { backend, declared }));
            }
        };
        Ok(Client { world: self.world.clone(), name: target.name.clone(), app })
    }
}

struct Client {
    world: World,
    name: String,
    app: Option<String>,
}

impl Client {
    fn refused(&self, status: u16) -> PlatformError {
        let fault = PlatformFault::Refused { status, code: None, request_id: None };
        PlatformError::new(&self.name, "write", fault)
    }

    fn app(&self) -> &str {
        self.app.as_deref().unwrap()
    }

    fn cname(&self, inner: &Inner) -> Option<String> {
        let app = &inner.apps[self.app()];
        app.domains.values().next().map(|cname| if app.automatic { format!("acm.{cname}") } else { cname.clone() })
    }

    fn perform(&self, inner: &mut Inner, act: &Act, source: &dyn Source) -> Receipt {
        let id = match act {
            Act::Restore { version, .. } => {
                let releases = &inner.releases[self.app()];
                let old = releases.iter().find(|release| release.id == *version).unwrap().clone();
                let app = inner.apps.get_mut(self.app.as_ref().unwrap()).unwrap();
                (app.config, app.commit) = (old.config, old.commit);
                inner.release(self.app.as_ref().unwrap())
            }
            Act::Change(change) => self.change(inner, change, source),
        };
        Receipt { id, ..Receipt::default() }
    }

    fn change(&self, inner: &mut Inner, change: &Change, source: &dyn Source) -> String {
        let plain = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            Value::Secret(reference) => Some(source.secret(reference).unwrap().expose_secret().to_owned()),
            Value::Absent => None,
            Value::Held { .. } | Value::Fact(_) => panic!("{value:?} cannot be written"),
        };
        match (change.resource.kind.as_str(), &change.after) {
            ("config", State::Fields(fields)) => {
                let app = inner.apps.get_mut(self.app()).unwrap();
                for (name, value) in fields {
                    match plain(value) {
                        Some(text) => app.config.insert(name.clone(), text),
                        None => app.config.remove(name),
                    };
                }
                inner.release(self.app())
            }
            ("build", State::Build(build)) => {
                inner.apps.get_mut(self.app()).unwrap().commit = build.commit.clone().unwrap();
                inner.release(self.app())
            }
            ("domains", State::Fields(fields)) => {
                let app = inner.apps.get_mut(self.app()).unwrap();
                for (name, value) in fields {
                    match plain(value) {
                        Some(_) => {
                            app.domains.insert(name.clone(), format!("{}.herokudns.example", name.replace('.', "-")))
                        }
                        None => app.domains.remove(name),
                    };
                }
                String::new()
            }
            ("certificates", State::Fields(fields)) => {
                inner.apps.get_mut(self.app()).unwrap().automatic = plain(&fields[""]).is_some();
                String::new()
            }
            ("records", after) => {
                let set = match after {
                    State::Records(set) => Some((set.ttl, set.data.iter().filter_map(plain).collect())),
                    _ => None,
                };
                match set {
                    Some(set) => inner.zone.insert(change.resource.name.clone(), set),
                    None => inner.zone.remove(&change.resource.name),
                };
                inner.serial += 1;
                String::new()
            }
            other => panic!("{other:?}"),
        }
    }

    fn version(&self, inner: &Inner) -> String {
        match &self.app {
            Some(app) => inner.releases[app].len().to_string(),
            None => inner.serial.to_string(),
        }
    }
}

#[async_trait]
impl Reader for Client {
    async fn observe(&self, query: Query<'_>) -> Result<Observed, PlatformError> {
        let mut inner = self.world.get();
        inner.questions += 1;
        if self.app.is_none() {
            let state = inner.zone.get(&query.resource.name).map_or(State::Absent, |(ttl, data)| {
                State::Records(RecordSet { ttl: *ttl, data: data.iter().cloned().map(Value::Text).collect() })
            });
            return Ok(Observed { state, version: None, restores: Vec::new() });
        }
        let Some(app) = inner.apps.get(self.app()) else { return Err(self.refused(404)) };
        let version = inner.releases[self.app()].last().unwrap().id.clone();
        let none = BTreeMap::new();
        let wanted = if let State::Fields(fields) = query.wanted { fields } else { &none };
        let present = |here: bool| if here { Value::Text("present".to_owned()) } else { Value::Absent };
        let state = match query.resource.kind.as_str() {
            "config" => State::Fields(
                wanted
                    .keys()
                    .map(|name| {
                        let live = app.config.get(name).map(String::as_str);
                        (name.clone(), query.recognise(name, live, Some(&version)).unwrap())
                    })
                    .collect(),
            ),
            "build" => State::Build(Build {
                commit: Some(app.commit.clone()),
                stack: Stack::Container,
                slug: None,
                image: None,
                release: Some(version.clone()),
            }),
            "domains" => State::Fields(
                wanted.keys().map(|name| (name.clone(), present(app.domains.contains_key(name)))).collect(),
            ),
            "certificates" => State::Fields(BTreeMap::from([(
                String::new(),
                if app.automatic { Value::Text("automatic".to_owned()) } else { Value::Absent },
            )])),
            "addons" => State::Fields(
                wanted
                    .keys()
                    .map(|name| (name.clone(), app.addons.get(name).cloned().map_or(Value::Absent, Value::Text)))
                    .collect(),
            ),
            other => panic!("{other}"),
        };
        let restores = match query.resource.kind.as_str() {
            "config" | "build" => vec!["config".to_owned(), "build".to_owned()],
            _ => Vec::new(),
        };
        let version = restores.first().map(|_| version);
        Ok(Observed { state, version, restores })
    }

    async fn watermark(&self, _: &Act) -> Result<Watermark, PlatformError> {
        let mut inner = self.world.get();
        inner.questions += 1;
        Ok(Watermark(format!("{}/{}", self.version(&inner), inner.log.len())))
    }

    async fn adopt(&self, act: &Act, since: &Watermark, _: &dyn Source) -> Result<Option<Receipt>, PlatformError> {
        let inner = self.world.get();
        let position: usize = since.0.split('/').next_back().unwrap().parse().unwrap();
        let found = inner.log[position..].iter().any(|line| *line == act.what());
        let id = inner.releases.get(self.app.as_deref().unwrap_or_default()).and_then(|all| all.last());
        Ok(found.then(|| Receipt { id: id.map(|one| one.id.clone()).unwrap_or_default(), ..Receipt::default() }))
    }

    async fn settled(&self, act: &Act, receipt: &Receipt, _: &dyn Source) -> Result<Settled, PlatformError> {
        let mut inner = self.world.get();
        inner.questions += 1;
        // Waits once for everything, so that each loop is walked.
        if inner.questions.is_multiple_of(2) {
            return Ok(Settled::Waiting("it is being made".to_owned()));
        }
        if inner.spoiled.contains(&act.what()) && !inner.log.is_empty() {
            let what = act.what();
            inner.spoiled.retain(|one| *one != what);
            return Ok(Settled::Failed("the release command failed".to_owned()));
        }
        Ok(Settled::Done(receipt.clone()))
    }

    async fn fact(&self, fact: &str) -> Result<Option<String>, PlatformError> {
        assert_eq!(fact, "domain.cname");
        Ok(self.cname(&self.world.get()))
    }

    async fn check(&self, check: &Check) -> Result<Verdict, PlatformError> {
        let inner = self.world.get();
        if inner.unwell {
            return Ok(Verdict::Bad("it answers 500".to_owned()));
        }
        if let Some(host) = check.subject.strip_prefix("https://") {
            let record = host.trim_end_matches('/').split('.').next().unwrap();
            if !inner.zone.contains_key(&format!("{record}/CNAME")) {
                return Ok(Verdict::Bad("it has no address".to_owned()));
            }
        }
        Ok(Verdict::Good("up".to_owned()))
    }

    async fn healthy(&self) -> Result<Verdict, PlatformError> {
        Ok(Verdict::Good("released and up".to_owned()))
    }

    fn interval(&self) -> Duration {
        Duration::from_micros(50)
    }
}

#[async_trait]
impl Writer for Client {
    fn reader(&self) -> &dyn Reader {
        self
    }

    async fn send(&self, act: &Act, source: &dyn Source) -> Result<Receipt, PlatformError> {
        let mut inner = self.world.get();
        let number = inner.tried;
        inner.tried += 1;
        if inner.refuse == Some(number) {
            return Err(self.refused(422));
        }
        let receipt = self.perform(&mut inner, act, source);
        inner.log.push(act.what());
        if inner.spoil == Some(number) {
            let what = act.what();
            inner.spoiled.push(what);
        }
        let (lost, dead) = (inner.lose == Some(number), inner.die == Some(number));
        drop(inner);
        if dead {
            die();
        }
        if lost {
            let why = "connection reset".to_owned();
            return Err(PlatformError::new(&self.name, "write", PlatformFault::Unreachable { why }).fate_unknown());
        }
        Ok(receipt)
    }
}
