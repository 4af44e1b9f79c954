//! Answers to questions, by one server's view of the world.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::records::{absolute, kind, records, soa};
use super::{key, zone_of};
use crate::sandbox::state::{RecordSet, State, Zone};
use crate::sandbox::targets;

/// Links of a CNAME chain that are followed inside the zone.
const CHAIN: usize = 8;

/// What a server knows of a zone.
pub(super) struct View<'a> {
    pub(super) zone: &'a Zone,
    pub(super) serial: u32,
    sets: &'a BTreeMap<String, RecordSet>,
}

impl<'a> View<'a> {
    /// The zone as the first server (0) or the second (1) has it.
    pub(super) fn of(zone: &'a Zone, server: usize) -> Self {
        match zone.behind.as_ref().filter(|_| server > 0) {
            Some(behind) => Self { zone, serial: behind.serial, sets: &behind.sets },
            None => Self { zone, serial: zone.serial, sets: &zone.sets },
        }
    }

    /// All records, beginning and ending with the SOA record, as a transfer has them.
    pub(super) fn transfer(&self) -> Vec<Record> {
        let soa = soa(self.zone, self.serial);
        let between = self.sets.values().flat_map(records);
        soa.clone().into_iter().chain(between).chain(soa).collect()
    }

    fn answer(&self, name: &Name, wanted: RecordType, response: &mut Message) {
        let mut name = name.to_lowercase();
        for _ in 0..CHAIN {
            let here = name.to_string();
            let mut found = Vec::new();
            for set in self.sets.values().filter(|set| set.name == here) {
                if wanted == RecordType::ANY || kind(set) == Some(wanted) {
                    found.extend(records(set));
                }
            }
            let apex = absolute(&self.zone.name).as_ref() == Some(&name);
            if apex && matches!(wanted, RecordType::SOA | RecordType::ANY) {
                found.extend(soa(self.zone, self.serial));
            }
            if !found.is_empty() {
                response.add_answers(found);
                return;
            }
            let Some(alias) = self.sets.get(&key(&name, RecordType::CNAME)) else {
                return self.deny(&here, apex, response);
            };
            response.add_answers(records(alias));
            let target = records(alias).into_iter().find_map(|record| match record.data {
                RData::CNAME(target) => Some(target.0.to_lowercase()),
                _ => None,
            });
            match target.filter(|target| absolute(&self.zone.name).is_some_and(|zone| zone.zone_of(target))) {
                Some(target) => name = target,
                None => return,
            }
        }
    }

    /// Nothing of that type, or no such name: the difference is whether anything stands at or below the name.
    fn deny(&self, name: &str, apex: bool, response: &mut Message) {
        let below = format!(".{name}");
        let exists = apex || self.sets.values().any(|set| set.name == name || set.name.ends_with(&below));
        if !exists && response.answers.is_empty() {
            response.metadata.response_code = ResponseCode::NXDomain;
        }
        response.add_authorities(soa(self.zone, self.serial));
    }
}

/// Fills in the answer to a question.
pub(super) fn answer(state: &State, server: usize, query: &Query, response: &mut Message) {
    let name = query.name();
    if let Some(zone) = zone_of(state, name) {
        response.metadata.authoritative = true;
        View::of(zone, server).answer(name, query.query_type(), response);
        return;
    }
    if !absolute(targets::ZONE).is_some_and(|zone| zone.zone_of(name)) {
        response.metadata.response_code = ResponseCode::Refused;
        return;
    }
    // The platform's own names: every target in use leads to this machine.
    response.metadata.authoritative = true;
    let wanted = name.to_lowercase();
    let known =
        state.domains.values().filter_map(|domain| absolute(domain.cname.as_deref()?)).any(|cname| cname == wanted);
    if !known {
        response.metadata.response_code = ResponseCode::NXDomain;
    } else if matches!(query.query_type(), RecordType::A | RecordType::ANY) {
        response.add_answer(Record::from_rdata(wanted, 60, RData::A(Ipv4Addr::LOCALHOST.into())));
    }
}
