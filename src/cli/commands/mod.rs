//! One file per command.

pub(super) mod completion;
pub(super) mod sops_compat;
