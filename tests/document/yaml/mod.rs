//! Reading YAML as go-yaml v3 and SOPS read it.

mod differential;
mod generate;
mod hostile;
mod metadata;
mod oracle;
mod resolve;
mod traps;
