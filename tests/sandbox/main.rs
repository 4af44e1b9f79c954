//! The sandbox against the vendor's client, schema and real DNS tools; the platforms' clients against real servers.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod certificates;
mod client;
mod command;
#[path = "../common/mod.rs"]
mod common;
mod dns_client;
mod dns_client_refusals;
mod dns_servers;
mod durability;
mod found_servers;
mod garbage;
mod heroku_client;
mod heroku_client_once;
mod heroku_client_refusals;
mod heroku_states;
mod heroku_world;
mod probe_client;
mod schema;
mod vendor_cli;
mod world;
mod zone_tools;
