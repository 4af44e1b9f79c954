//! Client and server against each other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::keys::{KeyError, KeyService, Keyring, LocalKeys, Recipient, WrappedKey};
use crate::secret::{SecretBytes, SecretString};
use crate::system::background::Background;

/// A key service that notes what it is asked, wraps by adding a letter, and unwraps by taking it away.
#[derive(Default)]
struct Noting {
    asked: Mutex<Vec<String>>,
}

impl KeyService for Noting {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        self.asked.lock().unwrap().push(format!("wrap {recipient:?}"));
        let text = std::str::from_utf8(share.expose_secret()).unwrap();
        Ok(if text == "nothing" { String::new() } else { format!("w{text}") })
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        self.asked.lock().unwrap().push(format!("unwrap {:?}", wrapped.recipient));
        match wrapped.enc.strip_prefix('w') {
            Some("for another") => Ok(None),
            Some(text) => Ok(Some(SecretBytes::new(text.as_bytes().to_vec()))),
            None => Err(KeyError::Damaged { recipient: wrapped.recipient.id(), reason: "there is no w" }),
        }
    }
}

struct Served {
    address: ServiceAddress,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Result<(), KeyServerError>>>,
}

impl Served {
    fn start(address: &ServiceAddress, keys: Arc<dyn KeyService>, consent: Option<Arc<dyn Consent>>) -> Self {
        let server = KeyServer::bind(address, &Background::default()).unwrap();
        let address = server.address().clone();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || server.serve(keys, consent, async { drop(stopped.await) }));
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    fn client(&self) -> RemoteKeys {
        RemoteKeys::new(self.address.clone(), Background::default())
    }

    fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

fn loopback() -> ServiceAddress {
    ServiceAddress::Tcp("127.0.0.1:0".into())
}

fn everyone() -> Vec<Recipient> {
    let context: BTreeMap<String, Option<String>> =
        [("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), Some("2".to_owned()))].into();
    let arn = "arn:aws:kms:eu-west-1:1:key/k+arn:aws:iam::1:role/r";
    vec![
        Recipient::parse_age(crate::keys::published::RECIPIENT).unwrap(),
        Recipient::parse_pgp("ABCD"),
        Recipient::parse_aws_kms(arn, &context, "dev"),
        Recipient::parse_gcp_kms("projects/p/locations/l/keyRings/r/cryptoKeys/k"),
        Recipient::parse_huawei_kms("tr-west-1:abc").unwrap(),
        Recipient::parse_azure_key_vault("https://v.vault.azure.net/keys/n/1").unwrap(),
        Recipient::parse_vault_transit("https://v:8200/v1/a/b/keys/n").unwrap(),
    ]
}

#[test]
fn every_kind_of_key_arrives_as_it_was_sent() {
    let keys = Arc::new(Noting::default());
    let served = Served::start(&loopback(), keys.clone(), None);
    let client = served.client();
    for recipient in everyone() {
        let enc = client.wrap(&recipient, &SecretBytes::new(b"CANARY-heron".to_vec())).unwrap();
        assert_eq!(enc, "wCANARY-heron");
        let share = client.unwrap(&WrappedKey { recipient: recipient.clone(), created_at: None, enc }).unwrap();
        assert_eq!(share.unwrap().expose_secret(), b"CANARY-heron");
        let asked = std::mem::take(&mut *keys.asked.lock().unwrap());
        assert_eq!(asked, [format!("wrap {recipient:?}"), format!("unwrap {recipient:?}")]);
    }
    served.stop();
}

#[test]
fn an_error_comes_with_its_code_and_an_empty_answer_is_one() {
    let served = Served::start(&loopback(), Arc::new(Noting::default()), None);
    let client = served.client();
    let recipient = everyone().remove(1);
    let wrapped = |enc: &str| WrappedKey { recipient: recipient.clone(), created_at: None, enc: enc.into() };

    let error = client.unwrap(&wrapped("x")).unwrap_err();
    let damaged = "rpc error: code = Unknown desc = the key wrapped for `ABCD` is damaged: there is no w";
    assert_eq!(error.sops_text(), damaged);
    assert!(error.to_string().contains("tcp://127.0.0.1:"), "{error}");
    let error = client.unwrap(&wrapped("wfor another")).unwrap_err();
    assert_eq!(error.sops_text(), "rpc error: code = Unknown desc = no key for ABCD is available");
    let error = client.unwrap(&wrapped("w")).unwrap_err();
    assert!(error.to_string().contains("it gave no data key"), "{error}");
    let error = client.wrap(&recipient, &SecretBytes::new(b"nothing".to_vec())).unwrap_err();
    assert!(error.to_string().contains("it gave no wrapped key"), "{error}");
    served.stop();
}

#[test]
fn nobody_there_is_an_error_at_once() {
    let bound = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = bound.local_addr().unwrap();
    drop(bound);
    let client = RemoteKeys::new(ServiceAddress::Tcp(address.to_string()), Background::default());
    let error = client.wrap(&everyone()[0], &SecretBytes::new(vec![7; 32])).unwrap_err();
    assert!(error.sops_text().starts_with("rpc error: code = Unavailable desc = "), "{}", error.sops_text());
    assert!(error.to_string().contains("refused"), "{error}");
}

struct Answers(Mutex<Vec<Result<bool, ConsentError>>>, Mutex<Vec<String>>);

impl Consent for Answers {
    fn ask(&self, question: Question<'_>) -> Result<bool, ConsentError> {
        self.1.lock().unwrap().push(format!("{} {}", question.operation, question.key));
        self.0.lock().unwrap().remove(0)
    }
}

#[test]
fn a_no_leaves_the_key_untouched() {
    let keys = Arc::new(Noting::default());
    let answers = vec![Ok(false), Err(ConsentError("unexpected newline".into())), Ok(true)];
    let consent = Arc::new(Answers(Mutex::new(answers), Mutex::default()));
    let served = Served::start(&loopback(), keys.clone(), Some(consent.clone()));
    let (client, vault) = (served.client(), everyone().pop().unwrap());
    let wrap = || client.wrap(&vault, &SecretBytes::new(b"share".to_vec())).map_err(|error| error.sops_text());

    assert_eq!(wrap(), Err("rpc error: code = PermissionDenied desc = Request rejected by user".into()));
    assert_eq!(wrap(), Err("rpc error: code = Unknown desc = unexpected newline".into()));
    assert!(keys.asked.lock().unwrap().is_empty(), "the key was used before somebody agreed");
    assert_eq!(wrap(), Ok("wshare".into()));
    let asked = consent.1.lock().unwrap().clone();
    assert_eq!(asked, vec!["encrypt Hashicorp Vault key with URI https://v:8200/v1/a/b/keys/n"; 3]);
    served.stop();
}

#[test]
fn a_socket_file_is_the_owners_alone_and_goes_with_the_server() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.sock");
    // What a killed server left does not stand in the way.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let address = ServiceAddress::Unix(path.clone());
    let served = Served::start(&address, Arc::new(LocalKeys::new(published())), None);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(KeyServer::bind(&address, &Background::default()).is_err(), "a live one is left alone");

    let (client, age) = (served.client(), everyone().remove(0));
    let enc = client.wrap(&age, &SecretBytes::new(vec![7; 32])).unwrap();
    let share = client.unwrap(&WrappedKey { recipient: age, created_at: None, enc }).unwrap().unwrap();
    assert_eq!(share.expose_secret(), [7; 32]);
    served.stop();
    assert!(!path.exists());
}

fn published() -> Keyring {
    let text = include_str!("../../../secrets/published-test-key.txt");
    let mut keyring = Keyring::new();
    keyring.add_age_text(&SecretString::new(text.to_owned()), "published").unwrap();
    keyring
}

#[test]
fn a_request_without_a_key_is_not_found_and_another_method_is_not_there() {
    use tonic::client::Grpc;
    use tonic::codegen::http::uri::PathAndQuery;
    use tonic_prost::ProstCodec;

    let served = Served::start(&loopback(), Arc::new(Noting::default()), None);
    let ServiceAddress::Tcp(host) = served.address.clone() else { unreachable!() };
    let ask = |path: &'static str, demand: messages::Demand| {
        let host = host.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let channel = tonic::transport::Endpoint::from_shared(format!("http://{host}")).unwrap().connect().await;
            let mut client = Grpc::new(channel.unwrap());
            client.ready().await.unwrap();
            let codec = ProstCodec::<messages::Demand, messages::Outcome>::default();
            client.unary(tonic::Request::new(demand), PathAndQuery::from_static(path), codec).await.unwrap_err()
        })
    };
    let absent = messages::Demand::default();
    let empty = messages::Demand { key: Some(messages::Key::default()), bytes: Vec::new() };
    for (path, demand) in [(ENCRYPT, absent.clone()), (DECRYPT, absent), (DECRYPT, empty.clone())] {
        let status = ask(path, demand);
        assert_eq!((status.code(), status.message()), (tonic::Code::NotFound, "Must provide a key"));
    }
    assert_eq!(ask("/keyservice.KeyService/Decrypt", empty).code(), tonic::Code::Unimplemented);
    served.stop();
}
