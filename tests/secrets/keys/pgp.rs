//! OpenPGP keys through the real gpg, beside the real sops.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use lockage::document::{Document, Format};
use lockage::error::Class;
use lockage::keys::{Gpg, KeyError, KeyKind, KeyService, KeyServices, Keyring, LocalKeys, Recipient, WrappedKey};
use lockage::secret::SecretBytes;
use lockage::sops::{EncryptedFile, Encryption, SopsError, encrypt};

use crate::common::peer;
use crate::support::{Sops, now};

const PLAIN: &str = "a: CANARY-heron\n";

/// A home of gpg with a throw-away key. Its path is short, because the agent's socket stands in it.
struct Home {
    gpg: PathBuf,
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Option<Self> {
        let gpg = peer("gpg")?;
        peer("gpg-agent")?;
        Some(Self { gpg, folder: tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap() })
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(&self.gpg)
            .args(["--batch", "--quiet"])
            .args(arguments)
            .env("GNUPGHOME", self.path())
            .stderr(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A key without a passphrase: its fingerprint.
    fn key(&self, name: &str) -> String {
        let id = format!("{name} <{name}@example.org>");
        self.run(&["--passphrase", "", "--quick-generate-key", &id, "default", "default", "never"]);
        let listed = self.run(&["--with-colons", "--list-keys", &id]);
        let line = listed.lines().find(|line| line.starts_with("fpr:")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    fn service(&self) -> Gpg {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let variables: [(OsString, OsString); 2] = [("GNUPGHOME".into(), self.path().into()), ("PATH".into(), path)];
        Gpg::new(&self.gpg, variables.into())
    }

    fn keys(&self) -> KeyServices {
        LocalKeys::new(Keyring::new()).with(KeyKind::Pgp, self.service()).into()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", self.path()).output();
    }
}

#[test]
fn files_go_in_both_directions() {
    let (Some(home), Some(stranger)) = (Home::new(), Home::new()) else { return };
    let fingerprint = home.key("ana");
    let spaced: String = fingerprint.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four) + " ").collect();
    let recipient = Recipient::parse_pgp(&spaced);
    assert_eq!(recipient.id(), fingerprint);
    let document = Document::parse(Format::Yaml, PLAIN.into()).unwrap();
    let ours = encrypt(&document, &Encryption::to([recipient]), &home.keys(), now()).unwrap();
    let text = String::from_utf8(ours.clone()).unwrap();
    assert!(text.contains("          enc: |-\n            -----BEGIN PGP MESSAGE-----\n"), "{text}");
    assert!(text.contains("created_at: \"2026-11-21T12:00:00Z\"\n"), "{text}");
    let opened = |file: Vec<u8>, home: &Home| {
        EncryptedFile::parse(Format::Yaml, file).unwrap().decrypt(&home.keys()).map(|file| file.text().to_vec())
    };
    assert_eq!(opened(ours.clone(), &home).unwrap(), PLAIN.as_bytes());
    let Err(SopsError::NotOpened(report)) = opened(ours.clone(), &stranger) else { panic!("it opens") };
    assert!(report.to_string().contains("gpg cannot decrypt the data key"), "{report}");
    let damaged = text.replacen("\n            hF4D", "\n            hF5D", 1).replacen(
        "\n            hQ",
        "\n            hR",
        1,
    );
    assert!(matches!(opened(damaged.into_bytes(), &home), Err(SopsError::NotOpened(_))));

    let Some(sops) = Sops::find() else { return };
    let path = std::env::var("PATH").unwrap_or_default();
    let sops = sops.with_variable("GNUPGHOME", home.path()).with_variable("PATH", path);
    assert_eq!(sops.decrypt(Format::Yaml, &ours).unwrap(), PLAIN.as_bytes());
    for pin in ["", "!"] {
        let arguments = ["encrypt", "--filename-override", "x.yaml", "--pgp", &format!("{fingerprint}{pin}")];
        // The main key of a default pair cannot encrypt, and a mark asks for exactly that key.
        let Ok(theirs) = sops.run(&arguments, PLAIN.as_bytes()) else { continue };
        assert_eq!(opened(theirs, &home).unwrap(), PLAIN.as_bytes());
    }
}

#[test]
fn a_key_that_is_not_there_and_a_gpg_that_is_not_there_are_said() {
    let Some(home) = Home::new() else { return };
    let share = SecretBytes::new(vec![7; 32]);
    let recipient = Recipient::parse_pgp("FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4");
    let Err(KeyError::Service(error)) = home.service().wrap(&recipient, &share) else { panic!("it wraps") };
    assert_eq!((error.class, error.hint.is_some()), (Class::Untrusted, true));
    assert!(error.problem.contains("No public key") && error.sops.unwrap().contains("GnuPG binary error"));
    let none = Gpg::new("/nonexistent/gpg", Vec::new());
    let wrapped = WrappedKey { recipient, created_at: None, enc: "x".into() };
    assert!(matches!(none.unwrap(&wrapped), Err(KeyError::Service(error)) if error.class == Class::Usage));
    // Success without a byte is none.
    let silent = Gpg::new("/bin/true", Vec::new());
    assert!(silent.unwrap(&wrapped).is_err());
}
