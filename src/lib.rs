//! lockage keeps encrypted secrets in a git repository, guards commits, and promotes builds stage by stage.
//!
//! The rooms, in dependency order (a room imports only from rooms above it in this list):
//!
//! - [`secret`], [`error`]: plaintext in wiping types; the class of a failure and what to do about it.
//! - [`document`]: lossless YAML, JSON, dotenv, INI and binary texts as ranges.
//! - [`cipher`]: encrypts values; knows bytes, not documents.
//! - [`system`]: files, child processes, HTTP.
//! - [`keys`]: who can unwrap a data key.
//! - [`sops`]: the file format: documents, cipher and keys together.
//! - [`repo`]: the git repository.
//! - [`guard`]: checks before a commit.
//! - [`promote`]: plan, apply, verify, roll back; knows no vendor.
//! - [`platforms`]: the vendors.
//! - [`sandbox`]: a world on loopback for first runs, rehearsals and tests.
//! - [`cli`]: the only room that reads the environment, the clock or a terminal, and that prints.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod cipher;
pub mod cli;
pub mod document;
pub mod error;
pub mod guard;
pub mod keys;
pub mod platforms;
pub mod promote;
pub mod repo;
pub mod sandbox;
pub mod secret;
pub mod sops;
pub mod system;
