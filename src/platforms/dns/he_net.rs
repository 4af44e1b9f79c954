//! dns.he.net: known to the vocabulary; its web forms have no client yet.

use super::RECORDS;
use crate::platforms::words::unserved;
use crate::promote::{Credential, Descriptor, Shape, Word};

/// Hurricane Electric's free DNS hosting.
pub static HE_NET: Descriptor = Descriptor {
    options: &[Word::plain("login", "how to log in", Shape::OneOf(&["password"]))],
    credentials: &[
        Credential {
            key: "he-net-user",
            label: "user name",
            secret: false,
            variable: "LOCKAGE_HE_NET_USER",
            optional: false,
        },
        Credential {
            key: "he-net-password",
            label: "password",
            secret: true,
            variable: "LOCKAGE_HE_NET_PASSWORD",
            optional: false,
        },
    ],
    applies: &[RECORDS],
    ..unserved("he.net", "a zone at dns.he.net (known word, no client yet)", "https://dns.he.net/")
};
