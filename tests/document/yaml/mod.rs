//! Reading YAML as go-yaml v3 and SOPS read it.

mod differential;
mod generate;
mod oracle;
