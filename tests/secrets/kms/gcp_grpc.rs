//! Google Cloud KMS over gRPC, which is what SOPS speaks by default: a stand-in behind TLS.

use std::convert::Infallible;
use std::task::{Context, Poll};

use lockage::keys::Recipient;
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::Grpc;
use tonic::{Response, Status};
use tonic_prost::ProstCodec;

use super::lab::Lab;
use super::stand_in::acceptor;
use super::symmetric::{open, seal};

const NAME: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    bytes: Vec<u8>,
}

/// Either answer: of an encryption the name comes first, of a decryption the plaintext.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(bytes = "vec", tag = "1")]
    first: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    ciphertext: Vec<u8>,
}

#[derive(Clone)]
struct Kms;

/// One method.
struct Method {
    encrypts: bool,
}

fn known(request: &tonic::Request<Question>) -> Result<(), Status> {
    let metadata = request.metadata();
    let text = |name| metadata.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text("x-goog-request-params") != format!("name={}", NAME.replace('/', "%2F")) {
        return Err(Status::invalid_argument("no routing header"));
    }
    if text("authorization") == "Bearer t" { Ok(()) } else { Err(Status::permission_denied("fault")) }
}

impl Service<tonic::Request<Question>> for Method {
    type Response = Response<Answer>;
    type Error = Status;
    type Future = BoxFuture<Self::Response, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Question>) -> Self::Future {
        let encrypts = self.encrypts;
        Box::pin(async move {
            known(&request)?;
            let Question { name, bytes } = request.into_inner();
            Ok(Response::new(if encrypts {
                let version = format!("{name}/cryptoKeyVersions/1").into_bytes();
                Answer { first: version, ciphertext: seal(&name, &bytes) }
            } else {
                let plaintext = open(&name, &bytes).ok_or_else(|| Status::invalid_argument("it does not open"))?;
                Answer { first: plaintext, ciphertext: Vec::new() }
            }))
        })
    }
}

impl Service<http::Request<Body>> for Kms {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let path = request.uri().path();
            let Some(method) = path.strip_prefix("/google.cloud.kms.v1.KeyManagementService/") else {
                return Ok(Status::unimplemented("no such service").into_http());
            };
            let method = Method { encrypts: method == "Encrypt" };
            Ok(Grpc::new(ProstCodec::<Answer, Question>::default()).unary(method, request).await)
        })
    }
}

/// The port of the stand-in and the file of its authority; it serves as long as the runtime lives.
fn vendor(lab: &Lab, runtime: &tokio::runtime::Runtime) -> (u16, String) {
    let file = lab.home().join("ca.crt");
    let tls = acceptor(&file, &["h2"], &["127.0.0.1"]);
    let bind = || async { TcpListener::bind("127.0.0.1:0").await.unwrap() };
    let (inner, outer) = runtime.block_on(async { (bind().await, bind().await) });
    let (behind, port) = (inner.local_addr().unwrap(), outer.local_addr().unwrap().port());
    let incoming = futures_util::stream::unfold(inner, |inner| async {
        let came = inner.accept().await.map(|(stream, _)| stream);
        Some((came, inner))
    });
    runtime
        .spawn(async move { tonic::transport::Server::builder().serve_with_incoming(Kms, Box::pin(incoming)).await });
    runtime.spawn(async move {
        loop {
            let Ok((stream, _)) = outer.accept().await else { continue };
            let tls = tls.clone();
            tokio::spawn(async move {
                let mut stream = tls.accept(stream).await?;
                let mut inner = TcpStream::connect(behind).await?;
                tokio::io::copy_bidirectional(&mut stream, &mut inner).await
            });
        }
    });
    (port, file.display().to_string())
}

#[test]
fn what_one_seals_over_grpc_the_other_opens() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let lab = Lab::new();
    let (port, authority) = vendor(&lab, &runtime);
    let lab = lab.env("SOPS_GCP_KMS_ENDPOINT", format!("127.0.0.1:{port}")).env("SSL_CERT_FILE", authority);
    let key = Recipient::parse_gcp_kms(NAME);
    let allowed = lab.env("GOOGLE_OAUTH_ACCESS_TOKEN", "t");
    allowed.interoperates(&key, &["--gcp-kms", NAME]);
    let sealed = allowed.encrypt(&key).unwrap();
    let enc = sealed.split_once("enc: ").unwrap().1.lines().next().unwrap().to_owned();
    let refused = allowed.env("GOOGLE_OAUTH_ACCESS_TOKEN", "another");
    let said = refused.refusal(&key, &enc);
    assert_eq!(
        said,
        "failed to decrypt sops data key with GCP KMS key: rpc error: code = PermissionDenied desc = fault"
    );
}
