//! The same two operations over gRPC, always in TLS.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tonic::Status;
use tonic::client::Grpc;
use tonic::codegen::http::Uri;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;
use zeroize::Zeroize as _;

use super::{TIME_LIMIT, WAITS, empty};
use crate::error::Class;
use crate::keys::cloud::escaped;
use crate::keys::cloud::trouble::{Trouble, said};
use crate::keys::operation::Operation;
use crate::secret::{SecretBytes, SecretString};
use crate::system::wire::Wire;

/// `EncryptRequest` and `DecryptRequest`, which are alike.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct Question {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    bytes: Vec<u8>,
}

/// `EncryptResponse`, whose first field is the key's version.
#[derive(Clone, PartialEq, prost::Message)]
struct Encrypted {
    #[prost(bytes = "vec", tag = "2")]
    ciphertext: Vec<u8>,
}

/// `DecryptResponse`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct Decrypted {
    #[prost(bytes = "vec", tag = "1")]
    plaintext: Vec<u8>,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Question {{ {} }}", self.name)
    }
}

impl std::fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decrypted { … }")
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// One connection for each endpoint.
pub(super) struct Channels {
    wire: Wire,
    open: Mutex<HashMap<String, Channel>>,
}

impl Channels {
    pub(super) fn new(wire: &Wire) -> Self {
        Self { wire: wire.clone(), open: Mutex::default() }
    }

    pub(super) fn ask(
        &self,
        host: &str,
        resource: &str,
        operation: Operation,
        bytes: &SecretBytes,
        token: &SecretString,
    ) -> Result<SecretBytes, Trouble> {
        let channel = self.channel(host)?;
        let answer = WAITS.attempt(|| {
            let question = Question { name: resource.to_owned(), bytes: bytes.expose_secret().to_vec() };
            let mut request = tonic::Request::new(question);
            request.set_timeout(TIME_LIMIT);
            let unsendable = || Trouble::usage("the token of Google Cloud cannot be sent");
            let bearer = format!("Bearer {}", token.expose_secret()).parse().map_err(|_| unsendable())?;
            let parameters = format!("name={}", escaped(resource)).parse().map_err(|_| unsendable())?;
            request.metadata_mut().insert("authorization", bearer);
            request.metadata_mut().insert("x-goog-request-params", parameters);
            let channel = channel.clone();
            let answered = self.wire.background().run(call(channel, operation, request));
            answered.map_err(|error| Trouble::new(Class::World, error.to_string()))?.map_err(|status| refused(&status))
        })?;
        Some(answer).filter(|bytes| !bytes.is_empty()).ok_or_else(empty)
    }

    fn channel(&self, host: &str) -> Result<Channel, Trouble> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = open.get(host) {
            return Ok(channel.clone());
        }
        let unusable = || Trouble::usage(format!("`{host}` is no endpoint: it is `HOST:PORT`"));
        let origin: Uri = format!("https://{host}").parse().map_err(|_| unusable())?;
        let name = origin.host().ok_or_else(unusable)?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let address = format!("{}:{}", origin.host().ok_or_else(unusable)?, origin.port_u16().unwrap_or(443));
        let connector = self.wire.tls_connector(&name)?;
        // The scheme keeps the library from doing TLS itself; the server is told the real one.
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|_| unusable())?.origin(origin);
        let endpoint = endpoint.connect_timeout(Duration::from_secs(10)).timeout(TIME_LIMIT);
        let handle = self.wire.background().handle();
        let handle = handle.map_err(|error| Trouble::new(Class::World, error.to_string()))?;
        let _entered = handle.enter();
        let connect = Arc::new(connector);
        let channel = endpoint.connect_with_connector_lazy(Dialer { connect, address });
        open.insert(host.to_owned(), channel.clone());
        Ok(channel)
    }
}

/// Connects with TLS to one address.
#[derive(Clone)]
struct Dialer {
    connect: Arc<crate::system::wire::TlsConnector>,
    address: String,
}

impl tonic::codegen::Service<Uri> for Dialer {
    type Response = hyper_util::rt::TokioIo<crate::system::wire::TlsStream>;
    type Error = std::io::Error;
    type Future = tonic::codegen::BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move { dialer.connect.connect(&dialer.address).await.map(hyper_util::rt::TokioIo::new) })
    }
}

async fn call(
    channel: Channel,
    operation: Operation,
    request: tonic::Request<Question>,
) -> Result<SecretBytes, Status> {
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = |text| PathAndQuery::from_static(text);
    match operation {
        Operation::Encrypt => {
            let path = path("/google.cloud.kms.v1.KeyManagementService/Encrypt");
            let codec = ProstCodec::<Question, Encrypted>::default();
            Ok(SecretBytes::new(client.unary(request, path, codec).await?.into_inner().ciphertext))
        }
        Operation::Decrypt => {
            let path = path("/google.cloud.kms.v1.KeyManagementService/Decrypt");
            let codec = ProstCodec::<Question, Decrypted>::default();
            Ok(SecretBytes::new(client.unary(request, path, codec).await?.into_inner().plaintext))
        }
    }
}

fn refused(status: &Status) -> Trouble {
    let code = format!("{:?}", status.code());
    let message = said(status.message());
    let away = matches!(status.code(), tonic::Code::Unavailable | tonic::Code::DeadlineExceeded);
    let class = if away { Class::World } else { Class::Untrusted };
    Trouble::new(class, format!("{code}: {message}"))
        .sops(format!("rpc error: code = {code} desc = {message}"))
        .passing(status.code() == tonic::Code::Unavailable)
}
