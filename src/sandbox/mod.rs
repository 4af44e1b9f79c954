//! A world on loopback for first runs, rehearsals and tests: the platform's API, its name servers, its certificates.
//!
//! A world is a directory: a key for its owner only, a snapshot and a log of the state with every value encrypted, the
//! log of requests that tests read, and the endpoint where its server listens. [`World`] finds or starts the server;
//! [`Server`] is it. A killed client leaves no trace in it, and a killed server comes back as it was after its last answer.

mod admin;
mod authority;
mod dns;
mod endpoint;
mod error;
mod fault;
mod heroku;
mod http;
mod https;
mod rate;
mod requests;
mod server;
mod start;
mod state;
mod store;
mod targets;
mod vault;
mod world;

pub use endpoint::Endpoint;
pub use error::SandboxError;
pub use fault::{Fault, FaultKind};
pub use requests::{LoggedRequest, requests};
pub use server::{Clock, Server};
pub use start::{StartApp, StartProcess, StartRecord, StartWorld, StartZone};
pub use state::Stack;
pub use world::World;
