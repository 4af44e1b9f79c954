//! Heroku, by its Platform API version 3.
//!
//! There is no idempotency key on any call, and every change of config or build is a release that restarts the app and
//! runs its release command. So each act is one request, and one whose answer was lost is looked for among what is newer
//! than the watermark before it is sent again. Heroku's own pipeline promotion is never called: it refuses review apps as
//! targets' sources and apps on the container stack, and promotes "the latest" instead of what was reviewed.

mod addons;
mod address;
mod api;
mod builds;
mod certificates;
mod ci;
mod config_vars;
mod domains;
mod error;
mod formation;
mod releases;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::promote::{
    Act, Check, Client, Connection, Credential, Descriptor, Observed, PlatformError, PlatformFault, Query, Reader,
    Reading, Receipt, Settled, Shape, Source, State, Tests, Verdict, Watermark, Word, Writer,
};
use crate::system::http::{self, Call, ReadClient, Repeat, Settings, WriteClient};

const VENDOR: &str = "https://api.heroku.com";
const KEY: &str = "heroku-api-key";
const VARIABLE: &str = "HEROKU_API_KEY";
const HOST: &str = "HEROKU_HOST";

/// Below this many requests left in the hour, waits ask less often: the account's other tools need some too.
const SCARCE: u32 = 500;

/// A request that was lost on its way back may still be worked on: it is looked for this often before it counts as lost
/// on its way there.
const LOOKS: u32 = 5;

const CONFIG_EFFECT: &str = "a release of the current build; its release command runs, and the app restarts";

/// Heroku.
pub static HEROKU: Descriptor = Descriptor {
    name: "heroku",
    about: "an app on Heroku: config variables, builds and releases, formation, domains, certificates",
    docs: "https://devcenter.heroku.com/articles/platform-api-reference",
    address: Shape::Text,
    options: &[
        Word::plain("pipeline", "the Heroku pipeline that the app is in", Shape::Text),
        Word::plain("login", "how to log in", Shape::OneOf(&["token"])),
    ],
    credentials: &[Credential {
        key: KEY,
        label: "API key (`heroku authorizations:create`)",
        secret: true,
        variable: VARIABLE,
        optional: false,
    }],
    applies: &[
        Word::writes("config", "plain config variables", Shape::Map(&Shape::Text), "config", Reading::Fields, &[])
            .with_effect(CONFIG_EFFECT),
        Word::writes("release", "what the app runs: `${build}`", Shape::Text, "build", Reading::Build, &[])
            .with_effect("a release of the new build; its release command runs, and the app restarts"),
        Word::writes(
            "formation",
            "process types with their number of dynos (`web: 2`, `web: 2:standard-1x`)",
            Shape::Map(&Shape::Either(&[Shape::Number, Shape::Text])),
            "formation",
            Reading::Fields,
            &[],
        ),
        Word::writes(
            "domains",
            "custom host names",
            Shape::List(&Shape::Text),
            "domains",
            Reading::Members,
            &["domain.cname", "domain/*.cname"],
        ),
        Word::writes(
            "certificates",
            "`automatic`: Heroku obtains and renews them",
            Shape::OneOf(&["automatic"]),
            "certificates",
            Reading::Switch,
            // Turning them on may move the app to another DNS target.
            &["domain.cname", "domain/*.cname"],
        ),
        Word::writes(
            "addons",
            "add-ons and their plans: compared, never created",
            Shape::Either(&[Shape::List(&Shape::Map(&Shape::Text)), Shape::Map(&Shape::Text)]),
            "addons",
            Reading::Compared,
            &[],
        ),
    ],
    delivers: &[Word::writes(
        "config-vars",
        "secret config variables",
        Shape::Map(&Shape::Text),
        "config",
        Reading::Fields,
        &[],
    )
    .with_effect(CONFIG_EFFECT)],
    checks: &[
        Word::plain("dynos", "every dyno of the formation is up on the current release", Shape::OneOf(&["up"])),
        Word::plain("release", "the newest release succeeded", Shape::OneOf(&["succeeded"])),
        Word::plain("certificates", "every custom domain has its certificate", Shape::OneOf(&["issued"])),
    ],
    facts: &["domain.cname", "domain/*.cname"],
    verbs: &[],
    interval: Duration::from_secs(5),
    timeout: Duration::from_secs(3600),
    host: Some(HOST),
    client: Some(Client {
        reader: |connection| Ok(Arc::new(App::connect(connection)?.0)),
        writer: |connection| {
            let (app, settings) = App::connect(connection)?;
            let http = WriteClient::new(settings).map_err(|error| app.failed("connect", error))?;
            Ok(Arc::new(WritableApp { app, http }))
        },
    }),
};

/// One app, as a client that can only ask sees it.
struct App {
    target: String,
    name: String,
    /// Where the API key was found, in words.
    origin: String,
    http: ReadClient,
    interval: Duration,
}

/// The same with a client that can write.
struct WritableApp {
    app: App,
    http: WriteClient,
}

impl App {
    fn connect(connection: &Connection) -> Result<(Self, Settings), PlatformError> {
        let target = &connection.target;
        let bad = |fault| PlatformError::new(&target.name, "connect", fault);
        let name = target.address_text();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            let what = format!("`{name}` is no name of a Heroku app ({})", target.declared);
            return Err(bad(PlatformFault::Misconfigured { what }));
        }
        let secret = connection
            .credentials
            .get(KEY)
            .ok_or_else(|| bad(PlatformFault::NoCredential { key: KEY, variable: VARIABLE }))?;
        let origin = match target.credentials.get(KEY) {
            Some(reference) => format!("the API key in `{reference}`"),
            None => format!("the API key in `{VARIABLE}`"),
        };
        let address = match connection.endpoints.first() {
            None => VENDOR.to_owned(),
            Some(host) => {
                address::of(host).ok_or_else(|| bad(PlatformFault::Misconfigured { what: address::refusal(host) }))?
            }
        };
        let mut settings = Settings::new(&address);
        settings.credential =
            Some(http::Credential { scheme: "Bearer ", secret: secret.clone(), origin: origin.clone() });
        settings.headers = vec![("accept", "application/vnd.heroku+json; version=3".to_owned())];
        settings.extra_root = connection.authority.as_ref().map(|pem| pem.clone().into_bytes());
        // Waits follow the target's own pace: a second where it says nothing else.
        settings.repeat = Repeat { first: connection.interval.min(Duration::from_secs(1)), ..Repeat::default() };
        let http = ReadClient::new(settings.clone())
            .map_err(|error| bad(PlatformFault::Misconfigured { what: error.to_string() }))?;
        let app =
            Self { target: target.name.clone(), name: name.to_owned(), origin, http, interval: connection.interval };
        Ok((app, settings))
    }

    async fn app(&self) -> Result<api::App, PlatformError> {
        let segments = ["apps", &self.name];
        let answer = self.http.get(&Call::new(&segments)).await.and_then(|answer| answer.json());
        answer.map_err(|error| self.failed("read the app", error))
    }

    /// Reads what was made a moment ago, which may not show at once.
    async fn get_made<T: serde::de::DeserializeOwned>(
        &self,
        segments: &[&str],
        action: &str,
    ) -> Result<T, PlatformError> {
        let mut looks = 0;
        loop {
            looks += 1;
            match self.http.get(&Call::new(segments)).await.and_then(|answer| answer.json()) {
                Err(error) if error.status() == Some(404) && looks < LOOKS => {
                    tokio::time::sleep(self.interval()).await;
                }
                other => return other.map_err(|error| self.failed(action, error)),
            }
        }
    }

    fn misconfigured(&self, what: &str) -> PlatformError {
        PlatformError::new(
            &self.target,
            "understand the change",
            PlatformFault::Misconfigured { what: what.to_owned() },
        )
    }

    async fn look(&self, act: &Act, since: &Watermark, source: &dyn Source) -> Result<Option<Receipt>, PlatformError> {
        let release = || since.0.parse::<u64>().map_err(|_| self.misconfigured("the watermark is not one of Heroku's"));
        match act {
            Act::Restore { version, .. } => self.adopt_rollback(version, release()?).await,
            Act::Change(change) => match (change.resource.kind.as_str(), &change.after) {
                ("config", after) => self.adopt_config(after, release()?, source).await,
                ("build", State::Build(build)) => match (&build.slug, &build.commit) {
                    (Some(slug), _) => self.adopt_slug(slug, release()?).await,
                    (None, Some(commit)) => self.adopt_build(commit, &since.0).await,
                    (None, None) => Ok(None),
                },
                ("formation", after) => self.adopt_formation(after).await,
                ("domains", after) => self.adopt_domains(after).await,
                ("certificates", after) => self.adopt_certificates(after).await,
                _ => Err(self.unknown(&change.resource.kind)),
            },
        }
    }

    fn unknown(&self, kind: &str) -> PlatformError {
        self.misconfigured(&format!("`{kind}` cannot be written on Heroku"))
    }
}

#[async_trait]
impl Reader for App {
    async fn observe(&self, query: Query<'_>) -> Result<Observed, PlatformError> {
        match query.resource.kind.as_str() {
            "config" => self.observe_config(query).await,
            "build" => self.observe_build().await,
            "formation" => self.observe_formation(query.wanted).await,
            "domains" => self.observe_domains(query.wanted).await,
            "certificates" => self.observe_certificates().await,
            "addons" => self.observe_addons(query.wanted).await,
            other => Err(self.misconfigured(&format!("Heroku has no `{other}`"))),
        }
    }

    async fn watermark(&self, act: &Act) -> Result<Watermark, PlatformError> {
        if let Act::Change(change) = act
            && let State::Build(build) = &change.after
            && build.slug.is_none()
        {
            return self.build_watermark().await.map(Watermark);
        }
        Ok(Watermark(self.release_watermark().await?.to_string()))
    }

    async fn adopt(&self, act: &Act, since: &Watermark, source: &dyn Source) -> Result<Option<Receipt>, PlatformError> {
        for _ in 1..LOOKS {
            if let Some(receipt) = self.look(act, since, source).await? {
                return Ok(Some(receipt));
            }
            tokio::time::sleep(self.interval()).await;
        }
        self.look(act, since, source).await
    }

    async fn settled(&self, act: &Act, receipt: &Receipt, source: &dyn Source) -> Result<Settled, PlatformError> {
        if let Some(id) = receipt.id.strip_prefix("build/") {
            return self.build_settled(id).await;
        }
        if let Some(id) = receipt.id.strip_prefix("release/") {
            return self.release_settled(id, receipt.notes.clone()).await;
        }
        let Act::Change(change) = act else { return Err(self.misconfigured("a rollback without its release")) };
        match change.resource.kind.as_str() {
            "config" if self.config_is(&change.after, source).await? => match self.release_verdict().await? {
                Verdict::Good(_) => Ok(Settled::Done(receipt.clone())),
                Verdict::Waiting(what) => Ok(Settled::Waiting(what)),
                Verdict::Bad(why) => Ok(Settled::Failed(why)),
            },
            "config" => Ok(Settled::Waiting("the config variables to show".into())),
            "formation" => self.formation_settled(&change.after).await,
            "domains" => self.domains_settled(&change.after).await,
            "certificates" => self.certificates_settled(&change.after).await,
            other => Err(self.unknown(other)),
        }
    }

    async fn fact(&self, fact: &str) -> Result<Option<String>, PlatformError> {
        let host = fact.strip_prefix("domain/").and_then(|rest| rest.strip_suffix(".cname"));
        match (fact, host) {
            ("domain.cname", _) => self.cname(None).await,
            (_, Some(host)) => self.cname(Some(host)).await,
            _ => Err(self.misconfigured(&format!("Heroku has no fact `{fact}`"))),
        }
    }

    async fn check(&self, check: &Check) -> Result<Verdict, PlatformError> {
        let mut verdicts = Vec::new();
        for (word, wanted) in &check.words {
            verdicts.push(match (word.as_str(), wanted.as_str()) {
                ("dynos", Some("up")) => self.dynos_verdict().await?,
                ("release", Some("succeeded")) => self.release_verdict().await?,
                ("certificates", Some("issued")) => self.certificates_verdict().await?,
                _ => return Err(self.misconfigured(&format!("Heroku cannot check `{word}: {wanted}`"))),
            });
        }
        Ok(all(verdicts))
    }

    async fn healthy(&self) -> Result<Verdict, PlatformError> {
        if self.app().await?.maintenance {
            return Ok(Verdict::Bad(format!("`{}` is in maintenance mode", self.name)));
        }
        Ok(all(vec![self.release_verdict().await?, self.dynos_verdict().await?]))
    }

    async fn tested(&self, commit: &str) -> Result<Tests, PlatformError> {
        self.tests_of(commit).await
    }

    fn interval(&self) -> Duration {
        match self.http.remaining() {
            Some(remaining) if remaining < SCARCE => self.interval * 4,
            _ => self.interval,
        }
    }
}

#[async_trait]
impl Writer for WritableApp {
    fn reader(&self) -> &dyn Reader {
        &self.app
    }

    async fn send(&self, act: &Act, source: &dyn Source) -> Result<Receipt, PlatformError> {
        let (app, http) = (&self.app, &self.http);
        let change = match act {
            Act::Restore { version, .. } => return app.roll_back(http, version).await,
            Act::Change(change) => change,
        };
        match (change.resource.kind.as_str(), &change.after) {
            ("config", after) => app.patch_config(http, after, source).await,
            ("build", State::Build(build)) => match (&build.slug, &build.commit) {
                (Some(slug), commit) => app.release_slug(http, slug, commit.as_deref()).await,
                (None, Some(commit)) => app.build(http, commit, source).await,
                (None, None) => Err(app.misconfigured("neither the commit nor the slug to run is known")),
            },
            ("formation", after) => app.scale(http, after).await,
            ("domains", after) => app.change_domains(http, after).await,
            ("certificates", after) => app.change_certificates(http, after).await,
            (other, _) => Err(app.unknown(other)),
        }
    }
}

/// A state that no version of the platform holds.
fn observed(state: State) -> Observed {
    Observed { state, version: None, restores: Vec::new() }
}

/// A state that a release holds; going back to the release brings config and build back together.
fn observed_in(release: &api::Release, state: State) -> Observed {
    let restores = if release.eligible_for_rollback { vec!["config".into(), "build".into()] } else { Vec::new() };
    Observed { state, version: Some(release.id.clone()), restores }
}

/// The first that is bad, else the first that waits, else all that was seen.
fn all(verdicts: Vec<Verdict>) -> Verdict {
    let worst = |verdict: &Verdict| match verdict {
        Verdict::Bad(_) => 0,
        Verdict::Waiting(_) => 1,
        Verdict::Good(_) => 2,
    };
    let seen: BTreeMap<u8, Vec<String>> = verdicts.into_iter().fold(BTreeMap::new(), |mut seen, verdict| {
        let rank = worst(&verdict);
        let (Verdict::Bad(text) | Verdict::Waiting(text) | Verdict::Good(text)) = verdict;
        seen.entry(rank).or_default().push(text);
        seen
    });
    match seen.into_iter().next() {
        Some((0, texts)) => Verdict::Bad(texts.join("; ")),
        Some((1, texts)) => Verdict::Waiting(texts.join("; ")),
        Some((_, texts)) => Verdict::Good(texts.join("; ")),
        None => Verdict::Good(String::new()),
    }
}
