//! Keys of AWS KMS.
//!
//! The two calls and the sources of credentials are our own few hundred lines: AWS's crates would be ten times the weight
//! of everything else here, and read the environment by themselves.
//!
//! *Source*: the notes on the wire, section 1; the SOPS format, section 5.3.

mod bucket;
mod credentials;
mod endpoint;
mod machine;
mod profile;
mod sign;
mod sts;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::again::Again;
use super::trouble::{Trouble, said};
use super::{base64_of, key_of};
use crate::error::Class;
use crate::keys::{AwsKmsRecipient, KeyError, KeyService, Recipient, Surroundings, WrappedKey};
use crate::secret::SecretBytes;
use crate::system::wire::{Request, Response, Wire, authority};
pub(super) use bucket::S3;
use credentials::{Chain, Credentials};
use profile::Shared;
use sign::Signing;

const TIME_LIMIT: Duration = Duration::from_secs(30);
const WAITS: Again = Again::new(3, Duration::from_millis(300));
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Asks AWS KMS.
pub struct AwsKms {
    chain: Chain,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Question<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext_blob: Option<&'a str>,
    encryption_context: BTreeMap<&'a str, &'a str>,
    key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    #[serde(borrow)]
    ciphertext_blob: Option<Cow<'a, str>>,
    #[serde(borrow)]
    plaintext: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(rename = "__type", alias = "code")]
    kind: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

impl AwsKms {
    /// A client on `wire`'s threads; `AWS_*` variables and the shared configuration are those of AWS's own programs.
    #[must_use]
    pub fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        Self { chain: Chain::new(surroundings, wire) }
    }

    fn ask(&self, key: &AwsKmsRecipient, operation: &str, question: &Question<'_>) -> Result<Response, Trouble> {
        let surroundings = &self.chain.surroundings;
        let region = endpoint::region(&key.arn)?;
        let shared = Shared::read(surroundings)?;
        let profile = shared.profile(self.profile_of(key));
        let url = endpoint::endpoint(surroundings, &shared, profile, "kms", region, true)?;
        let credentials = self.credentials(key, &shared, region)?;
        let tries = surroundings.text("AWS_MAX_ATTEMPTS").and_then(|text| text.parse::<usize>().ok());
        let waits = Again { tries: tries.unwrap_or(WAITS.tries).clamp(1, 10), ..WAITS };
        let target = format!("TrentService.{operation}");
        let answer = waits.attempt(|| {
            let request = Request::post(format!("{url}/")).json(question).time_limit(TIME_LIMIT);
            let signing = Signing {
                method: "POST",
                path: "/",
                host: &authority(&url),
                region,
                service: "kms",
                content_type: CONTENT_TYPE,
                target: Some(&target),
                body: request.content(),
                digest: false,
            };
            let headers = sign::headers(&signing, &credentials, surroundings.now());
            let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
            let answer = self.chain.wire.send(request)?;
            if answer.is_success() { Ok(answer) } else { Err(refused(&answer)) }
        });
        answer.map_err(|trouble| {
            let tries = waits.tries;
            let theirs = if trouble.passing && tries > 1 {
                format!(
                    "operation error KMS: {operation}, exceeded maximum number of attempts, {tries}, {}",
                    trouble.sops
                )
            } else {
                format!("operation error KMS: {operation}, {}", trouble.sops)
            };
            trouble.sops(theirs)
        })
    }

    fn profile_of<'a>(&'a self, key: &'a AwsKmsRecipient) -> &'a str {
        if key.aws_profile.is_empty() { self.chain.default_profile() } else { &key.aws_profile }
    }

    /// Credentials for a key: those of its profile or of the chain, and with them those of its role.
    ///
    /// *Source*: the notes on the wire, section 1: the role of the metadata is asked for at `AWS_ENDPOINT_URL`, those of
    /// the chain are not. The key's role is taken on once, not once for each operation.
    fn credentials(&self, key: &AwsKmsRecipient, shared: &Shared, region: &str) -> Result<Credentials, Trouble> {
        if key.role.is_empty() {
            return self.chain.find(shared, &key.aws_profile, region);
        }
        let kept = format!("role {} {} {region}", key.role, key.aws_profile);
        self.chain.kept(&kept, || {
            let base = self.chain.find(shared, &key.aws_profile, region)?;
            let assume = sts::Assume {
                role: &key.role,
                session: session(self.chain.surroundings.machine()),
                external_id: None,
                seconds: None,
                everywhere: true,
                profile: shared.profile(self.profile_of(key)),
                region,
            };
            sts::assume(&self.chain, shared, &base, &assume)
        })
    }

    fn wrap_for(&self, key: &AwsKmsRecipient, share: &SecretBytes) -> Result<String, Trouble> {
        let plaintext = base64_of(share);
        let question = Question {
            ciphertext_blob: None,
            encryption_context: context(key),
            key_id: &key.arn,
            plaintext: Some(plaintext.expose_secret()),
        };
        let answer = self.ask(key, "Encrypt", &question)?;
        let enc = answer.json::<Answer<'_>>().and_then(|answer| answer.ciphertext_blob);
        // SOPS would write an empty key into the file.
        enc.filter(|enc| key_of(enc).is_some())
            .map(Cow::into_owned)
            .ok_or_else(|| Trouble::untrusted("the answer of AWS KMS holds no wrapped key"))
    }

    fn unwrap_of(&self, key: &AwsKmsRecipient, enc: &str) -> Result<SecretBytes, Trouble> {
        if key_of(enc).is_none() {
            return Err(Trouble::untrusted("the wrapped key is no base64"));
        }
        let question = Question {
            ciphertext_blob: Some(enc),
            encryption_context: context(key),
            key_id: &key.arn,
            plaintext: None,
        };
        let answer = self.ask(key, "Decrypt", &question)?;
        let text = answer.json::<Answer<'_>>().and_then(|answer| answer.plaintext);
        text.and_then(|text| key_of(&text)).ok_or_else(|| Trouble::untrusted("the answer of AWS KMS holds no data key"))
    }
}

impl KeyService for AwsKms {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        let Recipient::AwsKms(key) = recipient else { return Err(super::not_mine(recipient)) };
        let wrapped = self.wrap_for(key, share);
        wrapped
            .map_err(|trouble| trouble.within("AWS KMS", "failed to encrypt sops data key with AWS KMS").of(recipient))
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        let recipient = &wrapped.recipient;
        let Recipient::AwsKms(key) = recipient else { return Err(super::not_mine(recipient)) };
        let share = self.unwrap_of(key, &wrapped.enc).map(Some);
        share.map_err(|trouble| trouble.within("AWS KMS", "failed to decrypt sops data key with AWS KMS").of(recipient))
    }
}

fn context(key: &AwsKmsRecipient) -> BTreeMap<&str, &str> {
    key.context.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?))).collect()
}

/// `sops@` and the machine's name.
///
/// *Source*: the SOPS format, section 5.3: letters, digits and `=,.@A-Z[\]^_` stay, 64 bytes at most.
fn session(machine: &str) -> String {
    let allowed = |letter: &char| {
        letter.is_ascii_alphanumeric() || matches!(letter, '=' | ',' | '.' | '@' | '[' | '\\' | ']' | '^' | '_')
    };
    format!("sops@{machine}").chars().filter(allowed).take(64).collect()
}

/// A status after which another try can do better.
const fn passing_status(status: u16) -> bool {
    matches!(status, 500 | 502 | 503 | 504)
}

/// *Source*: the notes on the wire, section 1: what is known by name stands alone, all else is an `api error`.
const KNOWN: &[&str] = &[
    "DependencyTimeoutException",
    "DisabledException",
    "DryRunOperationException",
    "IncorrectKeyException",
    "InvalidCiphertextException",
    "InvalidGrantTokenException",
    "InvalidKeyUsageException",
    "KMSInternalException",
    "KMSInvalidStateException",
    "KeyUnavailableException",
    "NotFoundException",
];

/// Refusals that say "not so fast", whatever their status.
const THROTTLING: &[&str] = &[
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

fn refused(answer: &Response) -> Trouble {
    let body = answer.json::<Refused>().unwrap_or_default();
    let kind = body.kind.or_else(|| answer.header("x-amzn-errortype").map(str::to_owned)).unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let kind = if kind.is_empty() { "UnknownError".to_owned() } else { said(kind) };
    let message = said(body.message.as_deref().unwrap_or_default());
    let status = answer.status;
    let id = answer.header("x-amzn-requestid").unwrap_or_default();
    let api = if KNOWN.contains(&kind.as_str()) { "" } else { "api error " };
    let theirs = format!("https response error StatusCode: {status}, RequestID: {id}, {api}{kind}: {message}");
    let class = if status >= 500 || THROTTLING.contains(&kind.as_str()) { Class::World } else { Class::Untrusted };
    Trouble::new(class, format!("status {status}, {kind}: {message}"))
        .sops(theirs)
        .passing(passing_status(status) || THROTTLING.contains(&kind.as_str()))
}
