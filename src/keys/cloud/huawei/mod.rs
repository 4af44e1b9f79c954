//! Keys of HuaweiCloud KMS.
//!
//! *Source*: the notes on the wire, section 4; the SOPS format, section 5.7. SOPS's client writes a file into the home
//! folder; this one does not. It repeats nothing; this one does, within bounds.

mod credentials;
mod endpoint;
mod sign;

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::again::Again;
use super::kept::Kept;
use super::trouble::{Trouble, said};
use super::{base64_of, escaped, key_of};
use crate::error::Class;
use crate::keys::{HuaweiKmsRecipient, KeyError, KeyService, Recipient, Surroundings, WrappedKey};
use crate::secret::SecretBytes;
use crate::system::wire::{Request, Response, Wire};
use credentials::Credentials;

const TIME_LIMIT: Duration = Duration::from_secs(60);
const WAITS: Again = Again::new(3, Duration::from_millis(500));

/// Asks HuaweiCloud KMS.
pub struct HuaweiKms {
    surroundings: Surroundings,
    wire: Wire,
    credentials: Kept<Credentials>,
    projects: Kept<String>,
}

#[derive(Serialize)]
struct Encrypt<'a> {
    key_id: &'a str,
    plain_text: &'a str,
    encryption_algorithm: &'static str,
}

#[derive(Serialize)]
struct Decrypt<'a> {
    cipher_text: &'a str,
    encryption_algorithm: &'static str,
    key_id: &'a str,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    cipher_text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    plain_text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Projects {
    projects: Vec<Project>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: Option<Reason>,
    error_code: String,
    error_msg: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    error_code: String,
    error_msg: String,
}

impl HuaweiKms {
    /// A client on `wire`'s threads; `HUAWEICLOUD_SDK_*` variables are those of HuaweiCloud's own libraries.
    #[must_use]
    pub fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        let (surroundings, wire) = (surroundings.clone(), wire.clone());
        Self { surroundings, wire, credentials: Kept::default(), projects: Kept::default() }
    }

    fn ask<T: Serialize>(&self, key: &HuaweiKmsRecipient, operation: &str, body: &T) -> Result<Response, Trouble> {
        let now = || self.surroundings.now();
        let base = endpoint::kms(&self.surroundings, &key.region)?;
        let find = || credentials::find(&self.surroundings, &self.wire, &key.region);
        let credentials = self.credentials.get(&key.region, now(), find)?;
        let project = match &credentials.project {
            Some(project) => project.clone(),
            None => self.projects.get(&key.region, now(), || Ok((self.project(&credentials, &key.region)?, None)))?,
        };
        let path = format!("/v1.0/{}/kms/{operation}", escaped(&project));
        let url = format!("{base}{path}");
        WAITS.attempt(|| {
            let request = Request::post(&url).json(body).time_limit(TIME_LIMIT);
            let place = ("POST", url.as_str(), path.as_str(), "");
            let request = sign::signed(request, place, &credentials, Some(&project), now());
            let answer = self.wire.send(request.header("Content-Type", "application/json;charset=UTF-8"))?;
            if answer.is_success() { Ok(answer) } else { Err(refused(&answer)) }
        })
    }

    /// The id of the region's project.
    fn project(&self, credentials: &Credentials, region: &str) -> Result<String, Trouble> {
        let base = endpoint::iam(&self.surroundings, credentials.iam.as_deref(), region);
        let query = format!("name={}", escaped(region));
        let url = format!("{base}/v3/projects?{query}");
        let answer = WAITS.attempt(|| {
            let place = ("GET", url.as_str(), "/v3/projects", query.as_str());
            let request = Request::get(&url).time_limit(TIME_LIMIT);
            let request = sign::signed(request, place, credentials, None, self.surroundings.now());
            let answer = self.wire.send(request)?;
            if answer.is_success() { Ok(answer) } else { Err(refused(&answer)) }
        })?;
        let mut found = answer.json::<Projects>().map(|answer| answer.projects).unwrap_or_default();
        match (found.pop(), found.is_empty()) {
            (Some(project), true) => Ok(project.id),
            (None, _) => Err(Trouble::usage(format!("there is no project of the region `{region}`"))
                .sops(format!("failed to get project id of region {region}"))),
            (Some(last), false) => {
                let ids: Vec<String> = found.into_iter().map(|project| project.id).chain([last.id]).collect();
                Err(Trouble::usage(format!("the region `{region}` has several projects"))
                    .sops(format!("multiple project ids found: [{}]", ids.join(" ")))
                    .hint("say which: set `HUAWEICLOUD_SDK_PROJECT_ID`"))
            }
        }
    }

    fn wrap_for(&self, key: &HuaweiKmsRecipient, share: &SecretBytes) -> Result<String, Trouble> {
        let text = base64_of(share);
        let plain_text = text.expose_secret();
        let body = Encrypt { key_id: &key.uuid, plain_text, encryption_algorithm: "SYMMETRIC_DEFAULT" };
        let answer = self.ask(key, "encrypt-data", &body)?;
        let enc = answer.json::<Answer<'_>>().and_then(|answer| answer.cipher_text).filter(|enc| !enc.is_empty());
        let missing = || {
            Trouble::untrusted("the answer holds no wrapped key").sops("encryption response missing ciphertext").led("")
        };
        enc.map(Cow::into_owned).ok_or_else(missing)
    }

    fn unwrap_of(&self, key: &HuaweiKmsRecipient, enc: &str) -> Result<SecretBytes, Trouble> {
        let body = Decrypt { cipher_text: enc, encryption_algorithm: "SYMMETRIC_DEFAULT", key_id: &key.uuid };
        let answer = self.ask(key, "decrypt-data", &body)?;
        let text = answer.json::<Answer<'_>>().and_then(|answer| answer.plain_text);
        let missing =
            || Trouble::untrusted("the answer holds no data key").sops("decryption response missing plaintext").led("");
        text.and_then(|text| key_of(&text)).ok_or_else(missing)
    }
}

impl KeyService for HuaweiKms {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        let Recipient::HuaweiKms(key) = recipient else { return Err(super::not_mine(recipient)) };
        let introduction = "failed to encrypt sops data key with HuaweiCloud KMS";
        let wrapped = self.wrap_for(key, share);
        wrapped.map_err(|trouble| trouble.within("HuaweiCloud KMS", introduction).of(recipient))
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        let recipient = &wrapped.recipient;
        let Recipient::HuaweiKms(key) = recipient else { return Err(super::not_mine(recipient)) };
        let introduction = "failed to decrypt sops data key with HuaweiCloud KMS";
        let share = self.unwrap_of(key, &wrapped.enc).map(Some);
        share.map_err(|trouble| trouble.within("HuaweiCloud KMS", introduction).of(recipient))
    }
}

fn refused(answer: &Response) -> Trouble {
    let body = answer.json::<Refused>().unwrap_or_default();
    let (code, message) = match body.error {
        Some(reason) => (reason.error_code, reason.error_msg),
        None => (body.error_code, body.error_msg),
    };
    let (code, message, status) = (said(&code), said(&message), answer.status);
    let theirs = serde_json::json!({
        "status_code": status,
        "request_id": answer.header("X-Request-Id").unwrap_or_default(),
        "error_code": code,
        "error_message": message,
        "encoded_authorization_message": "",
        "details": null,
    });
    let class = if status >= 500 || status == 429 { Class::World } else { Class::Untrusted };
    Trouble::new(class, format!("status {status}, {code}: {message}"))
        .sops(theirs.to_string())
        .passing(matches!(status, 429 | 500 | 502 | 503 | 504))
}
