//! SSH keys as age identities.

use std::sync::{Mutex, PoisonError};

use ::age::secrecy::SecretString as AgeSecret;
use ::age::{Callbacks as _, DecryptError, ssh};
use age_core::format::{FileKey, Stanza};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::asking::Asking;
use crate::keys::KeyError;
use crate::secret::SecretString;

/// A private SSH key, of which the public half is known even where a passphrase protects the rest.
pub(in crate::keys) struct SshIdentity {
    origin: String,
    /// As in an `authorized_keys` file, without a comment.
    public: String,
    key: ssh::Identity,
    /// What came of asking for the passphrase, which happens once.
    unlocked: Mutex<Option<Result<ssh::Identity, KeyError>>>,
}

impl SshIdentity {
    /// Reads a private key in the format of OpenSSH, or an RSA key in that of OpenSSL.
    pub(in crate::keys) fn parse(text: &SecretString, origin: &str) -> Result<Self, KeyError> {
        let failed = |reason| KeyError::Unusable { origin: origin.to_owned(), reason };
        let text = text.expose_secret().trim_start();
        let key = ssh::Identity::from_buffer(text.as_bytes(), None).map_err(|_| failed("it is no private SSH key"))?;
        let public = match &key {
            ssh::Identity::Unencrypted(_) => ssh::Recipient::try_from(key.clone()).ok().map(|key| key.to_string()),
            ssh::Identity::Encrypted(_) => public_half(text),
            ssh::Identity::Unsupported(_) => None,
        };
        let public = public.ok_or_else(|| failed("it is an SSH key of a type that age cannot use"))?;
        Ok(Self { origin: origin.to_owned(), public, key, unlocked: Mutex::new(None) })
    }

    pub(super) fn public(&self) -> &str {
        &self.public
    }

    pub(super) fn is_locked(&self) -> bool {
        matches!(self.key, ssh::Identity::Encrypted(_))
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

    fn unlock(&self, locked: &ssh::EncryptedKey, asking: &Asking) -> Result<ssh::Identity, KeyError> {
        let question = format!("Enter passphrase for {}:", self.origin);
        let passphrase: Option<AgeSecret> = asking.request_passphrase(&question);
        let passphrase = passphrase.ok_or_else(|| KeyError::Passphrase { origin: self.origin.clone() })?;
        let wrong = |_| KeyError::Unusable { origin: self.origin.clone(), reason: "the passphrase is wrong" };
        Ok(locked.decrypt(passphrase).map_err(wrong)?.into())
    }
}

/// An identity with somebody to ask.
struct Unlocking<'a> {
    identity: &'a SshIdentity,
    asking: &'a Asking,
}

impl ::age::Identity for Unlocking<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let ssh::Identity::Encrypted(locked) = &self.identity.key else {
            return self.identity.key.unwrap_stanza(stanza);
        };
        if !self.identity.is_for(stanza) {
            return None;
        }
        let mut unlocked = self.identity.unlocked.lock().unwrap_or_else(PoisonError::into_inner);
        match unlocked.get_or_insert_with(|| self.identity.unlock(locked, self.asking)) {
            Ok(key) => key.unwrap_stanza(stanza),
            Err(_) => Some(Err(DecryptError::KeyDecryptionFailed)),
        }
    }
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
