//! Files that must not open: both programs say no, for the same reason.

use lockage::document::Format;
use lockage::keys::{KeyServices, Keyring};
use lockage::secret::SecretString;
use lockage::sops::{EncryptedFile, SopsError};

use crate::support::{Sops, decrypt, encrypt, keyring};

const PLAIN: &str =
    "password: CANARY-heron\nuser: ana\nport: 5432\nhosts:\n  - one\n  - two\nplain_unencrypted: seen\n";

fn file() -> String {
    String::from_utf8(encrypt(Format::Yaml, PLAIN.as_bytes()).unwrap()).unwrap()
}

/// The token on the line of a key.
fn token<'f>(file: &'f str, key: &str) -> &'f str {
    let line = file.lines().find(|line| line.trim_start().starts_with(&format!("{key}: "))).unwrap();
    line.split_once(": ").unwrap().1
}

/// Both programs refuse `file`: ours with an error that fits, the real one with that exit code.
fn both_refuse(file: &str, code: u8, fits: impl Fn(&SopsError) -> bool) {
    let error = decrypt(Format::Yaml, file.as_bytes()).unwrap_err();
    assert!(fits(&error), "{error:?}");
    assert_eq!(error.sops_exit_code(false), code, "{error:?}");
    let said = format!("{error} {:?}", lockage::error::Failure::hints(&error));
    assert!(!said.contains("CANARY"), "{said}");
    let Some(sops) = Sops::find() else { return };
    match sops.decrypt(Format::Yaml, file.as_bytes()) {
        Ok(_) => panic!("sops opens it; we say {error}"),
        Err((theirs, complaint)) => assert_eq!(theirs, i32::from(code), "{error:?}\n{complaint}"),
    }
}

#[test]
fn the_file_itself_opens() {
    assert_eq!(decrypt(Format::Yaml, file().as_bytes()).unwrap(), PLAIN.as_bytes());
}

#[test]
fn a_tampered_value() {
    let file = file();
    let good = token(&file, "password");
    let at = good.find("data:").unwrap() + 5;
    let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
    let bad = format!("{}{other}{}", &good[..at], &good[at + 1..]);
    both_refuse(
        &file.replace(good, &bad),
        25,
        |error| matches!(error, SopsError::Value { path, line: 1, .. } if path.to_string() == "password"),
    );
}

#[test]
fn a_moved_value() {
    let file = file();
    let (one, two) = (token(&file, "password"), token(&file, "user"));
    let swapped = file.replace(one, "#").replace(two, one).replace('#', two);
    both_refuse(&swapped, 25, |error| matches!(error, SopsError::Value { line: 1, .. }));
}

#[test]
fn items_swapped_within_a_list() {
    let file = file();
    let items: Vec<&str> = file.lines().filter(|line| line.starts_with("  - ENC[")).collect();
    let swapped = file.replace(items[0], "#").replace(items[1], items[0]).replace('#', items[1]);
    both_refuse(&swapped, 51, |error| matches!(error, SopsError::MacMismatch));
}

#[test]
fn a_truncated_token() {
    let file = file();
    let good = token(&file, "password");
    both_refuse(&file.replace(good, &good[..good.len() - 20]), 25, |error| matches!(error, SopsError::Value { .. }));
}

#[test]
fn a_value_put_there_in_clear() {
    let file = file();
    let good = token(&file, "password");
    both_refuse(&file.replace(good, "blue"), 25, |error| matches!(error, SopsError::Value { .. }));
    both_refuse(&file.replace(good, "42"), 25, |error| matches!(error, SopsError::NotText { kind: "integer", .. }));
}

#[test]
fn an_emptied_value_and_a_changed_clear_one() {
    let file = file();
    let good = token(&file, "password");
    both_refuse(&file.replace(good, "\"\""), 51, |error| matches!(error, SopsError::MacMismatch));
    both_refuse(&file.replace("seen", "unseen"), 51, |error| matches!(error, SopsError::MacMismatch));
}

#[test]
fn another_type_word() {
    let file = file();
    let good = token(&file, "password");
    let typed = file.replace(good, &good.replace("type:str", "type:int"));
    both_refuse(&typed, 25, |error| matches!(error, SopsError::Content { kind: "int", .. }));
    // The type word is not authenticated, and the code hashes the same bytes.
    let port = token(&file, "port");
    let text = file.replace(port, &port.replace("type:int", "type:str"));
    let opened = String::from_utf8(decrypt(Format::Yaml, text.as_bytes()).unwrap()).unwrap();
    assert!(opened.contains("port: \"5432\""), "{opened}");
}

#[test]
fn a_truncated_file() {
    let file = file();
    for lines in [1, 6, 8] {
        let cut: Vec<&str> = file.lines().take(lines).collect();
        both_refuse(&(cut.join("\n") + "\n"), 1, |_| true);
    }
    let half = &file[..file.find("ENC[").unwrap() + 30];
    both_refuse(half, 1, |error| matches!(error, SopsError::NotEncrypted));
}

#[test]
fn the_code_is_missing_unreadable_or_another() {
    let file = file();
    let code = token(&file, "mac");
    both_refuse(&file.replace(&format!("    mac: {code}\n"), ""), 51, |error| matches!(error, SopsError::MacMissing));
    both_refuse(&file.replace(code, "''"), 51, |error| matches!(error, SopsError::MacMissing));
    let time = file.replace("2026-11-21T12:00:00Z", "2026-11-21T12:00:01Z");
    both_refuse(&time, 51, |error| matches!(error, SopsError::MacUnreadable { .. }));
    both_refuse(&file.replace(code, token(&file, "user")), 51, |error| {
        matches!(error, SopsError::MacUnreadable { .. })
    });
    let flag = file.replace("\n    mac: ", "\n    mac_only_encrypted: true\n    mac: ");
    both_refuse(&flag, 51, |error| matches!(error, SopsError::MacMismatch));
    // The same moment in another spelling is the same moment.
    let zone = file.replace("2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000+00:00");
    assert!(decrypt(Format::Yaml, zone.as_bytes()).is_ok());
}

#[test]
fn an_unverified_file_can_be_shown_only() {
    let file = file().replace("seen", "unseen").into_bytes();
    let shown = EncryptedFile::parse(Format::Yaml, file).unwrap().decrypt_unverified(&keyring()).unwrap();
    assert_eq!(shown.distrust(), Some(&SopsError::MacMismatch));
    assert!(shown.text().starts_with(b"password: CANARY-heron\n"));
    assert!(!format!("{shown:?}").contains("CANARY"));
}

#[test]
fn the_block_is_read_as_strictly_as_sops_reads_it() {
    let file = file();
    for (from, to) in [
        ("lastmodified: \"2026-11-21T12:00:00Z\"", "lastmodified: 2026-11-21T12:00:00Z"),
        ("lastmodified: \"2026-11-21T12:00:00Z\"", "lastmodified: \"yesterday\""),
        ("    lastmodified: \"2026-11-21T12:00:00Z\"\n", ""),
        ("    version: 3.13.3\n", ""),
        ("version: 3.13.3", "version: 3.13"),
        ("unencrypted_suffix: _unencrypted", "unencrypted_suffix: _unencrypted\n    encrypted_suffix: x"),
        ("sops:\n", "sops: x\nrest:\n"),
        ("    age:\n", "    keys:\n"),
    ] {
        let changed = file.replace(from, to);
        assert_ne!(changed, file, "{from}");
        both_refuse(&changed, 1, |_| true);
    }
    for (from, to) in [
        ("lastmodified:", "LastModified:"),
        ("version: 3.13.3", "version: v4.0.0"),
        ("version: 3.13.3", "version: \"1.foo\""),
        ("version: 3.13.3", "version: 3.13.3\n    unknown: [1, {a: b}]\n    kms: []\n    pgp: null"),
        ("unencrypted_suffix: _unencrypted\n", "mac_only_encrypted: \"false\"\n    shamir_threshold: \"2\"\n"),
    ] {
        let changed = file.replace(from, to);
        assert_ne!(changed, file, "{from}");
        let opened = decrypt(Format::Yaml, changed.as_bytes());
        assert!(opened.is_ok(), "{to}: {opened:?}");
        if let Some(sops) = Sops::find() {
            assert!(sops.decrypt(Format::Yaml, changed.as_bytes()).is_ok(), "{to}");
        }
    }
}

#[test]
fn somebody_elses_file() {
    let file = file();
    let parsed = || EncryptedFile::parse(Format::Yaml, file.clone().into_bytes()).unwrap();
    let error = parsed().decrypt(&KeyServices::from(Keyring::new())).unwrap_err();
    assert_eq!(error.sops_exit_code(false), 128);
    assert!(error.to_string().contains("age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw  not yours"));

    let stranger = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0\n";
    let mut keyring = Keyring::new();
    keyring.add_age_text(&SecretString::new(stranger.into()), "keys.txt").unwrap();
    let error = parsed().decrypt(&keyring.into()).unwrap_err();
    let hints = lockage::error::Failure::hints(&error).join("\n");
    assert!(hints.contains("age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj from keys.txt"), "{hints}");
    assert!(!hints.contains("SECRET"), "{hints}");

    let Some(sops) = Sops::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("keys.txt");
    std::fs::write(&key_file, stranger).unwrap();
    let (code, _) = sops.with_key_file(key_file).decrypt(Format::Yaml, file.as_bytes()).unwrap_err();
    assert_eq!(code, 128);
}

#[test]
fn a_wrapped_key_that_is_damaged() {
    let file = file();
    let armor = file.lines().find(|line| line.trim_start().starts_with("YWdl")).unwrap().to_owned();
    let damaged = file.replace(&armor, &armor.replace('5', "6").replace("YWdl", "YWdm"));
    both_refuse(&damaged, 128, |error| matches!(error, SopsError::NotOpened(_)));
}
