//! DNS: what its providers have in common, and one file for each.

pub(super) mod exchange;
pub(super) mod he_net;
pub(super) mod record;
pub(super) mod rfc2136;
mod tsig;
mod update;

use crate::promote::{Reading, Shape, Word};

/// The unit of a change is the record set, name and type (RFC 9499), whichever the provider.
const RECORDS: Word = Word::writes(
    "records",
    "record sets of the zone: name (`@` is the zone itself), type, ttl in seconds, data",
    Shape::List(&Shape::Record(&[
        ("name", Shape::Text, true),
        ("type", Shape::OneOf(record::TYPES), true),
        ("ttl", Shape::Number, true),
        ("data", Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]), true),
    ])),
    "records",
    Reading::RecordSets,
    &[],
);
