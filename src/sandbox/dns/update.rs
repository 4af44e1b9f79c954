//! Dynamic updates, RFC 2136, with the silences of the servers in use: a CNAME beside other records, or other records
//! beside a CNAME, is answered NOERROR and left out.

use std::collections::BTreeMap;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use super::key;
use super::records::{absolute, encoded, insert};
use crate::sandbox::state::{Behind, RecordSet, State, Zone};

/// Questions that the second server answers from what it knew before an update.
const LAG: u32 = 3;

type Sets = BTreeMap<String, RecordSet>;

/// Carries out an update, all of it or nothing.
pub(super) fn update(state: &mut State, message: &Message) -> ResponseCode {
    let [zone] = message.queries.as_slice() else { return ResponseCode::FormErr };
    if zone.query_type() != RecordType::SOA {
        return ResponseCode::FormErr;
    }
    let Some(zone) = state.zones.get_mut(&zone.name().to_lowercase().to_string()) else { return ResponseCode::NotAuth };
    match try_update(zone, message) {
        Ok(sets) => {
            if sets != zone.sets {
                let before = std::mem::replace(&mut zone.sets, sets);
                let serial = zone.serial;
                zone.serial += 1;
                let behind = zone.behind.take().unwrap_or(Behind { serial, sets: before, left: 0 });
                zone.behind = Some(Behind { left: LAG, ..behind });
            }
            ResponseCode::NoError
        }
        Err(code) => code,
    }
}

fn try_update(zone: &Zone, message: &Message) -> Result<Sets, ResponseCode> {
    let apex = absolute(&zone.name).ok_or(ResponseCode::ServFail)?;
    check_prerequisites(&apex, &zone.sets, &message.answers)?;
    prescan(&apex, &message.authorities)?;
    let mut sets = zone.sets.clone();
    for record in &message.authorities {
        match record.dns_class {
            DNSClass::IN => add(&mut sets, record)?,
            DNSClass::ANY => delete_sets(&mut sets, &apex, record),
            _ => delete_record(&mut sets, &apex, record)?,
        }
    }
    Ok(sets)
}

/// *Source*: RFC 2136, 3.2.5.
fn check_prerequisites(apex: &Name, sets: &Sets, prerequisites: &[Record]) -> Result<(), ResponseCode> {
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in prerequisites {
        if record.ttl != 0 {
            return Err(ResponseCode::FormErr);
        }
        if !apex.zone_of(&record.name) {
            return Err(ResponseCode::NotZone);
        }
        let kind = record.record_type();
        let empty = matches!(record.data, RData::Update0(_));
        let exists = match kind {
            RecordType::ANY => is_in_use(sets, apex, &record.name),
            RecordType::SOA => record.name == *apex,
            kind => sets.contains_key(&key(&record.name, kind)),
        };
        match (record.dns_class, empty) {
            (DNSClass::ANY, true) if exists => {}
            (DNSClass::ANY, true) if kind == RecordType::ANY => return Err(ResponseCode::NXDomain),
            (DNSClass::ANY, true) => return Err(ResponseCode::NXRRSet),
            (DNSClass::NONE, true) if !exists => {}
            (DNSClass::NONE, true) if kind == RecordType::ANY => return Err(ResponseCode::YXDomain),
            (DNSClass::NONE, true) => return Err(ResponseCode::YXRRSet),
            (DNSClass::IN, false) => {
                let data = encoded(&record.data).ok_or(ResponseCode::FormErr)?;
                wanted.entry(key(&record.name, kind)).or_default().push(data);
            }
            _ => return Err(ResponseCode::FormErr),
        }
    }
    for (key, mut data) in wanted {
        let mut there = sets.get(&key).map(|set| set.data.clone()).unwrap_or_default();
        data.sort();
        data.dedup();
        there.sort();
        if data != there {
            return Err(ResponseCode::NXRRSet);
        }
    }
    Ok(())
}

/// *Source*: RFC 2136, 3.4.1.3.
fn prescan(apex: &Name, updates: &[Record]) -> Result<(), ResponseCode> {
    for record in updates {
        if !apex.zone_of(&record.name) {
            return Err(ResponseCode::NotZone);
        }
        let kind = record.record_type();
        let transfer = matches!(kind, RecordType::AXFR | RecordType::IXFR);
        let empty = matches!(record.data, RData::Update0(_));
        let fits = match record.dns_class {
            DNSClass::IN => !empty && kind != RecordType::ANY && !transfer,
            DNSClass::ANY => empty && record.ttl == 0 && !transfer,
            DNSClass::NONE => record.ttl == 0 && kind != RecordType::ANY && !transfer,
            _ => false,
        };
        if !fits {
            return Err(ResponseCode::FormErr);
        }
    }
    Ok(())
}

/// *Source*: RFC 2136, 3.4.2.2; the SOA record is the server's own here.
fn add(sets: &mut Sets, record: &Record) -> Result<(), ResponseCode> {
    let kind = record.record_type();
    let here = record.name.to_lowercase().to_string();
    if kind == RecordType::SOA {
        return Ok(());
    }
    let beside = sets.values().any(|set| set.name == here && (set.kind == "CNAME") != (kind == RecordType::CNAME));
    if beside {
        return Ok(());
    }
    if kind == RecordType::CNAME {
        sets.remove(&key(&record.name, kind));
    }
    insert(sets, &record.name, record.ttl, &record.data).ok_or(ResponseCode::FormErr)
}

/// *Source*: RFC 2136, 3.4.2.3: whole sets; at the apex SOA and NS stay.
fn delete_sets(sets: &mut Sets, apex: &Name, record: &Record) {
    let here = record.name.to_lowercase();
    let (kind, name) = (record.record_type(), here.to_string());
    sets.retain(|_, set| {
        let meant = set.name == name && (kind == RecordType::ANY || set.kind == kind.to_string());
        !meant || (here == *apex && set.kind == "NS")
    });
}

/// *Source*: RFC 2136, 3.4.2.4: one record; never the last name server of the zone.
fn delete_record(sets: &mut Sets, apex: &Name, record: &Record) -> Result<(), ResponseCode> {
    let key = key(&record.name, record.record_type());
    let data = encoded(&record.data).ok_or(ResponseCode::FormErr)?;
    let Some(set) = sets.get_mut(&key) else { return Ok(()) };
    if record.name == *apex && set.kind == "NS" && set.data.len() == 1 {
        return Ok(());
    }
    set.data.retain(|row| *row != data);
    if set.data.is_empty() {
        sets.remove(&key);
    }
    Ok(())
}

fn is_in_use(sets: &Sets, apex: &Name, name: &Name) -> bool {
    let here = name.to_lowercase().to_string();
    name == apex || sets.values().any(|set| set.name == here)
}
