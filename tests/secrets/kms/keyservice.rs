//! The key service: our client with the server of the real `sops`, its client with our server, and the command.

use std::process::Stdio;

use lockage::document::Format;
use lockage::keys::{KeyServices, Recipient, RemoteKeys, ServiceAddress, published};
use lockage::sops::EncryptedFile;
use lockage::system::background::Background;

use super::lab::{Lab, PLAIN, Server, free_port};
use crate::common::peer;

const KEY_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/secrets/published-test-key.txt");

fn age() -> Recipient {
    Recipient::parse_age(published::RECIPIENT).unwrap()
}

fn remote(address: &str) -> KeyServices {
    let address = ServiceAddress::parse(address).unwrap();
    KeyServices::new().with(RemoteKeys::new(address, Background::default()))
}

#[test]
fn our_client_works_with_the_server_of_sops() {
    let Some(sops) = peer("sops") else { return };
    let lab = Lab::new().env("SOPS_AGE_KEY_FILE", KEY_FILE);
    let theirs = lab.sops_encrypt(&sops, &["--age", published::RECIPIENT]).unwrap();
    let socket = lab.home().join("keys.sock");
    let port = free_port();
    let mut over_tcp = lab.command(&sops);
    over_tcp.args(["keyservice", "--verbose", "--network", "tcp", "--address", &format!("127.0.0.1:{port}")]);
    let mut over_unix = lab.command(&sops);
    over_unix.args(["keyservice", "--verbose", "--network", "unix", "--address"]).arg(&socket);
    let addresses = [format!("tcp://127.0.0.1:{port}"), format!("unix://{}", socket.display())];
    for (command, address) in [over_tcp, over_unix].into_iter().zip(addresses) {
        let _server = Server::start(command, "Listening on");
        let keys = remote(&address);
        let file = EncryptedFile::parse(Format::Yaml, theirs.clone().into_bytes()).unwrap();
        assert_eq!(file.decrypt(&keys).unwrap().text(), PLAIN);
        let share = lockage::secret::SecretBytes::new(vec![7; 32]);
        let enc = keys.wrap(&age(), &share).unwrap();
        assert!(enc.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "{enc}");
        let wrapped = lockage::keys::WrappedKey { recipient: age(), created_at: None, enc };
        assert_eq!(keys.unwrap(&wrapped).unwrap().expose_secret(), [7; 32]);
        let broken = lockage::keys::WrappedKey { enc: "nothing".into(), ..wrapped };
        let refusals = keys.unwrap(&broken).unwrap_err();
        assert!(refusals[0].sops.starts_with("rpc error: code = Unknown desc = "), "{}", refusals[0].sops);
    }
}

#[test]
fn the_client_of_sops_works_with_our_server() {
    let Some(sops) = peer("sops") else { return };
    let lab = Lab::new().env("SOPS_AGE_KEY_FILE", KEY_FILE);
    let bare = Lab::new();
    let socket = lab.home().join("keys.sock");
    let port = free_port();
    for uri in [format!("tcp://127.0.0.1:{port}"), format!("unix://{}", socket.display())] {
        let mut command = lab.command(env!("CARGO_BIN_EXE_lockage"));
        command.args(["keyservice", "--listen", &uri]);
        let server = Server::start(command, &format!("Listening on {uri}"));
        let flags = ["--enable-local-keyservice=false", "--keyservice", &uri];
        let plain = bare.file("plain.yaml", PLAIN);
        let mut sealing = bare.command(&sops);
        sealing.arg("encrypt").args(flags).args(["--age", published::RECIPIENT]).arg(plain);
        let sealed = sealing.output().unwrap();
        assert!(sealed.status.success(), "{}", String::from_utf8_lossy(&sealed.stderr));
        let file = bare.file("sealed.yaml", &sealed.stdout);
        let opened = bare.command(&sops).arg("decrypt").args(flags).arg(file).output().unwrap();
        assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
        assert_eq!(opened.stdout, PLAIN);
        assert_eq!(server.terminate(), 0);
        assert!(!socket.exists(), "the socket file is gone");
    }
}

#[test]
fn named_services_are_asked_after_the_local_one() {
    let lab = Lab::new().env("SOPS_AGE_KEY_FILE", KEY_FILE);
    let sealed = lab.file("sealed.yaml", crate::support::encrypt(Format::Yaml, PLAIN).unwrap());
    let uri = format!("unix://{}", lab.home().join("keys.sock").display());
    let mut command = lab.command(env!("CARGO_BIN_EXE_lockage"));
    command.args(["keyservice", "--listen", &uri]);
    let server = Server::start(command, "Listening on");
    let decrypt = |variable: &str| {
        let bare = Lab::new().env("SOPS_KEYSERVICE", variable);
        let out = bare.command(env!("CARGO_BIN_EXE_lockage")).arg("decrypt").arg(&sealed).output().unwrap();
        (out.status.code().unwrap(), out.stdout, String::from_utf8(out.stderr).unwrap())
    };
    let (code, stdout, stderr) = decrypt(&format!("127.0.0.1:1,{uri}"));
    assert_eq!((code, stdout.as_slice()), (0, PLAIN), "{stderr}");
    assert!(stderr.contains("Error parsing URI for keyservice, skipping: 127.0.0.1:1"), "{stderr}");
    drop(server);
    let (code, _, stderr) = decrypt(&uri);
    assert_eq!(code, 3, "{stderr}");
}

#[test]
fn a_prompt_wants_a_terminal_and_an_address_a_scheme() {
    let lab = Lab::new();
    let refused = |arguments: &[&str]| {
        let mut command = lab.command(env!("CARGO_BIN_EXE_lockage"));
        let out = command.arg("keyservice").args(arguments).stdin(Stdio::null()).output().unwrap();
        (out.status.code().unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    let (code, said) = refused(&["--listen", "unix:///nowhere/x.sock", "--prompt"]);
    assert!(code == 2 && said.contains("nobody can be asked"), "{said}");
    let (code, said) = refused(&["--listen", "http://localhost:1"]);
    assert!(code == 2 && said.contains("unknown network http"), "{said}");
    let (code, said) = refused(&["--listen", "unix:///nowhere/at/all/x.sock"]);
    assert!(code == 2 && said.contains("cannot listen"), "{said}");
    let (code, said) = refused(&[]);
    assert!(code == 2 && said.contains("XDG_RUNTIME_DIR"), "{said}");
}
