//! Plain exchanges over HTTP for protocols that sign, word and repeat their requests themselves: bytes out, bytes in.
//!
//! [`super::http`] speaks JSON to one server and knows when a change may be repeated; here the caller knows. Nothing is
//! followed, nothing is decoded, an answer of any status is an answer, and it is bounded.

mod error;
mod request;
mod tls;
mod trust;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::body::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method};
use zeroize::Zeroizing;

pub use error::WireError;
pub use request::{Request, Response, authority, form, renamed};
pub use tls::{TlsConnector, TlsStream};
pub use trust::Trust;

use super::background::Background;

/// The most bytes of an answer that are read where nobody asks for more: a wrapped key, a token or a list of projects is
/// far shorter.
const ANSWER_LIMIT: usize = 1 << 20;

/// No connection takes longer to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Sends requests and gives answers; clones share connections.
#[derive(Clone)]
pub struct Wire(Arc<Shared>);

struct Shared {
    background: Background,
    trust: Trust,
    client: OnceLock<Result<Client, WireError>>,
}

impl Wire {
    /// A wire on which nothing happens until the first request.
    #[must_use]
    pub fn new(background: Background, trust: Trust) -> Self {
        Self(Arc::new(Shared { background, trust, client: OnceLock::new() }))
    }

    /// Another one on the same threads that trusts otherwise.
    #[must_use]
    pub fn trusting(&self, trust: Trust) -> Self {
        Self::new(self.0.background.clone(), trust)
    }

    /// Whom it trusts.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.0.trust
    }

    /// The threads that it runs on.
    #[must_use]
    pub fn background(&self) -> &Background {
        &self.0.background
    }

    /// Sends one request once and waits for the whole answer, of whatever status.
    ///
    /// # Errors
    /// [`WireError`]; it names method, scheme, host and path and nothing else of the request.
    pub fn send(&self, request: Request) -> Result<Response, WireError> {
        let client = self.0.client.get_or_init(|| trust::client(&self.0.trust)).clone()?;
        let what = request.shown();
        let answer = self.0.background.run(exchange(client, request));
        let answer = answer.map_err(|error| WireError::Broken { what: what.clone(), why: error.to_string() })?;
        if let Ok(answer) = &answer {
            tracing::debug!("{what}: {}", answer.status);
        }
        answer
    }
}

async fn exchange(client: Client, request: Request) -> Result<Response, WireError> {
    let (what, limit) = (request.shown(), request.answer_limit);
    let unsendable = || WireError::Unsendable { what: what.clone() };
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| unsendable())?;
    let mut builder = client.request(method, &request.url).timeout(request.time_limit);
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unsendable())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| unsendable())?;
        value.set_sensitive(true);
        builder = builder.header(name, value);
    }
    if !request.body.is_empty() {
        builder = builder.body(Bytes::from_owner(request.body));
    }
    let mut received = builder.send().await.map_err(|error| error::of(&error, &what))?;
    let status = received.status().as_u16();
    let headers = received.headers().clone();
    let mut body = Zeroizing::new(Vec::with_capacity(4096));
    while let Some(part) = received.chunk().await.map_err(|error| error::of(&error, &what))? {
        if body.len() + part.len() > limit {
            return Err(WireError::TooLong { what, limit });
        }
        body.extend_from_slice(&part);
    }
    Ok(Response::new(status, headers, body))
}

#[cfg(test)]
mod tests;
