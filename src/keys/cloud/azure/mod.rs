//! Keys of Azure Key Vault.
//!
//! *Source*: the notes on the wire, section 3; the SOPS format, section 5.5.

mod application;
mod chain;
mod challenge;
mod managed;

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::again::Again;
use super::escaped;
use super::kept::Kept;
use super::trouble::{Trouble, said};
use crate::error::Class;
use crate::keys::{AzureKeyVaultRecipient, KeyError, KeyService, Recipient, Surroundings, WrappedKey};
use crate::secret::{SecretBytes, SecretString};
use crate::system::wire::{Request, Response, Wire};
use chain::Chain;
use challenge::Challenge;

const TIME_LIMIT: Duration = Duration::from_secs(30);
const WAITS: Again = Again::new(4, Duration::from_millis(800));
const VERSION: &str = "api-version=2025-07-01";

/// Asks the vault that a key names.
pub struct AzureKeyVault {
    chain: Chain,
    wire: Wire,
    challenges: Kept<Challenge>,
}

#[derive(Serialize)]
struct Question<'a> {
    alg: &'static str,
    value: &'a str,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    value: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Found {
    key: FoundKey,
}

#[derive(Deserialize)]
struct FoundKey {
    kid: String,
}

impl AzureKeyVault {
    /// A client on `wire`'s threads; `AZURE_*` variables are those of Azure's own libraries.
    #[must_use]
    pub fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        Self { chain: Chain::new(surroundings, wire), wire: wire.clone(), challenges: Kept::default() }
    }

    /// Sends a request with a token; what kind of token, the vault says to a request without one and without a body.
    fn ask(&self, url: &str, request: impl Fn() -> Request, bare: impl Fn() -> Request) -> Result<Response, Trouble> {
        let host = crate::system::wire::authority(url);
        let now = self.chain.surroundings.now();
        let challenge = self.challenges.get(&host, now, || {
            let answer = WAITS.attempt(|| passing(self.wire.send(bare().time_limit(TIME_LIMIT))?, url))?;
            if answer.status != 401 {
                return Err(refused(url, &answer));
            }
            Ok((Challenge::of(&answer, url)?, None))
        })?;
        let mut again = true;
        loop {
            let token = self.chain.token(&challenge)?;
            let answer = WAITS.attempt(|| {
                let request = request().header("Authorization", format!("Bearer {}", token.expose_secret()));
                passing(self.wire.send(request.time_limit(TIME_LIMIT))?, url)
            })?;
            if answer.status == 401 && again {
                // A token that was kept may have been withdrawn.
                again = false;
                self.chain.forget(&challenge);
                continue;
            }
            return if answer.is_success() { Ok(answer) } else { Err(refused(url, &answer)) };
        }
    }

    fn operate(&self, key: &AzureKeyVaultRecipient, operation: &str, value: &str) -> Result<SecretBytes, Trouble> {
        let url = format!("{}/{operation}", address(key)?);
        let full = format!("{url}?{VERSION}");
        let body = Question { alg: "RSA-OAEP-256", value };
        let json = "application/json";
        let request = || Request::post(&full).json(&body).header("content-type", json);
        let answer = self.ask(&url, request, || Request::post(&full).header("content-type", json))?;
        let value = answer.json::<Answer<'_>>().and_then(|answer| answer.value);
        let bytes = value.and_then(|value| URL_SAFE_NO_PAD.decode(value.trim_end_matches('=')).ok());
        // SOPS would write an empty key into the file.
        let bytes = bytes.map(SecretBytes::new).filter(|bytes| !bytes.is_empty());
        bytes.ok_or_else(|| Trouble::untrusted("the answer of Azure Key Vault holds no key"))
    }

    fn current(&self, key: &AzureKeyVaultRecipient) -> Result<AzureKeyVaultRecipient, Trouble> {
        if !key.version.is_empty() {
            return Ok(key.clone());
        }
        let url = format!("{}/keys/{}/", key.vault_url, escaped(&key.name));
        let full = format!("{url}?{VERSION}");
        let answer = self.ask(&url, || Request::get(&full), || Request::get(&full))?;
        let found = answer.json::<Found>().map(|found| found.key.kid).unwrap_or_default();
        let version = found.rsplit('/').next().filter(|version| !version.is_empty() && *version != key.name);
        let version = version.ok_or_else(|| Trouble::untrusted("the answer of Azure Key Vault names no version"))?;
        Ok(AzureKeyVaultRecipient { version: version.to_owned(), ..key.clone() })
    }
}

impl KeyService for AzureKeyVault {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        let Recipient::AzureKeyVault(key) = recipient else { return Err(super::not_mine(recipient)) };
        let value = SecretString::new(URL_SAFE_NO_PAD.encode(share.expose_secret()));
        let wrapped = self.chain.is_meant("failed to get Azure token credential to encrypt data");
        let wrapped = wrapped
            .and_then(|()| self.current(key))
            .and_then(|key| self.operate(&key, "encrypt", value.expose_secret()));
        let wrapped = wrapped.map_err(|trouble| introduce(recipient, trouble, "encrypt"))?;
        Ok(URL_SAFE_NO_PAD.encode(wrapped.expose_secret()))
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        let recipient = &wrapped.recipient;
        let Recipient::AzureKeyVault(key) = recipient else { return Err(super::not_mine(recipient)) };
        let share = match URL_SAFE_NO_PAD.decode(&wrapped.enc) {
            Ok(bytes) if !bytes.is_empty() => self
                .chain
                .is_meant("failed to get Azure token credential to decrypt")
                .and_then(|()| self.operate(key, "decrypt", &wrapped.enc)),
            _ => Err(Trouble::untrusted("the wrapped key is no base64 for addresses")),
        };
        share.map(Some).map_err(|trouble| introduce(recipient, trouble, "decrypt"))
    }

    fn complete(&self, recipient: &Recipient) -> Result<Recipient, KeyError> {
        let Recipient::AzureKeyVault(key) = recipient else { return Ok(recipient.clone()) };
        let current = self.current(key).map_err(|trouble| {
            trouble.within("Azure Key Vault", "failed to fetch Azure Key to retrieve key version").of(recipient)
        })?;
        Ok(Recipient::AzureKeyVault(current))
    }
}

fn introduce(recipient: &Recipient, trouble: Trouble, verb: &str) -> KeyError {
    let theirs = format!("failed to {verb} sops data key with Azure Key Vault key '{}'", recipient.id());
    trouble.within("Azure Key Vault", &theirs).of(recipient)
}

/// The address of a key. A file may name any host: it must be https, and whom tokens go to is checked by the challenge.
fn address(key: &AzureKeyVaultRecipient) -> Result<String, Trouble> {
    if !key.vault_url.starts_with("https://") {
        return Err(Trouble::usage(format!("`{}` is not https", key.vault_url)));
    }
    Ok(format!("{}/keys/{}/{}", key.vault_url.trim_end_matches('/'), escaped(&key.name), escaped(&key.version)))
}

/// An answer of any kind but one after which another try can do better.
fn passing(answer: Response, url: &str) -> Result<Response, Trouble> {
    if !matches!(answer.status, 408 | 429 | 500 | 502 | 503 | 504) {
        return Ok(answer);
    }
    let seconds = answer.header("retry-after").and_then(|text| text.trim().parse::<u64>().ok());
    let trouble = refused(url, &answer).passing(true);
    Err(Trouble { after: seconds.map(Duration::from_secs), ..trouble })
}

fn refused(url: &str, answer: &Response) -> Trouble {
    let line = "-".repeat(80);
    let body = answer.json::<Value>();
    let code = body.as_ref().and_then(|body| body["error"]["code"].as_str()).map(said);
    let message = body.as_ref().and_then(|body| body["error"]["message"].as_str()).map(said).unwrap_or_default();
    let status = answer.status;
    let reason = answer.reason();
    let shown = match &body {
        Some(body) => said(&serde_json::to_string_pretty(body).unwrap_or_default()),
        None => said(answer.text().unwrap_or_default()),
    };
    let named = code.as_ref().map_or_else(|| "ERROR CODE UNAVAILABLE".to_owned(), |code| format!("ERROR CODE: {code}"));
    let theirs =
        format!("POST {url}\n{line}\nRESPONSE {status}: {status} {reason}\n{named}\n{line}\n{shown}\n{line}\n");
    let class = if status >= 500 || status == 429 { Class::World } else { Class::Untrusted };
    let code = code.unwrap_or_default();
    Trouble::new(class, format!("status {status}, {code}: {message}")).sops(theirs)
}
