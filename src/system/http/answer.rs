//! What came back, within bounds.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::Response;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::HttpError;
use super::error::transport;

/// A successful answer; its body may hold secrets and is wiped.
pub struct Answer {
    /// 200 to 206.
    pub status: u16,
    /// What the server calls this exchange.
    pub request_id: Option<String>,
    pub(super) next_range: Option<String>,
    pub(super) remaining: Option<u32>,
    what: String,
    body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// The body, read as `T`.
    ///
    /// # Errors
    /// [`HttpError::Unreadable`] without a word of the body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        // serde_json's own message may quote the value.
        serde_json::from_slice(&self.body)
            .map_err(|_| HttpError::Unreadable { what: self.what.clone(), why: "the answer is not the JSON expected" })
    }

    pub(super) async fn receive(
        response: Response,
        what: &str,
        limit: usize,
        credential: Option<&str>,
    ) -> Result<Self, HttpError> {
        let status = response.status().as_u16();
        let headers = response.headers();
        let request_id = word(headers, "request-id", 256);
        let next_range = headers.get("next-range").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let remaining = word(headers, "ratelimit-remaining", 10).and_then(|count| count.parse().ok());
        let retry_after = retry_after(headers);
        let body = read(response, what, limit).await;
        if (200..300).contains(&status) {
            return Ok(Self { status, request_id, next_range, remaining, what: what.to_owned(), body: body? });
        }
        Err(HttpError::Refused {
            what: what.to_owned(),
            status,
            id: body.ok().and_then(|body| error_id(&body)),
            request_id,
            retry_after,
            credential: credential.map(str::to_owned),
        })
    }
}

async fn read(mut response: Response, what: &str, limit: usize) -> Result<Zeroizing<Vec<u8>>, HttpError> {
    let mut body = Zeroizing::new(Vec::with_capacity(4096));
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error, what))? {
        let needed = body.len() + chunk.len();
        if needed > limit {
            return Err(HttpError::Unreadable { what: what.to_owned(), why: "the answer is too large" });
        }
        if needed > body.capacity() {
            // By hand, so that the smaller buffer is wiped and not only freed.
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&body);
            body = larger;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The vendor's word for the error, `{"id": "rate_limit"}`; anything that is not a plain word is not repeated to anybody.
fn error_id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        id: String,
    }
    let id = serde_json::from_slice::<Error>(body).ok()?.id;
    let plain = !id.is_empty() && id.len() <= 40 && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    plain.then_some(id)
}

/// A header of harmless bytes and limited length.
fn word(headers: &HeaderMap, name: &str, longest: usize) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b',' | b'.');
    (value.len() <= longest && value.bytes().all(plain)).then(|| value.to_owned())
}

/// Seconds, or a date, which is counted from the answer's own `Date`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = rfc2822::parse(text).ok()?.timestamp();
    let now = rfc2822::parse(headers.get("date")?.to_str().ok()?).ok()?.timestamp();
    u64::try_from(then.as_second() - now.as_second()).ok().map(Duration::from_secs)
}
