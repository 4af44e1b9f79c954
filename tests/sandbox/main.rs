//! The platforms' clients against real servers, and against the sandbox.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod dns_client;
mod dns_client_refusals;
mod dns_servers;
mod heroku_client;
mod heroku_client_once;
mod heroku_client_refusals;
mod heroku_world;
mod probe_client;
