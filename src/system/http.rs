//! JSON over HTTPS: authorisation, time limits, bounded answers, repetition where it is safe, and redaction.
//!
//! Two clients: [`ReadClient`] can only GET and repeats by itself; [`WriteClient`] also changes things and never repeats
//! a request that may have been processed: it says [`HttpError::Unanswered`], and the caller reads back what happened.
//! Nothing of a remote body reaches an error or the log; status, the vendor's error word and the request's id do.

mod answer;
mod body;
mod error;
mod repeat;
mod visit;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backon::Retryable as _;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use serde::de::DeserializeOwned;

pub use answer::Answer;
pub use body::Body;
pub use error::HttpError;
pub use repeat::Repeat;
pub(crate) use visit::tls_failure;
pub use visit::{Visit, VisitError};

use crate::secret::SecretString;

/// A partial list is followed over at most this many pages, so that a server cannot keep us for ever.
const PAGES: usize = 200;

/// How long an upload may take.
const UPLOAD_LIMIT: Duration = Duration::from_secs(3600);

/// A secret that authorises, and where it was found.
#[derive(Clone, Debug)]
pub struct Credential {
    /// What stands before the secret in the `Authorization` header, with its blank (`"Bearer "`).
    pub scheme: &'static str,
    /// The secret.
    pub secret: SecretString,
    /// The environment variable, or the file and key, that held it; safe to print.
    pub origin: String,
}

/// How a client speaks to one server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and port; `http://` only for a loopback address.
    pub base: String,
    /// Sent with every request to the base, never to another host.
    pub credential: Option<Credential>,
    /// Headers of every request to the base.
    pub headers: Vec<(&'static str, String)>,
    /// A certificate authority trusted beside those of the machine, as PEM.
    pub extra_root: Option<Vec<u8>>,
    /// From the first byte sent to the last byte received.
    pub time_limit: Duration,
    /// The most bytes of an answer that are read.
    pub body_limit: usize,
    /// When and how often a request is repeated.
    pub repeat: Repeat,
}

impl Settings {
    /// The usual limits: 60 seconds, 16 MiB.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            credential: None,
            headers: Vec::new(),
            extra_root: None,
            time_limit: Duration::from_secs(60),
            body_limit: 16 << 20,
            repeat: Repeat::default(),
        }
    }
}

/// What to ask: a path below the base, and headers.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    segments: &'a [&'a str],
    headers: Vec<(&'static str, String)>,
}

impl<'a> Call<'a> {
    /// The path whose segments these are; each is escaped, none can leave its place.
    #[must_use]
    pub fn new(segments: &'a [&'a str]) -> Self {
        Self { segments, headers: Vec::new() }
    }

    /// The same with a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A client that can only read.
#[derive(Clone)]
pub struct ReadClient {
    shared: Arc<Shared>,
}

/// A client that can also write.
#[derive(Clone)]
pub struct WriteClient {
    reader: ReadClient,
    /// Keeps no idle connection: one that the server has just closed would make a write's fate unknown for nothing.
    fresh: Client,
}

struct Shared {
    client: Client,
    base: Url,
    headers: HeaderMap,
    settings: Settings,
    remaining: AtomicU32,
}

impl ReadClient {
    /// Opens a client; no request is made yet.
    ///
    /// # Errors
    /// [`HttpError::Configuration`] for a base that is no URL, is in clear to another machine, or a header that cannot be sent.
    pub fn new(settings: Settings) -> Result<Self, HttpError> {
        let base = safe_base(&settings)?;
        let client = client(&settings, &base, true)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            headers.insert(HeaderName::from_static(name), header_value(name, value)?);
        }
        if let Some(credential) = &settings.credential {
            let text = zeroize::Zeroizing::new(format!("{}{}", credential.scheme, credential.secret.expose_secret()));
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                HttpError::Configuration(format!(
                    "the credential in `{}` holds a byte no header can",
                    credential.origin
                ))
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let remaining = AtomicU32::new(u32::MAX);
        Ok(Self { shared: Arc::new(Shared { client, base, headers, settings, remaining }) })
    }

    /// Reads, and repeats after 429, 5xx and a broken connection.
    ///
    /// # Errors
    /// [`HttpError`], the last one when repetition did not help.
    pub async fn get(&self, call: &Call<'_>) -> Result<Answer, HttpError> {
        let once = || self.shared.exchange(&self.shared.client, Method::GET, call, None);
        let repeat = &self.shared.settings.repeat;
        once.retry(repeat.backoff())
            .when(HttpError::may_be_read_again)
            .adjust(|error, delay| repeat.delay(error, delay))
            .notify(|error, delay| tracing::info!("{error}; asking again in {delay:.1?}"))
            .await
    }

    /// Reads a list to its end, page after page (`206` and `Next-Range`).
    ///
    /// # Errors
    /// As [`ReadClient::get`]; [`HttpError::Unreadable`] for a list that does not end.
    pub async fn list<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<Vec<T>, HttpError> {
        let mut items: Vec<T> = Vec::new();
        let mut call = call.clone();
        for _ in 0..PAGES {
            let answer = self.get(&call).await?;
            items.append(&mut answer.json()?);
            match answer.next_range {
                Some(next) if answer.status == 206 => {
                    call.headers.retain(|(name, _)| *name != "range");
                    call = call.header("range", next);
                }
                _ => return Ok(items),
            }
        }
        Err(HttpError::Unreadable { what: self.shared.what(&Method::GET, &call), why: "the list does not end" })
    }

    /// What the server last said may still be asked in this hour, when it says so.
    #[must_use]
    pub fn remaining(&self) -> Option<u32> {
        match self.shared.remaining.load(Ordering::Relaxed) {
            u32::MAX => None,
            count => Some(count),
        }
    }
}

impl WriteClient {
    /// Opens a client; no request is made yet.
    ///
    /// # Errors
    /// As [`ReadClient::new`].
    pub fn new(settings: Settings) -> Result<Self, HttpError> {
        let reader = ReadClient::new(settings)?;
        let fresh = client(&reader.shared.settings, &reader.shared.base, false)?;
        Ok(Self { reader, fresh })
    }

    /// The part of it that cannot write.
    #[must_use]
    pub fn reader(&self) -> &ReadClient {
        &self.reader
    }

    /// Creates.
    ///
    /// # Errors
    /// [`HttpError`], of which [`HttpError::is_unanswered`] says whether the request may have been processed.
    pub async fn post(&self, call: &Call<'_>, body: &Body) -> Result<Answer, HttpError> {
        self.send(Method::POST, call, body).await
    }

    /// Changes in part.
    ///
    /// # Errors
    /// [`HttpError`], of which [`HttpError::is_unanswered`] says whether the request may have been processed.
    pub async fn patch(&self, call: &Call<'_>, body: &Body) -> Result<Answer, HttpError> {
        self.send(Method::PATCH, call, body).await
    }

    /// Removes.
    ///
    /// # Errors
    /// [`HttpError`], of which [`HttpError::is_unanswered`] says whether the request may have been processed.
    pub async fn delete(&self, call: &Call<'_>) -> Result<Answer, HttpError> {
        self.send(Method::DELETE, call, &Body::default()).await
    }

    /// Sends a change, again only where the server cannot have processed it: no connection came about, or it said 429.
    ///
    /// # Errors
    /// [`HttpError::Unanswered`] when the request may have been processed; else [`HttpError`], and nothing was changed.
    async fn send(&self, method: Method, call: &Call<'_>, body: &Body) -> Result<Answer, HttpError> {
        let shared = &self.reader.shared;
        let once = || async {
            let answer = shared.exchange(&self.fresh, method.clone(), call, Some(body)).await;
            answer.map_err(|error| error.of_write(method.as_str(), &shared.path(call)))
        };
        let repeat = &shared.settings.repeat;
        once.retry(repeat.backoff())
            .when(HttpError::was_not_processed)
            .adjust(|error, delay| repeat.delay(error, delay))
            .notify(|error, delay| tracing::info!("{error}; sending again in {delay:.1?}"))
            .await
    }

    /// Puts bytes to an address that carries its own authorisation: no header of ours goes with them, and the same bytes
    /// put twice are the same file, so that it is repeated like a GET.
    ///
    /// # Errors
    /// [`HttpError`]; the address is never in it, for whoever has it may write.
    pub async fn upload(&self, address: &SecretString, bytes: Vec<u8>) -> Result<(), HttpError> {
        let shared = &self.reader.shared;
        let url = Url::parse(address.expose_secret())
            .map_err(|_| HttpError::Unreadable { what: "the upload's address".into(), why: "it is no URL" })?;
        if !(url.scheme() == "https" || (loopback(&url) && loopback(&shared.base))) {
            return Err(HttpError::Configuration("the upload's address is in clear and on another machine".into()));
        }
        let what = format!("PUT to {}", url.host_str().unwrap_or("?"));
        let bytes = hyper::body::Bytes::from(bytes);
        let once = || async {
            // A tarball takes its time over a slow line.
            let request = self.fresh.put(url.clone()).body(bytes.clone()).timeout(UPLOAD_LIMIT);
            let response = request.send().await.map_err(|error| error::transport(&error, &what))?;
            Answer::receive(response, &what, shared.settings.body_limit, None).await.map(drop)
        };
        once.retry(shared.settings.repeat.backoff())
            .when(HttpError::may_be_read_again)
            .adjust(|error, delay| shared.settings.repeat.delay(error, delay))
            .await
    }
}

impl Shared {
    async fn exchange(
        &self,
        client: &Client,
        method: Method,
        call: &Call<'_>,
        body: Option<&Body>,
    ) -> Result<Answer, HttpError> {
        let what = self.what(&method, call);
        let mut headers = self.headers.clone();
        for (name, value) in &call.headers {
            headers.insert(HeaderName::from_static(name), header_value(name, value)?);
        }
        let mut request = client.request(method, self.url(call)).headers(headers).timeout(self.settings.time_limit);
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            request = request.header("content-type", "application/json").body(body.bytes());
        }
        let response = request.send().await.map_err(|error| error::transport(&error, &what))?;
        let origin = self.settings.credential.as_ref().map(|credential| credential.origin.as_str());
        let answer = Answer::receive(response, &what, self.settings.body_limit, origin).await;
        if let Ok(answer) = &answer {
            tracing::debug!("{what}: {}", answer.status);
            self.remaining.store(answer.remaining.unwrap_or(u32::MAX), Ordering::Relaxed);
        }
        answer
    }

    fn url(&self, call: &Call<'_>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(call.segments);
        }
        url
    }

    fn path(&self, call: &Call<'_>) -> String {
        self.url(call).path().to_owned()
    }

    fn what(&self, method: &Method, call: &Call<'_>) -> String {
        format!("{method} {}", self.path(call))
    }
}

fn safe_base(settings: &Settings) -> Result<Url, HttpError> {
    let bad = |why: &str| HttpError::Configuration(format!("the address `{}` {why}", settings.base));
    let url = Url::parse(&settings.base).map_err(|_| bad("is no URL"))?;
    match url.scheme() {
        "https" => {}
        "http" if loopback(&url) => {}
        "http" => return Err(bad("is in clear and not on this machine")),
        _ => return Err(bad("is not https")),
    }
    if url.cannot_be_a_base() || !url.username().is_empty() || url.password().is_some() {
        return Err(bad("may hold a scheme, a host and a port only"));
    }
    Ok(url)
}

/// Names other than `localhost` do not count: whom they lead to is not ours to say.
fn loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

fn client(settings: &Settings, base: &Url, keep_idle: bool) -> Result<Client, HttpError> {
    install_ring();
    let mut builder = Client::builder()
        .user_agent(concat!("lockage/", env!("CARGO_PKG_VERSION")))
        // A redirect could carry a change, and the answer of another host, where nobody looks.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(Duration::from_secs(10));
    if !keep_idle {
        builder = builder.pool_max_idle_per_host(0);
    }
    let root = settings.extra_root.as_deref().map(reqwest::Certificate::from_pem).transpose();
    let root = root.map_err(|_| HttpError::Configuration("the extra root certificate is no PEM certificate".into()))?;
    builder = match (loopback(base), root) {
        // On this machine no proxy stands between, and only the given authority is meant; its own trust store may be
        // missing altogether.
        (true, root) => builder.no_proxy().tls_certs_only(root),
        (false, Some(root)) => builder.tls_certs_merge([root]),
        (false, None) => builder,
    };
    builder.build().map_err(|_| {
        HttpError::Configuration("no TLS client can be made: are there root certificates on this machine?".into())
    })
}

/// Makes `ring` the process's only TLS implementation; whoever came first has done the same.
pub(crate) fn install_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, HttpError> {
    HeaderValue::from_str(value).map_err(|_| HttpError::Configuration(format!("the header `{name}` cannot be sent")))
}

#[cfg(test)]
mod tests;
