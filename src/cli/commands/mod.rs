//! One file per command.

pub(super) mod completion;
pub(super) mod decrypt;
pub(super) mod edit;
pub(super) mod encrypt;
pub(super) mod get;
pub(super) mod man;
mod redirect;
mod route;
pub(super) mod sandbox;
pub(super) mod set;
pub(super) mod sops_compat;
