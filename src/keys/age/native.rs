//! What the recipient types of age itself have in common: how keys are spelled, and the body that holds a file key.
//!
//! *Source*: the age specification, "The X25519 recipient type".

use ::age::DecryptError;
use age_core::format::{FILE_KEY_BYTES, FileKey};
use age_core::primitives::bech32_decode;
use bech32::Hrp;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce};
use zeroize::Zeroizing;

/// A file key and the tag of its encryption.
const BODY: usize = FILE_KEY_BYTES + 16;

/// The bytes of a key that is spelled with this prefix.
pub(super) fn decode(text: &str, prefix: &str) -> Option<Zeroizing<Vec<u8>>> {
    let of_prefix = |hrp: Hrp| (hrp.as_str() == prefix).then_some(()).ok_or(());
    bech32_decode(text, |_| (), of_prefix, |_, bytes| Ok(Zeroizing::new(bytes.collect::<Vec<_>>()))).ok()
}

/// Whether a stanza's body can be a file key: a longer one could be made to open with several keys, which would tell
/// which of them was used.
pub(super) const fn is_body(body: &[u8]) -> bool {
    body.len() == BODY
}

/// The file key in a stanza's body; `None` if it is under another key.
pub(super) fn open(body: &[u8], key: &[u8; 32], nonce: &[u8; 12]) -> Option<Result<FileKey, DecryptError>> {
    let cipher = ChaCha20Poly1305::new(Key::from_slice(key));
    let plain = Zeroizing::new(cipher.decrypt(Nonce::from_slice(nonce), body).ok()?);
    Some(FileKey::try_init_with_mut(|file_key| {
        file_key.copy_from_slice(plain.get(..FILE_KEY_BYTES).ok_or(DecryptError::InvalidHeader)?);
        Ok(())
    }))
}
