//! Quirks of single tokens.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockage::document::{Format, Kind};
use lockage::keys::published;
use lockage::secret::{SecretBytes, SecretString};
use lockage::sops::{EncryptedFile, SopsError};

use super::yaml;
use crate::support::{Sops, decrypt, keyring, now, recipient};

const KEY: [u8; 32] = [7; 32];
const TIME: &str = "2026-11-21T12:00:00Z";

/// A token with the nonce of 12 bytes that the rest of the world uses.
fn short_token(plain: &[u8], place: &str) -> String {
    let cipher = Aes256Gcm::new_from_slice(&KEY).unwrap();
    let nonce = [9; 12];
    let sealed = cipher.encrypt(&nonce.into(), Payload { msg: plain, aad: place.as_bytes() }).unwrap();
    let (data, tag) = sealed.split_at(plain.len());
    let [data, nonce, tag] = [data, &nonce[..], tag].map(|bytes| STANDARD.encode(bytes));
    format!("ENC[AES256_GCM,data:{data},iv:{nonce},tag:{tag},type:str]")
}

/// A file of another writer: one value, and its code.
fn foreign() -> String {
    let enc = keyring().wrap(&recipient(), &SecretBytes::new(KEY.to_vec())).unwrap();
    let enc = enc.lines().map(|line| format!("            {line}\n")).collect::<String>();
    let hash = ring::digest::digest(&ring::digest::SHA512, b"CANARY-heron");
    let code: String = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let (value, mac) = (short_token(b"CANARY-heron", "a:"), short_token(code.as_bytes(), TIME));
    format!(
        "a: {value}\nsops:\n    age:\n        - enc: |\n{enc}          recipient: {}\n    lastmodified: \"{TIME}\"\n    mac: \
         {mac}\n    unencrypted_suffix: _unencrypted\n    version: 3.9.0\n",
        published::RECIPIENT
    )
}

/// 1. Both read it; where `sops set` panics on writing the file back, we keep the token as it is.
#[test]
fn nonces_of_twelve_bytes_are_read_and_kept() {
    let file = foreign();
    assert_eq!(decrypt(Format::Yaml, file.as_bytes()).unwrap(), b"a: CANARY-heron\n");
    let opened = EncryptedFile::parse(Format::Yaml, file.clone().into_bytes()).unwrap().decrypt(&keyring()).unwrap();
    let value = SecretString::new("two".to_owned());
    let changed = opened.set(&"b".parse().unwrap(), Kind::Str, &value, now()).unwrap().unwrap();
    assert!(String::from_utf8(changed.clone()).unwrap().starts_with(file.lines().next().unwrap()));
    assert_eq!(decrypt(Format::Yaml, &changed).unwrap(), b"a: CANARY-heron\nb: two\n");
    if let Some(sops) = Sops::find() {
        for file in [file.as_bytes(), &changed] {
            sops.decrypt(Format::Yaml, file).unwrap();
        }
    }
}

/// 2. A list's positions are no part of the associated data: only the code tells.
#[test]
fn swapped_items_open_and_the_code_tells() {
    let file = yaml("l:\n    - one\n    - two\n");
    let items: Vec<&str> = file.lines().filter(|line| line.contains("- ENC[")).collect();
    let swapped = file.replace(items[0], "@").replace(items[1], items[0]).replace('@', items[1]);
    assert!(matches!(decrypt(Format::Yaml, swapped.as_bytes()), Err(SopsError::MacMismatch)));
    let opened = EncryptedFile::parse(Format::Yaml, swapped.clone().into_bytes()).unwrap();
    let unverified = opened.decrypt_unverified(&keyring()).unwrap();
    assert_eq!(unverified.text(), b"l:\n    - two\n    - one\n");
    if let Some(sops) = Sops::find() {
        assert_eq!(sops.decrypt(Format::Yaml, swapped.as_bytes()).unwrap_err().0, 51);
    }
}

/// 6. The type of a token is not authenticated. We follow: the value is another one, the code the same.
#[test]
fn the_type_of_a_token_can_be_changed() {
    let file = yaml("a: 12\n").replace("type:int", "type:str");
    assert_eq!(String::from_utf8(decrypt(Format::Yaml, file.as_bytes()).unwrap()).unwrap().trim_end(), "a: \"12\"");
    if let Some(sops) = Sops::find() {
        assert_eq!(sops.decrypt(Format::Yaml, file.as_bytes()).unwrap(), b"a: \"12\"\n");
    }
}

/// 7. `sops` crashes on bytes, which it never writes itself; we read them as text.
#[test]
fn bytes_are_text() {
    let file = yaml("a: one\n").replacen("type:str", "type:bytes", 1);
    assert_eq!(decrypt(Format::Yaml, file.as_bytes()).unwrap(), b"a: one\n");
    if let Some(sops) = Sops::find() {
        assert!(sops.decrypt(Format::Yaml, file.as_bytes()).is_err());
    }
}

/// 8. Nothing between the commas is no token for either.
#[test]
fn a_token_without_data_is_none() {
    let file = yaml("a: one\n");
    let data = file.split("data:").nth(1).unwrap().split(',').next().unwrap();
    let empty = file.replacen(data, "", 1);
    assert!(matches!(decrypt(Format::Yaml, empty.as_bytes()), Err(SopsError::Value { .. })));
    if let Some(sops) = Sops::find() {
        assert_eq!(sops.decrypt(Format::Yaml, empty.as_bytes()).unwrap_err().0, 25);
    }
}

/// 9. An emptied value opens as empty, and only the code tells.
#[test]
fn an_emptied_value_is_noticed_by_the_code() {
    let file = yaml("a: one\nb: two\n");
    let line = file.lines().next().unwrap();
    let emptied = file.replacen(line, "a: \"\"", 1);
    assert!(matches!(decrypt(Format::Yaml, emptied.as_bytes()), Err(SopsError::MacMismatch)));
    if let Some(sops) = Sops::find() {
        assert_eq!(sops.decrypt(Format::Yaml, emptied.as_bytes()).unwrap_err().0, 51);
    }
}

/// 14. After any `set` SOPS gives equal items one ciphertext. We do not follow: nothing moves but what was set.
#[test]
fn equal_items_keep_their_own_tokens() {
    let file = yaml("l:\n    - same\n    - same\nother: x\n");
    let items: Vec<&str> = file.lines().filter(|line| line.contains("- ENC[")).collect();
    assert_ne!(items[0], items[1]);
    let opened = EncryptedFile::parse(Format::Yaml, file.clone().into_bytes()).unwrap().decrypt(&keyring()).unwrap();
    let value = SecretString::new("y".to_owned());
    let changed = opened.set(&"other".parse().unwrap(), Kind::Str, &value, now()).unwrap().unwrap();
    let changed = String::from_utf8(changed).unwrap();
    assert!(items.iter().all(|item| changed.contains(item)), "{changed}");
}
