//! What goes out and what comes in; both wiped.

use std::fmt;
use std::io;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ANSWER_LIMIT;

/// One request.
pub struct Request {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) headers: Vec<(String, Zeroizing<String>)>,
    pub(super) body: Zeroizing<Vec<u8>>,
    pub(super) time_limit: Duration,
    pub(super) answer_limit: usize,
}

impl Request {
    /// A request without a body that may take a minute.
    #[must_use]
    pub fn new(method: &'static str, url: impl Into<String>) -> Self {
        let body = Zeroizing::default();
        let (time_limit, answer_limit) = (Duration::from_secs(60), ANSWER_LIMIT);
        Self { method, url: url.into(), headers: Vec::new(), body, time_limit, answer_limit }
    }

    /// A request that asks for something.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A request that brings something.
    #[must_use]
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// A header more.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Zeroizing::new(value.into())));
        self
    }

    /// The bytes that it brings.
    #[must_use]
    pub fn body(mut self, body: Zeroizing<Vec<u8>>) -> Self {
        self.body = body;
        self
    }

    /// A value as JSON, which it brings.
    #[must_use]
    pub fn json<T: Serialize>(self, value: &T) -> Self {
        // Measured first: the buffer never grows, so that no copy is left behind.
        let mut length = Length(0);
        let _ = serde_json::to_writer(&mut length, value);
        let mut text = Zeroizing::new(Vec::with_capacity(length.0));
        let _ = serde_json::to_writer(&mut *text, value);
        self.body(text)
    }

    /// Pairs as a form, which it brings.
    #[must_use]
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let text = form(pairs);
        self.header("content-type", "application/x-www-form-urlencoded").body(text)
    }

    /// From the first byte sent to the last byte received.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// The most bytes of the answer; a longer one is [`super::WireError::TooLong`].
    #[must_use]
    pub fn answer_limit(mut self, limit: usize) -> Self {
        self.answer_limit = limit.max(ANSWER_LIMIT);
        self
    }

    /// The bytes that it brings, for whoever signs them.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.body
    }

    /// Method, scheme, host and path: a query, or a name and a password in the address, may be secret.
    pub(super) fn shown(&self) -> String {
        match Url::parse(&self.url) {
            Ok(mut url) => {
                url.set_query(None);
                url.set_fragment(None);
                let _ = url.set_username("");
                let _ = url.set_password(None);
                format!("{} {url}", self.method)
            }
            Err(_) => format!("{} to something that is no URL", self.method),
        }
    }
}

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0 += part.len();
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The `Host` of an address: the port only where it is not the scheme's own.
#[must_use]
pub fn authority(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return String::new() };
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// An address under another name of its host, and the name that it had.
#[must_use]
pub fn renamed(url: &str, name: &str) -> Option<(String, String)> {
    let mut url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    url.set_host(Some(name)).ok()?;
    Some((url.into(), host))
}

/// Pairs as `application/x-www-form-urlencoded`.
#[must_use]
pub fn form(pairs: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    // A byte becomes at most three: the buffer never grows, so that no copy is left behind.
    let size = pairs.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(size));
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            text.push(b'&');
        }
        escape(name, &mut text);
        text.push(b'=');
        escape(value, &mut text);
    }
    text
}

fn escape(part: &str, text: &mut Vec<u8>) {
    for byte in part.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(byte),
            b' ' => text.push(b'+'),
            _ => text.extend_from_slice(&[b'%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
}

const fn hex(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 }
}

/// One answer.
pub struct Response {
    /// Its status.
    pub status: u16,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
}

impl Response {
    pub(super) const fn new(status: u16, headers: HeaderMap, body: Zeroizing<Vec<u8>>) -> Self {
        Self { status, headers, body }
    }

    /// Whether the status says success.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The usual words for the status.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        let status = reqwest::StatusCode::from_u16(self.status).ok();
        status.and_then(|status| status.canonical_reason()).unwrap_or_default()
    }

    /// The first header of that name, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers of that name that are text.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The body, which may be secret.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok()
    }

    /// The body as JSON of a form that is known; `None` for anything else.
    #[must_use]
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response {{ status: {}, {} bytes }}", self.status, self.body.len())
    }
}
