//! Encrypted files, held to the real `sops`.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;

mod as_sops;
mod audit;
mod broken;
mod change;
mod cli_convert;
mod cli_edit;
mod cli_files;
mod cli_keys;
mod cli_services;
mod conversion;
mod corpus;
mod differential;
mod extensions;
mod generate;
mod golden;
mod keys;
mod kms;
mod many;
mod many_kill;
mod many_outputs;
mod many_services;
mod meanwhile;
mod million;
mod publish;
mod quirks;
mod structure;
mod support;
