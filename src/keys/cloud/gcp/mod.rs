//! Keys of Google Cloud KMS.
//!
//! SOPS speaks gRPC unless told otherwise. What is wrapped is the same over REST, so gRPC is spoken only where an endpoint
//! is named that can be nothing else: a bare `HOST:PORT`.
//!
//! *Source*: the notes on the wire, section 2; the SOPS format, section 5.4.

mod bucket;
mod credentials;
mod external;
mod grpc;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::again::Again;
use super::trouble::{Trouble, said};
use super::{base64_of, escaped, key_of};
use crate::error::Class;
use crate::keys::operation::Operation;
use crate::keys::{KeyError, KeyService, Recipient, Surroundings, WrappedKey};
use crate::secret::{SecretBytes, SecretString};
use crate::system::wire::{Request, Response, Wire};
pub(super) use bucket::Gcs;
use credentials::Sources;

/// SOPS waits a minute, and asks fifteen times.
const WAITS: Again = Again::new(5, Duration::from_millis(500));
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Asks Google Cloud KMS.
pub struct GcpKms {
    surroundings: Surroundings,
    wire: Wire,
    sources: Sources,
    grpc: grpc::Channels,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    ciphertext: Option<Cow<'a, str>>,
    #[serde(borrow)]
    plaintext: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: Reason,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    message: String,
    status: String,
}

impl GcpKms {
    /// A client on `wire`'s threads; `SOPS_GCP_KMS_*` variables are those of SOPS, the others those of Google's libraries.
    #[must_use]
    pub fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        let sources = Sources::new(surroundings, wire);
        let grpc = grpc::Channels::new(wire);
        Self { surroundings: surroundings.clone(), wire: wire.clone(), sources, grpc }
    }

    fn rest(&self) -> bool {
        self.surroundings.text("SOPS_GCP_KMS_CLIENT_TYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("rest"))
    }

    /// An endpoint of one's own comes before the universe that SOPS is told.
    fn universe(&self) -> &str {
        let names = ["SOPS_GCP_KMS_UNIVERSE_DOMAIN", "GOOGLE_CLOUD_UNIVERSE_DOMAIN"];
        let led = self.surroundings.text("SOPS_GCP_KMS_ENDPOINT").is_some();
        self.surroundings.first(if led { &names[1..] } else { &names }).unwrap_or("googleapis.com")
    }

    /// The other form of the share: bytes in, bytes out.
    fn ask(&self, resource: &str, operation: Operation, bytes: &SecretBytes) -> Result<SecretBytes, Trouble> {
        check(resource)?;
        let rest = self.rest();
        let endpoint = self.surroundings.text("SOPS_GCP_KMS_ENDPOINT");
        let base = match endpoint {
            Some(url) if url.starts_with("https://") || url.starts_with("http://") => {
                url.trim_end_matches('/').to_owned()
            }
            Some(host) if rest => format!("https://{}", host.trim_end_matches('/')),
            Some(host) => {
                let token = self.sources.token(self.universe(), true)?;
                return self.grpc.ask(host, resource, operation, bytes, &token);
            }
            None => format!("https://cloudkms.{}", self.universe()),
        };
        let token = self.sources.token(self.universe(), !rest)?;
        self.over_rest(&base, resource, operation, bytes, &token)
    }

    fn over_rest(
        &self,
        base: &str,
        resource: &str,
        operation: Operation,
        bytes: &SecretBytes,
        token: &SecretString,
    ) -> Result<SecretBytes, Trouble> {
        let name = resource.split('/').map(escaped).collect::<Vec<_>>().join("/");
        let url = format!("{base}/v1/{name}:{}?%24alt=json%3Benum-encoding%3Dint", operation.word());
        let text = base64_of(bytes);
        let field = if operation == Operation::Encrypt { "plaintext" } else { "ciphertext" };
        let body = BTreeMap::from([("name", resource), (field, text.expose_secret())]);
        let answer = WAITS.attempt(|| {
            let request = Request::post(&url)
                .json(&body)
                .time_limit(TIME_LIMIT)
                .header("content-type", "application/json")
                .header("x-goog-request-params", format!("name={}", escaped(resource)))
                .header("authorization", format!("Bearer {}", token.expose_secret()));
            let answer = self.wire.send(request)?;
            if answer.is_success() { Ok(answer) } else { Err(self.refused(&answer)) }
        })?;
        let answer = answer.json::<Answer<'_>>();
        let text = answer.and_then(|answer| match operation {
            Operation::Encrypt => answer.ciphertext,
            Operation::Decrypt => answer.plaintext,
        });
        text.and_then(|text| key_of(&text)).ok_or_else(empty)
    }

    fn refused(&self, answer: &Response) -> Trouble {
        let reason = answer.json::<Refused>().unwrap_or_default().error;
        let (status, message) = (answer.status, said(&reason.message));
        let theirs = if self.rest() {
            format!("googleapi: Error {status}: {message}")
        } else {
            format!("rpc error: code = {} desc = {message}", camel(&reason.status))
        };
        let class = if status >= 500 || status == 429 { Class::World } else { Class::Untrusted };
        Trouble::new(class, format!("status {status}, {message}")).sops(theirs).passing(matches!(status, 503 | 504))
    }
}

impl KeyService for GcpKms {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        let Recipient::GcpKms(key) = recipient else { return Err(super::not_mine(recipient)) };
        let wrapped = self.ask(&key.resource_id, Operation::Encrypt, share);
        let introduction = "failed to encrypt sops data key with GCP KMS key";
        let wrapped = wrapped.map_err(|trouble| trouble.within("Google Cloud KMS", introduction).of(recipient))?;
        // What is wrapped is no secret any more.
        Ok(base64_of(&wrapped).expose_secret().to_owned())
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        let recipient = &wrapped.recipient;
        let Recipient::GcpKms(key) = recipient else { return Err(super::not_mine(recipient)) };
        let share = key_of(&wrapped.enc)
            .ok_or_else(|| Trouble::untrusted("the wrapped key is no base64"))
            .and_then(|bytes| self.ask(&key.resource_id, Operation::Decrypt, &bytes));
        let introduction = "failed to decrypt sops data key with GCP KMS key";
        share.map(Some).map_err(|trouble| trouble.within("Google Cloud KMS", introduction).of(recipient))
    }
}

/// *Source*: the SOPS format, section 5.4; a key's version is refused.
fn check(resource: &str) -> Result<(), Trouble> {
    let parts: Vec<&str> = resource.split('/').collect();
    match parts[..] {
        ["projects", a, "locations", b, "keyRings", c, "cryptoKeys", d] if ![a, b, c, d].contains(&"") => Ok(()),
        _ => Err(Trouble::usage(format!("`{resource}` is no resource id of a key of Google Cloud KMS"))
            .sops(format!("no valid resource ID found in \"{resource}\""))
            .led(credentials::NO_SERVICE)),
    }
}

/// `PERMISSION_DENIED` as `PermissionDenied`.
fn camel(status: &str) -> String {
    let word =
        |word: &str| word.get(..1).map_or_else(String::new, |first| first.to_owned() + &word[1..].to_lowercase());
    let name: String = status.split('_').map(word).collect();
    if name.is_empty() { "Unknown".to_owned() } else { name }
}

/// SOPS would write an empty key into the file.
fn empty() -> Trouble {
    Trouble::untrusted("the answer of Google Cloud KMS holds no key")
}
