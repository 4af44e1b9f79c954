//! A key service somewhere else.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use super::keys::message;
use super::messages::{Demand, Outcome};
use super::{DECRYPT, ENCRYPT, MESSAGE_LIMIT, ServiceAddress};
use crate::error::Class;
use crate::keys::{KeyError, KeyKind, KeyService, Recipient, ServiceError, WrappedKey};
use crate::secret::SecretBytes;
use crate::system::background::Background;

/// No connection takes longer to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long an answer may take: somebody may be asked at the other end.
const ANSWER_LIMIT: Duration = Duration::from_secs(300);

/// Asks a key service at an address. One connection carries every question, many at once; a question is sent once, for
/// there may be a person who would be asked twice.
pub struct RemoteKeys {
    address: ServiceAddress,
    background: Background,
    channel: Mutex<Option<Channel>>,
}

impl RemoteKeys {
    /// A service to which nothing is sent until it is asked.
    #[must_use]
    pub fn new(address: ServiceAddress, background: Background) -> Self {
        Self { address, background, channel: Mutex::new(None) }
    }

    fn ask(&self, path: &'static str, recipient: &Recipient, bytes: Vec<u8>) -> Result<SecretBytes, KeyError> {
        let demand = Demand { key: Some(message(recipient)), bytes };
        let channel = self.channel(recipient)?;
        let answer = self.background.run(async move {
            let mut client =
                Grpc::new(channel).max_decoding_message_size(MESSAGE_LIMIT).max_encoding_message_size(MESSAGE_LIMIT);
            client.ready().await.map_err(|error| Status::unavailable(cause(&error)))?;
            let codec = ProstCodec::<Demand, Outcome>::default();
            client.unary(tonic::Request::new(demand), PathAndQuery::from_static(path), codec).await
        });
        let answer = answer.map_err(|error| self.failed(recipient, Class::World, error.to_string(), None))?;
        match answer {
            Ok(answer) => Ok(SecretBytes::new(std::mem::take(&mut answer.into_inner().bytes))),
            Err(status) => Err(self.refused(recipient, &status)),
        }
    }

    /// The connection, which comes about with the first question.
    fn channel(&self, recipient: &Recipient) -> Result<Channel, KeyError> {
        let mut held = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = &*held {
            return Ok(channel.clone());
        }
        let target = match &self.address {
            ServiceAddress::Unix(path) => format!("unix://{}", path.display()),
            ServiceAddress::Tcp(host) => format!("http://{host}"),
        };
        let endpoint = Endpoint::from_shared(target)
            .map_err(|_| self.failed(recipient, Class::Usage, "its address cannot be used".into(), None))?
            .connect_timeout(CONNECT_LIMIT)
            .timeout(ANSWER_LIMIT);
        let handle = self.background.handle();
        let handle = handle.map_err(|error| self.failed(recipient, Class::World, error.to_string(), None))?;
        // The channel's own task starts on the runtime that is entered here.
        let _entered = handle.enter();
        let channel = endpoint.connect_lazy();
        *held = Some(channel.clone());
        Ok(channel)
    }

    fn refused(&self, recipient: &Recipient, status: &Status) -> KeyError {
        let class = match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => Class::World,
            _ => Class::Untrusted,
        };
        // The library's own message only says that there was an error; the reason is below it.
        let away = status.code() == Code::Unavailable && std::error::Error::source(status).is_some();
        let said = if away { printable(&cause(status)) } else { printable(status.message()) };
        let sops = format!("rpc error: code = {} desc = {said}", code(status.code()));
        let said = if status.code() == Code::Unavailable { said } else { format!("{said} ({})", code(status.code())) };
        self.failed(recipient, class, said, Some(sops))
    }

    fn failed(&self, recipient: &Recipient, class: Class, said: String, sops: Option<String>) -> KeyError {
        let problem = format!("the key service at `{}`: {said}", self.address);
        ServiceError { sops, ..ServiceError::new(recipient.id(), class, problem) }.into()
    }
}

impl KeyService for RemoteKeys {
    /// Whatever the kind is, it is somewhere else.
    fn waits(&self, _: KeyKind) -> bool {
        true
    }

    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        let enc = self.ask(ENCRYPT, recipient, share.expose_secret().to_vec())?;
        match std::str::from_utf8(enc.expose_secret()) {
            Ok(enc) if !enc.is_empty() => Ok(enc.to_owned()),
            Ok(_) => Err(self.failed(recipient, Class::Untrusted, "it gave no wrapped key".into(), None)),
            Err(_) => Err(self.failed(recipient, Class::Untrusted, "its wrapped key is no text".into(), None)),
        }
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        let share = self.ask(DECRYPT, &wrapped.recipient, wrapped.enc.clone().into_bytes())?;
        if share.is_empty() {
            let nothing = "it gave no data key".to_owned();
            return Err(self.failed(&wrapped.recipient, Class::Untrusted, nothing, None));
        }
        Ok(Some(share))
    }

    fn identities(&self) -> Vec<String> {
        vec![format!("the key service at `{}`", self.address)]
    }
}

/// The innermost reason that a connection did not come about.
fn cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// The name of a code as the program at the other end spells it.
fn code(code: Code) -> String {
    match code {
        Code::Cancelled => "Canceled".to_owned(),
        Code::Ok => "OK".to_owned(),
        other => format!("{other:?}"),
    }
}

/// What a server says, bounded and without control characters, so that it cannot repaint a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter }).take(4000).collect()
}
