//! Private SSH keys in every form that the real sops takes.

use std::path::{Path, PathBuf};
use std::process::Command;

use lockage::keys::Recipient;

use super::run::Run;
use crate::common::peer;

/// Runs a program that makes keys, quietly.
pub fn make(program: &Path, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A key of `ssh-keygen` in a folder, its public half beside it, and its recipient.
pub fn key(keygen: &Path, folder: &Path, name: &str, arguments: &[&str]) -> (PathBuf, Recipient) {
    let path = folder.join(name);
    let quiet = ["-q", "-C", "ana@work", "-f", path.to_str().unwrap()];
    make(keygen, &[&quiet, arguments].concat());
    let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    (path, Recipient::parse_age(&public).unwrap())
}

#[test]
fn keys_in_pem_open_files() {
    let (Some(keygen), Some(openssl)) = (peer("ssh-keygen"), peer("openssl")) else { return };
    let folder = tempfile::tempdir().unwrap();
    for form in ["PEM", "PKCS8", "RFC4716"] {
        let (path, recipient) = key(&keygen, folder.path(), form, &["-t", "rsa", "-b", "2048", "-m", form, "-N", ""]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("RSA PRIVATE KEY") == (form == "PEM"), "{form}");
        Run::new(&recipient).set("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &path).opens();
        Run::new(&recipient).set("SOPS_AGE_SSH_PRIVATE_KEY_CMD", format!("cat {}", path.display())).opens();
        // Lines as Windows ends them, and words before them.
        let other = folder.path().join("other");
        std::fs::write(&other, format!("a key of mine\r\n{}", text.replace('\n', "\r\n"))).unwrap();
        Run::new(&recipient).set("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &other).opens();
    }
    let path = folder.path().join("ed25519.pem");
    make(&openssl, &["genpkey", "-algorithm", "ed25519", "-out", path.to_str().unwrap()]);
    let recipient = of_pkcs8(&std::fs::read_to_string(&path).unwrap());
    Run::new(&recipient).set("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &path).opens();
}

/// The recipient of an Ed25519 key in PKCS #8, by another library than ours.
fn of_pkcs8(text: &str) -> Recipient {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    let pair = rcgen::KeyPair::from_pkcs8_pem_and_sign_algo(text, &rcgen::PKCS_ED25519).unwrap();
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend_from_slice(pair.public_key_raw());
    Recipient::parse_age(&format!("ssh-ed25519 {}", BASE64_STANDARD.encode(blob))).unwrap()
}

#[test]
fn keys_that_are_of_no_use_are_refused_in_the_same_words() {
    let (Some(keygen), Some(openssl)) = (peer("ssh-keygen"), peer("openssl")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (path, recipient) = key(&keygen, folder.path(), "k", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]);
    let (source, out) = (path.to_str().unwrap(), folder.path().join("locked"));
    let out_name = out.to_str().unwrap();
    let fails = || Run::new(&recipient).set("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &out).fails_alike();
    // PKCS #8 under a passphrase.
    make(&openssl, &["pkcs8", "-topk8", "-in", source, "-out", out_name, "-passout", "pass:open sesame"]);
    fails();
    // Half a key.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&out, &text[..text.len() / 2]).unwrap();
    fails();
    std::fs::write(&out, "").unwrap();
    fails();
}
