//! UPDATE messages (RFC 2136): one record set, replaced under the condition that it still is what it was.

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, Record, RecordType};

use super::record::Records;

/// The message that makes the set at `name` equal to `after` if it equals `before`; removals come before additions.
///
/// *Source*: RFC 2136, sections 2.4 (prerequisites) and 2.5 (updates).
pub(super) fn replace(
    id: u16,
    zone: &Name,
    name: &Name,
    kind: RecordType,
    before: Option<&Records>,
    after: Option<&Records>,
) -> Message {
    let mut message = Message::new(id, MessageType::Query, OpCode::Update);
    message.add_query(Query::query(zone.clone(), RecordType::SOA));
    match before {
        None => {
            message.add_answer(empty(name, kind, DNSClass::NONE));
        }
        Some(records) => {
            // The lifetime is no part of the condition and has to be 0.
            message.add_answers(records.data.iter().map(|data| Record::from_rdata(name.clone(), 0, data.clone())));
            message.add_authority(empty(name, kind, DNSClass::ANY));
        }
    }
    if let Some(records) = after {
        let added = records.data.iter().map(|data| Record::from_rdata(name.clone(), records.ttl, data.clone()));
        message.add_authorities(added);
    }
    message
}

fn empty(name: &Name, kind: RecordType, class: DNSClass) -> Record {
    let mut record = Record::update0(name.clone(), 0, kind);
    record.dns_class = class;
    record
}

/// A response code's own spelling in the RFCs, and what it means for an update.
pub(super) fn meaning(code: ResponseCode) -> (&'static str, &'static str) {
    match code {
        ResponseCode::FormErr => ("FORMERR", "the server does not understand the message"),
        ResponseCode::ServFail => ("SERVFAIL", "the server failed: its log says why"),
        ResponseCode::NotImp => ("NOTIMP", "the server takes no updates"),
        ResponseCode::Refused => {
            ("REFUSED", "the key may not change this name and type: see the server's update policy")
        }
        ResponseCode::YXDomain => ("YXDOMAIN", "the name is there and should not be"),
        ResponseCode::NXDomain => ("NXDOMAIN", "the name is not there and should be"),
        ResponseCode::YXRRSet => ("YXRRSET", "the record set has appeared since the plan was made: plan again"),
        ResponseCode::NXRRSet => ("NXRRSET", "the record set has changed since the plan was made: plan again"),
        ResponseCode::NotAuth => ("NOTAUTH", "the server is not the zone's primary, or does not know the key"),
        ResponseCode::NotZone => ("NOTZONE", "the name is not in the zone"),
        _ => ("OTHER", "the server's log says why"),
    }
}
