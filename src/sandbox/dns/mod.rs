//! Two authoritative name servers for the world's zones, UDP and TCP, with signed updates; the second lags.

mod lookup;
mod records;
mod server;
mod update;

use hickory_proto::rr::{Name, RData, RecordType};

pub(super) use records::{add_zone, shown};
pub(super) use server::{NameServer, tsig_key};

use super::state::{RecordSet, State, Zone};
use records::{absolute, rdata};

/// The vendor's words where the name does not lead to the app.
const NOT_POINTED: &str = "CDN not returning HTTP challenge";
/// The vendor's words (and spelling) where the zone forbids the authority.
const FORBIDDEN: &str = "Failing CCA check";
/// The authority that the vendor's certificates come from, as CAA records name it.
const ISSUER: &str = "letsencrypt.org";

/// Why no certificate can be issued for `hostname` by what the zones say; none where nothing is in the way.
pub(super) fn certificate_trouble(state: &State, hostname: &str, target: &str) -> Option<&'static str> {
    let (Some(name), Some(target)) = (absolute(hostname), absolute(target)) else { return Some(NOT_POINTED) };
    let Some(zone) = zone_of(state, &name) else { return Some(NOT_POINTED) };
    let points = |set: Option<&RecordSet>| {
        set.and_then(|set| rdata(set, set.data.first()?))
            .is_some_and(|data| matches!(data, RData::CNAME(cname) if cname.0 == target))
    };
    let key = key(&name, RecordType::CNAME);
    let lagging = zone.behind.as_ref().map_or(&zone.sets, |behind| &behind.sets);
    if !points(zone.sets.get(&key)) || !points(lagging.get(&key)) {
        return Some(NOT_POINTED);
    }
    (!allows_issuer(zone, &name)).then_some(FORBIDDEN)
}

/// *Source*: RFC 8659, section 3: the nearest name upward that has CAA records decides.
fn allows_issuer(zone: &Zone, name: &Name) -> bool {
    let mut name = name.clone();
    while !name.is_root() {
        if let Some(set) = zone.sets.get(&key(&name, RecordType::CAA)) {
            let records = set.data.iter().filter_map(|data| rdata(set, data));
            let mut issue = records.filter_map(|data| match data {
                RData::CAA(caa) if caa.tag == "issue" => Some(caa.value),
                _ => None,
            });
            let first = issue.next();
            return first.is_none_or(|first| {
                std::iter::once(first).chain(issue).any(|value| value.starts_with(ISSUER.as_bytes()))
            });
        }
        name = name.base_name();
    }
    true
}

/// The zone that a name lies in: the one with the longest name.
fn zone_of<'a>(state: &'a State, name: &Name) -> Option<&'a Zone> {
    let holding = state.zones.values().filter(|zone| absolute(&zone.name).is_some_and(|zone| zone.zone_of(name)));
    holding.max_by_key(|zone| zone.name.len())
}

/// Where a record set lies in its zone.
fn key(name: &Name, kind: RecordType) -> String {
    format!("{} {kind}", name.to_lowercase())
}
