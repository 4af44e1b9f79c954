//! What may stand in a `sops` block. SOPS ignores what it does not know and checks little of the rest, so that a
//! plaintext could stand there: everything in the block has to have the shape that SOPS gives it.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::document::{Dialect, Kind, Tree};

/// The fields at the top of the block.
const FIELDS: &[&str] = &[
    "age",
    "azure_kv",
    "dotenv_dialect",
    "encrypted_comment_regex",
    "encrypted_regex",
    "encrypted_suffix",
    "gcp_kms",
    "hc_vault",
    "hckms",
    "key_groups",
    "kms",
    "lastmodified",
    "mac",
    "mac_only_encrypted",
    "pgp",
    "shamir_threshold",
    "unencrypted_comment_regex",
    "unencrypted_regex",
    "unencrypted_suffix",
    "version",
];

/// The lists of keys, each with the fields of its entries.
///
/// *Source*: the SOPS format, section 6.1.
const LISTS: &[(&str, &[&str])] = &[
    ("age", &["enc", "recipient"]),
    ("azure_kv", &["created_at", "enc", "name", "vault_url", "version"]),
    ("gcp_kms", &["created_at", "enc", "resource_id"]),
    ("hc_vault", &["created_at", "enc", "engine_path", "key_name", "vault_address"]),
    ("hckms", &["created_at", "enc", "key_id"]),
    ("kms", &["arn", "aws_profile", "context", "created_at", "enc", "role"]),
    ("pgp", &["created_at", "enc", "fp"]),
];

/// Something in the block that SOPS would not have written.
pub(super) struct Stranger {
    /// Where it stands, if it is a scalar that was read.
    pub(super) offset: Option<usize>,
    /// What it is, for a message.
    pub(super) what: &'static str,
}

/// Everything in the block that does not belong there.
pub(super) fn strangers(block: &Tree) -> Vec<Stranger> {
    let mut found = Vec::new();
    let Tree::Map(entries) = block else { return found };
    for (key, value) in entries {
        match known(FIELDS, key) {
            None => found.push(stranger(value, "a field that is none of its own")),
            Some("key_groups") => {
                for group in items(value) {
                    let Tree::Map(lists) = group else { continue };
                    lists.iter().for_each(|(key, value)| list(key, value, &mut found));
                }
            }
            Some("dotenv_dialect") => scalar(value, "a dialect", is_dialect, &mut found),
            Some("version") => scalar(value, "a version", is_version, &mut found),
            Some("lastmodified") => scalar(value, "a time", is_time, &mut found),
            Some("shamir_threshold") => scalar(value, "a threshold", is_number, &mut found),
            Some(_) if matches!(value, Tree::Scalar { .. }) => {}
            Some(_) => list(key, value, &mut found),
        }
    }
    found
}

fn list(key: &str, value: &Tree, found: &mut Vec<Stranger>) {
    let Some((word, fields)) = LISTS.iter().find(|(word, _)| word.eq_ignore_ascii_case(key)) else {
        found.push(stranger(value, "a field that is none of its own"));
        return;
    };
    for item in items(value) {
        let Tree::Map(entries) = item else {
            found.push(stranger(item, "a key that is none"));
            continue;
        };
        for (key, value) in entries {
            match known(fields, key) {
                None => found.push(stranger(value, "a field that is none of its own")),
                Some("created_at") => scalar(value, "a time", is_time, found),
                Some("enc") if *word == "age" => scalar(value, "a wrapped age key", is_age_file, found),
                Some("enc") => scalar(value, "a wrapped key", is_wrapped, found),
                Some(_) => {}
            }
        }
    }
}

fn known<'k>(fields: &[&'k str], key: &str) -> Option<&'k str> {
    fields.iter().find(|field| field.eq_ignore_ascii_case(key)).copied()
}

/// The items of a list; a single mapping counts as a list of one.
fn items(tree: &Tree) -> &[Tree] {
    match tree {
        Tree::List(items) => items,
        Tree::Map(_) => std::slice::from_ref(tree),
        Tree::Scalar { .. } => &[],
    }
}

fn stranger(tree: &Tree, what: &'static str) -> Stranger {
    let offset = match tree {
        Tree::Scalar { range, .. } => start(range),
        Tree::List(_) | Tree::Map(_) => None,
    };
    Stranger { offset, what }
}

fn start(range: &Range<usize>) -> Option<usize> {
    (!range.is_empty()).then_some(range.start)
}

fn scalar(tree: &Tree, what: &'static str, fits: fn(&str) -> bool, found: &mut Vec<Stranger>) {
    let empty = matches!(tree, Tree::Scalar { text, kind, .. } if text.is_empty() || *kind == Kind::Null);
    if !empty && !tree.as_text().is_some_and(fits) {
        found.push(stranger(tree, what));
    }
}

/// `3.13.3`, `v3.9.0`, `3.9.0-rc.1`.
fn is_dialect(text: &str) -> bool {
    Dialect::of_word(text).is_some()
}

fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (core, rest) = text.split_once('-').unwrap_or((text, ""));
    let short = rest.len() <= 8 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    core.len() <= 16 && short && core.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn is_time(text: &str) -> bool {
    crate::document::canonical(Kind::Time, text.as_bytes()).is_some()
}

fn is_number(text: &str) -> bool {
    text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An armored age file: lines of 64 digits, the last one shorter, that begin as every age file does.
fn is_age_file(text: &str) -> bool {
    let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    let [first, body @ .., last] = &lines[..] else { return false };
    let Some((tail, full)) = body.split_last() else { return false };
    let framed = *first == "-----BEGIN AGE ENCRYPTED FILE-----" && *last == "-----END AGE ENCRYPTED FILE-----";
    let even = full.iter().all(|line| line.len() == 64) && tail.len() <= 64;
    let decoded = STANDARD.decode(body.concat()).unwrap_or_default();
    framed && even && decoded.strip_prefix(b"age-encryption.org/v1\n").is_some_and(is_age_header)
}

/// The recipients' stanzas of base64, the header's code, and a payload of one wrapped data key.
fn is_age_header(rest: &[u8]) -> bool {
    let Some(end) = memchr::memmem::find(rest, b"\n--- ") else { return false };
    let (stanzas, tail) = (&rest[..end], &rest[end + 5..]);
    // 43 digits of the code and its line break; a nonce of 16 bytes; a data key, or a share of one, and its tag of 16.
    let whole = matches!(tail.len(), 108..=109) && tail[43] == b'\n';
    // What follows `-> ` is free: writers put a stanza of random letters there to keep readers honest.
    let line = |line: &[u8]| match line.strip_prefix(b"-> ") {
        Some(words) => words.iter().all(|byte| matches!(byte, b' '..=b'~')),
        None => line.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)),
    };
    whole && stanzas.starts_with(b"-> ") && stanzas.split(|byte| *byte == b'\n').all(line)
}

/// Base64, an armored message, or Vault's `vault:v1:…`.
fn is_wrapped(text: &str) -> bool {
    let text = text.trim();
    if text.starts_with("-----BEGIN PGP MESSAGE-----") {
        return text.ends_with("-----END PGP MESSAGE-----");
    }
    let digits = text.strip_prefix("vault:v").and_then(|rest| rest.split_once(':')).map_or(text, |(_, digits)| digits);
    digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-\n".contains(&byte))
}
