//! Documents: what is not edited stays byte for byte.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;

mod binary;
mod dotenv;
mod emit;
mod ini;
mod json;
mod laws;
mod yaml;
