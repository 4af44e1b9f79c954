//! Promotions with the real binary, from a clean clone to a recorded release.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod clone;
mod engine;
mod first_run;
mod spellings;
