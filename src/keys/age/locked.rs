//! Identity files that are age files themselves, under a passphrase.

use std::io::Read as _;
use std::iter;
use std::sync::{Mutex, PoisonError};

use ::age::armor::ArmoredReader;
use ::age::secrecy::SecretString as AgeSecret;
use ::age::{DecryptError, Decryptor, scrypt};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::asking::Asking;
use super::identity::AgeIdentity;
use crate::keys::KeyError;
use crate::secret::SecretBytes;

/// The most that a passphrase may cost, as in Go's age: 2²² rounds.
const MOST_WORK: u8 = 22;
/// Beyond this nobody keeps identities.
const MOST_BYTES: u64 = 1 << 24;

/// A file of identities under a passphrase, which is asked for once, when nothing else has opened a key.
pub(in crate::keys) struct Locked {
    origin: String,
    file: SecretBytes,
    opened: Mutex<Option<Result<Vec<AgeIdentity>, KeyError>>>,
}

impl Locked {
    /// Whether the content of an identity file is an age file.
    ///
    /// *Source*: the SOPS format, section 5.1.
    pub(in crate::keys) fn is_one(content: &[u8]) -> bool {
        content.starts_with(b"age-encryption") || content.starts_with(b"-----BEGIN AGE")
    }

    pub(in crate::keys) fn new(file: SecretBytes, origin: &str) -> Self {
        Self { origin: origin.to_owned(), file, opened: Mutex::new(None) }
    }

    /// Its identities.
    pub(super) fn unlock(&self, asking: &Asking) -> Result<Vec<AgeIdentity>, KeyError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.get_or_insert_with(|| self.ask(asking)).clone()
    }

    fn ask(&self, asking: &Asking) -> Result<Vec<AgeIdentity>, KeyError> {
        let failed = |reason| KeyError::Unusable { origin: self.origin.clone(), reason };
        let broken = || failed("it is no complete age file");
        let Some(prompt) = &asking.0 else { return Err(KeyError::Passphrase { origin: self.origin.clone() }) };
        let reader = || ArmoredReader::new(self.file.expose_secret());
        let file = Decryptor::new_buffered(reader()).map_err(|_| broken())?;
        if !file.is_scrypt() {
            return Err(failed("it is an age file, but not under a passphrase"));
        }
        let cache_id = cache_id(reader()).ok_or_else(broken)?;
        let question = format!("Enter passphrase for identity '{}':", self.origin);
        let Some(passphrase) = prompt.identity_passphrase(&question, &cache_id) else {
            return Err(KeyError::Passphrase { origin: self.origin.clone() });
        };
        let mut key = scrypt::Identity::new(AgeSecret::from(passphrase.expose_secret().to_owned()));
        key.set_max_work_factor(MOST_WORK);
        let mut opened = match file.decrypt(iter::once(&key as &dyn ::age::Identity)) {
            Ok(opened) => opened,
            Err(DecryptError::ExcessiveWork { .. }) => return Err(failed("its passphrase costs too much work")),
            Err(_) => {
                prompt.forget(&cache_id);
                return Err(failed("the passphrase is wrong"));
            }
        };
        let mut text = Zeroizing::new(String::new());
        opened.by_ref().take(MOST_BYTES).read_to_string(&mut text).map_err(|_| broken())?;
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let identities = lines.map(|line| match AgeIdentity::parse(line) {
            Some(identity @ (AgeIdentity::X25519(_) | AgeIdentity::Hybrid(_))) => Ok(identity),
            _ => Err(failed("it holds something else than identities of age's own")),
        });
        identities.collect()
    }
}

/// The name under which SOPS keeps the passphrase in gpg's agent.
///
/// *Source*: the SOPS format, section 5.1.
fn cache_id(mut file: impl std::io::Read) -> Option<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut hash = Sha256::new();
    let mut buffer = [0; 4096];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    let mut id = "SopsAge".to_owned();
    // 25 bytes are 40 letters of five bits.
    for five in hash.finalize()[..25].chunks_exact(5) {
        let bits = five.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        id.extend((0..8).rev().map(|at| char::from(ALPHABET[(bits >> (5 * at) & 31) as usize])));
    }
    Some(id)
}
