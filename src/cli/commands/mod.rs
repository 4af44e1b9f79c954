//! One file per command.

pub(super) mod apply;
pub(super) mod check;
pub(super) mod completion;
pub(super) mod decrypt;
pub(super) mod edit;
pub(super) mod encrypt;
pub(super) mod exec;
pub(super) mod filestatus;
pub(super) mod get;
pub(super) mod groups;
pub(super) mod guard;
pub(super) mod hooks;
pub(super) mod keyservice;
pub(super) mod log;
pub(super) mod man;
pub(super) mod plan;
pub(super) mod promote;
mod redirect;
pub(super) mod rollback;
pub(super) mod rotate;
pub(super) mod route;
pub(super) mod sandbox;
pub(super) mod set;
pub(super) mod sops_compat;
pub(super) mod status;
pub(super) mod unset;
pub(super) mod updatekeys;
