//! The vendors: one file (and a folder of its nouns, where it has several) each, and the list of their descriptors.

mod dns;
mod heroku;
mod probe;
pub mod words;

pub use dns::he_net::HE_NET;
pub use dns::rfc2136::RFC2136;
pub use heroku::HEROKU;
pub use probe::{HTTPS, Probe, ProbeSettings};

use crate::promote::Descriptor;

/// Every backend whose words a pipeline file may use.
pub static DESCRIPTORS: &[&Descriptor] = &[
    &HEROKU,
    &HE_NET,
    &RFC2136,
    &HTTPS,
    &words::ARGO_CD,
    &words::AWS,
    &words::CEPH,
    &words::COMPOSE,
    &words::FILES,
    &words::GIT,
    &words::KUBERNETES,
    &words::PREFECT,
    &words::SSH,
    &words::TERRAFORM,
    &words::VAULT,
];
