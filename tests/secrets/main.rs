//! Encrypted files, held to the real `sops`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;

mod broken;
mod cli_edit;
mod cli_files;
mod cli_sops;
mod change;
mod corpus;
mod differential;
mod generate;
mod golden;
mod quirks;
mod support;
