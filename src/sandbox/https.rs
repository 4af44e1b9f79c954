//! HTTPS for the apps' host names: a handshake succeeds only where a certificate was issued.

use std::sync::Arc;

use axum::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::authority::certified_key;
use super::error::SandboxError;
use super::server::{Asked, Shared};
use super::state::State;

/// Finds the certificate of the host name that a client names.
struct ByHostname(std::sync::Weak<Shared>);

impl std::fmt::Debug for ByHostname {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ByHostname")
    }
}

impl ResolvesServerCert for ByHostname {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shared = self.0.upgrade()?;
        let name = hello.server_name()?.to_lowercase();
        let found = shared.read(|state| {
            let certificate = state.certificates.values().find(|certificate| certificate.hostname == name)?;
            Some((certificate.chain.clone(), certificate.key.clone()))
        });
        let (chain, sealed) = found?;
        let key = shared.vault.open(&name, &sealed).ok()?;
        certified_key(&chain, &key).map(Arc::new)
    }
}

/// TLS as the apps' front door has it.
pub(super) fn config(shared: &Arc<Shared>) -> Result<TlsAcceptor, SandboxError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| SandboxError::Certificate)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ByHostname(Arc::downgrade(shared))));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Answers connections for ever.
pub(super) async fn serve(acceptor: TlsAcceptor, shared: Arc<Shared>, listener: TcpListener) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(acceptor.clone(), Arc::clone(&shared), stream));
        }
    }
}

async fn converse(acceptor: TlsAcceptor, shared: Arc<Shared>, stream: TcpStream) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let name = stream.get_ref().1.server_name().unwrap_or_default().to_lowercase();
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let path = format!("/{name}{}", request.uri().path());
        let asked = Asked { service: "https", method: request.method().as_str(), path: &path, names: Vec::new() };
        let page = shared.serve(asked, |state| {
            let (status, text) = page(state, &name);
            ((status, text), Some(status.to_string()))
        });
        let (status, text) = page.unwrap_or_else(|_| (503, "no room is left\n".to_owned()));
        let response =
            hyper::Response::builder().status(status).header("content-type", "text/plain").body(Body::from(text));
        std::future::ready(response)
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// What the app behind a host name says: its release, or what is wrong with it.
fn page(state: &State, hostname: &str) -> (u16, String) {
    let domain = state.domains.values().find(|domain| domain.hostname == hostname);
    let Some(app) = domain.and_then(|domain| state.apps.get(&domain.app)) else {
        return (404, "no such app\n".to_owned());
    };
    if app.maintenance {
        return (503, "offline for maintenance\n".to_owned());
    }
    let release = app.current.as_ref().and_then(|id| state.releases.get(id));
    let runs = app.formation.iter().any(|process| process.kind == "web" && process.quantity > 0);
    match release.filter(|_| runs) {
        Some(release) => (200, format!("{} v{}\n", app.name, release.version)),
        None => (503, "no web process runs\n".to_owned()),
    }
}
