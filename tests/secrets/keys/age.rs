//! age keys of every sort, beside Go's age and the real sops.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::age::secrecy::SecretString as AgeSecret;
use lockage::document::{Document, Format};
use lockage::keys::{KeyError, KeyService, KeyServices, Keyring, Prompt, Recipient, WrappedKey};
use lockage::secret::{SecretBytes, SecretString};
use lockage::sops::{EncryptedFile, Encryption, encrypt};

use super::Person;
use crate::common::peer;
use crate::support::{Sops, now};

const PLAIN: &str = "a: CANARY-heron\n";

/// Answers every question with one passphrase, and counts.
struct Answer(&'static str, AtomicUsize);

impl Answer {
    fn new(passphrase: &'static str) -> Arc<Self> {
        Arc::new(Self(passphrase, AtomicUsize::new(0)))
    }

    fn asked(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl Prompt for Answer {
    fn passphrase(&self, _: &str) -> Option<SecretString> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Some(SecretString::new(self.0.to_owned()))
    }

    fn show(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn line(&self, _: &str) -> Option<String> {
        None
    }
}

fn share() -> SecretBytes {
    SecretBytes::new((100..133).collect())
}

fn wrapped(recipient: &Recipient) -> WrappedKey {
    let enc = Keyring::new().wrap(recipient, &share()).unwrap();
    WrappedKey { recipient: recipient.clone(), created_at: None, enc }
}

fn opens(keyring: &Keyring, wrapped: &WrappedKey) -> bool {
    match keyring.unwrap(wrapped).unwrap() {
        Some(opened) => {
            assert_eq!(opened.expose_secret(), share().expose_secret());
            true
        }
        None => false,
    }
}

fn ssh_ring(path: &Path, prompt: Option<Arc<Answer>>) -> Keyring {
    let mut keyring = Keyring::new();
    if let Some(prompt) = prompt {
        keyring = keyring.asking(prompt);
    }
    keyring.add_ssh(&SecretString::new(std::fs::read_to_string(path).unwrap()), None, "the SSH key").unwrap();
    keyring
}

fn run(program: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    output.stdout
}

/// Go's age wraps for a recipient and we open; we wrap and Go's age opens; the same with whole files and the real sops.
fn both_directions(recipient: &Recipient, identity: &Path, keyring: &Keyring, variable: &str) {
    let Some(age) = peer("age") else { return };
    let theirs = run(&age, &["-a", "-r", &recipient.id()], share().expose_secret());
    let theirs = WrappedKey { enc: String::from_utf8(theirs).unwrap(), ..wrapped(recipient) };
    assert!(opens(keyring, &theirs), "{recipient}");
    let ours = wrapped(recipient);
    let identity = identity.to_str().unwrap();
    assert_eq!(run(&age, &["-d", "-i", identity], ours.enc.as_bytes()), share().expose_secret(), "{recipient}");

    let Some(sops) = Sops::find() else { return };
    let sops = sops.with_variable(variable, identity);
    let keys = KeyServices::from(keyring.clone());
    let document = Document::parse(Format::Yaml, PLAIN.into()).unwrap();
    let ours = encrypt(&document, &Encryption::to([recipient.clone()]), &keys, now()).unwrap();
    assert_eq!(sops.decrypt(Format::Yaml, &ours).unwrap(), PLAIN.as_bytes(), "{recipient}");
    let arguments = ["encrypt", "--filename-override", "x.yaml", "--age", &recipient.id()];
    let theirs = sops.run(&arguments, PLAIN.as_bytes()).unwrap();
    let opened = EncryptedFile::parse(Format::Yaml, theirs).unwrap().decrypt(&keys).unwrap();
    assert_eq!(opened.text(), PLAIN.as_bytes(), "{recipient}");
}

#[test]
fn hybrid_keys_work_in_both_directions() {
    let Some(keygen) = peer("age-keygen") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.txt");
    let text = String::from_utf8(run(&keygen, &["-pq"], b"")).unwrap();
    std::fs::write(&path, &text).unwrap();
    let mut keyring = Keyring::new();
    keyring.add_age_text(&SecretString::new(text), "keys.txt").unwrap();
    let recipient = Recipient::parse_age(keyring.origins()[0].recipient.as_ref().unwrap()).unwrap();
    assert!(recipient.id().starts_with("age1pq1"));
    let public = run(&keygen, &["-y", path.to_str().unwrap()], b"");
    assert_eq!(String::from_utf8(public).unwrap().trim(), recipient.id());
    both_directions(&recipient, &path, &keyring, "SOPS_AGE_KEY_FILE");

    let wrapped = wrapped(&recipient);
    let stranger = Person::new();
    let mut other = Keyring::new();
    other.add_age_text(&SecretString::new(stranger.identity), "other").unwrap();
    assert!(!opens(&other, &wrapped), "somebody else's");
    let middle = wrapped.enc.len() / 2;
    let letter = if wrapped.enc.as_bytes()[middle] == b'A' { "B" } else { "A" };
    let mut damaged = wrapped.clone();
    damaged.enc.replace_range(middle..=middle, letter);
    assert!(matches!(keyring.unwrap(&damaged), Err(KeyError::Damaged { .. })));
}

fn ssh_key(folder: &Path, kind: &str, passphrase: &str) -> Option<(std::path::PathBuf, Recipient)> {
    let program = peer("ssh-keygen")?;
    let path = folder.join(format!("{kind}{}", passphrase.len()));
    let bits = if kind == "rsa" { "2048" } else { "256" };
    let arguments = ["-q", "-t", kind, "-b", bits, "-N", passphrase, "-C", "ana@work", "-f", path.to_str().unwrap()];
    run(&program, &arguments, b"");
    let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    Some((path, Recipient::parse_age(&public).unwrap()))
}

#[test]
fn ssh_keys_work_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["ed25519", "rsa"] {
        let Some((path, recipient)) = ssh_key(folder.path(), kind, "") else { return };
        assert!(recipient.id().ends_with(" ana@work"), "the comment stays");
        let keyring = ssh_ring(&path, None);
        assert!(keyring.holds(&recipient));
        both_directions(&recipient, &path, &keyring, "SOPS_AGE_SSH_PRIVATE_KEY_FILE");
        let damaged = WrappedKey {
            enc: wrapped(&recipient).enc.replacen("\n-----END", "\nAAAA\n-----END", 1),
            ..wrapped(&recipient)
        };
        assert!(matches!(keyring.unwrap(&damaged), Err(KeyError::Damaged { .. })));
    }
}

#[test]
fn a_locked_ssh_key_is_asked_for_once_and_only_where_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["ed25519", "rsa"] {
        let Some((path, recipient)) = ssh_key(folder.path(), kind, "open sesame") else { return };
        let answer = Answer::new("open sesame");
        let keyring = ssh_ring(&path, Some(Arc::clone(&answer)));
        assert!(keyring.holds(&recipient), "the public half is no secret");
        assert!(!opens(&keyring, &wrapped(&Person::new().recipient)));
        assert_eq!(answer.asked(), 0, "it is for somebody else");
        assert!(opens(&keyring, &wrapped(&recipient)) && opens(&keyring, &wrapped(&recipient)));
        assert_eq!(answer.asked(), 1);

        let wrong = Answer::new("wrong");
        let keyring = ssh_ring(&path, Some(Arc::clone(&wrong)));
        for _ in 0..2 {
            let error = keyring.unwrap(&wrapped(&recipient)).unwrap_err();
            assert!(error.to_string().contains("the passphrase is wrong"), "{error}");
        }
        assert_eq!(wrong.asked(), 1);
        assert!(matches!(ssh_ring(&path, None).unwrap(&wrapped(&recipient)), Err(KeyError::Passphrase { .. })));
    }
}

/// An identity file under the passphrase `open sesame`.
fn locked(content: &str, armored: bool) -> Vec<u8> {
    let mut recipient = ::age::scrypt::Recipient::new(AgeSecret::from("open sesame".to_owned()));
    recipient.set_work_factor(10);
    if armored {
        ::age::encrypt_and_armor(&recipient, content.as_bytes()).unwrap().into_bytes()
    } else {
        ::age::encrypt(&recipient, content.as_bytes()).unwrap()
    }
}

#[test]
fn a_locked_identity_file_is_asked_for_once_and_last() {
    let (ana, ben) = (Person::new(), Person::new());
    for armored in [false, true] {
        let answer = Answer::new("open sesame");
        let mut keyring = Keyring::new().asking(Arc::clone(&answer) as Arc<dyn Prompt>);
        let file = SecretBytes::new(locked(&format!("# made today\n{}\n", ana.identity), armored));
        keyring.add_age_file(file, "keys.age").unwrap();
        keyring.add_age_text(&SecretString::new(ben.identity.clone()), "ben").unwrap();
        assert!(opens(&keyring, &wrapped(&ben.recipient)));
        assert_eq!(answer.asked(), 0, "another identity did");
        assert!(opens(&keyring, &wrapped(&ana.recipient)) && opens(&keyring.clone(), &wrapped(&ana.recipient)));
        assert_eq!(answer.asked(), 1);
    }
    let plugin = ::age::plugin::Identity::default_for_plugin("x").unwrap().to_string();
    for (content, passphrase, said) in [
        (ana.identity.as_str(), "wrong", "the passphrase is wrong"),
        ("AGE-PLUGIN-X-1QQ", "open sesame", "something else than identities"),
        (&plugin, "open sesame", "something else than identities"),
    ] {
        let mut keyring = Keyring::new().asking(Answer::new(passphrase));
        keyring.add_age_file(SecretBytes::new(locked(content, true)), "keys.age").unwrap();
        let error = keyring.unwrap(&wrapped(&ana.recipient)).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    let mut keyring = Keyring::new();
    keyring.add_age_file(SecretBytes::new(locked(&ana.identity, true)), "keys.age").unwrap();
    assert!(matches!(keyring.unwrap(&wrapped(&ana.recipient)), Err(KeyError::Passphrase { .. })));
}

#[test]
fn a_damaged_key_is_told_from_a_foreign_one_behind_a_passphrase_too() {
    let (ana, eve) = (Person::new(), Person::new());
    let mut keyring = Keyring::new().asking(Answer::new("open sesame"));
    keyring.add_age_file(SecretBytes::new(locked(&ana.identity, true)), "keys.age").unwrap();
    assert!(matches!(keyring.unwrap(&wrapped(&eve.recipient)), Ok(None)));
    let misnamed = WrappedKey { recipient: ana.recipient, ..wrapped(&eve.recipient) };
    assert!(matches!(keyring.unwrap(&misnamed), Err(KeyError::Damaged { .. })));
}

#[test]
fn nobody_is_asked_over_a_file_that_no_passphrase_of_a_fair_price_opens() {
    let ana = Person::new();
    let recipient: ::age::x25519::Recipient = ana.recipient.to_string().parse().unwrap();
    let open = ::age::encrypt(&recipient, ana.identity.as_bytes()).unwrap();
    let answer = Answer::new("open sesame");
    let mut keyring = Keyring::new().asking(Arc::clone(&answer) as Arc<dyn Prompt>);
    keyring.add_age_file(SecretBytes::new(open), "keys.age").unwrap();
    let error = keyring.unwrap(&wrapped(&ana.recipient)).unwrap_err();
    assert!(error.to_string().contains("not under a passphrase"), "{error}");
    assert_eq!(answer.asked(), 0);

    // 2²³ rounds take 8 GiB; what wraps the key has no bearing on that.
    for work in ["40", "23"] {
        let costly = locked(&ana.identity, false);
        let line = costly.iter().skip(22).position(|byte| *byte == b'\n').unwrap() + 22;
        let costly = [&costly[..line - 2], work.as_bytes(), &costly[line..]].concat();
        let mut keyring = Keyring::new().asking(Answer::new("open sesame"));
        keyring.add_age_file(SecretBytes::new(costly), "keys.age").unwrap();
        let error = keyring.unwrap(&wrapped(&ana.recipient)).unwrap_err();
        assert!(error.to_string().contains("costs too much work"), "{error}");
    }
}
