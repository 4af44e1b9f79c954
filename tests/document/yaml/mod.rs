//! Reading YAML as go-yaml v3 and SOPS read it, and writing into it.

mod corpus;
mod differential;
mod generate;
mod oracle;
mod round_trip;
