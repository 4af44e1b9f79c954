//! Keys of the transit engine of HashiCorp Vault and OpenBao.
//!
//! *Source*: the notes on the wire, section 5; the SOPS format, section 5.6.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::again::Again;
use super::trouble::{Trouble, said};
use super::{base64_of, escaped, key_of};
use crate::error::Class;
use crate::keys::operation::Operation;
use crate::keys::{KeyError, KeyService, Recipient, Surroundings, VaultTransitRecipient, WrappedKey};
use crate::secret::{SecretBytes, SecretString};
use crate::system::files;
use crate::system::wire::{Request, Response, Trust, Wire, authority, renamed};

/// Asks the Vault that a key names.
pub struct VaultTransit {
    pub(super) surroundings: Surroundings,
    wire: Wire,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    ciphertext: Option<Cow<'a, str>>,
    #[serde(borrow)]
    plaintext: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Refused {
    #[serde(default)]
    errors: Vec<String>,
}

impl VaultTransit {
    /// A client on `wire`'s threads; `VAULT_*` variables are those of Vault's own program.
    #[must_use]
    pub fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        let mut trust = surroundings.trust();
        if let Some(file) = surroundings.text("VAULT_CACERT") {
            trust.authorities = Some(PathBuf::from(file));
        } else if let Some(folder) = surroundings.text("VAULT_CAPATH") {
            (trust.authorities, trust.folders) = (None, Some(folder.to_owned()));
        }
        if let (Some(certificate), Some(key)) =
            (surroundings.text("VAULT_CLIENT_CERT"), surroundings.text("VAULT_CLIENT_KEY"))
        {
            trust.identity = Some((certificate.into(), key.into()));
        }
        trust.blind = surroundings.flag("VAULT_SKIP_VERIFY");
        trust.only_proxy = surroundings.first(&["VAULT_PROXY_ADDR", "VAULT_HTTP_PROXY"]).map(str::to_owned);
        Self { surroundings: surroundings.clone(), wire: wire.trusting(trust) }
    }

    fn ask(
        &self,
        key: &VaultTransitRecipient,
        operation: Operation,
        name: &str,
        value: &str,
    ) -> Result<Response, Trouble> {
        self.allowed(&key.vault_address)?;
        let address = self.surroundings.text("VAULT_AGENT_ADDR").unwrap_or(&key.vault_address).trim_end_matches('/');
        if !address.starts_with("http://") && !address.starts_with("https://") {
            return Err(Trouble::usage(format!(
                "`{address}` is no address of a Vault: it begins with neither `http://` nor `https://`"
            )));
        }
        let url = format!("{address}/v1/{}/{}/{}", path(&key.engine_path), operation.word(), escaped(&key.key_name));
        let request = Request::new("PUT", url.as_str()).json(&BTreeMap::from([(name, value)]));
        self.exchange("PUT", &url, request.content()).and_then(|answer| match answer.status {
            204 => Err(Trouble::untrusted("Vault's answer is empty").sops("transit backend is empty")),
            _ => Ok(answer),
        })
    }

    /// One request to a Vault, repeated where that can help; an answer that is no success is an error.
    pub(super) fn exchange(&self, method: &'static str, url: &str, body: &[u8]) -> Result<Response, Trouble> {
        let headers = self.headers()?;
        let request = |url: &str| {
            let body = Zeroizing::new(body.to_vec());
            let mut request = Request::new(method, url).body(body).time_limit(self.time_limit());
            for (name, value) in &headers {
                request = request.header(*name, value.expose_secret());
            }
            request.header("content-type", "application/json").answer_limit(32 << 20)
        };
        let tries =
            self.surroundings.text("VAULT_MAX_RETRIES").and_then(|text| text.parse::<usize>().ok()).unwrap_or(2);
        let waits = Again::new(tries.min(10) + 1, Duration::from_secs(1));
        waits.attempt(|| {
            let mut answer = self.send(url, request)?;
            if matches!(answer.status, 301 | 302 | 307 | 308)
                && let Some(elsewhere) = answer.header("location").filter(|to| no_weaker(url, to))
            {
                // A standby node sends its clients to the active one.
                answer = self.send(elsewhere, request)?;
            }
            if answer.is_success() { Ok(answer) } else { Err(refused(method, url, &answer)) }
        })
    }

    /// Sends a request; by TLS to whoever answers to `VAULT_TLS_SERVER_NAME`, if that is set.
    fn send(&self, url: &str, request: impl Fn(&str) -> Request) -> Result<Response, Trouble> {
        let name = self.surroundings.text("VAULT_TLS_SERVER_NAME").filter(|_| url.starts_with("https://"));
        let Some((name, (renamed, host))) = name.and_then(|name| Some((name, renamed(url, name)?))) else {
            return Ok(self.wire.send(request(url))?);
        };
        let alias = Some((name.to_owned(), host));
        let wire = self.wire.trusting(Trust { alias, ..self.wire.trust().clone() });
        Ok(wire.send(request(&renamed).header("host", authority(url)))?)
    }

    /// *Source*: the SOPS format, section 5.6: the address of the file is checked, before `VAULT_AGENT_ADDR` replaces it.
    pub(super) fn allowed(&self, address: &str) -> Result<(), Trouble> {
        let list = self.surroundings.text("SOPS_HC_VAULT_ALLOWLIST").unwrap_or("all");
        let whole = format!("{}/", address.trim_end_matches('/'));
        let within = |prefix: &str| whole.starts_with(&format!("{}/", prefix.trim().trim_end_matches('/')));
        match list {
            "all" => Ok(()),
            "none" => Err(false),
            list if list.split(',').any(within) => Ok(()),
            _ => Err(false),
        }
        .map_err(|_: bool| {
            Trouble::usage(format!("`SOPS_HC_VAULT_ALLOWLIST` does not allow `{address}`"))
                .sops(format!("Allowlist does not allow {address}"))
                .led("")
        })
    }

    fn headers(&self) -> Result<Vec<(&str, SecretString)>, Trouble> {
        let mut headers = Vec::new();
        if let Some(text) = self.surroundings.text("VAULT_HEADERS") {
            let wrong = || Trouble::usage("`VAULT_HEADERS` is no JSON object of texts");
            let more: BTreeMap<&str, Cow<'_, str>> = serde_json::from_str(text).map_err(|_| wrong())?;
            headers.extend(more.into_iter().map(|(name, value)| (name, SecretString::new(value.into_owned()))));
        }
        headers.push(("X-Vault-Request", SecretString::new("true".into())));
        if let Some(namespace) = self.surroundings.text("VAULT_NAMESPACE") {
            headers.push(("X-Vault-Namespace", SecretString::new(namespace.to_owned())));
        }
        if let Some(token) = self.token()? {
            headers.push(("X-Vault-Token", token));
        }
        Ok(headers)
    }

    /// `VAULT_TOKEN`, else `~/.vault-token`, else none, which the server refuses in its own words.
    fn token(&self) -> Result<Option<SecretString>, Trouble> {
        if let Some(token) = self.surroundings.secret("VAULT_TOKEN") {
            return Ok(Some(token.clone()));
        }
        let Some(file) = self.surroundings.home().map(|home| home.join(".vault-token")).filter(|file| file.is_file())
        else {
            return Ok(None);
        };
        let bytes = files::read(&file).map_err(|error| Trouble::usage(error.to_string()))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Trouble::usage(format!("`{}` holds no token", file.display())))?
            .trim();
        Ok((!text.is_empty()).then(|| SecretString::new(text.to_owned())))
    }

    /// Seconds, or a duration such as `500ms` or `1m`.
    fn time_limit(&self) -> Duration {
        let text = self.surroundings.text("VAULT_CLIENT_TIMEOUT").unwrap_or("60");
        let (digits, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
        let number = digits.parse::<u64>().unwrap_or(60).min(3600);
        match unit {
            "ms" => Duration::from_millis(number),
            "m" => Duration::from_secs(60 * number),
            "" | "s" => Duration::from_secs(number),
            _ => Duration::from_secs(60),
        }
    }
}

impl KeyService for VaultTransit {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        let Recipient::VaultTransit(key) = recipient else { return Err(super::not_mine(recipient)) };
        let plaintext = base64_of(share);
        let answer = self.ask(key, Operation::Encrypt, "plaintext", plaintext.expose_secret()).and_then(|answer| {
            let enc = answer.json::<Answer<'_>>().and_then(|answer| answer.data?.ciphertext);
            match enc {
                Some(enc) if !enc.is_empty() => Ok(enc.into_owned()),
                _ => Err(Trouble::untrusted("Vault's answer holds no wrapped key").sops("no encrypted data")),
            }
        });
        answer.map_err(|trouble| introduce(key, trouble, "encrypt").of(recipient))
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        let Recipient::VaultTransit(key) = &wrapped.recipient else { return Err(super::not_mine(&wrapped.recipient)) };
        let share = self.ask(key, Operation::Decrypt, "ciphertext", &wrapped.enc).and_then(|answer| {
            let text = answer.json::<Answer<'_>>().and_then(|answer| answer.data?.plaintext);
            text.and_then(|text| key_of(&text))
                .ok_or_else(|| Trouble::untrusted("Vault's answer holds no data key").sops("no decrypted data"))
        });
        share.map(Some).map_err(|trouble| introduce(key, trouble, "decrypt").of(&wrapped.recipient))
    }
}

fn introduce(key: &VaultTransitRecipient, trouble: Trouble, verb: &str) -> Trouble {
    let backend = format!("{}/{verb}/{}", key.engine_path, key.key_name);
    let of_key = if verb == "decrypt" { "from" } else { "to" };
    let theirs = format!("failed to {verb} sops data key {of_key} Vault transit backend '{backend}'");
    trouble.within(&format!("Vault's `{backend}`"), &theirs)
}

fn refused(method: &str, url: &str, answer: &Response) -> Trouble {
    let errors = answer.json::<Refused>().map(|refused| refused.errors).unwrap_or_default();
    let list: String = errors.iter().map(|error| format!("* {}\n", said(error))).collect();
    let sops = format!(
        "Error making API request.\n\nURL: {method} {url}\nCode: {}. Errors:\n\n{}",
        answer.status,
        list.trim_end_matches('\n')
    );
    let words = errors.iter().map(|error| said(error)).collect::<Vec<_>>().join("; ");
    let problem = match (answer.status, words.is_empty()) {
        (status, true) => format!("status {status}"),
        (status, false) => format!("status {status}, {words}"),
    };
    let class = if answer.status >= 500 || answer.status == 429 { Class::World } else { Class::Untrusted };
    let passing = matches!(answer.status, 412 | 429 | 500 | 502..=599);
    let trouble = Trouble::new(class, problem).sops(sops).passing(passing).status(answer.status);
    match answer.status {
        403 => trouble.hint("log in first: `vault login`, or set `VAULT_TOKEN`"),
        _ => trouble,
    }
}

/// A redirect may not lead from TLS to none: the token goes with it.
fn no_weaker(from: &str, to: &str) -> bool {
    to.starts_with("https://") || (from.starts_with("http://") && to.starts_with("http://"))
}

/// The parts of a path, each escaped.
pub(super) fn path(text: &str) -> String {
    text.split('/').map(escaped).collect::<Vec<_>>().join("/")
}
