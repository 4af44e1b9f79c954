//! The key service of SOPS over gRPC: keys in another process or on another machine, asked as a client ([`RemoteKeys`])
//! or offered to others ([`KeyServer`]).
//!
//! There is no encryption and no authorisation in this protocol: whoever reaches the socket has the data keys.
//!
//! *Source*: the SOPS format, section 10, and the notes on the wire, section 7.

mod address;
mod client;
mod keys;
mod listener;
mod messages;
mod server;

pub use address::{ServiceAddress, ServiceAddressError};
pub use client::RemoteKeys;
pub use server::{Consent, ConsentError, KeyServer, KeyServerError, Question};

const ENCRYPT: &str = "/KeyService/Encrypt";
const DECRYPT: &str = "/KeyService/Decrypt";

/// The most bytes of a message: a data key has 32, and the longest wrapped key is an armored file of a few thousand.
const MESSAGE_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests;
