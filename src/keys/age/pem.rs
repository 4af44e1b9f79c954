//! Private keys in PEM as OpenSSL and older versions of OpenSSH write them.
//!
//! The age crate reads RSA keys in PKCS #1 and what OpenSSH writes today. SOPS also takes keys in PKCS #8, and those under
//! a passphrase in the old way of OpenSSL; here they become one of the two forms that the crate reads.
//!
//! *Source*: RFC 1421 for the headers, RFC 5958 for PKCS #8, OpenSSL's `EVP_BytesToKey`, OpenSSH's `PROTOCOL.key`.

use aes::{Aes128, Aes192, Aes256};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, KeyIvInit};
use des::TdesEde3;
use md5::{Digest as _, Md5};
use pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

const PKCS1: &str = "RSA PRIVATE KEY";
const PKCS8: &str = "PRIVATE KEY";
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Letters on a line.
const WIDTH: usize = 64;
/// The longest block of a cipher, and the length that OpenSSH fills its own up to without one.
const BLOCK: usize = 8;

/// A private key in PEM.
pub(super) enum Pem {
    /// In a form that the age crate reads.
    Open(Zeroizing<String>),
    /// Under a passphrase.
    Locked(LockedPem),
}

/// A key that OpenSSL encrypted in its old way.
pub(super) struct LockedPem {
    cipher: Cipher,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Des3,
}

impl Pem {
    /// Reads the first block of a text; `None` if it holds no key that can be used.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let block = Block::first(text)?;
        let Some((cipher, iv)) = block.encryption() else {
            return match block.label {
                PKCS1 => Some(Self::Open(armored(PKCS1, &block.bytes))),
                PKCS8 => of_pkcs8(&block.bytes).map(Self::Open),
                _ => Some(Self::Open(armored(block.label, &block.bytes))),
            };
        };
        if block.label != PKCS1 {
            return None;
        }
        let iv = (0..iv.len()).step_by(2).map(|at| u8::from_str_radix(iv.get(at..at + 2)?, 16).ok());
        let locked =
            LockedPem { cipher: Cipher::of(cipher)?, iv: iv.collect::<Option<_>>()?, ciphertext: block.bytes.to_vec() };
        Some(Self::Locked(locked))
    }
}

impl LockedPem {
    /// The key in a form that the age crate reads; `None` if the passphrase is wrong.
    pub(super) fn unlock(&self, passphrase: &str) -> Option<Zeroizing<String>> {
        let key = self.key(passphrase.as_bytes())?;
        let mut bytes = Zeroizing::new(self.ciphertext.clone());
        let opened = match self.cipher {
            Cipher::Aes128 => opened::<Aes128>(&key, &self.iv, &mut bytes),
            Cipher::Aes192 => opened::<Aes192>(&key, &self.iv, &mut bytes),
            Cipher::Aes256 => opened::<Aes256>(&key, &self.iv, &mut bytes),
            Cipher::Des3 => opened::<TdesEde3>(&key, &self.iv, &mut bytes),
        }?;
        Some(armored(PKCS1, opened))
    }

    /// One round of MD5 over passphrase and salt for every sixteen bytes; the salt is the start of the IV.
    fn key(&self, passphrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let salt = self.iv.get(..BLOCK)?;
        let length = self.cipher.key_length();
        let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
        while key.len() < length {
            let before = key.len().saturating_sub(16)..key.len();
            let mut hash = Md5::new();
            hash.update(&key[before]);
            hash.update(passphrase);
            hash.update(salt);
            key.extend_from_slice(&hash.finalize());
        }
        key.truncate(length);
        Some(key)
    }
}

impl Cipher {
    fn of(name: &str) -> Option<Self> {
        match name {
            "AES-128-CBC" => Some(Self::Aes128),
            "AES-192-CBC" => Some(Self::Aes192),
            "AES-256-CBC" => Some(Self::Aes256),
            "DES-EDE3-CBC" => Some(Self::Des3),
            _ => None,
        }
    }

    const fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::Des3 => 24,
            Self::Aes256 => 32,
        }
    }
}

fn opened<'b, C>(key: &[u8], iv: &[u8], bytes: &'b mut [u8]) -> Option<&'b [u8]>
where
    C: BlockDecryptMut + cbc::cipher::BlockCipher,
    cbc::Decryptor<C>: KeyIvInit + BlockDecryptMut,
{
    cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?.decrypt_padded_mut::<Pkcs7>(bytes).ok()
}

/// One block of PEM.
struct Block<'a> {
    label: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    bytes: Zeroizing<Vec<u8>>,
}

impl<'a> Block<'a> {
    fn first(text: &'a str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim_end);
        let label = lines.find_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----"))?;
        let mut headers = Vec::new();
        let mut body = Zeroizing::new(String::with_capacity(text.len()));
        for line in lines {
            if line.strip_prefix("-----END ").and_then(|line| line.strip_suffix("-----")) == Some(label) {
                let bytes = Zeroizing::new(BASE64_STANDARD.decode(body.as_bytes()).ok()?);
                return Some(Self { label, headers, bytes });
            }
            match line.split_once(':') {
                Some((name, value)) => headers.push((name.trim(), value.trim())),
                None => body.push_str(line.trim()),
            }
        }
        None
    }

    /// The cipher and the IV of an encrypted block.
    fn encryption(&self) -> Option<(&'a str, &'a str)> {
        let value = |name| self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        value("Proc-Type").filter(|kind| kind.ends_with(",ENCRYPTED"))?;
        value("DEK-Info")?.split_once(',')
    }
}

fn of_pkcs8(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let info = PrivateKeyInfo::try_from(bytes).ok()?;
    match info.algorithm.oid {
        RSA => Some(armored(PKCS1, info.private_key)),
        // The seed is an OCTET STRING of 32 bytes.
        ED25519 => of_seed(info.private_key.strip_prefix(&[4, 32])?),
        _ => None,
    }
}

/// An Ed25519 key as OpenSSH writes it.
fn of_seed(seed: &[u8]) -> Option<Zeroizing<String>> {
    const KIND: &[u8] = b"ssh-ed25519";
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    let public = pair.public_key().as_ref();
    let mut outer = Zeroizing::new(Vec::with_capacity(512));
    let mut inner = Zeroizing::new(Vec::with_capacity(256));
    let string = |out: &mut Vec<u8>, parts: &[&[u8]]| {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        out.extend_from_slice(&u32::try_from(length).unwrap_or_default().to_be_bytes());
        parts.iter().for_each(|part| out.extend_from_slice(part));
    };
    // Two equal numbers, by which a wrong passphrase would be seen.
    inner.extend_from_slice(&[0; 8]);
    string(&mut inner, &[KIND]);
    string(&mut inner, &[public]);
    string(&mut inner, &[seed, public]);
    string(&mut inner, &[]);
    let padding = (1..=7u8).take(inner.len().next_multiple_of(BLOCK) - inner.len());
    inner.extend(padding);
    let mut blob = Vec::new();
    string(&mut blob, &[KIND]);
    string(&mut blob, &[public]);
    outer.extend_from_slice(b"openssh-key-v1\0");
    for name in ["none", "none", ""] {
        string(&mut outer, &[name.as_bytes()]);
    }
    outer.extend_from_slice(&1u32.to_be_bytes());
    string(&mut outer, &[&blob]);
    string(&mut outer, &[&inner]);
    Some(armored("OPENSSH PRIVATE KEY", &outer))
}

fn armored(label: &str, bytes: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(BASE64_STANDARD.encode(bytes));
    let mut text = Zeroizing::new(String::with_capacity(body.len() + body.len() / WIDTH + 2 * label.len() + 64));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for start in (0..body.len()).step_by(WIDTH) {
        text.push_str(&body[start..body.len().min(start + WIDTH)]);
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
