//! Promotions with the real binary, from a clean clone to a recorded release.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod ci;
mod clone;
mod consent;
mod engine;
mod failures;
mod first_run;
mod full_disk;
mod kill;
mod kill_journal;
mod plans;
mod race;
mod spellings;
mod team;
mod usage;
