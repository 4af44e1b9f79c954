//! Which servers are authoritative: those that the target lists, else those that the zone itself names.

use hickory_proto::rr::{Name, RData, RecordType};
use tokio::sync::OnceCell;

use super::exchange::{ExchangeError, Server, answers, query, server};

/// The machine's own resolver is asked only where a target lists no servers.
const RESOLVERS: &str = "/etc/resolv.conf";

/// The authoritative servers, the one that takes updates first.
pub(super) struct Servers {
    listed: Vec<String>,
    found: OnceCell<Vec<Server>>,
}

impl Servers {
    /// Servers by name or address; the first takes the updates. None: they are looked up when they are first needed.
    pub(super) fn new(listed: Vec<String>) -> Self {
        Self { listed, found: OnceCell::new() }
    }

    /// Every server, found once.
    ///
    /// # Errors
    /// [`ExchangeError`] when a name has no address, or the zone no server.
    pub(super) async fn all(&self, zone: &Name) -> Result<&[Server], ExchangeError> {
        let found = self.found.get_or_try_init(|| async {
            let names = if self.listed.is_empty() { named(zone).await? } else { self.listed.clone() };
            let mut servers = Vec::with_capacity(names.len());
            for name in &names {
                servers.push(server(name).await?);
            }
            Ok(servers)
        });
        found.await.map(Vec::as_slice)
    }
}

/// The zone's NS records, the primary of its SOA record in front.
async fn named(zone: &Name) -> Result<Vec<String>, ExchangeError> {
    let text = tokio::fs::read_to_string(RESOLVERS).await.unwrap_or_default();
    let resolver = text.lines().find_map(|line| line.trim().strip_prefix("nameserver")).map(str::trim);
    let resolver = server(resolver.unwrap_or("127.0.0.1")).await?;
    let soa = query(&resolver, zone, RecordType::SOA, true).await?;
    let primary = answers(&soa, zone, RecordType::SOA).find_map(|(_, data)| match data {
        RData::SOA(soa) => Some(soa.mname.to_ascii()),
        _ => None,
    });
    let ns = query(&resolver, zone, RecordType::NS, true).await?;
    let mut names: Vec<String> = primary.into_iter().collect();
    for (_, data) in answers(&ns, zone, RecordType::NS) {
        let RData::NS(name) = data else { continue };
        let name = name.0.to_ascii();
        if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Err(ExchangeError::NotSent { server: zone.to_ascii(), why: "the zone names no server".into() });
    }
    Ok(names)
}
