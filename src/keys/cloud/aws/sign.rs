//! Signature Version 4.
//!
//! *Source*: the notes on the wire, section 1: which headers are signed is the client's choice; host, content type, date,
//! target and session token are enough for every service asked here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::{digest, hmac};

use super::credentials::Credentials;
use crate::keys::cloud::hex;

/// What is signed besides the credentials.
pub(super) struct Signing<'a> {
    pub(super) method: &'static str,
    /// Path of the address, escaped as it is sent.
    pub(super) path: &'a str,
    pub(super) host: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    /// Empty for none.
    pub(super) content_type: &'a str,
    /// `X-Amz-Target`, where the service has it.
    pub(super) target: Option<&'a str>,
    pub(super) body: &'a [u8],
    /// Whether the digest of the body stands in headers, too, as S3 wants it; it keeps the checksum with the object.
    pub(super) digest: bool,
}

/// The headers of a signed request.
pub(super) fn headers(signing: &Signing<'_>, credentials: &Credentials, now: Timestamp) -> Vec<(&'static str, String)> {
    let at = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &at[..8];
    let digest = digest::digest(&digest::SHA256, signing.body);
    let payload = hex(digest.as_ref());
    let mut headers: Vec<(&'static str, String)> = Vec::new();
    if !signing.content_type.is_empty() {
        headers.push(("content-type", signing.content_type.to_owned()));
    }
    headers.push(("host", signing.host.to_owned()));
    if signing.digest && !signing.body.is_empty() {
        headers.push(("x-amz-checksum-sha256", STANDARD.encode(digest.as_ref())));
    }
    if signing.digest {
        headers.push(("x-amz-content-sha256", payload.clone()));
    }
    headers.push(("x-amz-date", at.clone()));
    if let Some(token) = &credentials.token {
        headers.push(("x-amz-security-token", token.expose_secret().to_owned()));
    }
    if let Some(target) = signing.target {
        headers.push(("x-amz-target", target.to_owned()));
    }
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let canonical = format!("{}\n{}\n\n{lines}\n{names}\n{payload}", signing.method, signing.path);
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
