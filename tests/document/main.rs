//! Documents: what is not edited stays byte for byte.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;

/// Counts what is taken from the heap.
#[global_allocator]
static HEAP: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, usize::MAX);

mod binary;
mod copies;
mod dotenv;
mod emit;
mod extensions;
mod ini;
mod json;
mod laws;
mod mutation;
mod yaml;
