//! Called as `sops`, beside the real one: the same command lines in twin folders.

mod bad_files;
mod behaviours;
mod clouds;
mod codes;
mod flags;
mod holders;
mod loose_rules;
mod other_types;
mod running;
mod several_files;
pub(crate) mod twins;
