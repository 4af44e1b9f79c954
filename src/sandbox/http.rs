//! HTTP over loopback: requests read whole, answers with the headers of the vendor, and connections that break on demand.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body as HttpBody, to_bytes};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, IF_NONE_MATCH, RANGE};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ring::digest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::admin::Then;
use super::fault::FaultKind;
use super::heroku::{Access, Answer, Body, Heroku, Refusal, Request, access};
use super::server::{Asked, Shared};
use super::state::{State, hex};

/// The largest body, bytes: a source archive.
const LARGEST_BODY: usize = 256 << 20;

/// What becomes of a request.
enum Outcome {
    Answer(Answer),
    Reset,
    Hang,
}

/// Answers connections for ever.
pub(super) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        if let Ok((stream, peer)) = listener.accept().await {
            tokio::spawn(converse(Arc::clone(&shared), stream, peer));
        }
    }
}

async fn converse(shared: Arc<Shared>, stream: TcpStream, _peer: SocketAddr) {
    let broken = Arc::new(Notify::new());
    let service = service_fn(|request| respond(Arc::clone(&shared), Arc::clone(&broken), request));
    let mut connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = &mut connection => return,
        () = broken.notified() => {}
    }
    // Closing at once with nothing lingering is what makes it a reset and not an end.
    let stream = connection.into_parts().io.into_inner();
    let _ = stream.set_zero_linger();
}

async fn respond(
    shared: Arc<Shared>,
    broken: Arc<Notify>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<HttpBody>, Infallible> {
    let request = read(request).await;
    let outcome = match &request {
        Ok(request) if request.path.starts_with("/_admin/") => Outcome::Answer(administer(&shared, request)),
        Ok(request) => decide(&shared, request),
        Err(refusal) => {
            Outcome::Answer(Answer::json(400, serde_json::json!({ "id": refusal.id, "message": refusal.message })))
        }
    };
    match outcome {
        Outcome::Answer(answer) => {
            let known = request.ok().and_then(|request| request.if_none_match);
            let remaining = if answer.status == 429 { 0 } else { shared.bucket().left((shared.clock)()) };
            Ok(encode(answer, known.as_deref(), &shared.request_id(), remaining))
        }
        Outcome::Reset => {
            broken.notify_one();
            std::future::pending().await
        }
        Outcome::Hang => std::future::pending().await,
    }
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, Refusal> {
    let (head, body) = request.into_parts();
    let text = |headers: &HeaderMap, name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
    let body = to_bytes(HttpBody::new(body), LARGEST_BODY).await.map_err(|_| Refusal::malformed())?;
    Ok(Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(Request::parse_query).unwrap_or_default(),
        accept: text(&head.headers, ACCEPT),
        authorization: text(&head.headers, AUTHORIZATION).map(Zeroizing::new),
        range: text(&head.headers, RANGE),
        if_none_match: text(&head.headers, IF_NONE_MATCH),
        body: Zeroizing::new(body.to_vec()),
    })
}

/// Faults, then the door, then the platform; the state is on disk before the answer leaves.
fn decide(shared: &Shared, request: &Request) -> Outcome {
    let asked = Asked { service: "heroku", method: &request.method, path: &request.path, names: request.body_names() };
    let decided = shared.serve(asked, |state| {
        let outcome = outcome(shared, state, request);
        let status = match &outcome {
            Outcome::Answer(answer) => Some(answer.status.to_string()),
            Outcome::Reset | Outcome::Hang => None,
        };
        (outcome, status)
    });
    decided.unwrap_or_else(|error| Outcome::Answer(Refusal::from(error).into()))
}

fn outcome(shared: &Shared, state: &mut State, request: &Request) -> Outcome {
    let fault = state.fault_on(&request.method, &request.path);
    match &fault {
        Some(FaultKind::Status { status, id, message, retry_after, html }) => {
            return Outcome::Answer(faulty(*status, id, message, *retry_after, *html));
        }
        Some(FaultKind::ResetBefore) => return Outcome::Reset,
        Some(FaultKind::HangBefore) => return Outcome::Hang,
        _ => {}
    }
    let answer = match check_access(shared, request) {
        Ok(()) => platform(shared, state).answer(request),
        Err(refusal) => refusal.into(),
    };
    match fault {
        Some(FaultKind::ResetAfter) => Outcome::Reset,
        Some(FaultKind::HangAfter) => Outcome::Hang,
        _ => Outcome::Answer(answer),
    }
}

fn administer(shared: &Shared, request: &Request) -> Answer {
    if !shared.endpoint.admits_administration(request.bearer()) {
        return Answer::empty(401);
    }
    let answered = shared.change(|state| platform(shared, state).administer(request));
    match answered {
        Ok((answer, then)) => {
            if then == Then::Stop {
                shared.stop.notify_one();
            }
            answer
        }
        Err(error) => Refusal::from(error).into(),
    }
}

fn platform<'a>(shared: &'a Shared, state: &'a mut State) -> Heroku<'a> {
    let base = &shared.endpoint.heroku_url;
    let now = (shared.clock)();
    let remaining = shared.bucket().left(now);
    Heroku { state, vault: &shared.vault, authority: &shared.authority, now, base, remaining }
}

fn check_access(shared: &Shared, request: &Request) -> Result<(), Refusal> {
    if access(&request.path) == Access::Address {
        return Ok(());
    }
    if !shared.endpoint.admits_account(request.bearer()) {
        let message = "Invalid credentials provided.".to_owned();
        return Err(Refusal { status: 401, id: "unauthorized", message });
    }
    let version =
        request.accept.as_deref().and_then(|accept| accept.strip_prefix("application/vnd.heroku+json; version=3"));
    if version.is_none_or(|variant| !variant.is_empty() && !variant.starts_with('.')) {
        let message = "The `Accept` header must specify a version.".to_owned();
        return Err(Refusal { status: 406, id: "not_acceptable", message });
    }
    if request.path != "/account/rate-limits" && shared.bucket().take((shared.clock)()).is_none() {
        let message = "Your account reached the API rate limit.".to_owned();
        return Err(Refusal { status: 429, id: "rate_limit", message });
    }
    Ok(())
}

fn faulty(status: u16, id: &str, message: &str, retry_after: Option<u32>, html: bool) -> Answer {
    let mut answer = if html {
        let page = format!("<!DOCTYPE html><html><body><h1>{status}</h1></body></html>");
        Answer { status, headers: Vec::new(), body: Body::Text("text/html", page) }
    } else {
        Answer::json(status, serde_json::json!({ "id": id, "message": message }))
    };
    answer.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
    answer
}

fn encode(answer: Answer, known: Option<&str>, request_id: &str, remaining: u32) -> hyper::Response<HttpBody> {
    let mut status = answer.status;
    let (kind, mut bytes) = match answer.body {
        Body::Empty => (None, Vec::new()),
        Body::Json(body) => (Some("application/json"), body.to_string().into_bytes()),
        Body::Text(kind, text) => (Some(kind), text.into_bytes()),
    };
    let etag = format!("\"{}\"", hex(&digest::digest(&digest::SHA256, &bytes).as_ref()[..16]));
    if status == 200 && known == Some(etag.as_str()) {
        status = 304;
        bytes.clear();
    }
    let mut response = hyper::Response::builder()
        .status(status)
        .header("request-id", request_id)
        .header("ratelimit-remaining", remaining);
    if status < 300 || status == 304 {
        response = response.header("etag", etag);
    }
    if let Some(kind) = kind.filter(|_| !bytes.is_empty()) {
        response = response.header("content-type", kind);
    }
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(HttpBody::from(bytes)).unwrap_or_else(|_| hyper::Response::new(HttpBody::empty()))
}
