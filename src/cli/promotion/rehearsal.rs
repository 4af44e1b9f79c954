//! The rehearsal: every target's twin on loopback, and the world that it begins with.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::cli::Failed;
use crate::error::Class;
use crate::platforms::{HE_NET, HEROKU, ProbeSettings, RFC2136};
use crate::promote::{
    Artifact, Checkout, Expansion, Item, Pipeline, Repository as _, Scope, Source as _, Stack, Stage, State, Target,
    Value, instances,
};
use crate::sandbox::{self, Endpoint, StartApp, StartProcess, StartWorld, StartZone, World};
use crate::secret::SecretString;

/// A served world, as clients are led to it.
pub(crate) struct Twins {
    endpoint: Endpoint,
    authority: String,
}

/// What a client in a rehearsal is made from.
pub(super) struct Twin {
    pub(super) credentials: BTreeMap<&'static str, SecretString>,
    pub(super) endpoints: Vec<String>,
    pub(super) authority: Option<String>,
    pub(super) interval: Duration,
}

impl Twins {
    /// The twins that live in `world`.
    ///
    /// # Errors
    /// When the world's certificate authority cannot be read.
    pub(crate) fn of(world: &World) -> Result<Self, Failed> {
        let endpoint = world.endpoint().clone();
        let authority = std::fs::read_to_string(&endpoint.authority).map_err(|error| {
            Failed::new(Class::World, format!("`{}` cannot be read: {error}", endpoint.authority.display()))
        })?;
        Ok(Self { endpoint, authority })
    }

    /// A zone at a provider without an interface of its own is a zone that takes signed updates; all else is itself.
    pub(super) fn target(&self, target: &Target) -> Target {
        if target.backend != HE_NET.name {
            return target.clone();
        }
        let mut twin = target.clone();
        twin.address = serde_json::json!({ "zone": target.address_text(), "key": self.endpoint.tsig_name });
        RFC2136.name.clone_into(&mut twin.backend);
        twin.options.clear();
        twin
    }

    pub(super) fn connection(&self, target: &Target) -> Twin {
        let endpoint = &self.endpoint;
        let (key, secret, endpoints) = if target.backend == HEROKU.name {
            (HEROKU.credentials[0].key, endpoint.heroku_token.clone(), vec![endpoint.heroku_url.clone()])
        } else {
            let key = format!("hmac-sha256:{}:{}", endpoint.tsig_name, endpoint.tsig_secret.expose_secret());
            let servers = endpoint.dns.iter().map(ToString::to_string).collect();
            (RFC2136.credentials[0].key, SecretString::new(key), servers)
        };
        Twin {
            credentials: BTreeMap::from([(key, secret)]),
            endpoints,
            authority: Some(self.authority.clone()),
            interval: endpoint.poll,
        }
    }

    /// Names are resolved in the world's own zone, and nothing but loopback may be visited.
    pub(super) fn probe(&self) -> ProbeSettings {
        ProbeSettings {
            servers: self.endpoint.dns.iter().map(ToString::to_string).collect(),
            authority: Some(self.authority.clone()),
            port: Some(self.endpoint.https.port()),
            allowed: std::net::IpAddr::is_loopback,
            interval: self.endpoint.poll,
        }
    }
}

/// Finds or starts the world of this clone, and brings its review apps to HEAD.
///
/// # Errors
/// When the world cannot be started, or HEAD has not what it begins with.
pub(crate) fn open(
    dir: &Path,
    now: jiff::Timestamp,
    checkout: &Checkout,
    pipelines: &[Pipeline],
    spawn: impl FnOnce(&Path) -> std::io::Result<std::process::Child>,
) -> Result<World, Failed> {
    let world = World::open_or_start(dir, now, || start_world(checkout, pipelines), spawn)?;
    let head = checkout.head()?;
    for app in review_apps(checkout, pipelines)? {
        world.set_head(&app, &head)?;
    }
    Ok(world)
}

/// What HEAD says each stage should be: reviews run it, every later stage is behind.
fn start_world(checkout: &Checkout, pipelines: &[Pipeline]) -> Result<StartWorld, Failed> {
    let mut world = StartWorld { email: "rehearsal@lockage.test".to_owned(), ..StartWorld::default() };
    let head = checkout.head()?;
    let older = checkout.parent()?.unwrap_or_else(|| older_than(&head));
    for pipeline in pipelines {
        for zone in zones(pipeline) {
            if !world.zones.iter().any(|known| known.name == zone) {
                world.zones.push(StartZone { name: zone, records: Vec::new() });
            }
        }
        for stage in &pipeline.stages {
            for instance in instances_of(checkout, pipeline, stage)? {
                let scope = Scope { pipeline, stage, instance: instance.as_deref(), artifact: None };
                let commit = if stage.per.is_some() { &head } else { &older };
                if let Some((app, group)) = start_app(checkout, scope, commit)? {
                    if !world.pipelines.contains(&group) {
                        world.pipelines.push(group);
                    }
                    world.apps.push(app);
                }
            }
        }
    }
    Ok(world)
}

/// A stage without instances counts as one without a name.
fn instances_of(checkout: &Checkout, pipeline: &Pipeline, stage: &Stage) -> Result<Vec<Option<String>>, Failed> {
    if stage.per.is_none() {
        return Ok(vec![None]);
    }
    Ok(instances(checkout, pipeline, stage)?.into_iter().map(Some).collect())
}

fn review_apps(checkout: &Checkout, pipelines: &[Pipeline]) -> Result<Vec<String>, Failed> {
    let mut apps = Vec::new();
    for pipeline in pipelines {
        for stage in pipeline.stages.iter().filter(|stage| stage.per.is_some()) {
            for instance in instances_of(checkout, pipeline, stage)? {
                let scope = Scope { pipeline, stage, instance: instance.as_deref(), artifact: None };
                apps.extend(app_target(scope)?.map(|(name, _, _)| name));
            }
        }
    }
    Ok(apps)
}

/// The Heroku app that a stage's steps speak of: its name, its group and the target's name in the pipeline file.
fn app_target<'p>(scope: Scope<'p>) -> Result<Option<(String, String, &'p str)>, Failed> {
    let (pipeline, stage) = (scope.pipeline, scope.stage);
    let Some(rule) = pipeline.targets.iter().find(|target| target.backend.name == HEROKU.name) else { return Ok(None) };
    if !pipeline.steps_of(&stage.name).any(|step| step.speaks_with(&rule.name)) {
        return Ok(None);
    }
    let name = scope.text(&rule.address)?;
    let group = rule.options.iter().find(|(word, _)| word == "pipeline");
    let group = group.map_or(Ok(pipeline.name.clone()), |(_, node)| scope.text(node))?;
    Ok(Some((name, group, &rule.name)))
}

fn start_app(checkout: &Checkout, scope: Scope<'_>, commit: &str) -> Result<Option<(StartApp, String)>, Failed> {
    let Some((name, group, target)) = app_target(scope)? else { return Ok(None) };
    let review = scope.stage.per.is_some();
    let path = scope.secrets_path()?;
    let secrets = checkout.file(&path)?;
    let has = |reference: &_| checkout.secret(reference).is_ok();
    let stack = scope.pipeline.artifact.stack.unwrap_or(Stack::Container);
    let artifact = Artifact { commit: commit.to_owned(), stack, slug: None, image: None, tag: None };
    let scope = Scope { artifact: Some(&artifact), ..scope };
    let expansion = Expansion { scope, secrets: secrets.as_ref(), secrets_path: &path, has: &has };
    let (mut config, mut addons) = (Vec::new(), Vec::new());
    for item in expansion.items(scope.pipeline.steps_of(&scope.stage.name))? {
        let Item::Wanted(wanted) = item else { continue };
        let State::Fields(fields) = wanted.state else { continue };
        if wanted.resource.target != target {
            continue;
        }
        match wanted.resource.kind.as_str() {
            "config" => {
                for (key, value) in fields {
                    let (secret, value) = match value {
                        Value::Secret(reference) => (true, checkout.secret(&reference)?),
                        Value::Text(text) => (false, SecretString::new(text)),
                        _ => continue,
                    };
                    config.push((key, value, secret));
                }
            }
            "addons" => {
                for (service, plan) in fields {
                    if let Value::Text(plan) = plan {
                        addons.push(addon_plan(&service, &plan));
                    }
                }
            }
            _ => {}
        }
    }
    if !review {
        age(&mut config)?;
    }
    let process = |kind: &str, command: &str, quantity| StartProcess {
        kind: kind.to_owned(),
        command: command.to_owned(),
        quantity,
    };
    let number = scope.instance.and_then(|instance| instance.strip_prefix("pr-")?.parse().ok());
    let stage_word = if review {
        "review"
    } else if scope.stage.protected() {
        "production"
    } else {
        "staging"
    };
    let app = StartApp {
        name,
        stack: match stack {
            Stack::Slug => sandbox::Stack::Slug,
            Stack::Container => sandbox::Stack::Container,
        },
        pipeline: Some((group.clone(), stage_word.to_owned())),
        review: number.map(|number: u64| (format!("pr-{number}"), number)),
        commit: commit.to_owned(),
        config: config.into_iter().map(|(key, value, _)| (key, value)).collect(),
        processes: vec![process("web", "serve", 1), process("release", "migrate", 0)],
        addons,
    };
    Ok(Some((app, group)))
}

/// Makes a stage's config older than its file: one secret has another value, one variable is not there yet.
fn age(config: &mut Vec<(String, SecretString, bool)>) -> Result<(), Failed> {
    let mut secrets = config.iter_mut().rev().filter(|(_, _, secret)| *secret);
    if let Some((_, value, _)) = secrets.next() {
        let mut old = [0; 16];
        getrandom::fill(&mut old)
            .map_err(|error| Failed::new(Class::World, format!("the machine gives no random bytes: {error}")))?;
        *value = SecretString::new(old.iter().map(|byte| format!("{byte:02x}")).collect());
    }
    if let Some(at) = config.iter().position(|(_, _, secret)| *secret).filter(|_| config.len() > 1) {
        config.remove(at);
    }
    Ok(())
}

fn addon_plan(service: &str, plan: &str) -> String {
    let service = if service == "postgres" { "heroku-postgresql" } else { service };
    format!("{service}:{plan}")
}

/// Every zone that the pipeline's targets name.
fn zones(pipeline: &Pipeline) -> Vec<String> {
    let dns = pipeline.targets.iter().filter(|target| [HE_NET.name, RFC2136.name].contains(&target.backend.name));
    dns.filter_map(|target| target.address.text().map(str::to_owned)).collect()
}

/// A commit's name that HEAD descends from in the rehearsal, where the clone knows no parent.
fn older_than(head: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, head.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
