//! Formats that SOPS does not know, through every verb, beside the programs that know or refuse them.

use std::process::Command;

use lockage::document::{Dialect, Format};
use lockage::sops::{EncryptedFile, Encryption, EncryptionScope, Selector};

use crate::cli_files::RULES;
use crate::common::peer;
use crate::common::scenario::{IDENTITY, Scenario};
use crate::support::{Sops, decrypt, encrypt, encrypt_with, encryption, keyring, now};

const TOML: &str = "# top CANARY-heron\na = 1 # one\nname = 'CANARY-heron'\n\n[db]\npassword = \"\"\"\nCANARY-heron\n\"\"\"\nport = 0x1F\nratio = 1.50\nsince = 1979-05-27 07:32:00Z\non = true\nhosts = [ \"CANARY-heron\", # first\n]\n\n[[user]]\nname = \"\"\n";
const SHELL: &str =
    "# top CANARY-heron\nexport A='CANARY-heron\ntwo lines' # why\nB=\"x\\\"CANARY-heron\"\nC=plain\nD=\n";
const LIST: &str = "- CANARY-heron\n# note CANARY-heron\n- {a: [CANARY-heron]}\n- b: 'CANARY-heron'\n";
const JSON_LIST: &str = "[\n  \"CANARY-heron\",\n  {\"a\": 1}\n]\n";

/// Each file, the flags of its encryption, a path in it, and what it becomes there.
const FILES: [(&str, &str, &[&str], &str, &str); 4] = [
    ("a.toml", TOML, &[], "name", "name = 'CANARY-heron'"),
    ("a.env", SHELL, &["--dotenv-dialect", "shell"], "C", "C=plain"),
    ("a.yaml", LIST, &[], "[2].b", "- b: 'CANARY-heron'"),
    ("a.json", JSON_LIST, &[], "[1].a", "1"),
];

fn scenario() -> Scenario {
    Scenario::new().memory_of_its_own().file(".sops.yaml", RULES)
}

#[test]
fn every_verb_knows_them() {
    for (name, content, flags, path, _) in FILES {
        let mut s = scenario().file(name, content);
        s.plaintext.clear();
        let ran = s.finish(s.lockage().args(["-q", "encrypt", "-i", name]).args(flags), b"");
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        let file = s.read(name);
        assert!(!file.contains("heron"), "{file}");
        // Only a spelling that a token cannot hold is another one.
        let back = content.replace("0x1F", "31");
        let shown = s.run_for_plaintext(["decrypt", name]);
        assert_eq!((shown.code, shown.stdout.as_str()), (0, back.as_str()), "{name}: {}\n{file}", shown.stderr);
        assert_eq!(s.run_for_plaintext(["filestatus", name]).code, 0);
        assert_eq!(s.run(["check", name]).code, 0, "{name}: {:?}\n{file}", s.run(["check", name]));
        s.git(["add", "-A"]);
        let guard = s.run(["guard", "--all"]);
        assert_eq!(guard.code, 0, "{name}: {}{}\n{file}", guard.stdout, guard.stderr);

        let set = s.run_with_input(["-q", "set", "--stdin", name, path], b"it's new");
        assert_eq!(set.code, 0, "{name}: {}", set.stderr);
        assert_eq!(s.run_for_plaintext(["get", name, path]).stdout.trim_end(), "it's new", "{name}");
        assert_eq!(s.run(["-q", "rotate", "-i", name]).code, 0, "{name}");
        assert_eq!(s.run(["-q", "updatekeys", "-y", name]).code, 0, "{name}");
        let unset = s.run(["-q", "unset", name, path]);
        assert_eq!(unset.code, 0, "{name}: {}", unset.stderr);
        let shown = s.run_for_plaintext(["decrypt", name]);
        assert!(shown.code == 0 && !shown.stdout.contains("it's new"), "{name}: {}", shown.stdout);

        s.set_env("EDITOR", "sed -i -e s/heron/HERON/");
        let edited = s.run(["edit", name]);
        assert_eq!(edited.code, 0, "{name}: {}", edited.stderr);
        assert!(s.run_for_plaintext(["decrypt", name]).stdout.contains("HERON"), "{name}");
    }
}

#[test]
fn a_rule_names_the_dialect_and_the_file_remembers_it() {
    let rules = format!("{RULES}    dotenv_dialect: compose\n");
    let mut s = Scenario::new().file(".sops.yaml", rules).file("a.env", "A='CANARY-heron\nb' # c\n");
    s.plaintext.clear();
    assert_eq!(s.run(["-q", "encrypt", "-i", "a.env"]).code, 0);
    assert!(s.read("a.env").contains("\nsops_dotenv_dialect=compose\n"), "{}", s.read("a.env"));
    assert!(s.read("a.env").starts_with("A='ENC["));
    s.write(".sops.yaml", RULES);
    assert_eq!(s.run_for_plaintext(["get", "a.env", "A"]).stdout, "CANARY-heron\nb");
    s.write(".sops.yaml", format!("{RULES}    dotenv_dialect: bash\n"));
    let ran = s.run(["check", "--rules"]);
    assert_ne!(ran.code, 0);
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains("compose, docker, shell, node, systemd"), "{ran:?}");
    let ran = s.run(["encrypt", "--dotenv-dialect", "shell", ".sops.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn called_as_sops_they_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let sops = folder.path().join("sops");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lockage"), &sops).unwrap();
    for (name, content, flags, ..) in FILES {
        let mut s = scenario().file(name, content);
        s.plaintext.clear();
        assert_eq!(s.finish(s.lockage().args(["-q", "encrypt", "-i", name]).args(flags), b"").code, 0);
        let ours = s.finish(s.command(&sops).args(["decrypt", name]), b"");
        assert_ne!(ours.code, 0, "{name}: {}", ours.stdout);
        match name {
            "a.env" => assert!(ours.stderr.contains("call the program `lockage`"), "{}", ours.stderr),
            "a.toml" => {}
            _ => assert!(ours.stderr.contains("top-level object") || ours.stderr.contains("list"), "{}", ours.stderr),
        }
        let Some(theirs) = peer("sops") else { continue };
        let theirs = s.finish(s.command(theirs).args(["decrypt", name]), b"");
        assert_ne!(theirs.code, 0, "{name}: sops shows {}", theirs.stdout);
        if name != "a.env" {
            assert_eq!(ours.code, theirs.code, "{name}: {} {}", ours.stderr, theirs.stderr);
        }
    }
}

#[test]
fn sops_takes_toml_for_binary_and_both_open_that() {
    let Some(sops) = Sops::find() else { return };
    sops.file("a.toml", TOML);
    let file = sops.run(&["encrypt", "--age", lockage::keys::published::RECIPIENT, "a.toml"], b"").unwrap();
    assert_eq!(decrypt(Format::Toml, &file).unwrap(), TOML.as_bytes());
}

#[test]
fn values_under_the_rule_are_encrypted_leaf_by_leaf() {
    let selector = Selector::of_field("encrypted_regex", "^password$").unwrap().unwrap();
    let how = Encryption { scope: EncryptionScope::new(selector), ..encryption() };
    let file = String::from_utf8(encrypt_with(Format::Toml, TOML.as_bytes(), &how).unwrap()).unwrap();
    assert!(file.contains("name = 'CANARY-heron'") && file.contains("password = \"\"\"\nENC["), "{file}");
    assert_eq!(decrypt(Format::Toml, file.as_bytes()).unwrap(), TOML.as_bytes());
    for part in ["a = 1", "port = 0x1F"] {
        let changed = file.replacen(part, "a = 2", 1);
        assert!(decrypt(Format::Toml, changed.as_bytes()).is_err(), "a change of {part} is noticed");
    }
}

/// Values that `rops` keeps; dates become texts there.
const FOR_ROPS: &str = "b = \"two\"\na = 1\nf = 1.50\ng = 1.0\nbig = 1e21\nt = true\nd = 1979-05-27T07:32:00Z\nn = \"null\"\nl = [1, 'x', [true]]\nplain_unencrypted = 2.0\nq.r = 7\n\n[z]\ny = \"\"\"\ntwo\nlines\\t\"\"\"\n[a2.b]\nc = 1\n[z2]\nw = [ { q = 1 } ]\n[a2.d]\nc = -2\n[[z3]]\nk = '''l'''\n[[z3]]\n";

fn rops(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let program = peer("rops")?;
    let folder = tempfile::tempdir().unwrap();
    let key = IDENTITY.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    std::fs::write(folder.path().join("input"), input).unwrap();
    let ran = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("HOME", folder.path())
        .env("ROPS_AGE", key)
        .stdin(std::fs::File::open(folder.path().join("input")).unwrap())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}\n{}", String::from_utf8_lossy(&ran.stderr), String::from_utf8_lossy(input));
    Some(ran.stdout)
}

#[test]
fn rops_opens_ours_and_we_open_its() {
    let ours = encrypt(Format::Toml, FOR_ROPS.as_bytes()).unwrap();
    let Some(by_rops) = rops(&["decrypt", "--format", "toml"], &ours) else { return };
    let (by_rops, plain): (toml::Table, toml::Table) =
        (toml::from_str(&String::from_utf8(by_rops).unwrap()).unwrap(), toml::from_str(FOR_ROPS).unwrap());
    let mut wanted = plain;
    wanted.insert("d".into(), toml::Value::String("1979-05-27T07:32:00Z".into()));
    assert_eq!(by_rops, wanted);

    let recipient = lockage::keys::published::RECIPIENT;
    for more in
        [&[][..], &["--unencrypted-suffix", "_unencrypted"], &["--encrypted-regex", "^(y|w)$", "--mac-only-encrypted"]]
    {
        let arguments = [&["encrypt", "--age", recipient, "--format", "toml"], more].concat();
        let plain = FOR_ROPS.replace("plain_unencrypted", if more.is_empty() { "plain" } else { "plain_unencrypted" });
        let theirs = rops(&arguments, plain.as_bytes()).unwrap();
        let by_us = decrypt(Format::Toml, &theirs)
            .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&theirs)));
        let by_rops = rops(&["decrypt", "--format", "toml"], &theirs).unwrap();
        let read = |text: Vec<u8>| toml::from_str::<toml::Table>(&String::from_utf8(text).unwrap()).unwrap();
        assert_eq!(read(by_us), read(by_rops));
    }
}

#[test]
fn dialects_come_back_and_their_code_covers_what_they_mean() {
    for dialect in Dialect::ALL {
        let plain = "A=CANARY-heron\nB='x y'\n# c\nEMPTY=\n";
        let file = encrypt(Format::Dialect(dialect), plain.as_bytes()).unwrap();
        assert_eq!(decrypt(Format::Dotenv, &file).unwrap(), plain.as_bytes(), "{dialect:?}");
        let other = if dialect == Dialect::Docker { "shell" } else { "docker" };
        let text = String::from_utf8(file).unwrap();
        let moved = text.replace(&format!("dialect={}", dialect.word()), &format!("dialect={other}"));
        assert!(
            decrypt(Format::Dotenv, moved.as_bytes()).is_err(),
            "read as {other}, {dialect:?} means something else"
        );
    }
}

/// SOPS writes an empty text in clear and refuses a token of one; `rops` writes one.
#[test]
fn the_empty_texts_of_rops_are_opened_in_our_own_name() {
    let recipient = lockage::keys::published::RECIPIENT;
    for (format, plain) in [
        (Format::Toml, "a = \"\"\nb = \"CANARY-heron\"\nl = [\n    \"\",\n    \"y\",\n]\n"),
        (Format::Json, "{\n  \"a\": \"\",\n  \"b\": \"CANARY-heron\"\n}"),
    ] {
        let arguments = ["encrypt", "--age", recipient, "--format", format.word()];
        let Some(theirs) = rops(&arguments, plain.as_bytes()) else { return };
        // `rops` says no version, which SOPS and we ask for in JSON.
        let text = String::from_utf8(theirs).unwrap().replacen("\"mac\"", "\"version\": \"3.9.0\",\n\"mac\"", 1);
        let theirs = text.clone().into_bytes();
        let token = text.split('"').find(|text| text.starts_with("ENC[AES256_GCM,data:,")).unwrap();
        let ours = decrypt(format, &theirs).unwrap();
        assert_eq!(String::from_utf8(ours).unwrap().trim_end(), plain.trim_end());

        // Moved or altered it is refused.
        let other = if token.contains("iv:A") { "iv:B" } else { "iv:A" };
        let at = token.find("iv:").unwrap();
        let altered = [&token[..at], other, &token[at + 4..]].concat();
        assert!(decrypt(format, text.replace(token, &altered).as_bytes()).is_err());
        let moved = text.replacen("\"a\"", "\"c\"", 1).replacen("a = ", "c = ", 1);
        assert!(decrypt(format, moved.as_bytes()).is_err(), "{moved}");

        // What is written anew is written as SOPS writes it.
        let file = EncryptedFile::parse(format, theirs.clone()).unwrap().decrypt(&keyring()).unwrap();
        let rotated = String::from_utf8(file.rotate(&[], &[], &keyring(), now()).unwrap()).unwrap();
        assert!(!rotated.contains("data:,"), "{rotated}");
        assert_eq!(decrypt(format, rotated.as_bytes()).unwrap(), file.text());
        if format == Format::Json {
            let as_sops = EncryptedFile::parse_as_sops(format, theirs).unwrap().decrypt(&keyring());
            assert!(as_sops.unwrap_err().to_string().contains("`a`"));
            let Some(sops) = Sops::find() else { continue };
            assert!(sops.decrypt(format, text.as_bytes()).is_err());
            assert_eq!(
                sops.decrypt(format, rotated.as_bytes()).unwrap(),
                b"{\n\t\"a\": \"\",\n\t\"b\": \"CANARY-heron\"\n}\n"
            );
        }
    }
}
