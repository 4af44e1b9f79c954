//! `SDK-HMAC-SHA256`.
//!
//! *Source*: the notes on the wire, section 4: the path gets a `/` at its end, the key is not derived, and it is enough to
//! sign the host and the date.

use jiff::Timestamp;
use ring::{digest, hmac};

use super::credentials::Credentials;
use crate::keys::cloud::hex;
use crate::system::wire::{Request, authority};

/// `request` with the headers that sign it. `path` and `query` are those of its address, the query's names in order.
pub(super) fn signed(
    request: Request,
    (method, url, path, query): (&str, &str, &str, &str),
    credentials: &Credentials,
    project: Option<&str>,
    now: Timestamp,
) -> Request {
    let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut headers: Vec<(&str, String)> = vec![("host", authority(url))];
    headers.extend(project.map(|project| ("x-project-id", project.to_owned())));
    headers.push(("x-sdk-date", date.clone()));
    headers.extend(credentials.token.as_ref().map(|token| ("x-security-token", token.expose_secret().to_owned())));
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let payload = hex(digest::digest(&digest::SHA256, request.content()).as_ref());
    let canonical = format!("{method}\n{}/\n{query}\n{lines}\n{names}\n{payload}", path.trim_end_matches('/'));
    let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let key = hmac::Key::new(hmac::HMAC_SHA256, credentials.secret_key.expose_secret().as_bytes());
    let text = format!("SDK-HMAC-SHA256\n{date}\n{hashed}");
    let signature = hex(hmac::sign(&key, text.as_bytes()).as_ref());
    let access = &credentials.access_key;
    let authorization = format!("SDK-HMAC-SHA256 Access={access}, SignedHeaders={names}, Signature={signature}");
    let headers = headers.into_iter().filter(|(name, _)| *name != "host");
    headers.fold(request, |request, (name, value)| request.header(name, value)).header("Authorization", authorization)
}
