//! One file per command.

pub(super) mod completion;
mod redirect;
mod route;
pub(super) mod sops_compat;
