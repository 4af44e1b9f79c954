//! The functional tests of `sops` that want OpenPGP keys or AWS KMS, as scenarios of our own.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::peer;
use crate::kms::aws::Moto;
use crate::publish::pair::Pair;

/// Fingerprints of throw-away keys in a home of gpg, whose path is short, because the agent's socket stands in it.
struct Keys {
    folder: tempfile::TempDir,
    fingerprints: Vec<String>,
}

impl Keys {
    fn new(names: &[&str]) -> Option<Self> {
        peer("gpg-agent")?;
        let folder = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
        let mut keys = Self { folder, fingerprints: Vec::new() };
        for name in names {
            keys.gpg(&["--passphrase", "", "--quick-generate-key", name, "default", "default", "never"])?;
            let listed = keys.gpg(&["--with-colons", "--list-keys", name])?;
            let line = listed.lines().find(|line| line.starts_with("fpr:")).unwrap();
            keys.fingerprints.push(line.split(':').nth(9).unwrap().to_owned());
        }
        Some(keys)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn gpg(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new(peer("gpg")?);
        command.args(["--batch", "--yes", "--quiet"]).args(arguments).env("GNUPGHOME", self.path());
        let out = command.stderr(Stdio::null()).output().unwrap();
        assert!(out.status.success(), "{arguments:?}");
        Some(String::from_utf8(out.stdout).unwrap())
    }

    /// Forgets the secret half of a key.
    fn forget(&self, at: usize) {
        self.gpg(&["--delete-secret-keys", &self.fingerprints[at]]).unwrap();
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").args(["--kill", "gpg-agent"]).env("GNUPGHOME", self.path()).status();
    }
}

#[test]
fn groups_of_openpgp_keys() {
    let Some(keys) = Keys::new(&["one", "two", "three"]) else { return };
    let lab = crate::kms::lab::Lab::new().env("GNUPGHOME", keys.path().display().to_string());
    let Some(pair) = Pair::new(lab, &[]) else { return };
    let [one, two, three] = [0, 1, 2].map(|at| keys.fingerprints[at].as_str());
    pair.rules(&format!(
        "creation_rules:\n  - path_regex: both\n    key_groups: [{{pgp: [{one}]}}, {{pgp: [{two}]}}]\n  - path_regex: missing\n    \
         key_groups: [{{pgp: [{one}]}}, {{pgp: [{three}]}}]\n  - pgp: '{three}, {one}'\n"
    ));
    for name in ["both.yaml", "missing.yaml", "several.yaml"] {
        pair.lab.file(name, "a: secret\n");
        for (sealer, opener) in [(&pair.ours, &pair.theirs), (&pair.theirs, &pair.ours)] {
            let sealed = pair.run(sealer, &["encrypt", name], "");
            assert_eq!(sealed.code, 0, "{name}: {sealed:?}");
            pair.lab.file(&format!("sealed/{name}"), &sealed.stdout);
            let opened = pair.run(opener, &["decrypt", &format!("sealed/{name}")], "");
            assert_eq!((opened.code, opened.stdout.as_str()), (0, "a: secret\n"), "{name}: {opened:?}");
        }
    }
    keys.forget(2);
    for (name, code) in [("both.yaml", 0), ("missing.yaml", 128), ("several.yaml", 0)] {
        let (theirs, ours) = (&pair.theirs, &pair.ours);
        let [theirs, ours] =
            [theirs, ours].map(|program| pair.run(program, &["decrypt", &format!("sealed/{name}")], ""));
        assert_eq!((theirs.code, ours.code), (code, code), "{name}: {ours:?}");
    }
}

#[test]
fn keys_of_aws_with_and_without_a_context() {
    let Some(moto) = Moto::find() else { return };
    let Some(pair) = Pair::new(moto.lab(), &[]) else { return };
    pair.lab.file("x.json", "{\"foo\": 2, \"bar\": \"baz\"}");
    for context in [&[][..], &["--encryption-context", "foo:bar,one:two"]] {
        for (sealer, opener) in [(&pair.ours, &pair.theirs), (&pair.theirs, &pair.ours)] {
            let line = [&["encrypt", "--kms", moto.arn.as_str()], context, &["x.json"]].concat();
            let sealed = pair.run(sealer, &line, "");
            let value: serde_json::Value = serde_json::from_str(&sealed.stdout).unwrap_or_default();
            for key in ["foo", "bar"] {
                assert!(value[key].as_str().is_some_and(|text| text.starts_with("ENC[")), "{sealed:?}");
            }
            let stored = &value["sops"]["kms"][0]["context"];
            assert_eq!(stored["one"].as_str(), (!context.is_empty()).then_some("two"), "{value}");
            pair.lab.file("sealed.json", &sealed.stdout);
            let opened = pair.run(opener, &["decrypt", "sealed.json"], "");
            assert_eq!(opened.code, 0, "{opened:?}");
            assert_eq!(opened.stdout.split_whitespace().collect::<String>(), "{\"foo\":2,\"bar\":\"baz\"}");
        }
    }
}

/// What 3.13.1 wrote: line breaks in triple quotes, which nobody writes any more.
#[test]
fn ini_as_an_older_sops_wrote_it() {
    let Some(pair) = Pair::new(crate::kms::lab::Lab::new(), &[("e.ini", "[s]\nfoo = bar\n")]) else { return };
    let text = std::fs::read_to_string(pair.lab.home().join("e.ini")).unwrap();
    let older: String = text
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some((name, value)) if value.contains("\\n") => {
                format!("{name} = \"\"\"{}\"\"\"\n", value.replace("\\n", "\n"))
            }
            _ => format!("{line}\n"),
        })
        .collect();
    assert_ne!(older, text);
    pair.lab.file("e.ini", &older);
    for program in [&pair.theirs, &pair.ours] {
        let did = pair.run(program, &["decrypt", "e.ini"], "");
        assert_eq!((did.code, did.stdout.as_str()), (0, "[s]\nfoo = bar\n"), "{did:?}\n{older}");
    }
}
