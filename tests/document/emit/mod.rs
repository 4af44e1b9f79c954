//! Writing a tree as another type, held to SOPS's own stores.

mod differential;
mod generate;
mod oracle;
