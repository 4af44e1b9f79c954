//! The wire: messages in and out over UDP and TCP, signatures, transfers.

use std::sync::Arc;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm, TsigError};
use hickory_proto::rr::{Name, RecordType, TSigResponseContext, TSigner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::lookup::{View, answer};
use super::update::update;
use super::zone_of;
use crate::sandbox::endpoint::TSIG_NAME;
use crate::sandbox::error::SandboxError;
use crate::sandbox::fault::FaultKind;
use crate::sandbox::server::{Asked as Request, Shared};
use crate::sandbox::state::State;
use crate::sandbox::vault::{Vault, base64};
use crate::secret::SecretString;

/// Seconds by which a signer's clock may differ.
const FUDGE: u16 = 300;
/// Bytes of a UDP answer to a client that does not say what it can take, and to one that does.
const UDP_PLAIN: usize = 512;
const UDP_LARGEST: usize = 1232;

/// The world's TSIG key in base64.
pub(in crate::sandbox) fn tsig_key(vault: &Vault) -> SecretString {
    SecretString::new(base64(&vault.derive("tsig")))
}

/// One of the two name servers.
pub(in crate::sandbox) struct NameServer {
    shared: Arc<Shared>,
    number: usize,
    signer: TSigner,
}

/// A message with what its answer needs.
struct Asked {
    message: Message,
    signed: Signed,
}

enum Signed {
    No,
    Well(Vec<u8>),
    Badly(TSigResponseContext),
}

impl NameServer {
    /// The first server (0) or the second (1).
    ///
    /// # Errors
    /// When the TSIG key cannot be made.
    pub(in crate::sandbox) fn new(shared: Arc<Shared>, number: usize) -> Result<Self, SandboxError> {
        let key = shared.vault.derive("tsig").to_vec();
        let name = Name::from_ascii(TSIG_NAME).map_err(|_| SandboxError::Sealing)?;
        let signer = TSigner::new(key, TsigAlgorithm::HmacSha256, name, FUDGE).map_err(|_| SandboxError::Sealing)?;
        Ok(Self { shared, number, signer })
    }

    /// Answers datagrams for ever.
    pub(in crate::sandbox) async fn serve_udp(self: Arc<Self>, socket: UdpSocket) {
        let socket = Arc::new(socket);
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
            let (server, socket, request) = (Arc::clone(&self), Arc::clone(&socket), buffer[..length].to_vec());
            // A task each: what one message does to its reader is no other message's trouble.
            tokio::spawn(async move {
                if let Some(response) = server.respond(&request, Some(UDP_PLAIN)) {
                    let _ = socket.send_to(&response, peer).await;
                }
            });
        }
    }

    /// Answers connections for ever.
    pub(in crate::sandbox) async fn serve_tcp(self: Arc<Self>, listener: TcpListener) {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&self).converse(stream));
            }
        }
    }

    async fn converse(self: Arc<Self>, mut stream: TcpStream) {
        while let Ok(length) = stream.read_u16().await {
            let mut request = vec![0; usize::from(length)];
            if stream.read_exact(&mut request).await.is_err() {
                return;
            }
            let Some(response) = self.respond(&request, None) else { return };
            let Ok(length) = u16::try_from(response.len()) else { return };
            let framed = [&length.to_be_bytes()[..], &response].concat();
            if stream.write_all(&framed).await.is_err() {
                return;
            }
        }
    }

    /// The answer to one message; none where the server keeps silent.
    fn respond(&self, bytes: &[u8], limit: Option<usize>) -> Option<Vec<u8>> {
        let message = Message::from_vec(bytes).ok()?;
        if message.metadata.message_type != MessageType::Query {
            return None;
        }
        let now = (self.shared.clock)();
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let asked = Asked { signed: self.check_signature(&message, bytes, seconds), message };
        let (method, path) = described(&asked.message, self.number);

        let mut response = None;
        let request = Request { service: "dns", method, path: &path, names: Vec::new() };
        let kept = self.shared.serve(request, |state| {
            let fault = state.fault_on(method, &path);
            response = match fault {
                Some(FaultKind::DnsSilent | FaultKind::HangBefore) => None,
                Some(FaultKind::DnsRefused) => Some(empty(&asked.message, ResponseCode::Refused)),
                Some(FaultKind::DnsIgnored) => Some(empty(&asked.message, ResponseCode::NoError)),
                Some(FaultKind::HangAfter) => {
                    self.answer(state, &asked, limit.is_some());
                    None
                }
                _ => Some(self.answer(state, &asked, limit.is_some())),
            };
            ((), response.as_ref().map(|response| response.metadata.response_code.to_string()))
        });
        if kept.is_err() {
            return empty(&asked.message, ResponseCode::ServFail).to_vec().ok();
        }
        self.encode(response?, asked, seconds, limit)
    }

    fn answer(&self, state: &mut State, asked: &Asked, udp: bool) -> Message {
        let message = &asked.message;
        let mut response = empty(message, ResponseCode::NoError);
        if matches!(asked.signed, Signed::Badly(_)) {
            response.metadata.response_code = ResponseCode::NotAuth;
            return response;
        }
        let signed = matches!(asked.signed, Signed::Well(_));
        match message.metadata.op_code {
            // The second server passes nothing on.
            OpCode::Update if !signed || self.number > 0 => response.metadata.response_code = ResponseCode::Refused,
            OpCode::Update => response.metadata.response_code = update(state, message),
            OpCode::Query => self.answer_query(state, message, signed, udp, &mut response),
            _ => response.metadata.response_code = ResponseCode::NotImp,
        }
        response
    }

    fn answer_query(&self, state: &mut State, message: &Message, signed: bool, udp: bool, response: &mut Message) {
        let [query] = message.queries.as_slice() else {
            response.metadata.response_code = ResponseCode::FormErr;
            return;
        };
        if matches!(query.query_type(), RecordType::AXFR | RecordType::IXFR) {
            let zone = zone_of(state, query.name()).filter(|zone| zone.name == query.name().to_lowercase().to_string());
            match zone {
                None => response.metadata.response_code = ResponseCode::NotAuth,
                Some(_) if !signed || udp => response.metadata.response_code = ResponseCode::Refused,
                Some(zone) => {
                    response.metadata.authoritative = true;
                    response.add_answers(View::of(zone, self.number).transfer());
                }
            }
            return;
        }
        answer(state, self.number, query, response);
        if self.number > 0 {
            let name = zone_of(state, query.name()).map(|zone| zone.name.clone());
            if let Some(zone) = name.and_then(|name| state.zones.get_mut(&name)) {
                catch_up(zone);
            }
        }
    }

    /// *Source*: RFC 8945, 5.2: key, then signature, then time.
    fn check_signature(&self, message: &Message, bytes: &[u8], now: u64) -> Signed {
        let Some(signature) = message.signature() else { return Signed::No };
        let id = message.metadata.id;
        if &signature.name != self.signer.signer_name() || &signature.data.algorithm != self.signer.algorithm() {
            return Signed::Badly(TSigResponseContext::unknown_key(id, now, signature.name.clone()));
        }
        match self.signer.verify_message_byte(bytes, None, true) {
            Ok((mac, _, range)) if range.contains(&now) => Signed::Well(mac),
            Ok((mac, _, _)) => {
                let error = Some(TsigError::BadTime);
                Signed::Badly(TSigResponseContext::new(id, now, self.signer.clone(), mac, error))
            }
            Err(_) => Signed::Badly(TSigResponseContext::bad_signature(id, now, self.signer.clone())),
        }
    }

    fn encode(&self, mut response: Message, asked: Asked, now: u64, limit: Option<usize>) -> Option<Vec<u8>> {
        let mut limit = limit;
        if let Some(edns) = &asked.message.edns {
            let mut own = Edns::new();
            own.set_max_payload(UDP_LARGEST as u16);
            response.set_edns(own);
            limit = limit.map(|_| usize::from(edns.max_payload()).clamp(UDP_PLAIN, UDP_LARGEST));
        }
        let mut bytes = response.to_vec().ok()?;
        if limit.is_some_and(|limit| bytes.len() > limit) {
            response = response.truncate();
            bytes = response.to_vec().ok()?;
        }
        let id = response.metadata.id;
        let context = match asked.signed {
            Signed::No => return Some(bytes),
            Signed::Well(mac) => TSigResponseContext::new(id, now, self.signer.clone(), mac, None),
            Signed::Badly(context) => context,
        };
        response.set_signature(context.sign(&bytes).ok()?);
        response.to_vec().ok()
    }
}

/// A question asked of the second server brings it nearer to what the first one says.
fn catch_up(zone: &mut crate::sandbox::state::Zone) {
    if let Some(behind) = &mut zone.behind {
        behind.left = behind.left.saturating_sub(1);
        if behind.left == 0 {
            zone.behind = None;
        }
    }
}

fn empty(message: &Message, code: ResponseCode) -> Message {
    let mut response = Message::response(message.metadata.id, message.metadata.op_code);
    response.metadata.recursion_desired = message.metadata.recursion_desired;
    response.metadata.response_code = code;
    response.add_queries(message.queries.iter().cloned());
    response
}

/// The message as the log of requests and the faults know it.
fn described(message: &Message, number: usize) -> (&'static str, String) {
    let server = number + 1;
    if message.metadata.op_code == OpCode::Update {
        let changed = message.authorities.first().or(message.answers.first());
        let what = changed.map(|record| (record.name.clone(), record.record_type()));
        let (name, kind) = what.unwrap_or_else(|| (Name::root(), RecordType::ANY));
        return ("UPDATE", format!("/ns{server}/{name}/{kind}"));
    }
    let what = message.queries.first().map(|query| format!("{}/{}", query.name(), query.query_type()));
    ("QUERY", format!("/ns{server}/{}", what.unwrap_or_default()))
}
