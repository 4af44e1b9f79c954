//! Against a listener that says what it is told to.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

/// Answers each connection with `answer` and gives what it heard.
fn server(answer: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            head.push(byte[0]);
        }
        let _ = stream.write_all(&answer);
        String::from_utf8_lossy(&head).into_owned()
    });
    (address, heard)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn wire(trust: Trust) -> Wire {
    Wire::new(Background::default(), trust)
}

#[test]
fn an_answer_of_any_status_is_one_and_no_redirect_is_followed() {
    let (address, heard) = server(answer("307 Away", "location: http://127.0.0.1:1/\r\nx-id: 7\r\n", b"{\"a\":1}"));
    let request = Request::post(format!("http://{address}/a?b=CANARY")).header("x-b", "1").json(&[1, 2]);
    let answer = wire(Trust::default()).send(request).unwrap();
    assert_eq!((answer.status, answer.header("x-id"), answer.reason()), (307, Some("7"), "Temporary Redirect"));
    assert_eq!(answer.json::<std::collections::BTreeMap<String, u8>>().unwrap()["a"], 1);
    let heard = heard.join().unwrap();
    assert!(heard.starts_with("POST /a?b=CANARY HTTP/1.1\r\n") && heard.contains("x-b: 1"), "{heard}");
}

#[test]
fn errors_name_no_query_and_answers_have_an_end() {
    let (address, _) = server(answer("200 OK", "", &vec![b'x'; ANSWER_LIMIT + 1]));
    let error = wire(Trust::default()).send(Request::get(format!("http://{address}/a?token=CANARY"))).unwrap_err();
    assert_eq!(error, WireError::TooLong { what: format!("GET http://{address}/a"), limit: ANSWER_LIMIT });

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = wire(Trust::default()).send(Request::get(format!("http://u:CANARY@{free}/a"))).unwrap_err();
    assert_eq!(error.to_string(), format!("GET http://{free}/a: connect: connection refused"));
    assert!(error.may_pass());
    let error = wire(Trust::default()).send(Request::get("no address")).unwrap_err();
    assert!(matches!(error, WireError::Unsendable { .. }), "{error}");
    let missing = Trust { authorities: Some("/nowhere/ca.crt".into()), ..Trust::default() };
    let error = wire(missing).send(Request::get(format!("http://{free}/"))).unwrap_err();
    assert!(matches!(error, WireError::Settings(_)), "{error}");
}

#[test]
fn a_proxy_is_asked_for_others_and_never_for_this_machine() {
    let (proxy, heard) = server(answer("200 OK", "", b"by proxy"));
    let trust = Trust { clear_proxy: Some(format!("http://{proxy}")), ..Trust::default() };
    let (address, direct) = server(answer("200 OK", "", b"direct"));
    let wire = wire(trust);
    assert_eq!(wire.send(Request::get(format!("http://{address}/"))).unwrap().text(), Some("direct"));
    assert_eq!(wire.send(Request::get("http://vault.example/x")).unwrap().text(), Some("by proxy"));
    assert!(direct.join().unwrap().starts_with("GET / "));
    assert!(heard.join().unwrap().starts_with("GET http://vault.example/x "));

    let (proxy, heard) = server(answer("200 OK", "", b"by proxy"));
    let every = Trust { only_proxy: Some(format!("http://{proxy}")), ..Trust::default() };
    assert_eq!(self::wire(every).send(Request::get("http://127.0.0.1:1/")).unwrap().text(), Some("by proxy"));
    drop(heard.join());
}

#[test]
fn forms_and_hosts() {
    assert_eq!(form(&[("a b", "c&d=é"), ("e", "~")]).as_slice(), b"a+b=c%26d%3D%C3%A9&e=~");
    assert_eq!(authority("https://h.example:443/x"), "h.example");
    assert_eq!(authority("http://[::1]:8200/x"), "[::1]:8200");
}
