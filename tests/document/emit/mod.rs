//! Writing a tree as another type, held to SOPS's own stores.

mod differential;
pub(crate) mod generate;
mod oracle;
