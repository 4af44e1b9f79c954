//! Keys that a cloud or a Vault holds: one client per vendor, each a [`KeyService`](super::KeyService).
//!
//! They follow SOPS in where they look for credentials, in which order, and in what they say, and differ where that is
//! unsafe: an answer without a key is an error, every request has a time limit and bounded repetitions, and nothing is
//! written to the home folder.

mod again;
mod aws;
mod azure;
mod destination;
mod gcp;
mod huawei;
mod jwt;
mod kept;
mod trouble;
mod vault;
mod vault_kv;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use aws::AwsKms;
pub use azure::AzureKeyVault;
pub use destination::{Destination, Publisher, Standing};
pub use gcp::GcpKms;
pub use huawei::HuaweiKms;
use trouble::Trouble;
pub use vault::VaultTransit;

use super::{KeyError, KeyKind, LocalKeys, Recipient, Surroundings};
use crate::error::Class;
use crate::secret::{SecretBytes, SecretString};
use crate::system::background::Background;
use crate::system::process::Process;
use crate::system::wire::Wire;

/// A vendor's program may ask its own server for a token.
const PROGRAM_LIMIT: Duration = Duration::from_secs(60);

/// The most bytes of what it prints.
const PROGRAM_OUTPUT: usize = 1 << 20;

/// `local` with a client for each cloud. Nothing is read, started or sent before a key of that cloud is used.
#[must_use]
pub fn with_clouds(local: LocalKeys, surroundings: &Surroundings, background: &Background) -> LocalKeys {
    let wire = Wire::new(background.clone(), surroundings.trust());
    local
        .with(KeyKind::AwsKms, AwsKms::new(surroundings, &wire))
        .with(KeyKind::GcpKms, GcpKms::new(surroundings, &wire))
        .with(KeyKind::HuaweiKms, HuaweiKms::new(surroundings, &wire))
        .with(KeyKind::AzureKeyVault, AzureKeyVault::new(surroundings, &wire))
        .with(KeyKind::VaultTransit, VaultTransit::new(surroundings, &wire))
}

/// A share as standard base64.
fn base64_of(share: &SecretBytes) -> SecretString {
    SecretString::new(STANDARD.encode(share.expose_secret()))
}

/// A share out of standard base64; `None` if there is none in it.
fn key_of(text: &str) -> Option<SecretBytes> {
    STANDARD.decode(text).ok().map(SecretBytes::new).filter(|share| !share.is_empty())
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A text as part of an address.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut escaped, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
        escaped
    })
}

/// What a vendor's own program prints, which sees every variable that we see.
fn run(surroundings: &Surroundings, program: &str, arguments: &[&str]) -> Result<SecretBytes, Trouble> {
    let process = arguments.iter().fold(Process::new(program), |process, argument| process.arg(argument));
    let variables = surroundings.variables();
    let process = variables.fold(process, |process, (name, value)| process.secret_env(name, value.clone()));
    let output = process.time_limit(PROGRAM_LIMIT).output(PROGRAM_OUTPUT)?;
    if output.code == Some(0) {
        return Ok(output.stdout);
    }
    let code = output.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit status {code}"));
    Err(Trouble::new(Class::World, format!("`{program}` failed: {code}")))
}

/// A key of another kind came to a client.
fn not_mine(recipient: &Recipient) -> KeyError {
    KeyError::NoService { kind: recipient.kind(), id: recipient.id() }
}
