//! The guard against everything that is known to slip past one, and against what must pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;
mod lab;

mod blocked_files;
mod blocked_metadata;
mod blocked_rules;
mod blocked_values;
mod check;
mod extensions;
mod formats;
mod hooks;
mod keys;
mod passing;
mod places;
mod server;
mod settings;
