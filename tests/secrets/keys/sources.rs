//! Where the commands look for identities, beside the real sops.

use std::process::Command;

use lockage::keys::Recipient;

use super::Person;
use super::run::{PLAIN, Run, ours};
use crate::common::peer;

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
    // A place that cannot be read does not stop another one, nor does one that is named by nothing.
    new().set("SOPS_AGE_KEY_FILE", "missing.txt").set("SOPS_AGE_KEY", &ana.identity).opens();
    for name in ["SOPS_AGE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"] {
        new().set(name, "").set("SOPS_AGE_KEY", &ana.identity).opens();
    }
    // Between blanks only in the variable.
    new().set("SOPS_AGE_KEY", format!("# c\n \t{} {}\n", Person::new().identity, ana.identity)).opens();
    // The command learns for whom.
    let run = new();
    let script =
        format!("#!/bin/sh\n[ \"$SOPS_AGE_RECIPIENT\" = {} ] && echo '{}'\n", ana.recipient.id(), ana.identity);
    run.program("print-it", &script);
    run.set("SOPS_AGE_KEY_CMD", "print-it 'a b' # comment").opens();
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
        new().set(name, "").fails_alike();
        new().set(name, "/missing.txt").fails_alike();
    }
    // A place that is there and holds nothing.
    new().set("SOPS_AGE_KEY", "").fails_alike();
    new().set("SOPS_AGE_KEY", "# nothing yet\n").fails_alike();
    new().set("SOPS_AGE_KEY_CMD", "true").fails_alike();
    new().set("SOPS_AGE_SSH_PRIVATE_KEY_CMD", "true").fails_alike();
    new().set("SOPS_AGE_SSH_PRIVATE_KEY_CMD", "echo nonsense").fails_alike();
    let run = new();
    run.file("empty.txt", "# created\n\n");
    run.set("SOPS_AGE_KEY_FILE", "empty.txt").fails_alike();
    for content in ["", "nonsense\n"] {
        let run = new();
        run.file(".config/sops/age/keys.txt", content);
        run.fails_alike();
    }
    // A line of a file stands alone.
    let run = new();
    run.file("blank.txt", &format!(" {}\n", ana.identity));
    run.set("SOPS_AGE_KEY_FILE", "blank.txt").fails_alike();
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

    run.program("age-plugin-heron", PLUGIN);
    for program in [Some(ours().to_owned()), peer("sops")].into_iter().flatten() {
        let (code, _, said) = run.run(&program, &arguments);
        assert_eq!(code, 0, "{said}");
        run.opens();
    }
}
