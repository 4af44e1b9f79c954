//! age identities of every sort.

use std::io::Read as _;
use std::iter;
use std::str::FromStr as _;
use std::sync::Arc;

use ::age::armor::ArmoredReader;
use ::age::plugin::{self, IdentityPluginV1};
use ::age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use super::asking::Asking;
use super::hybrid::HybridIdentity;
use super::locked::Locked;
use super::ssh::SshIdentity;
use super::x25519::X25519Identity;
use crate::keys::{AgeRecipient, KeyError};
use crate::secret::SecretBytes;

/// A share of a data key is a data key and one byte.
const MOST_BYTES: usize = 33;

/// One age identity; what is secret in it wipes itself.
#[derive(Clone)]
pub(in crate::keys) enum AgeIdentity {
    X25519(Box<X25519Identity>),
    Hybrid(Box<HybridIdentity>),
    Ssh(Arc<SshIdentity>),
    Plugin(plugin::Identity),
    /// A file of identities under a passphrase.
    Locked(Arc<Locked>),
}

impl AgeIdentity {
    /// Reads one line of a key file; `None` if it is no identity.
    pub(in crate::keys) fn parse(line: &str) -> Option<Self> {
        if line.starts_with("AGE-PLUGIN-") {
            plugin::Identity::from_str(line).ok().map(Self::Plugin)
        } else if line.starts_with("AGE-SECRET-KEY-PQ-1") {
            HybridIdentity::parse(line).map(|identity| Self::Hybrid(Box::new(identity)))
        } else {
            X25519Identity::parse(line).map(|identity| Self::X25519(Box::new(identity)))
        }
    }

    /// The recipient that this identity answers to, or what it is where that is not known.
    pub(in crate::keys) fn recipient(&self) -> Result<String, &'static str> {
        match self {
            Self::X25519(identity) => Ok(identity.recipient()),
            Self::Hybrid(identity) => Ok(identity.recipient().text()),
            Self::Ssh(identity) => Ok(identity.public().to_owned()),
            Self::Plugin(_) => Err("a plugin's identity"),
            Self::Locked(_) => Err("an identity under a passphrase"),
        }
    }

    /// Whether using it may lead to a question.
    pub(in crate::keys) fn may_ask(&self) -> bool {
        match self {
            Self::X25519(_) | Self::Hybrid(_) => false,
            Self::Ssh(identity) => identity.is_locked(),
            Self::Plugin(_) | Self::Locked(_) => true,
        }
    }

    /// Unwraps `enc`: `None` if it is for somebody else.
    ///
    /// The recipient written beside a wrapped key is not authenticated, so the key is tried whatever it says; whether it
    /// is `named` there only decides whether a failure means "not mine" or "mine and damaged".
    pub(in crate::keys) fn unwrap(
        &self,
        enc: &str,
        recipient: &AgeRecipient,
        asking: &Asking,
    ) -> Result<Option<SecretBytes>, KeyError> {
        // Asked only when it did not open: the public half takes as long to compute as a small file takes to open.
        let named = || self.recipient().is_ok_and(|mine| recipient.is(&mine));
        match self {
            Self::X25519(identity) => open(enc, recipient, &named, identity.as_ref()),
            Self::Hybrid(identity) => open(enc, recipient, &named, identity.as_ref()),
            Self::Ssh(identity) => {
                let opened = open(enc, recipient, &named, &identity.asking(asking));
                // The age crate cannot tell why a locked key did not open.
                identity.failure().map_or(opened, Err)
            }
            Self::Plugin(identity) => {
                let name = identity.plugin();
                let missing = |_| KeyError::PluginMissing { name: name.to_owned() };
                let running = IdentityPluginV1::new(name, std::slice::from_ref(identity), asking.clone());
                open(enc, recipient, &named, &running.map_err(missing)?)
            }
            Self::Locked(locked) => {
                let mut damaged = None;
                for identity in locked.unlock(asking)? {
                    match identity.unwrap(enc, recipient, asking) {
                        Ok(Some(share)) => return Ok(Some(share)),
                        Ok(None) => {}
                        Err(error) => damaged = Some(error),
                    }
                }
                damaged.map_or(Ok(None), Err)
            }
        }
    }
}

/// Opens an armored file that holds a share.
fn open(
    enc: &str,
    recipient: &AgeRecipient,
    named: &dyn Fn() -> bool,
    identity: &dyn ::age::Identity,
) -> Result<Option<SecretBytes>, KeyError> {
    let damaged = |reason| Err(KeyError::Damaged { recipient: recipient.to_string(), reason });
    let opened = Decryptor::new_buffered(ArmoredReader::new(enc.trim_start().as_bytes()))
        .and_then(|file| file.decrypt(iter::once(identity)));
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed) if named() => {
            return damaged("it was altered, or wrapped for another recipient than it names");
        }
        Err(DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed) => return Ok(None),
        Err(DecryptError::InvalidMac) => return damaged("its header was altered"),
        Err(DecryptError::Plugin(errors)) => {
            let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return Err(KeyError::Plugin { said: said.join("; ") });
        }
        Err(_) => return damaged("it is no complete age file"),
    };
    // One byte more than a share, so that a longer content is seen as such without being read whole.
    let mut bytes = Zeroizing::new([0; MOST_BYTES + 1]);
    let mut filled = 0;
    while filled < bytes.len() {
        match reader.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(_) => return damaged("its content was altered or cut short"),
        }
    }
    match filled {
        1..=MOST_BYTES => Ok(Some(SecretBytes::new(bytes[..filled].to_vec()))),
        _ => damaged("it holds no data key of 32 bytes"),
    }
}
