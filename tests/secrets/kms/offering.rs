//! The key service offered by the command: to many, to hostile ones, with somebody to ask, and to its end.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use expectrl::Expect as _;
use lockage::keys::{KeyServices, Recipient, RemoteKeys, ServiceAddress, WrappedKey, published};
use lockage::secret::SecretBytes;
use lockage::system::at_once::at_once;
use lockage::system::background::Background;
use rustix::process::{Pid, Signal, kill_process};

use super::lab::Lab;

const KEY_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/secrets/published-test-key.txt");

fn age() -> Recipient {
    Recipient::parse_age(published::RECIPIENT).unwrap()
}

fn wrapped() -> WrappedKey {
    let enc = KeyServices::from(lockage::keys::Keyring::new()).wrap(&age(), &SecretBytes::new(vec![7; 32])).unwrap();
    WrappedKey { recipient: age(), created_at: None, enc }
}

/// A service in a terminal of its own, and a client.
struct Offered {
    lab: Lab,
    session: expectrl::session::OsSession,
}

impl Offered {
    fn new(flags: &[&str]) -> Self {
        let lab = Lab::new().env("SOPS_AGE_KEY_FILE", KEY_FILE).env("TERM", "xterm");
        let mut command = lab.command(env!("CARGO_BIN_EXE_lockage"));
        let uri = format!("unix://{}", lab.home().join("keys.sock").display());
        command.args(["keyservice", "--listen", &uri]).args(flags).stdin(Stdio::inherit());
        let mut session = expectrl::Session::spawn(command).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(60)));
        session.expect("Listening on").unwrap();
        Self { lab, session }
    }

    fn client(&self) -> KeyServices {
        let address = ServiceAddress::Unix(self.lab.home().join("keys.sock"));
        KeyServices::new().with(RemoteKeys::new(address, Background::default()))
    }

    /// Ends it as somebody at the terminal does.
    fn interrupt(mut self) {
        let socket = self.lab.home().join("keys.sock");
        kill_process(Pid::from_raw(self.session.get_process().pid().as_raw()).unwrap(), Signal::INT).unwrap();
        self.session.expect(expectrl::Eof).unwrap();
        let status = self.session.get_process().wait().unwrap();
        assert!(matches!(status, expectrl::process::unix::WaitStatus::Exited(_, 0)), "{status:?}");
        assert!(!socket.exists(), "the socket file is gone");
    }
}

#[test]
fn many_clients_are_answered_and_an_interrupt_removes_the_socket() {
    let offered = Offered::new(&[]);
    let clients: Vec<KeyServices> = (0..32).map(|_| offered.client()).collect();
    let opened = at_once(&clients, 32, |client| client.unwrap(&wrapped()).map(|share| share.len()).ok());
    assert!(opened.iter().all(|length| *length == Some(32)), "{opened:?}");
    offered.interrupt();
}

#[test]
fn hostile_bytes_do_not_end_it() {
    let offered = Offered::new(&[]);
    let socket = offered.lab.home().join("keys.sock");
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    // A frame that claims 16 MiB; settings for a stream; an endless header.
    let frame = |length: [u8; 3], kind: u8, flags: u8, stream: u32| {
        [&length[..], &[kind, flags], &stream.to_be_bytes()].concat()
    };
    let hostile: Vec<Vec<u8>> = vec![
        vec![0xff; 70_000],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        [preface.clone(), frame([0xff, 0xff, 0xff], 0, 0, 1)].concat(),
        [preface.clone(), frame([0, 0, 1], 4, 0, 7), vec![0]].concat(),
        [preface.clone(), frame([0, 0, 0], 4, 0, 0), frame([0x40, 0, 0], 1, 0, 1), vec![0x82; 0x4000]].concat(),
        preface,
    ];
    for bytes in hostile {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let _ = stream.write_all(&bytes);
        let _ = stream.read(&mut [0; 1024]);
    }
    // What is longer than any wrapped key is refused, too.
    let long = WrappedKey { enc: "A".repeat(8 << 20), ..wrapped() };
    assert!(offered.client().unwrap(&long).is_err());
    assert_eq!(offered.client().unwrap(&wrapped()).unwrap().expose_secret(), [7; 32]);
    offered.interrupt();
}

#[test]
fn somebody_at_the_terminal_decides() {
    let mut offered = Offered::new(&["--prompt"]);
    let client = offered.client();
    let (asking, key) = (client.clone(), wrapped());
    let mut ask = |answers: &[&str]| {
        let (client, key) = (asking.clone(), key.clone());
        let waiting = std::thread::spawn(move || client.unwrap(&key));
        for answer in answers {
            offered.session.expect("Respond to request? (y/n):").unwrap();
            offered.session.send_line(answer).unwrap();
        }
        waiting.join().unwrap().map_err(|refusals| refusals[0].sops.clone())
    };
    let refused = |said: Result<SecretBytes, String>| said.map(|share| share.len()).unwrap_err();
    assert!(refused(ask(&["n"])).ends_with("code = PermissionDenied desc = Request rejected by user"));
    assert!(refused(ask(&[""])).ends_with("code = Unknown desc = unexpected newline"));
    assert!(refused(ask(&["maybe", "n"])).ends_with("Request rejected by user"), "another word repeats the question");
    assert_eq!(ask(&["y"]).unwrap().expose_secret(), [7; 32]);
    drop(client);
    offered.interrupt();
}
