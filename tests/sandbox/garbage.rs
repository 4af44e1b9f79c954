//! Bytes that are no requests: the world goes on answering.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};

use lockage::sandbox::Stack;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::client::get;
use crate::world::{Served, demo};

/// A question for the SOA record of example.org, to be damaged.
const QUESTION: &[u8] = b"\x00\x07\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x06\x00\x01";

/// Whether a question gets its answer. A datagram may be lost while the garbage before it fills the server's queue, so it is
/// asked again a few times.
fn answers(served: &Served) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(2))).unwrap();
    (0..5).any(|_| {
        socket.send_to(QUESTION, served.world.endpoint().dns[0]).unwrap();
        socket.recv(&mut [0; 512]).is_ok_and(|length| length > QUESTION.len())
    })
}

#[test]
fn damaged_messages_harm_nobody_else() {
    let served = Served::start(demo(Stack::Container));
    let servers = served.world.endpoint().dns;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..600),
        // A whole question with a few bytes changed and the counts of its sections made up.
        (
            proptest::collection::vec((0..QUESTION.len(), any::<u8>()), 1..6),
            proptest::collection::vec(any::<u8>(), 0..80)
        )
            .prop_map(|(changes, tail)| {
                let mut message = QUESTION.to_vec();
                for (at, byte) in changes {
                    message[at] = byte;
                }
                message.extend(tail);
                message
            }),
    ];
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    runner
        .run(&bytes, |bytes| {
            for server in servers {
                socket.send_to(&bytes, server).unwrap();
            }
            Ok(())
        })
        .unwrap();
    let mut stream = TcpStream::connect(servers[0]).unwrap();
    stream.write_all(b"\xff\xffshort").unwrap();
    drop(stream);
    assert!(answers(&served));
    assert!(get(&served.world, "/apps").is_array());
}

#[test]
fn what_is_no_http_is_turned_away() {
    let served = Served::start(demo(Stack::Container));
    let address = served.world.endpoint().heroku_url.trim_start_matches("http://").to_owned();
    for bytes in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"GET /%zz%/..//apps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 2"));
    }
    assert!(get(&served.world, "/apps").is_array());
}
