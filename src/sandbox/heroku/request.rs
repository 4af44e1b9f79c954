//! A request as the handlers see it.

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::Refusal;

/// One request, read whole.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Request {
    pub(in crate::sandbox) method: String,
    /// The path without its query.
    pub(in crate::sandbox) path: String,
    /// The query, decoded.
    pub(in crate::sandbox) query: Vec<(String, String)>,
    pub(in crate::sandbox) accept: Option<String>,
    pub(in crate::sandbox) authorization: Option<Zeroizing<String>>,
    pub(in crate::sandbox) range: Option<String>,
    pub(in crate::sandbox) if_none_match: Option<String>,
    pub(in crate::sandbox) body: Zeroizing<Vec<u8>>,
}

impl Request {
    /// The parts of the path, decoded.
    pub(in crate::sandbox) fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|part| !part.is_empty()).map(decode).collect()
    }

    /// The body as a value of this type. What the parser says is dropped: it could quote a value.
    pub(in crate::sandbox) fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let bytes: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(bytes).map_err(|_| Refusal::malformed())
    }

    /// The body's outermost names, which are no secret; what the log of requests keeps.
    pub(in crate::sandbox) fn body_names(&self) -> Vec<String> {
        let parsed: Option<std::collections::BTreeMap<String, serde::de::IgnoredAny>> =
            serde_json::from_slice(&self.body).ok();
        parsed.into_iter().flat_map(std::collections::BTreeMap::into_keys).collect()
    }

    /// What `Authorization: Bearer` carries.
    pub(in crate::sandbox) fn bearer(&self) -> Option<&str> {
        self.authorization.as_ref()?.strip_prefix("Bearer ").map(str::trim)
    }

    /// Splits a query into decoded names and values.
    pub(in crate::sandbox) fn parse_query(text: &str) -> Vec<(String, String)> {
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect()
    }
}

/// Undoes percent encoding; what is none stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
