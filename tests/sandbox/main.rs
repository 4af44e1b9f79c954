//! The platforms' clients against real servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod dns_client;
mod dns_client_refusals;
mod dns_servers;
