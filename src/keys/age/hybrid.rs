//! The hybrid post-quantum recipients and identities of age 1.3, `age1pq1…` and `AGE-SECRET-KEY-PQ-1…`.
//!
//! *Source*: the age specification, "The MLKEM768-X25519 hybrid post-quantum recipient type"; RFC 9180, section 5.1.

use std::collections::HashSet;

use ::age::{DecryptError, EncryptError};
use age_core::format::{FileKey, Stanza};
use age_core::primitives::bech32_encode;
use age_core::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use bech32::Hrp;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce};
use hkdf::{Hkdf, HkdfExtract};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{native, xwing};

const TAG: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// Forbids that a file is for such a recipient and for one that a quantum computer opens.
const LABEL: &str = "postquantum";
const RECIPIENT: &str = "age1pq";
const IDENTITY: &str = "AGE-SECRET-KEY-PQ-";

/// Somebody who holds a hybrid identity.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::keys) struct HybridRecipient(Vec<u8>);

impl HybridRecipient {
    /// Reads `age1pq1…`.
    pub(in crate::keys) fn parse(text: &str) -> Option<Self> {
        let bytes = native::decode(text, RECIPIENT)?;
        (bytes.len() == xwing::PUBLIC && xwing::is_public(&bytes)).then(|| Self(bytes.to_vec()))
    }

    pub(in crate::keys) fn text(&self) -> String {
        bech32_encode(Hrp::parse_unchecked(RECIPIENT), &self.0)
    }
}

impl ::age::Recipient for HybridRecipient {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let failed = || EncryptError::Io(std::io::Error::other("the hybrid key cannot be used"));
        let (encapsulated, secret) = xwing::encapsulate(&self.0).ok_or_else(failed)?;
        let (key, nonce) = schedule(&secret).ok_or_else(failed)?;
        let sealed = ChaCha20Poly1305::new(Key::from_slice(&key[..]));
        let body = sealed.encrypt(Nonce::from_slice(&nonce), &file_key.expose_secret()[..]).map_err(|_| failed())?;
        let args = vec![BASE64_STANDARD_NO_PAD.encode(encapsulated)];
        Ok((vec![Stanza { tag: TAG.to_owned(), args, body }], HashSet::from([LABEL.to_owned()])))
    }
}

/// A hybrid identity: the seed of its key.
#[derive(Clone)]
pub(in crate::keys) struct HybridIdentity(Zeroizing<[u8; xwing::SEED]>);

impl HybridIdentity {
    /// Reads `AGE-SECRET-KEY-PQ-1…`.
    pub(in crate::keys) fn parse(text: &str) -> Option<Self> {
        let bytes = native::decode(text, IDENTITY)?;
        let mut seed = Zeroizing::new([0; xwing::SEED]);
        if bytes.len() != seed.len() {
            return None;
        }
        seed.copy_from_slice(&bytes);
        Some(Self(seed))
    }

    /// Who it answers to.
    pub(in crate::keys) fn recipient(&self) -> HybridRecipient {
        HybridRecipient(xwing::public_of(&self.0))
    }
}

impl ::age::Identity for HybridIdentity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        let [encapsulated] = stanza.args.as_slice() else { return Some(Err(DecryptError::InvalidHeader)) };
        let encapsulated = match BASE64_STANDARD_NO_PAD.decode(encapsulated) {
            Ok(bytes) if bytes.len() == xwing::ENCAPSULATED => bytes,
            _ => return Some(Err(DecryptError::InvalidHeader)),
        };
        if !native::is_body(&stanza.body) {
            return Some(Err(DecryptError::InvalidHeader));
        }
        let (key, nonce) = schedule(&*xwing::decapsulate(&self.0, &encapsulated)?)?;
        native::open(&stanza.body, &key, &nonce)
    }
}

/// The key and the first nonce of HPKE's base mode for the suite MLKEM768-X25519, HKDF-SHA256, ChaCha20Poly1305.
fn schedule(secret: &[u8; 32]) -> Option<(Zeroizing<[u8; 32]>, [u8; 12])> {
    // "HPKE" and the numbers of KEM, KDF and AEAD.
    const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";
    const VERSION: &[u8] = b"HPKE-v1";
    let extract = |salt: &[u8], label: &[u8], material: &[u8]| {
        let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
        for part in [VERSION, SUITE, label, material] {
            extract.input_ikm(part);
        }
        extract.finalize()
    };
    let expand = |from: &Hkdf<Sha256>, label: &[u8], context: &[u8], out: &mut [u8]| {
        let length = u16::try_from(out.len()).ok()?.to_be_bytes();
        from.expand_multi_info(&[&length, VERSION, SUITE, label, context], out).ok()
    };
    let mut context = vec![0];
    context.extend_from_slice(&extract(b"", b"psk_id_hash", b"").0);
    context.extend_from_slice(&extract(b"", b"info_hash", INFO).0);
    let (_, expander) = extract(secret, b"secret", b"");
    let (mut key, mut nonce) = (Zeroizing::new([0; 32]), [0; 12]);
    expand(&expander, b"key", &context, &mut key[..])?;
    expand(&expander, b"base_nonce", &context, &mut nonce)?;
    Some((key, nonce))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::age::{Identity as _, Recipient as _};

    #[test]
    fn a_file_key_comes_back_and_altered_ones_do_not() {
        let seed = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let identity = HybridIdentity(Zeroizing::new(seed));
        let recipient = HybridRecipient::parse(&identity.recipient().text()).unwrap();
        let (mut stanzas, labels) = recipient.wrap_file_key(&FileKey::new(Box::new([7; 16]))).unwrap();
        assert!(labels.contains(LABEL));
        let mut stanza = stanzas.pop().unwrap();
        let opened = identity.unwrap_stanza(&stanza).unwrap();
        assert_eq!(opened.ok().map(|key| *key.expose_secret()), Some([7; 16]));
        assert!(HybridIdentity(Zeroizing::new([1; 32])).unwrap_stanza(&stanza).is_none(), "another key");
        stanza.body[3] ^= 1;
        assert!(identity.unwrap_stanza(&stanza).is_none());
        stanza.body.push(0);
        assert!(matches!(identity.unwrap_stanza(&stanza), Some(Err(_))));
        stanza.args.push("x".into());
        assert!(matches!(identity.unwrap_stanza(&stanza), Some(Err(_))));
    }

    #[test]
    fn the_specifications_example_is_an_identity() {
        let text = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR";
        let recipient = HybridIdentity::parse(text).unwrap().recipient().text();
        assert!(recipient.starts_with("age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5"));
        assert!(HybridIdentity::parse(&text.to_lowercase()).is_none());
        assert!(HybridRecipient::parse("age1pq1qqqq").is_none());
        // A coefficient that is not below the modulus.
        let out_of_range = bech32_encode(Hrp::parse_unchecked(RECIPIENT), &[0xff; xwing::PUBLIC]);
        assert!(HybridRecipient::parse(&out_of_range).is_none());
    }
}
