//! Descriptors of the in-memory platforms, with the words of the real ones.

use std::time::Duration;

use lockage::promote::{Credential, Descriptor, Reading, Shape, Word};

const SECOND: Duration = Duration::from_millis(1);

pub static HEROKU: Descriptor = Descriptor {
    name: "heroku",
    about: "apps in memory",
    docs: "https://devcenter.heroku.com/",
    address: Shape::Text,
    options: &[Word::plain("pipeline", "", Shape::Text), Word::plain("login", "", Shape::Text)],
    credentials: &[Credential { key: "heroku-api-key", label: "", secret: true, variable: "HEROKU_API_KEY", optional: false }],
    applies: &[
        Word::writes("config", "", Shape::Map(&Shape::Text), "config", Reading::Fields, &[])
            .with_effect("a release; its release command runs"),
        Word::writes("addons", "", Shape::List(&Shape::Map(&Shape::Text)), "addons", Reading::Compared, &[]),
        Word::writes("release", "", Shape::Text, "build", Reading::Build, &[])
            .with_effect("a release; its release command runs"),
        Word::writes("domains", "", Shape::List(&Shape::Text), "domains", Reading::Members, &["domain.cname"]),
        Word::writes("certificates", "", Shape::OneOf(&["automatic"]), "certificates", Reading::Switch, &["domain.cname"]),
    ],
    delivers: &[Word::writes("config-vars", "", Shape::Any, "config", Reading::Fields, &[])
        .with_effect("a release; its release command runs")],
    checks: &[
        Word::plain("dynos", "", Shape::OneOf(&["up"])),
        Word::plain("release", "", Shape::OneOf(&["succeeded"])),
    ],
    facts: &["domain.cname"],
    verbs: &[],
    interval: SECOND,
    timeout: Duration::from_secs(20),
    client: None,
};

pub static RFC2136: Descriptor = Descriptor {
    name: "rfc2136",
    about: "zones in memory",
    docs: "https://www.rfc-editor.org/rfc/rfc2136",
    address: Shape::Record(&[
        ("zone", Shape::Text, true),
        ("servers", Shape::List(&Shape::Text), true),
        ("key", Shape::Text, false),
    ]),
    options: &[],
    credentials: &[],
    applies: lockage::platforms::words::HE_NET.applies,
    delivers: &[],
    checks: &[],
    facts: &[],
    verbs: &[],
    interval: SECOND,
    timeout: Duration::from_secs(20),
    client: None,
};

pub static HTTPS: Descriptor = Descriptor {
    name: "https",
    about: "probes in memory",
    docs: "",
    address: Shape::Text,
    options: &[],
    credentials: &[],
    applies: &[],
    delivers: &[],
    checks: &[
        Word::plain("status", "", Shape::Number),
        Word::plain("certificate", "", Shape::OneOf(&["valid"])),
    ],
    facts: &[],
    verbs: &[],
    interval: SECOND,
    timeout: Duration::from_secs(20),
    client: None,
};

/// Every backend.
pub fn all() -> Vec<&'static Descriptor> {
    let mut all = vec![&HEROKU, &RFC2136, &HTTPS];
    all.extend(lockage::platforms::words::UNSERVED.iter().copied());
    all
}
