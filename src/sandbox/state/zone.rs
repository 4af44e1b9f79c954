//! A DNS zone as its two name servers hold it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One zone. Names are lower case, absolute, with a dot at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Zone {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) serial: u32,
    /// What the first server answers from, keyed by name and type (`api.example.org. CNAME`).
    pub(in crate::sandbox) sets: BTreeMap<String, RecordSet>,
    /// What the second server answers from until it has caught up.
    pub(in crate::sandbox) behind: Option<Behind>,
}

/// The zone as the second server still knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Behind {
    pub(in crate::sandbox) serial: u32,
    pub(in crate::sandbox) sets: BTreeMap<String, RecordSet>,
    /// How many more questions it answers before it transfers the zone.
    pub(in crate::sandbox) left: u32,
}

/// All records of one name and type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct RecordSet {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) kind: String,
    pub(in crate::sandbox) ttl: u32,
    /// Each record's data in wire form without compression, as hexadecimal digits: exact for types we have no name for.
    pub(in crate::sandbox) data: Vec<String>,
}
