//! Record sets between the world's rows and the DNS library's types.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecoder, BinEncodable as _, BinEncoder, Restrict};

use super::key;
use crate::sandbox::start::StartZone;
use crate::sandbox::state::{RecordSet, State, Zone, hex};

/// The TTL of the records that every zone has, seconds.
const OWN_TTL: u32 = 3600;
/// For how long a resolver may remember that a name does not exist, seconds.
const NEGATIVE_TTL: u32 = 300;

/// A name made absolute and lower case.
pub(super) fn absolute(name: &str) -> Option<Name> {
    let mut name = Name::from_str(name).ok()?;
    name.set_fqdn(true);
    Some(name.to_lowercase())
}

/// A record's data as the world keeps it: names in lower case, nothing compressed.
pub(super) fn encoded(data: &RData) -> Option<String> {
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_canonical_form(true);
    data.emit(&mut encoder).ok()?;
    Some(hex(&bytes))
}

/// The data behind one of a set's rows.
pub(super) fn rdata(set: &RecordSet, data: &str) -> Option<RData> {
    let bytes = unhex(data)?;
    let length = u16::try_from(bytes.len()).ok()?;
    RData::read(&mut BinDecoder::new(&bytes), kind(set)?, Restrict::new(length)).ok()
}

/// A set's type.
pub(super) fn kind(set: &RecordSet) -> Option<RecordType> {
    RecordType::from_str(&set.kind).ok()
}

/// A set as records for the wire.
pub(super) fn records(set: &RecordSet) -> Vec<Record> {
    let Some(name) = absolute(&set.name) else { return Vec::new() };
    let data = set.data.iter().filter_map(|data| rdata(set, data));
    data.map(|data| Record::from_rdata(name.clone(), set.ttl, data)).collect()
}

/// A set's data in the words of a zone file.
pub(in crate::sandbox) fn shown(set: &RecordSet) -> Vec<String> {
    set.data.iter().filter_map(|data| rdata(set, data)).map(|data| data.to_string()).collect()
}

/// The zone's SOA record with this serial.
pub(super) fn soa(zone: &Zone, serial: u32) -> Option<Record> {
    let name = absolute(&zone.name)?;
    let server = absolute(&format!("ns1.{}", zone.name))?;
    let mailbox = absolute(&format!("hostmaster.{}", zone.name))?;
    let data = SOA::new(server, mailbox, serial, 3600, 600, 1_209_600, NEGATIVE_TTL);
    Some(Record::from_rdata(name, OWN_TTL, RData::SOA(data)))
}

/// Puts a zone into a new world.
pub(in crate::sandbox) fn add_zone(state: &mut State, start: StartZone) -> Option<()> {
    let name = absolute(&start.name)?;
    let mut zone = Zone { name: name.to_string(), serial: 1, sets: BTreeMap::new(), behind: None };
    for server in ["ns1", "ns2"] {
        let data = RData::NS(hickory_proto::rr::rdata::NS(absolute(&format!("{server}.{name}"))?));
        insert(&mut zone.sets, &name, OWN_TTL, &data)?;
        let address = RData::A(std::net::Ipv4Addr::LOCALHOST.into());
        insert(&mut zone.sets, &absolute(&format!("{server}.{name}"))?, OWN_TTL, &address)?;
    }
    for record in start.records {
        let data = RData::try_from_str(RecordType::from_str(&record.kind).ok()?, &record.data).ok()?;
        insert(&mut zone.sets, &absolute(&record.name)?, record.ttl, &data)?;
    }
    state.zones.insert(zone.name.clone(), zone);
    Some(())
}

/// Adds a record; a set has one TTL, the newest.
pub(super) fn insert(sets: &mut BTreeMap<String, RecordSet>, name: &Name, ttl: u32, data: &RData) -> Option<()> {
    let row = encoded(data)?;
    let (name, kind) = (name.to_lowercase(), data.record_type());
    let set = sets.entry(key(&name, kind)).or_insert_with(|| RecordSet {
        name: name.to_string(),
        kind: kind.to_string(),
        ttl,
        data: Vec::new(),
    });
    set.ttl = ttl;
    if !set.data.contains(&row) {
        set.data.push(row);
    }
    Some(())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
