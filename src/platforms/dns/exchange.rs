//! One question to one name server and its answer: UDP, and TCP where the answer or the question is too long.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// A datagram may be lost; a question is put this often.
const TRIES: usize = 3;

const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Longer messages go by TCP: what every server takes in one datagram (RFC 1035, 2.3.4).
const DATAGRAM: usize = 512;

/// One name server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::platforms) struct Server {
    /// As it was named, for people.
    pub(in crate::platforms) name: String,
    /// Where it is.
    pub(in crate::platforms) address: SocketAddr,
}

/// Why there is no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::platforms) enum ExchangeError {
    /// Nothing was sent.
    #[error("`{server}` is not there: {why}")]
    NotSent {
        /// The server.
        server: String,
        /// Why.
        why: String,
    },
    /// Something was sent, and nothing came back.
    #[error("`{server}` does not answer")]
    Silent {
        /// The server.
        server: String,
    },
    /// The answer says no.
    #[error("`{server}` answers {code}")]
    Code {
        /// The server.
        server: String,
        /// The response code's number.
        code: u16,
    },
    /// The answer is not from the zone's own data.
    #[error("`{server}` is not authoritative for `{name}`")]
    NotAuthoritative {
        /// The server.
        server: String,
        /// The name asked for.
        name: String,
    },
}

/// The address of a server given as `host`, `host:port`, `address`, `address:port` or `[address]:port`.
///
/// # Errors
/// [`ExchangeError::NotSent`] when the host has no address.
pub(in crate::platforms) async fn server(name: &str) -> Result<Server, ExchangeError> {
    if let Ok(address) = name.parse::<SocketAddr>() {
        return Ok(Server { name: name.to_owned(), address });
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(Server { name: name.to_owned(), address: SocketAddr::new(address, 53) });
    }
    let (host, port) = match name.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => (host, port),
        None => (name, 53_u16),
    };
    let failed = |why: &str| ExchangeError::NotSent { server: name.to_owned(), why: why.to_owned() };
    let mut addresses = tokio::net::lookup_host((host, port)).await.map_err(|_| failed("its name has no address"))?;
    let address = addresses.next().ok_or_else(|| failed("its name has no address"))?;
    Ok(Server { name: name.to_owned(), address })
}

/// A message's number, which no other sender can guess.
pub(in crate::platforms) fn new_id() -> u16 {
    let mut bytes = [0; 2];
    // Without randomness the number is 0 and the answer is still bound to our own port.
    let _ = getrandom::fill(&mut bytes);
    u16::from_ne_bytes(bytes)
}

/// Asks for the records of one name and type, not recursively, and takes only the zone's own data for an answer.
///
/// A CNAME in place of the records asked for is among the answers; so the caller picks by type.
///
/// # Errors
/// [`ExchangeError`].
pub(in crate::platforms) async fn authoritative(
    server: &Server,
    name: &Name,
    kind: RecordType,
) -> Result<Message, ExchangeError> {
    let answer = query(server, name, kind, false).await?;
    match answer.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain if answer.metadata.authoritative => Ok(answer),
        ResponseCode::NoError | ResponseCode::NXDomain => {
            Err(ExchangeError::NotAuthoritative { server: server.name.clone(), name: name.to_ascii() })
        }
        code => Err(ExchangeError::Code { server: server.name.clone(), code: code.into() }),
    }
}

/// Asks for the records of one name and type.
///
/// # Errors
/// [`ExchangeError`] when there is no answer, whatever its code.
pub(in crate::platforms) async fn query(
    server: &Server,
    name: &Name,
    kind: RecordType,
    recursive: bool,
) -> Result<Message, ExchangeError> {
    let mut message = Message::query();
    message.metadata.id = new_id();
    message.metadata.recursion_desired = recursive;
    message.add_query(Query::query(name.clone(), kind));
    let bytes = encode(&message, server)?;
    let mut result = Err(ExchangeError::Silent { server: server.name.clone() });
    for _ in 0..TRIES {
        result = by_udp(server, &bytes).await;
        match &result {
            Err(ExchangeError::Silent { .. }) => {}
            _ => break,
        }
    }
    match result {
        Ok((answer, _)) if answer.metadata.truncation => by_tcp(server, &bytes).await.map(|(answer, _)| answer),
        other => other.map(|(answer, _)| answer),
    }
}

/// Sends a change, once; an answer that is cut off was an answer all the same.
///
/// # Errors
/// [`ExchangeError::NotSent`]: it certainly did not arrive; [`ExchangeError::Silent`]: it may have.
pub(in crate::platforms) async fn send_once(
    server: &Server,
    message: &Message,
) -> Result<(Message, Vec<u8>), ExchangeError> {
    let bytes = encode(message, server)?;
    if bytes.len() > DATAGRAM { by_tcp(server, &bytes).await } else { by_udp(server, &bytes).await }
}

fn encode(message: &Message, server: &Server) -> Result<Vec<u8>, ExchangeError> {
    let failed = |_| ExchangeError::NotSent { server: server.name.clone(), why: "the message is too long".into() };
    message.to_vec().map_err(failed)
}

async fn by_udp(server: &Server, bytes: &[u8]) -> Result<(Message, Vec<u8>), ExchangeError> {
    let not_sent = |error: std::io::Error| ExchangeError::NotSent { server: server.name.clone(), why: kind(&error) };
    let any: IpAddr =
        if server.address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.map_err(not_sent)?;
    // Connected: only this address may answer, and a closed port is an error and no silence.
    socket.connect(server.address).await.map_err(not_sent)?;
    socket.send(bytes).await.map_err(not_sent)?;
    let silent = || ExchangeError::Silent { server: server.name.clone() };
    let answer = async {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = socket.recv(&mut buffer).await.map_err(|error| match error.kind() {
                std::io::ErrorKind::ConnectionRefused => not_sent(error),
                _ => silent(),
            })?;
            // Whatever is no answer to this very question is somebody else's.
            if let Some(answer) = answer_to(bytes, &buffer[..count]) {
                return Ok((answer, buffer[..count].to_vec()));
            }
        }
    };
    timeout(ANSWER_WITHIN, answer).await.unwrap_or_else(|_| Err(silent()))
}

async fn by_tcp(server: &Server, bytes: &[u8]) -> Result<(Message, Vec<u8>), ExchangeError> {
    let not_sent = |why: String| ExchangeError::NotSent { server: server.name.clone(), why };
    let silent = || ExchangeError::Silent { server: server.name.clone() };
    let length = u16::try_from(bytes.len()).map_err(|_| not_sent("the message is too long".into()))?;
    let connect = timeout(ANSWER_WITHIN, TcpStream::connect(server.address)).await;
    let mut stream = connect.map_err(|_| not_sent("no connection".into()))?.map_err(|error| not_sent(kind(&error)))?;
    let answer = async {
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend_from_slice(bytes);
        stream.write_all(&framed).await?;
        let length = stream.read_u16().await?;
        let mut buffer = vec![0; usize::from(length)];
        stream.read_exact(&mut buffer).await?;
        Ok::<_, std::io::Error>(buffer)
    };
    let buffer = timeout(ANSWER_WITHIN * 3, answer).await.map_err(|_| silent())?.map_err(|_| silent())?;
    let answer = answer_to(bytes, &buffer).ok_or_else(silent)?;
    Ok((answer, buffer))
}

/// The message, if it is a response with the question's number and, where it repeats the question, the same one.
fn answer_to(question: &[u8], bytes: &[u8]) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    let question = Message::from_vec(question).ok()?;
    let same = answer.queries.is_empty() || answer.queries == question.queries;
    let response = answer.metadata.message_type == hickory_proto::op::MessageType::Response;
    (response && same && answer.metadata.id == question.metadata.id).then_some(answer)
}

/// The records of that name and type among an answer's.
pub(in crate::platforms) fn answers<'a>(
    message: &'a Message,
    name: &'a Name,
    kind: RecordType,
) -> impl Iterator<Item = (u32, &'a RData)> {
    let wanted = move |record: &&hickory_proto::rr::Record| record.name == *name && record.record_type() == kind;
    message.answers.iter().filter(wanted).map(|record| (record.ttl, &record.data))
}

fn kind(error: &std::io::Error) -> String {
    error.kind().to_string()
}
