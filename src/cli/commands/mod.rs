//! One file per command.

pub(super) mod completion;
pub(super) mod sandbox;
pub(super) mod guard;
pub(super) mod hooks;
pub(super) mod man;
mod redirect;
mod route;
pub(super) mod sops_compat;
