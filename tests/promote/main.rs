//! Promotions with the real binary, from a clean clone to a recorded release.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod clone;
mod engine;
mod failures;
mod first_run;
mod full_disk;
mod kill;
mod plans;
mod spellings;
mod usage;
