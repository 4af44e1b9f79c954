//! Reading YAML as go-yaml v3 and SOPS read it, and writing into it.

mod block;
mod corpus;
mod differential;
pub(crate) mod generate;
mod hostile;
mod laws;
mod metadata;
mod oracle;
mod resolve;
mod round_trip;
mod traps;
mod writer_rules;
mod writing;
