//! SSH keys as age identities.

use std::sync::{Mutex, PoisonError};

use ::age::secrecy::{ExposeSecret as _, SecretString as AgeSecret};
use ::age::{Callbacks as _, DecryptError, ssh};
use age_core::format::{FileKey, Stanza};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::asking::Asking;
use super::pem::{LockedPem, Pem};
use crate::keys::KeyError;
use crate::secret::SecretString;

/// A private SSH key, of which the public half is known even where a passphrase protects the rest.
pub(in crate::keys) struct SshIdentity {
    origin: String,
    /// As in an `authorized_keys` file, without a comment.
    public: String,
    key: Key,
    /// What came of asking for the passphrase, which happens once.
    unlocked: Mutex<Option<Result<ssh::Identity, KeyError>>>,
}

enum Key {
    Open(ssh::Identity),
    Locked(Lock),
}

/// A key under a passphrase.
enum Lock {
    OpenSsh(Box<ssh::EncryptedKey>),
    Pem(LockedPem),
}

impl SshIdentity {
    /// Reads a private key in the format of OpenSSH, or one in PEM. `public` is its other half, as it stands in the file
    /// beside it: what the old ways of encrypting a key hide.
    pub(in crate::keys) fn parse(text: &SecretString, public: Option<&str>, origin: &str) -> Result<Self, KeyError> {
        let failed = |reason| KeyError::Unusable { origin: origin.to_owned(), reason };
        let unknown = "it is an SSH key of a type that age cannot use";
        let pem = Pem::parse(text.expose_secret()).ok_or_else(|| failed("it is no private SSH key"))?;
        let (key, public) = match pem {
            Pem::Open(text) => {
                let key = ssh::Identity::from_buffer(text.as_bytes(), None).map_err(|_| failed(unknown))?;
                let public = match &key {
                    ssh::Identity::Unencrypted(_) => {
                        ssh::Recipient::try_from(key.clone()).ok().map(|key| key.to_string())
                    }
                    ssh::Identity::Encrypted(_) => public_half(&text),
                    ssh::Identity::Unsupported(_) => None,
                };
                let public = public.ok_or_else(|| failed(unknown))?;
                let key = match key {
                    ssh::Identity::Encrypted(key) => Key::Locked(Lock::OpenSsh(Box::new(key))),
                    open => Key::Open(open),
                };
                (key, public)
            }
            Pem::Locked(pem) => {
                let public = public.and_then(without_comment);
                let missing = "its public half, which has to stand beside it in a file that ends in `.pub`, is missing";
                (Key::Locked(Lock::Pem(pem)), public.ok_or_else(|| failed(missing))?)
            }
        };
        Ok(Self { origin: origin.to_owned(), public, key, unlocked: Mutex::new(None) })
    }

    pub(super) fn public(&self) -> &str {
        &self.public
    }

    pub(super) fn is_locked(&self) -> bool {
        matches!(self.key, Key::Locked(_))
    }

    /// The identity for the age crate.
    pub(super) fn asking<'a>(&'a self, asking: &'a Asking) -> impl ::age::Identity + 'a {
        Unlocking { identity: self, asking }
    }

    /// Why it could not be unlocked, if that was tried.
    pub(super) fn failure(&self) -> Option<KeyError> {
        match &*self.unlocked.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Err(error)) => Some(error.clone()),
            _ => None,
        }
    }

    /// Whether a stanza is for this key: it names four bytes of the hash of the public half.
    fn is_for(&self, stanza: &Stanza) -> bool {
        let wire = self.public.split(' ').nth(1).and_then(|text| BASE64_STANDARD.decode(text).ok());
        let tag = wire.map(|wire| BASE64_STANDARD_NO_PAD.encode(&Sha256::digest(wire)[..4]));
        stanza.tag.starts_with("ssh-") && tag.is_some() && stanza.args.first() == tag.as_ref()
    }

    fn unlock(&self, lock: &Lock, asking: &Asking) -> Result<ssh::Identity, KeyError> {
        let question = format!("Enter passphrase for {}:", self.origin);
        let passphrase: Option<AgeSecret> = asking.request_passphrase(&question);
        let passphrase = passphrase.ok_or_else(|| KeyError::Passphrase { origin: self.origin.clone() })?;
        let opened = match lock {
            Lock::OpenSsh(key) => key.decrypt(passphrase).ok().map(Into::into),
            Lock::Pem(pem) => pem
                .unlock(passphrase.expose_secret())
                .and_then(|text| ssh::Identity::from_buffer(text.as_bytes(), None).ok()),
        };
        opened.ok_or_else(|| KeyError::Unusable { origin: self.origin.clone(), reason: "the passphrase is wrong" })
    }
}

/// An identity with somebody to ask.
struct Unlocking<'a> {
    identity: &'a SshIdentity,
    asking: &'a Asking,
}

impl ::age::Identity for Unlocking<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let lock = match &self.identity.key {
            Key::Open(key) => return key.unwrap_stanza(stanza),
            Key::Locked(lock) => lock,
        };
        if !self.identity.is_for(stanza) {
            return None;
        }
        let mut unlocked = self.identity.unlocked.lock().unwrap_or_else(PoisonError::into_inner);
        match unlocked.get_or_insert_with(|| self.identity.unlock(lock, self.asking)) {
            Ok(key) => key.unwrap_stanza(stanza),
            Err(_) => Some(Err(DecryptError::KeyDecryptionFailed)),
        }
    }
}

/// A line of a `.pub` file without its comment; `None` if age has no use for it.
fn without_comment(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let text = format!("{} {}", words.next()?, words.next()?);
    text.parse::<ssh::Recipient>().ok().map(|_| text)
}

/// The public half of a key in the format of OpenSSH, which no passphrase protects.
///
/// *Source*: OpenSSH's `PROTOCOL.key`.
fn public_half(text: &str) -> Option<String> {
    let body: String = text.lines().skip(1).take_while(|line| !line.starts_with("-----")).map(str::trim).collect();
    let bytes = zeroize::Zeroizing::new(BASE64_STANDARD.decode(body).ok()?);
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let mut string = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (string, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after;
        Some(string)
    };
    // The names of cipher and key derivation, and the latter's parameters.
    let (_, _, _) = (string()?, string()?, string()?);
    let (count, after) = rest.split_first_chunk::<4>()?;
    if u32::from_be_bytes(*count) != 1 {
        return None;
    }
    let (length, after) = after.split_first_chunk::<4>()?;
    let public = after.get(..u32::from_be_bytes(*length) as usize)?;
    let (length, after) = public.split_first_chunk::<4>()?;
    let name = std::str::from_utf8(after.get(..u32::from_be_bytes(*length) as usize)?).ok()?;
    Some(format!("{name} {}", BASE64_STANDARD.encode(public)))
}
