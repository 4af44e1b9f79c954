//! The keys at hand, offered to others.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::Grpc;
use tonic::transport::Server;
use tonic::{Response, Status};
use tonic_prost::ProstCodec;

use super::keys::{description, recipient};
use super::listener::{self, Listener};
use super::messages::{Demand, Outcome};
use super::{DECRYPT, ENCRYPT, MESSAGE_LIMIT, ServiceAddress};
use crate::error::{Class, Failure};
use crate::keys::operation::Operation;
use crate::keys::{KeyError, KeyService, Recipient, WrappedKey};
use crate::secret::SecretBytes;
use crate::system::background::{Background, BackgroundError};

/// How long connections may stay after the end was announced to them.
const FAREWELL: Duration = Duration::from_secs(5);

/// What somebody at the server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// `encrypt` or `decrypt`.
    pub operation: &'static str,
    /// The key in the words of SOPS.
    pub key: &'a str,
}

/// Somebody who is asked for each request, before anything is done for it.
///
/// SOPS asks when the operation is done already and holds back only the answer; here a "no" leaves the key untouched.
pub trait Consent: Send + Sync {
    /// Whether the request may be answered; one question at a time.
    ///
    /// # Errors
    /// [`ConsentError`] when no answer can be had.
    fn ask(&self, question: Question<'_>) -> Result<bool, ConsentError>;
}

/// No answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConsentError(pub String);

/// Why a key service cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum KeyServerError {
    /// The address is taken, or may not be used.
    #[error("the key service cannot listen at `{address}`: {kind}")]
    Bind {
        /// The address.
        address: ServiceAddress,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// The sockets stopped working.
    #[error("the key service at `{address}` broke down")]
    Broken {
        /// The address.
        address: ServiceAddress,
    },
    /// There are no threads.
    #[error(transparent)]
    Background(#[from] BackgroundError),
}

impl Failure for KeyServerError {
    fn class(&self) -> Class {
        match self {
            Self::Bind { .. } => Class::Usage,
            _ => Class::World,
        }
    }
}

/// A key service on a socket that is bound.
pub struct KeyServer {
    background: Background,
    listener: Listener,
    address: ServiceAddress,
}

impl KeyServer {
    /// Binds the socket; from now on connections wait.
    ///
    /// # Errors
    /// [`KeyServerError::Bind`]; [`KeyServerError::Background`].
    pub fn bind(address: &ServiceAddress, background: &Background) -> Result<Self, KeyServerError> {
        let failed = |error: io::Error| KeyServerError::Bind { address: address.clone(), kind: error.kind() };
        let wanted = address.clone();
        let bound = background.run(async move {
            let listener = Listener::bind(&wanted)?;
            let address = listener.address()?;
            io::Result::Ok((listener, address))
        })?;
        let (listener, address) = bound.map_err(failed)?;
        Ok(Self { background: background.clone(), listener, address })
    }

    /// Where it is bound, with the port that the system chose where `:0` was asked for.
    #[must_use]
    pub fn address(&self) -> &ServiceAddress {
        &self.address
    }

    /// Answers until `stop` is there; then what was begun is finished, and a socket file is removed.
    ///
    /// # Errors
    /// [`KeyServerError::Broken`].
    pub fn serve(
        self,
        keys: Arc<dyn KeyService>,
        consent: Option<Arc<dyn Consent>>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), KeyServerError> {
        let Self { background, listener, address } = self;
        let routes = Routes(Arc::new(Offer { keys, consent, one: tokio::sync::Mutex::new(()) }));
        let served = background.run(async move {
            let (announce, announced) = tokio::sync::oneshot::channel::<()>();
            let stop = async move {
                stop.await;
                let _ = announce.send(());
            };
            let server = Server::builder().concurrency_limit_per_connection(64);
            // Kept to the end of this block: dropping it removes the socket file.
            let _file;
            let serving = match listener {
                Listener::Unix(listener, file) => {
                    _file = file;
                    let incoming = listener::unix(listener);
                    futures_util::future::Either::Left(
                        server.clone().serve_with_incoming_shutdown(routes, incoming, stop),
                    )
                }
                Listener::Tcp(listener) => {
                    let incoming = listener::tcp(listener);
                    futures_util::future::Either::Right(server.serve_with_incoming_shutdown(routes, incoming, stop))
                }
            };
            let farewell = async {
                if announced.await.is_ok() {
                    tokio::time::sleep(FAREWELL).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                served = serving => served.is_ok(),
                () = farewell => true,
            }
        })?;
        if served { Ok(()) } else { Err(KeyServerError::Broken { address }) }
    }
}

/// What is offered, and who is asked.
struct Offer {
    keys: Arc<dyn KeyService>,
    consent: Option<Arc<dyn Consent>>,
    /// Questions are asked one at a time: there is one terminal.
    one: tokio::sync::Mutex<()>,
}

impl Offer {
    async fn answer(self: Arc<Self>, operation: Operation, mut demand: Demand) -> Result<Outcome, Status> {
        let missing = || Status::not_found("Must provide a key");
        let key = demand.key.take().and_then(|key| key.key_type).ok_or_else(missing)?;
        let recipient = recipient(&key).map_err(|error| Status::unknown(error.sops_text()))?;
        let bytes = SecretBytes::new(std::mem::take(&mut demand.bytes));
        if self.consent.is_some() {
            let _turn = self.one.lock().await;
            let asking = Arc::clone(&self);
            let asked = recipient.clone();
            let allowed = tokio::task::spawn_blocking(move || asking.allowed(operation, &asked)).await;
            allowed.map_err(|_| Status::internal("the question failed"))??;
        }
        let done = tokio::task::spawn_blocking(move || self.perform(operation, recipient, &bytes)).await;
        done.map_err(|_| Status::internal("the operation failed"))?
    }

    fn allowed(&self, operation: Operation, recipient: &Recipient) -> Result<(), Status> {
        let Some(consent) = &self.consent else { return Ok(()) };
        let key = description(recipient);
        match consent.ask(Question { operation: operation.word(), key: &key }) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Status::permission_denied("Request rejected by user")),
            Err(error) => Err(Status::unknown(error.to_string())),
        }
    }

    fn perform(&self, operation: Operation, recipient: Recipient, bytes: &SecretBytes) -> Result<Outcome, Status> {
        let failed = |error: KeyError| Status::unknown(error.sops_text());
        let bytes = match operation {
            Operation::Encrypt => self.keys.wrap(&recipient, bytes).map_err(failed)?.into_bytes(),
            Operation::Decrypt => {
                let enc = std::str::from_utf8(bytes.expose_secret());
                let enc = enc.map_err(|_| Status::unknown("the wrapped key is no text"))?.to_owned();
                let wrapped = WrappedKey { recipient, created_at: None, enc };
                match self.keys.unwrap(&wrapped).map_err(failed)? {
                    Some(share) => share.expose_secret().to_vec(),
                    None => return Err(Status::unknown(self.keys.said_by_sops(&wrapped.recipient))),
                }
            }
        };
        Ok(Outcome { bytes })
    }
}

/// Finds the operation of a request by its path.
#[derive(Clone)]
struct Routes(Arc<Offer>);

impl Service<http::Request<Body>> for Routes {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let operation = match request.uri().path() {
            ENCRYPT => Operation::Encrypt,
            DECRYPT => Operation::Decrypt,
            other => {
                let unknown = Status::unimplemented(format!("unknown method {other}")).into_http();
                return Box::pin(async { Ok(unknown) });
            }
        };
        let call = Call { operation, offer: Arc::clone(&self.0) };
        Box::pin(async move {
            let codec = ProstCodec::<Outcome, Demand>::default();
            let mut grpc =
                Grpc::new(codec).max_decoding_message_size(MESSAGE_LIMIT).max_encoding_message_size(MESSAGE_LIMIT);
            Ok(grpc.unary(call, request).await)
        })
    }
}

/// One operation as the library wants it.
struct Call {
    operation: Operation,
    offer: Arc<Offer>,
}

impl Service<tonic::Request<Demand>> for Call {
    type Response = Response<Outcome>;
    type Error = Status;
    type Future = BoxFuture<Self::Response, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Demand>) -> Self::Future {
        let offer = Arc::clone(&self.offer);
        let operation = self.operation;
        Box::pin(async move { offer.answer(operation, request.into_inner()).await.map(Response::new) })
    }
}
