//! The check `https://…`: what a user of the address would see.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_proto::rr::{Name, RData, RecordType};

use super::dns::exchange::{ExchangeError, Server, answers, authoritative, server};
use super::dns::record::absolute;
use crate::promote::{
    Act, Check, Descriptor, Observed, PlatformError, PlatformFault, Query, Reader, Receipt, Settled, Shape, Source,
    Verdict, Watermark, Word,
};
use crate::system::http::{Visit, VisitError};

/// A chain of aliases longer than this is a circle.
const ALIASES: usize = 8;

const TIME_LIMIT: Duration = Duration::from_secs(15);

/// The words of `check: "https://…"`.
pub static HTTPS: Descriptor = Descriptor {
    name: Descriptor::PROBER,
    about: "a web address, visited as its users do",
    docs: "https://www.rfc-editor.org/rfc/rfc9110#name-status-codes",
    address: Shape::Text,
    options: &[],
    credentials: &[],
    applies: &[],
    delivers: &[],
    checks: &[
        Word::plain("status", "the status it answers with", Shape::Number),
        Word::plain("certificate", "its certificate is valid for the name and trusted", Shape::OneOf(&["valid"])),
    ],
    facts: &[],
    verbs: &[],
    interval: Duration::from_secs(5),
    // A new certificate takes 15 to 60 minutes.
    timeout: Duration::from_secs(3600),
    host: None,
    client: None,
};

/// How addresses are found and trusted.
#[derive(Clone, Debug)]
pub struct ProbeSettings {
    /// The name servers that are asked for the address, every one, aliases followed, in place of the machine's own resolver.
    pub servers: Vec<String>,
    /// The only certificate authority that counts, as PEM, in place of the machine's own.
    pub authority: Option<String>,
    /// The port in place of 443.
    pub port: Option<u16>,
    /// Which addresses may be visited.
    pub allowed: fn(&IpAddr) -> bool,
    /// How often a wait asks again.
    pub interval: Duration,
}

impl Default for ProbeSettings {
    /// The machine's own resolver and trust, any address.
    fn default() -> Self {
        let interval = HTTPS.interval;
        Self { servers: Vec::new(), authority: None, port: None, allowed: |_| true, interval }
    }
}

/// Visits web addresses; can do nothing else.
pub struct Probe {
    settings: ProbeSettings,
}

/// Where a name leads, or what is missing yet.
type Found = Result<Vec<IpAddr>, String>;

impl Probe {
    /// A probe; makes no request yet.
    #[must_use]
    pub fn new(settings: ProbeSettings) -> Self {
        Self { settings }
    }

    async fn visit(&self, url: &str) -> Result<Result<u16, VisitError>, Verdict> {
        let bad = |what: &str| Verdict::Bad(format!("`{url}` {what}"));
        let rest = url.strip_prefix("https://").ok_or_else(|| bad("is not https"))?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) =
            authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, port.parse().ok()));
        let host = absolute(host).ok_or_else(|| bad("has no host name"))?;
        let found = self.addresses(&host).await.map_err(|error| Verdict::Waiting(error.to_string()))?;
        let addresses = found.map_err(Verdict::Waiting)?;
        if let Some(address) = addresses.iter().find(|address| !(self.settings.allowed)(address)) {
            return Err(bad(&format!("leads to {address}, which may not be visited from here")));
        }
        let port = self.settings.port.or(port).unwrap_or(443);
        let mut last = Err(Verdict::Waiting(format!("`{url}` has no address")));
        // Users are led to all of them.
        for address in addresses {
            let visit = Visit {
                url,
                address: SocketAddr::new(address, port),
                authority: self.settings.authority.as_deref().map(str::as_bytes),
                time_limit: TIME_LIMIT,
            };
            let visited = visit.status().await;
            let differs = matches!((&last, &visited), (Ok(Ok(before)), Ok(now)) if before != now);
            last = Ok(visited);
            if differs || matches!(last, Ok(Err(_))) {
                break;
            }
        }
        last
    }

    /// The addresses that the name servers give, each once; one of them that has none is waited for.
    async fn addresses(&self, host: &Name) -> Result<Found, ExchangeError> {
        if self.settings.servers.is_empty() {
            let text = host.to_ascii();
            let found = tokio::net::lookup_host((text.as_str(), 443)).await.ok().and_then(|mut all| all.next());
            let nothing = || format!("`{}` has no address", text.trim_end_matches('.'));
            return Ok(found.map(|address| vec![address.ip()]).ok_or_else(nothing));
        }
        let mut addresses = Vec::new();
        for name in &self.settings.servers {
            match followed(&server(name).await?, host).await? {
                Ok(address) if addresses.contains(&address) => {}
                Ok(address) => addresses.push(address),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(addresses))
    }
}

/// The address that one server gives, aliases followed.
async fn followed(server: &Server, host: &Name) -> Result<Result<IpAddr, String>, ExchangeError> {
    let text = host.to_ascii();
    let text = text.trim_end_matches('.');
    let mut at = host.clone();
    for _ in 0..ALIASES {
        match step(server, &at).await? {
            Some(RData::A(address)) => return Ok(Ok(address.0.into())),
            Some(RData::AAAA(address)) => return Ok(Ok(address.0.into())),
            Some(RData::CNAME(alias)) => at = alias.0,
            _ => return Ok(Err(format!("`{text}` has no address at `{}`", server.name))),
        }
    }
    Ok(Err(format!("the aliases of `{text}` go round in a circle")))
}

async fn step(server: &Server, name: &Name) -> Result<Option<RData>, ExchangeError> {
    for kind in [RecordType::A, RecordType::AAAA] {
        let message = authoritative(server, name, kind).await?;
        let found = answers(&message, name, RecordType::CNAME).chain(answers(&message, name, kind)).next();
        if let Some((_, data)) = found {
            return Ok(Some(data.clone()));
        }
    }
    Ok(None)
}

fn verdict(check: &Check, visited: Result<u16, VisitError>) -> Verdict {
    let status = match visited {
        Ok(status) => status,
        Err(error) => return Verdict::Waiting(error.to_string()),
    };
    match check.words.get("status").and_then(serde_json::Value::as_u64) {
        Some(wanted) if wanted != u64::from(status) => {
            Verdict::Waiting(format!("status {status} in place of {wanted}"))
        }
        _ => Verdict::Good(format!("status {status}, certificate valid")),
    }
}

#[async_trait]
impl Reader for Probe {
    async fn check(&self, check: &Check) -> Result<Verdict, PlatformError> {
        Ok(match self.visit(&check.subject).await {
            Ok(visited) => verdict(check, visited),
            Err(verdict) => verdict,
        })
    }

    async fn observe(&self, _query: Query<'_>) -> Result<Observed, PlatformError> {
        Err(only_checks())
    }

    async fn watermark(&self, _act: &Act) -> Result<Watermark, PlatformError> {
        Err(only_checks())
    }

    async fn adopt(
        &self,
        _act: &Act,
        _since: &Watermark,
        _source: &dyn Source,
    ) -> Result<Option<Receipt>, PlatformError> {
        Err(only_checks())
    }

    async fn settled(&self, _act: &Act, _receipt: &Receipt, _source: &dyn Source) -> Result<Settled, PlatformError> {
        Err(only_checks())
    }

    async fn fact(&self, _fact: &str) -> Result<Option<String>, PlatformError> {
        Err(only_checks())
    }

    async fn healthy(&self) -> Result<Verdict, PlatformError> {
        Err(only_checks())
    }

    fn interval(&self) -> Duration {
        self.settings.interval
    }
}

fn only_checks() -> PlatformError {
    let what = "a web address can be checked and nothing else".to_owned();
    PlatformError::new(Descriptor::PROBER, "understand the question", PlatformFault::Misconfigured { what })
}
