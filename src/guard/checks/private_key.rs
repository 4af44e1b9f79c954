//! An age identity or a PEM private key, in whatever file.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;

use super::Check;
use crate::document::Positions;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::subject::Subject;

/// Looks through the whole text of every staged file.
pub(super) struct PrivateKey;

impl Check for PrivateKey {
    fn id(&self) -> &'static str {
        "private-key"
    }

    fn about(&self) -> &'static str {
        "an age identity or a PEM private key in any file, as it is, in base64 or in UTF-16"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let Some(text) = subject.text()? else { return Ok(()) };
        let positions = Positions::default();
        for key in scan(text) {
            let allow = format!("{}", crate::guard::Fingerprint::of(&key.text));
            found.add_value(
                At::from(positions.of(text, key.offset)),
                format!("{} would be committed", key.kind),
                format!(
                    "remove it and make a new one if it was ever pushed; if everybody may have it, allow it in \
                     `.lockage.yaml` with `rule: private-key`, `value: {allow}` and `why:`"
                ),
                &key.text,
            );
        }
        Ok(())
    }
}

/// A key that was found.
struct Found {
    kind: &'static str,
    /// Where it, or what it is wrapped in, begins.
    offset: usize,
    text: Vec<u8>,
}

/// `AGE-SECRET-KEY-` and its lower-case spelling, which bech32 allows and a program can turn back.
const AGE: [&[u8]; 2] = [b"AGE-SECRET-KEY-", b"age-secret-key-"];

/// What the beginning of a key looks like in base64: PEM at the beginning of what was encoded, age at each of the
/// three alignments.
const WRAPPED: [&[u8]; 4] = [b"LS0tLS1CRUdJ", b"QUdFLVNFQ1JFVC1LRVkt", b"RS1TRUNSRVQtS0VZ", b"R0UtU0VDUkVULUtF"];

fn scan(text: &[u8]) -> Vec<Found> {
    let mut found = plain(text);
    let mut marks: Vec<usize> = WRAPPED.iter().flat_map(|mark| memmem::find_iter(text, mark)).collect();
    marks.sort_unstable();
    let mut run = 0..0;
    // What is decoded is looked through to its end, so that a mark in it is looked at once.
    let mut decoded = 0;
    for offset in marks {
        if offset >= run.end {
            run = digits_around(text, run.end, offset);
        }
        if offset < decoded && (decoded == run.end || offset + MOST_DIGITS <= decoded) {
            continue;
        }
        let start = offset - (offset - run.start) % 4;
        let start = if start > run.start { start - 4 } else { start };
        decoded = run.end.min(start + 2 * MOST_DIGITS);
        let unwrapped = unwrapped(&text[start..decoded]);
        found.extend(plain(&unwrapped).into_iter().map(|key| Found { offset: start + key.offset / 3 * 4, ..key }));
    }
    if let Some(narrow) = narrowed(text) {
        let wide = |key: Found| Found { offset: (key.offset * 2).min(text.len()), ..key };
        found.extend(plain(&narrow).into_iter().map(wide));
    }
    found.sort_by_key(|key| key.offset);
    found.dedup_by(|next, kept| next.text == kept.text && next.offset == kept.offset);
    found
}

fn plain(text: &[u8]) -> Vec<Found> {
    let identities = AGE.iter().flat_map(|start| memmem::find_iter(text, start)).filter_map(|offset| age(text, offset));
    let blocks = memmem::find_iter(text, b"-----BEGIN ").filter_map(|offset| pem(text, offset));
    identities.chain(blocks).collect()
}

/// An identity: 58 letters of bech32 after `1`, many of them different, which those of a placeholder are not.
///
/// The checksum is not asked: a key with one wrong letter is as good as known.
fn age(text: &[u8], offset: usize) -> Option<Found> {
    let start = offset + AGE[0].len();
    let rest = &text[start..];
    let post_quantum = rest.get(..3).is_some_and(|next| next.eq_ignore_ascii_case(b"PQ-"));
    let rest = if post_quantum { &rest[3..] } else { rest };
    let body = rest.strip_prefix(b"1")?;
    let bech32 = |byte: &&u8| b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&byte.to_ascii_lowercase());
    let length = body.iter().take_while(bech32).count();
    let distinct = distinct(&body[..length]);
    let end = text.len() - body.len() + length;
    (length >= 58 && distinct >= 16).then(|| Found {
        kind: "an age identity",
        offset,
        text: text[offset..end].to_vec(),
    })
}

/// The longest key that is looked for: RSA with 16,384 bits is 13 kB of base64.
const LONGEST_PEM: usize = 64 << 10;

/// More than the digits of such a key that is wrapped in base64; whole groups of four.
const MOST_DIGITS: usize = 2 * LONGEST_PEM;

/// The shortest body of a private key in PEM: Ed25519 in PKCS #8 has 64 digits of base64.
const SHORTEST_PEM: usize = 60;

fn pem(text: &[u8], offset: usize) -> Option<Found> {
    let block = &text[offset..text.len().min(offset + LONGEST_PEM)];
    let label_end = memmem::find(&block[11..], b"-----")? + 11;
    let label = &block[11..label_end];
    let private = label.ends_with(b"PRIVATE KEY") || label == b"PGP PRIVATE KEY BLOCK";
    if !private || label.len() > 40 {
        return None;
    }
    let after = label_end + 5;
    // Where another one begins, this one was cut short.
    let cut = memmem::find(&block[after..], b"-----BEGIN ").map_or(block.len(), |at| after + at);
    let body_end = memmem::find(&block[after..cut], b"-----END ").map_or(cut, |at| after + at);
    let digits: Vec<u8> = digits(&block[after..body_end]);
    if digits.len() < SHORTEST_PEM || distinct(&digits) < 16 {
        return None;
    }
    let end = block.get(body_end + 9..).and_then(|rest| memmem::find(rest, b"-----")).map(|at| body_end + 9 + at + 5);
    Some(Found { kind: "a PEM private key", offset, text: block[..end.unwrap_or(body_end)].to_vec() })
}

/// The digits of base64 in a body, whatever quotes, indentation or written `\n` stand between its lines. Words and
/// names are shorter than a line of a key, so that prose and code behind a mere header do not count.
fn digits(body: &[u8]) -> Vec<u8> {
    const LINE: usize = 24;
    let mut digits = Vec::new();
    let mut run = Vec::new();
    let mut escaped = false;
    for &byte in body.iter().chain(b" ") {
        if !escaped && (byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/') {
            run.push(byte);
            continue;
        }
        if run.len() >= LINE {
            digits.append(&mut run);
        }
        run.clear();
        escaped = byte == b'\\';
    }
    digits
}

fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

fn is_digit(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'+' || *byte == b'/'
}

/// The run of digits of base64 around `offset`, none of which stands before `from`.
fn digits_around(text: &[u8], from: usize, offset: usize) -> Range<usize> {
    let before = text[from..offset].iter().rev().take_while(|byte| is_digit(byte)).count();
    let behind = text[offset..].iter().take_while(|byte| is_digit(byte)).count();
    offset - before..offset + behind
}

/// What digits of base64 stand for.
fn unwrapped(digits: &[u8]) -> Vec<u8> {
    let whole = digits.len() - usize::from(digits.len() % 4 == 1);
    STANDARD_NO_PAD.decode(&digits[..whole]).unwrap_or_default()
}

/// A UTF-16 text of Latin letters as one byte per letter; `None` where it is none.
fn narrowed(text: &[u8]) -> Option<Vec<u8>> {
    let zeros = |from: usize| text.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let half = text.len() / 2;
    if half < SHORTEST_PEM || memchr::memchr(0, text).is_none() {
        return None;
    }
    let from = if zeros(1) * 4 > half * 3 { 0 } else { 1 };
    (zeros(1 - from) * 4 > half * 3).then(|| text.iter().skip(from).step_by(2).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Assembled here, so that this file holds no key.
    fn identity() -> String {
        format!("{}{}", "AGE-SECRET-KEY-", "1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE")
    }

    fn pem() -> String {
        let body = "MC4CAQAwBQYDK2VwBCIEIJx8sQ9vR2bT7kLmN4pW1zXcVbGhY6uEoI3aSdFgHjKl";
        format!("{}BEGIN PRIVATE KEY-----\n{body}\n{}END PRIVATE KEY-----\n", "-----", "-----")
    }

    fn kinds(text: &[u8]) -> Vec<&'static str> {
        scan(text).iter().map(|key| key.kind).collect()
    }

    #[test]
    fn keys_are_found_as_they_are_in_base64_and_in_utf_16() {
        let engine = base64::engine::general_purpose::STANDARD;
        for (key, kind) in [(identity(), "an age identity"), (pem(), "a PEM private key")] {
            assert_eq!(kinds(format!("key: {key}\n").as_bytes()), [kind]);
            assert_eq!(kinds(format!("data: {}\n", engine.encode(&key)).as_bytes()), [kind]);
            let wide: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(kinds(&[&b"\xff\xfe"[..], &wide].concat()), [kind]);
            let wide: Vec<u8> = key.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(kinds(&[&b"\xfe\xff"[..], &wide].concat()), [kind]);
        }
        for lead in 0..4 {
            let text = format!("{}{}", "# k\n".get(..lead).unwrap(), identity());
            assert_eq!(kinds(engine.encode(text).as_bytes()), ["an age identity"], "{lead}");
        }
        assert_eq!(kinds(identity().to_lowercase().as_bytes()), ["an age identity"]);
        assert_eq!(kinds(pem().replace('\n', "\\n").as_bytes()), ["a PEM private key"]);
        assert_eq!(kinds(pem().split("-----END").next().unwrap().as_bytes()), ["a PEM private key"]);
    }

    #[test]
    fn placeholders_recipients_and_public_keys_are_none() {
        let placeholder = format!("{}1{}", "AGE-SECRET-KEY-", "X".repeat(58));
        let certificate = pem().replace("PRIVATE KEY", "CERTIFICATE");
        let elided = format!("{}BEGIN PRIVATE KEY-----\n...\n{}END PRIVATE KEY-----", "-----", "-----");
        let recipient = "age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw";
        let prose = format!("`{}BEGIN PRIVATE KEY-----` begins a key. {}", "-----", "Some words of prose. ".repeat(30));
        for text in [placeholder, certificate, elided, prose, recipient.to_owned(), "AGE-SECRET-KEY-1...".into()] {
            assert!(scan(text.as_bytes()).is_empty(), "{text}");
        }
    }

    #[test]
    fn the_value_of_an_exception_is_the_key_alone() {
        let found = scan(format!("a\n  {}\nb\n", identity()).as_bytes()).remove(0);
        assert_eq!((found.offset, found.text), (4, identity().into_bytes()));
        let found = scan(format!("{}tail", pem()).as_bytes()).remove(0);
        assert_eq!(found.text, pem().trim_end().as_bytes());
    }

    #[test]
    fn every_key_in_a_long_run_of_base64_is_found_where_it_begins() {
        let engine = base64::engine::general_purpose::STANDARD;
        // More marks than could be decoded once each, and more digits than are decoded at once.
        let filler = "-----BEGIN CERTIFICATE REQUEST-----\n".repeat(40_000);
        let before = pem().len() + filler.len();
        let text = format!("key: {}", engine.encode(format!("{}{filler}{}\n{}", pem(), identity(), pem())));
        let found: Vec<_> = scan(text.as_bytes()).into_iter().map(|key| (key.offset - 5, key.kind)).collect();
        let second = before + identity().len() + 1;
        let wanted = [(0, "a PEM private key"), (before, "an age identity"), (second, "a PEM private key")];
        assert_eq!(found, wanted.map(|(at, kind)| (at / 3 * 4, kind)));
        let begun = format!("{}BEGIN PRIVATE KEY-----", "-----");
        assert!(scan(begun.repeat(40_000).as_bytes()).is_empty());
    }
}
