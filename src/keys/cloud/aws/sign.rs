//! Signature Version 4.
//!
//! *Source*: the notes on the wire, section 1: which headers are signed is the client's choice; host, content type, date,
//! target and session token are enough for every service asked here.

use jiff::Timestamp;
use ring::{digest, hmac};

use super::credentials::Credentials;
use crate::keys::cloud::hex;

/// What is signed besides the credentials.
pub(super) struct Signing<'a> {
    pub(super) host: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) content_type: &'a str,
    /// `X-Amz-Target`, where the service has it.
    pub(super) target: Option<&'a str>,
    pub(super) body: &'a [u8],
}

/// The headers of a signed `POST /`.
pub(super) fn headers(signing: &Signing<'_>, credentials: &Credentials, now: Timestamp) -> Vec<(&'static str, String)> {
    let at = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &at[..8];
    let mut headers: Vec<(&'static str, String)> =
        vec![("content-type", signing.content_type.to_owned()), ("host", signing.host.to_owned())];
    headers.push(("x-amz-date", at.clone()));
    if let Some(token) = &credentials.token {
        headers.push(("x-amz-security-token", token.expose_secret().to_owned()));
    }
    if let Some(target) = signing.target {
        headers.push(("x-amz-target", target.to_owned()));
    }
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let payload = hex(digest::digest(&digest::SHA256, signing.body).as_ref());
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{payload}");
    let scope = format!("{day}/{}/{}/aws4_request", signing.region, signing.service);
    let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashed}");
    let signature = hex(mac(key(credentials, day, signing).as_ref(), text.as_bytes()).as_ref());
    let access = &credentials.access_key;
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}");
    headers.retain(|(name, _)| *name != "host");
    headers.push(("authorization", authorization));
    headers
}

fn key(credentials: &Credentials, day: &str, signing: &Signing<'_>) -> hmac::Tag {
    let first = zeroize::Zeroizing::new(format!("AWS4{}", credentials.secret_key.expose_secret()));
    let mut tag = mac(first.as_bytes(), day.as_bytes());
    for part in [signing.region, signing.service, "aws4_request"] {
        tag = mac(tag.as_ref(), part.as_bytes());
    }
    tag
}

fn mac(key: &[u8], text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
}
