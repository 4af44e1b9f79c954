use std::sync::Mutex;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::error::Failure as _;

/// Answers each connection with the next of `answers` (an empty one: closes without a word) and keeps what it was asked.
struct Server {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = receive(&mut stream).await;
                log.lock().unwrap().push(request);
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { base, asked }
    }

    fn settings(&self) -> Settings {
        Settings { repeat: fast(), ..Settings::new(self.base.clone()) }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn receive(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).await.unwrap();
        all.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) || count == 0 {
                return text;
            }
        }
        assert!(count > 0, "the client closed in the middle of its request");
    }
}

fn fast() -> Repeat {
    Repeat { first: Duration::from_millis(1), longest: Duration::from_secs(2), times: 3 }
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn ok() -> String {
    reply("200 OK", "", "{\"n\":1}")
}

const PATH: Call<'static> = Call { segments: &["apps", "demo"], headers: Vec::new() };

#[tokio::test]
async fn reads_and_says_who_asks_where_it_should() {
    let server = Server::start(vec![ok()]).await;
    let credential = Credential {
        scheme: "Bearer ",
        secret: SecretString::new("CANARY-heron".into()),
        origin: "HEROKU_API_KEY".into(),
    };
    let settings =
        Settings { credential: Some(credential), headers: vec![("accept", "text/x".into())], ..server.settings() };
    let client = ReadClient::new(settings).unwrap();
    let segments = ["apps", "..", "a/b?c"];
    let value: serde_json::Value =
        client.get(&Call::new(&segments).header("range", "id ..")).await.unwrap().json().unwrap();
    assert_eq!(value["n"], 1);
    let asked = server.asked()[0].to_lowercase();
    assert!(asked.starts_with("get /apps/a%2fb%3fc http/1.1\r\n"), "{asked}");
    assert!(
        asked.contains("authorization: bearer canary-heron\r\n")
            && asked.contains("accept: text/x\r\n")
            && asked.contains("range: id ..\r\n"),
        "{asked}"
    );
}

#[tokio::test]
async fn refusals_keep_the_vendors_word_and_nothing_of_the_message() {
    for (status, id) in [
        ("401 Unauthorized", "unauthorized"),
        ("403 Forbidden", "two_factor"),
        ("404 Not Found", "not_found"),
        ("409 Conflict", "conflict"),
        ("422 Unprocessable Entity", "invalid_params"),
    ] {
        let body = format!("{{\"id\":\"{id}\",\"message\":\"CANARY-heron is wrong\"}}");
        let server = Server::start(vec![reply(status, "Request-Id: abc-1\r\n", &body)]).await;
        let error = WriteClient::new(server.settings()).unwrap().post(&PATH, &Body::default()).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            format!("`POST /apps/demo` is refused: status {} {id}, request abc-1", &status[..3])
        );
        assert!(!error.is_unanswered() && error.class() == crate::error::Class::World && error.outcome().is_none());
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn what_is_no_plain_word_is_not_repeated() {
    let answer = reply("422 X", "Request-Id: <script>\r\n", "{\"id\":\"postgres://CANARY-heron\"}");
    let server = Server::start(vec![answer]).await;
    let error = ReadClient::new(server.settings()).unwrap().get(&PATH).await.err().unwrap();
    assert_eq!(error.to_string(), "`GET /apps/demo` is refused: status 422");
}

#[tokio::test]
async fn asks_again_after_429_and_5xx_and_a_broken_connection() {
    let answers = vec![reply("429 X", "", ""), reply("503 X", "", "<html>"), String::new(), ok()];
    let server = Server::start(answers).await;
    let client = ReadClient::new(server.settings()).unwrap();
    assert_eq!(client.get(&PATH).await.unwrap().status, 200);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn gives_up_after_the_last_try_and_when_asked_to_wait_too_long() {
    let server = Server::start(vec![reply("502 X", "", ""); 4]).await;
    let error = ReadClient::new(server.settings()).unwrap().get(&PATH).await.err().unwrap();
    assert_eq!((error.status(), server.asked().len()), (Some(502), 4));

    let server = Server::start(vec![reply("429 X", "Retry-After: 3\r\n", "")]).await;
    let error = ReadClient::new(server.settings()).unwrap().get(&PATH).await.err().unwrap();
    assert_eq!((error.status(), server.asked().len()), (Some(429), 1));
}

#[test]
fn retry_after_comes_before_the_own_wait() {
    let refused = |retry_after| HttpError::Refused {
        what: String::new(),
        status: 429,
        id: None,
        request_id: None,
        retry_after,
        credential: None,
    };
    let repeat = Repeat::default();
    let planned = Some(Duration::from_secs(4));
    assert_eq!(repeat.delay(&refused(Some(Duration::from_secs(20))), planned), Some(Duration::from_secs(20)));
    assert_eq!(repeat.delay(&refused(Some(Duration::from_secs(0))), planned), Some(Duration::from_secs(1)));
    assert_eq!(repeat.delay(&refused(Some(Duration::from_secs(61))), planned), None);
    assert_eq!(repeat.delay(&refused(None), planned), planned);
    assert_eq!(repeat.delay(&refused(Some(Duration::from_secs(20))), None), None, "the tries are used up");
}

#[tokio::test]
async fn a_date_to_retry_after_is_counted_from_the_answers_date() {
    let headers = "Date: Sat, 21 Nov 2026 11:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2026 11:00:45 GMT\r\n";
    let server = Server::start(vec![reply("429 X", headers, "")]).await;
    let error = ReadClient::new(server.settings()).unwrap().get(&PATH).await.err().unwrap();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(45)));
}

#[tokio::test]
async fn a_write_is_sent_again_only_when_it_cannot_have_been_processed() {
    let server = Server::start(vec![reply("429 X", "Retry-After: 0\r\n", ""), reply("201 Created", "", "{}")]).await;
    let client = WriteClient::new(server.settings()).unwrap();
    let body = Body::secrets(&[("KEY", Some(&SecretString::new("CANARY-heron".into()))), ("OLD", None)]);
    assert_eq!(client.patch(&PATH, &body).await.unwrap().status, 201);
    assert!(server.asked()[1].ends_with("\r\n\r\n{\"KEY\":\"CANARY-heron\",\"OLD\":null}"), "{}", server.asked()[1]);

    for unclear in [
        String::new(),
        "HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n{".into(),
        reply("500 X", "", ""),
        reply("503 X", "", "{\"id\":\"maintenance\"}"),
    ] {
        let server = Server::start(vec![unclear, ok()]).await;
        let error = WriteClient::new(server.settings()).unwrap().patch(&PATH, &body).await.err().unwrap();
        assert!(error.is_unanswered() && error.outcome() == Some(crate::error::Outcome::Unknown), "{error}");
        assert!(!format!("{error:?}").contains("CANARY"));
        assert_eq!(server.asked().len(), 1, "sent once");
    }
}

#[tokio::test]
async fn nobody_there_is_not_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let settings = Settings { repeat: fast(), ..Settings::new(base) };
    let error = WriteClient::new(settings).unwrap().post(&PATH, &Body::default()).await.err().unwrap();
    assert_eq!(error.to_string(), "`POST /apps/demo` reaches nobody: the connection is refused");
}

#[tokio::test]
async fn follows_a_list_to_its_end() {
    let first = reply("206 Partial Content", "Next-Range: id b..; max=1\r\nRateLimit-Remaining: 77\r\n", "[1]");
    let server = Server::start(vec![first, reply("200 OK", "RateLimit-Remaining: 76\r\n", "[2,3]")]).await;
    let client = ReadClient::new(server.settings()).unwrap();
    let items: Vec<u8> = client.list(&PATH.header("range", "id ..; max=1")).await.unwrap();
    assert_eq!((items, client.remaining()), (vec![1, 2, 3], Some(76)));
    let second = &server.asked()[1];
    assert!(second.contains("range: id b..; max=1\r\n") && !second.contains("id ..;"), "{second}");
}

#[tokio::test]
async fn reads_no_more_than_the_limit_and_follows_no_redirect() {
    let server =
        Server::start(vec![reply("200 OK", "", &"x".repeat(65)), reply("302 Found", "Location: /elsewhere\r\n", "")])
            .await;
    let client = ReadClient::new(Settings { body_limit: 64, ..server.settings() }).unwrap();
    let error = client.get(&PATH).await.err().unwrap();
    assert_eq!(error.to_string(), "`GET /apps/demo` cannot be used: the answer is too large");
    assert_eq!(client.get(&PATH).await.err().unwrap().status(), Some(302));
}

#[tokio::test]
async fn an_upload_carries_no_credential_and_keeps_its_address_secret() {
    let server = Server::start(vec![reply("200 OK", "", ""), reply("403 X", "", "")]).await;
    let credential =
        Credential { scheme: "Bearer ", secret: SecretString::new("CANARY-heron".into()), origin: "x".into() };
    let client = WriteClient::new(Settings { credential: Some(credential), ..server.settings() }).unwrap();
    let address = SecretString::new(format!("{}/put?signature=CANARY-heron", server.base));
    client.upload(&address, b"tarball".to_vec()).await.unwrap();
    let asked = server.asked()[0].to_lowercase();
    assert!(asked.contains("content-length: 7\r\n") && asked.ends_with("tarball"), "{asked}");
    assert!(!asked.contains("authorization") && !asked.contains("content-type"), "{asked}");
    let error = client.upload(&address, b"tarball".to_vec()).await.unwrap_err();
    assert_eq!(error.to_string(), "`PUT to 127.0.0.1` is refused: status 403");
}

#[test]
fn nothing_goes_in_clear_to_another_machine() {
    for base in [
        "http://api.heroku.com",
        "http://127.0.0.1.example.org",
        "ftp://localhost",
        "https://user:pw@localhost",
        "nonsense",
    ] {
        let error = ReadClient::new(Settings::new(base)).err().unwrap();
        assert_eq!(error.class(), crate::error::Class::Usage, "{base}");
    }
    for base in ["http://[::1]:1", "http://localhost:1", "http://127.0.0.1:1"] {
        assert!(ReadClient::new(Settings::new(base)).is_ok(), "{base}");
    }
}

/// A certificate of its own authority and a server that shows it.
async fn tls_server(name: &str) -> (String, std::net::SocketAddr) {
    let issued = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(issued.signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(ok().as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (issued.cert.pem(), address)
}

#[tokio::test]
async fn only_the_given_authority_is_trusted() {
    let (pem, address) = tls_server("localhost").await;
    let base = format!("https://localhost:{}", address.port());
    let settings = Settings { repeat: fast(), ..Settings::new(base) };
    let error = ReadClient::new(settings.clone()).unwrap().get(&PATH).await.err().unwrap();
    assert_eq!(error.to_string(), "`GET /apps/demo` reaches nobody: its certificate is not trusted");
    let trusting = Settings { extra_root: Some(pem.into_bytes()), ..settings };
    assert_eq!(ReadClient::new(trusting).unwrap().get(&PATH).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_visit_checks_the_name_in_the_certificate() {
    let (pem, address) = tls_server("api.example.org").await;
    let visit = |url| Visit { url, address, authority: Some(pem.as_bytes()), time_limit: Duration::from_secs(10) };
    assert_eq!(visit("https://api.example.org/x").status().await, Ok(200));
    let other = visit("https://www.example.org/").status().await;
    assert_eq!(other, Err(VisitError::Certificate("the certificate is for another name")));
    let stranger = Visit { authority: None, ..visit("https://api.example.org/") }.status().await;
    assert!(matches!(stranger, Err(VisitError::Certificate(_))), "{stranger:?}");
    assert!(matches!(visit("http://api.example.org/").status().await, Err(VisitError::NoAnswer(_))));
}
