//! A server on loopback that plays a vendor: what it hears is noted, and a function answers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// One request.
#[derive(Clone, Debug)]
pub struct Heard {
    pub method: String,
    /// Whom it was meant for.
    pub host: String,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A value of a form in the body, still escaped.
    pub fn form(&self, name: &str) -> String {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        let value = text.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        value.unwrap_or_default().to_owned()
    }
}

/// One answer.
pub struct Said {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Said {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { status, headers: vec![("content-type", "application/json".into())], body: body.to_string() }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Answer = Arc<dyn Fn(&Heard) -> Said + Send + Sync>;

/// The names that the certificate of a stand-in is for: this machine, and where vendors are asked for tokens.
const NAMES: &[&str] = &["localhost", "127.0.0.1", "*.googleapis.com", "login.microsoftonline.com", "*.amazonaws.com"];

/// The server, in clear and in TLS, until the end of the test.
pub struct StandIn {
    pub clear: u16,
    pub secure: u16,
    /// A proxy that leads every host to the port of TLS.
    pub proxy: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
    authority: tempfile::TempDir,
    runtime: Option<tokio::runtime::Runtime>,
}

impl StandIn {
    /// `answer` gets the port of TLS, which it may have to name, and the request.
    pub fn start(answer: impl Fn(u16, u16, &Heard) -> Said + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", NAMES, answer)
    }

    /// The same at another address in clear, and with a certificate for other names.
    pub fn at(
        clear: &'static str,
        names: &[&str],
        answer: impl Fn(u16, u16, &Heard) -> Said + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let authority = tempfile::tempdir().unwrap();
        let acceptor = acceptor(&authority.path().join("ca.crt"), &["http/1.1"], names);
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let bind = |address: &'static str| async move { TcpListener::bind(address).await.unwrap() };
        let (near, clear) = ("127.0.0.1:0", runtime.block_on(bind(clear)));
        let (secure, proxy) = runtime.block_on(async { (bind(near).await, bind(near).await) });
        let proxied = proxy.local_addr().unwrap().port();
        let ports = (clear.local_addr().unwrap().port(), secure.local_addr().unwrap().port());
        let answer: Answer = Arc::new(move |heard| answer(ports.0, ports.1, heard));
        runtime.spawn(serve(clear, None, Arc::clone(&heard), Arc::clone(&answer)));
        runtime.spawn(serve(secure, Some(acceptor), Arc::clone(&heard), answer));
        runtime.spawn(lead(proxy, ports.1));
        Self { clear: ports.0, secure: ports.1, proxy: proxied, heard, authority, runtime: Some(runtime) }
    }

    /// The authority that its certificate is from.
    pub fn authority(&self) -> PathBuf {
        self.authority.path().join("ca.crt")
    }

    /// What was heard since the last time.
    pub fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Leads whoever asks for any host to the port of TLS.
async fn lead(listener: TcpListener, secure: u16) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        tokio::spawn(async move {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await? == 1 {
                head.push(byte[0]);
            }
            let mut inner = TcpStream::connect(("127.0.0.1", secure)).await?;
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            tokio::io::copy_bidirectional(&mut stream, &mut inner).await
        });
    }
}

/// TLS for these names, under an authority of its own, whose certificate is written to `file`.
pub fn acceptor(file: &std::path::Path, protocols: &[&str], names: &[&str]) -> TlsAcceptor {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = named("the authority of a test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap();
    std::fs::write(file, root.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    leaf.distinguished_name = named("the server of a test");
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone()];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Two certificates of one name are taken for one that signed itself.
fn named(name: &str) -> rcgen::DistinguishedName {
    let mut distinguished = rcgen::DistinguishedName::new();
    distinguished.push(rcgen::DnType::CommonName, name);
    distinguished
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, heard: Arc<Mutex<Vec<Heard>>>, answer: Answer) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (tls, heard, answer) = (tls.clone(), Arc::clone(&heard), Arc::clone(&answer));
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(request, Arc::clone(&heard), Arc::clone(&answer)));
            let http = hyper::server::conn::http1::Builder::new();
            match tls {
                None => drop(http.serve_connection(TokioIo::new(stream), service).await),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        drop(http.serve_connection(TokioIo::new(stream), service).await);
                    }
                }
            }
        });
    }
}

async fn respond(
    request: hyper::Request<hyper::body::Incoming>,
    noted: Arc<Mutex<Vec<Heard>>>,
    answer: Answer,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()));
    let heard = Heard {
        method: parts.method.to_string(),
        host: parts.uri.authority().map_or_else(
            || parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned(),
            ToString::to_string,
        ),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or("").to_owned(),
        headers: headers.collect(),
        body: body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default(),
    };
    let said = answer(&heard);
    noted.lock().unwrap().push(heard);
    let mut response = hyper::Response::builder().status(said.status);
    for (name, value) in said.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(Bytes::from(said.body))).unwrap())
}
