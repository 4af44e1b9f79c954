//! Where the commands look for identities, beside the real sops.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lockage::document::{Document, Format};
use lockage::keys::{KeyServices, Keyring, Recipient};
use lockage::sops::{Encryption, encrypt};

use super::Person;
use crate::common::peer;
use crate::support::now;

const PLAIN: &str = "a: CANARY-heron\n";

/// A home folder with an encrypted file in it, and the variables of a run.
struct Run {
    home: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Run {
    fn new(recipient: &Recipient) -> Self {
        let home = tempfile::tempdir().unwrap();
        let document = Document::parse(Format::Yaml, PLAIN.into()).unwrap();
        let keys = KeyServices::from(Keyring::new());
        let file = encrypt(&document, &Encryption::to([recipient.clone()]), &keys, now()).unwrap();
        std::fs::write(home.path().join("f.yaml"), file).unwrap();
        Self { home, variables: Vec::new() }
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn set(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().display().to_string()));
        self
    }

    /// Exit code, stdout and stderr.
    fn run(&self, program: &Path, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(program)
            .arg0("sops")
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", format!("{}:/usr/bin:/bin", self.home.path().join("bin").display()))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn opens(&self) {
        let (code, out, err) = self.run(ours(), &["decrypt", "f.yaml"]);
        assert_eq!((code, out.as_str()), (0, PLAIN), "{err}");
        if let Some(sops) = peer("sops") {
            let (code, out, err) = self.run(&sops, &["decrypt", "f.yaml"]);
            assert_eq!((code, out.as_str()), (0, PLAIN), "the real one: {err}");
        }
    }

    /// Both fail, with the same words.
    fn fails_alike(&self) {
        let (code, _, said) = self.run(ours(), &["decrypt", "f.yaml"]);
        assert_eq!(code, 128, "{said}");
        if let Some(sops) = peer("sops") {
            let (_, _, theirs) = self.run(&sops, &["decrypt", "f.yaml"]);
            assert_eq!(said, theirs);
        }
    }
}

fn ours() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_lockage"))
}

#[test]
fn every_place_of_age_keys_is_read() {
    let ana = Person::new();
    let new = || Run::new(&ana.recipient);
    new().set("SOPS_AGE_KEY", &ana.identity).opens();
    let run = new();
    let path = run.file("k.txt", &format!("# c\n\n{}\n", ana.identity));
    run.set("SOPS_AGE_KEY_FILE", path).opens();
    let run = new();
    let path = run.file("k.txt", &ana.identity);
    run.set("SOPS_AGE_KEY_CMD", format!("cat '{}'", path.display())).opens();
    let run = new();
    run.file(".config/sops/age/keys.txt", &ana.identity);
    run.opens();
    let run = new();
    let path = run.file("x/sops/age/keys.txt", &ana.identity);
    let folder = path.ancestors().nth(3).unwrap().to_owned();
    run.set("XDG_CONFIG_HOME", folder).opens();
    // A place that cannot be read does not stop another one.
    new().set("SOPS_AGE_KEY_FILE", "missing.txt").set("SOPS_AGE_KEY", &ana.identity).opens();
}

#[test]
fn every_place_of_ssh_keys_is_read() {
    let Some(keygen) = peer("ssh-keygen") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let made = Command::new(keygen).args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status().unwrap();
    assert!(made.success());
    let private = std::fs::read_to_string(&path).unwrap();
    let recipient = Recipient::parse_age(&std::fs::read_to_string(path.with_extension("pub")).unwrap()).unwrap();
    let new = || Run::new(&recipient);
    new().set("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &path).opens();
    new().set("SOPS_AGE_SSH_PRIVATE_KEY_CMD", format!("cat '{}'", path.display())).opens();
    for name in [".ssh/id_ed25519", ".ssh/id_rsa"] {
        let run = new();
        run.file(name, &private);
        run.opens();
    }
}

#[test]
fn failures_read_like_those_of_sops() {
    let (ana, ben) = (Person::new(), Person::new());
    let new = || Run::new(&ana.recipient);
    new().fails_alike();
    new().set("SOPS_AGE_KEY", &ben.identity).fails_alike();
    new().set("SOPS_AGE_KEY", &ben.identity).set("SOPS_AGE_KEY_FILE", "/missing.txt").fails_alike();
    let run = new();
    run.file(".config/sops/age/keys.txt", &ben.identity);
    run.fails_alike();
    new().set("SOPS_AGE_KEY_CMD", "false").fails_alike();
    new().set("SOPS_AGE_SSH_PRIVATE_KEY_CMD", "false").fails_alike();
    new().set("SOPS_AGE_KEY_CMD", "echo nonsense").fails_alike();
    new().set("SOPS_AGE_KEY", "nonsense").fails_alike();
    for name in ["SOPS_AGE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"] {
        let run = new();
        run.file("bad.txt", "nonsense\n");
        run.set(name, "bad.txt").fails_alike();
    }
}

/// A plugin that keeps the file key as it is: what counts is the talk.
const PLUGIN: &str = r#"#!/bin/sh
while read -r line; do
  case "$line" in
    "-> wrap-file-key") read -r key ;;
    "-> recipient-stanza 0 heron"*) read -r key ;;
    "-> done") read -r empty; break ;;
  esac
done
case "$1" in
  --age-plugin=recipient-v1) printf -- '-> recipient-stanza 0 heron\n%s\n' "$key" ;;
  --age-plugin=identity-v1) printf -- '-> file-key 0\n%s\n' "$key" ;;
esac
read -r answer; read -r empty
printf -- '-> done\n\n'
"#;

#[test]
fn plugins_work_in_both_directions() {
    let bech32 = |prefix: &str| {
        let text = bech32::encode::<bech32::Bech32>(bech32::Hrp::parse(prefix).unwrap(), b"one").unwrap();
        if prefix.starts_with("AGE") { text.to_uppercase() } else { text }
    };
    let (recipient, identity) = (bech32("age1heron"), bech32("AGE-PLUGIN-HERON-"));
    let ana = Person::new();
    let run = Run::new(&ana.recipient).set("SOPS_AGE_KEY", &identity);
    let arguments = ["encrypt", "--age", &recipient, "--output", "f.yaml", "p.yaml"];
    run.file("p.yaml", PLAIN);
    let (code, _, said) = run.run(ours(), &arguments);
    assert!(code == 1 && said.contains("age-plugin-heron"), "{code} {said}");

    let plugin = run.file("bin/age-plugin-heron", PLUGIN);
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).unwrap();
    for program in [Some(ours().to_owned()), peer("sops")].into_iter().flatten() {
        let (code, _, said) = run.run(&program, &arguments);
        assert_eq!(code, 0, "{said}");
        run.opens();
    }
}
