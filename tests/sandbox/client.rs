//! The smallest client: one request over a connection of its own, and its answer as it came.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use lockage::sandbox::World;
use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// One request with the account's token and the version; `headers` come after and win nothing.
pub fn send(world: &World, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<Reply> {
    let endpoint = world.endpoint();
    let mut all = vec![
        ("Authorization", format!("Bearer {}", endpoint.heroku_token.expose_secret())),
        ("Accept", "application/vnd.heroku+json; version=3".to_owned()),
    ];
    for (name, value) in headers {
        all.retain(|(known, _)| known != name);
        if !value.is_empty() {
            all.push((name, (*value).to_owned()));
        }
    }
    let address = endpoint.heroku_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in all {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("no answer"))?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into()));
    Ok(Reply { status: status.unwrap(), headers: headers.collect(), body: body.into() })
}

/// One request with a JSON body, whose answer must have this status.
pub fn ask(world: &World, method: &str, path: &str, body: Value, status: u16) -> Value {
    let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let reply = send(world, method, path, &[], &bytes).unwrap();
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
    if reply.body.is_empty() { Value::Null } else { reply.json() }
}

/// A GET that must succeed.
pub fn get(world: &World, path: &str) -> Value {
    ask(world, "GET", path, Value::Null, 200)
}
