//! One value in, one token out, and back.

use std::sync::OnceLock;

use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce, Tag};
use aes_gcm_short::AeadInPlace as _;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64_simd::AsOut as _;
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _};
use zeroize::{Zeroize, Zeroizing};

use super::token::{self, Label, NONCE_BYTES, TAG_BYTES};
use super::{CipherError, DataKey};

/// Standard base64 as Go reads it: padded, unused trailing bits not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The older implementation has no start-up cost for each value, the newer one does several blocks at once.
const SHORT: usize = 256;

type LongValues = AesGcm<Aes256, U32>;
type ShortValues = aes_gcm_short::AesGcm<aes_gcm_short::aes::Aes256, aes_gcm_short::aead::consts::U32>;

/// Nonces are drawn in batches, because one system call costs as much as one value; a small file draws few.
const FIRST_BATCH: usize = 8 * NONCE_BYTES;
const LARGEST_BATCH: usize = 1024 * NONCE_BYTES;

/// AES-256-GCM with SOPS's 32-byte nonces for the values of one file: keeps the key schedule.
pub struct ValueCipher {
    /// Made for the first long value, because it asks the processor a dozen questions, for which a virtual one takes longer
    /// than a small file takes to decrypt.
    long: OnceLock<LongValues>,
    short: ShortValues,
    key: DataKey,
    nonces: Vec<u8>,
    used: usize,
    scratch: Zeroizing<Vec<u8>>,
    empties: bool,
}

impl ValueCipher {
    /// A cipher for the file with that data key.
    #[must_use]
    pub fn new(key: &DataKey) -> Self {
        Self {
            long: OnceLock::new(),
            short: aes_gcm_short::KeyInit::new(key.expose_secret().into()),
            key: key.clone(),
            nonces: Vec::new(),
            used: 0,
            scratch: Zeroizing::default(),
            empties: false,
        }
    }

    /// The same, which takes the token of an empty text for what it is, as `rops` writes it. SOPS refuses it.
    #[must_use]
    pub(crate) fn with_empties(self, empties: bool) -> Self {
        Self { empties, ..self }
    }

    /// A second cipher for the same file, for another thread.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self::new(&self.key).with_empties(self.empties)
    }

    /// Appends the token of `plaintext` to `out`; of an empty plaintext nothing, as the format has it.
    ///
    /// # Errors
    /// [`CipherError::NoRandom`] when there is no nonce to be had, [`CipherError::TooLarge`].
    pub fn encrypt(
        &mut self,
        label: Label,
        plaintext: &[u8],
        associated_data: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), CipherError> {
        if plaintext.is_empty() {
            return Ok(());
        }
        let nonce = self.next_nonce()?;
        self.encrypt_under(&nonce, label, plaintext, associated_data, out)
    }

    fn encrypt_under(
        &mut self,
        nonce: &[u8; NONCE_BYTES],
        label: Label,
        plaintext: &[u8],
        associated_data: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), CipherError> {
        self.scratch.clear();
        grow(&mut self.scratch, plaintext.len());
        self.scratch.extend_from_slice(plaintext);
        let data = associated_data.as_bytes();
        let tag: [u8; TAG_BYTES] = if plaintext.len() <= SHORT {
            let tag = self.short.encrypt_in_place_detached(nonce.into(), data, &mut self.scratch);
            tag.map_err(|_| CipherError::TooLarge)?.into()
        } else {
            let value = InOutBuf::from(&mut self.scratch[..]);
            let tag = long(&self.long, &self.key).encrypt_inout_detached(&Nonce::<U32>::from(*nonce), data, value);
            tag.map_err(|_| CipherError::TooLarge)?.into()
        };
        out.extend_from_slice(token::PREFIX);
        push_base64(&self.scratch, out);
        out.extend_from_slice(b",iv:");
        push_base64(nonce, out);
        out.extend_from_slice(b",tag:");
        push_base64(&tag, out);
        out.extend_from_slice(b",type:");
        out.extend_from_slice(label.word().as_bytes());
        out.push(b']');
        Ok(())
    }

    /// Appends the plaintext of `token` to `out` and says what it is. An empty token has an empty plaintext.
    ///
    /// Nonces of 12 and 16 bytes, which other writers used, are read, too.
    ///
    /// # Errors
    /// Every [`CipherError`] but the ones of encryption; `out` is then as it was.
    pub fn decrypt(
        &mut self,
        token: &[u8],
        associated_data: &str,
        out: &mut Zeroizing<Vec<u8>>,
    ) -> Result<Label, CipherError> {
        if token.is_empty() {
            return Ok(Label::Str);
        }
        let empty = || token::split_empty(token).filter(|_| self.empties);
        let parts = token::split(token).or_else(empty).ok_or(CipherError::NotAToken)?;
        let label = Label::of_word(parts.label).ok_or(CipherError::UnknownType)?;
        // 48 digits fill 36 bytes: one more than any nonce or tag that we take.
        let (mut nonce, mut tag) = ([0; 36], [0; 36]);
        let nonce = decode_small("iv", parts.nonce, &mut nonce)?;
        let tag = decode_small("tag", parts.tag, &mut tag)?;
        let tag: &[u8; TAG_BYTES] = tag.try_into().map_err(|_| CipherError::Size { part: "tag", bytes: tag.len() })?;

        let start = out.len();
        decode_append(parts.data, out)?;
        let value = &mut out[start..];
        let data = associated_data.as_bytes();
        let opened = if let Ok(nonce) = <&[u8; NONCE_BYTES]>::try_from(nonce) {
            self.open(nonce, data, value, tag)
        } else if let Ok(nonce) = <&[u8; 12]>::try_from(nonce) {
            let aes = AesGcm::<Aes256, U12>::new(self.key.expose_secret().into());
            aes.decrypt_inout_detached(&Nonce::<U12>::from(*nonce), data, value.into(), &Tag::<U16>::from(*tag)).is_ok()
        } else if let Ok(nonce) = <&[u8; 16]>::try_from(nonce) {
            let aes = AesGcm::<Aes256, U16>::new(self.key.expose_secret().into());
            aes.decrypt_inout_detached(&Nonce::<U16>::from(*nonce), data, value.into(), &Tag::<U16>::from(*tag)).is_ok()
        } else {
            out.truncate(start);
            return Err(CipherError::Size { part: "iv", bytes: nonce.len() });
        };
        if !opened {
            out.truncate(start);
            return Err(CipherError::Altered);
        }
        Ok(label)
    }

    /// Decrypts in place; false if the tag is not the value's.
    fn open(&self, nonce: &[u8; NONCE_BYTES], data: &[u8], value: &mut [u8], tag: &[u8; TAG_BYTES]) -> bool {
        if value.len() <= SHORT {
            return self.short.decrypt_in_place_detached(nonce.into(), data, value, tag.into()).is_ok();
        }
        let (nonce, tag) = (Nonce::<U32>::from(*nonce), Tag::<U16>::from(*tag));
        long(&self.long, &self.key).decrypt_inout_detached(&nonce, data, value.into(), &tag).is_ok()
    }

    fn next_nonce(&mut self) -> Result<[u8; NONCE_BYTES], CipherError> {
        if self.used == self.nonces.len() {
            let size = (self.nonces.len() * 4).clamp(FIRST_BATCH, LARGEST_BATCH);
            self.nonces.resize(size, 0);
            draw(&mut self.nonces).ok_or(CipherError::NoRandom).inspect_err(|_| {
                self.nonces.clear();
                self.used = 0;
            })?;
            self.used = 0;
        }
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&self.nonces[self.used..self.used + NONCE_BYTES]);
        self.used += NONCE_BYTES;
        Ok(nonce)
    }
}

impl std::fmt::Debug for ValueCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ValueCipher(…)")
    }
}

fn long<'c>(made: &'c OnceLock<LongValues>, key: &DataKey) -> &'c LongValues {
    made.get_or_init(|| AesGcm::new(key.expose_secret().into()))
}

/// Random bytes: few from the system, many from a stream cipher under a key from the system, which is four times as fast.
fn draw(bytes: &mut [u8]) -> Option<()> {
    if bytes.len() <= FIRST_BATCH {
        return getrandom::fill(bytes).ok();
    }
    let mut seed = Zeroizing::new([0; 32 + 12]);
    getrandom::fill(&mut *seed).ok()?;
    bytes.fill(0);
    ChaCha20::new_from_slices(&seed[..32], &seed[32..]).ok()?.apply_keystream(bytes);
    Some(())
}

/// Makes room without leaving a copy of the old content in freed memory.
fn grow(buffer: &mut Zeroizing<Vec<u8>>, more: usize) {
    if buffer.capacity() - buffer.len() >= more {
        return;
    }
    let mut grown = Vec::with_capacity((buffer.len() + more).max(buffer.capacity() * 2));
    grown.extend_from_slice(buffer);
    buffer.zeroize();
    *buffer = Zeroizing::new(grown);
}

fn push_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    let written = base64_simd::STANDARD.encode(bytes, out[start..].as_out()).len();
    debug_assert_eq!(written, out.len() - start);
}

/// Decodes into `out`, which has three bytes for every four digits begun. What the quick decoder refuses, the lenient
/// one judges.
fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    match base64_simd::STANDARD.decode(text, out.as_out()) {
        Ok(decoded) => Some(decoded.len()),
        Err(_) => BASE64.decode_slice(text, out).ok(),
    }
}

fn decode_small<'b>(part: &'static str, text: &[u8], buffer: &'b mut [u8; 36]) -> Result<&'b [u8], CipherError> {
    if text.len() > 48 {
        return Err(CipherError::Size { part, bytes: text.len() / 4 * 3 });
    }
    let written = decode(text, &mut buffer[..]).ok_or(CipherError::Base64 { part })?;
    Ok(&buffer[..written])
}

fn decode_append(text: &[u8], out: &mut Zeroizing<Vec<u8>>) -> Result<(), CipherError> {
    let start = out.len();
    let room = text.len().div_ceil(4) * 3;
    grow(out, room);
    out.resize(start + room, 0);
    let mut written = decode(text, &mut out[start..]);
    if written.is_none() && memchr::memchr(b'\r', text).is_some() {
        // Go skips line breaks inside base64.
        let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\r').collect();
        written = decode(&text, &mut out[start..]);
    }
    match written {
        Some(written) => {
            out.truncate(start + written);
            Ok(())
        }
        None => {
            out.truncate(start);
            Err(CipherError::Base64 { part: "data" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn golden() -> (ValueCipher, [u8; 32]) {
        let key = DataKey::from_bytes(std::array::from_fn(|at| u8::try_from(at).unwrap()));
        (ValueCipher::new(&key), std::array::from_fn(|at| u8::try_from(at).unwrap() + 0xa0))
    }

    const GOLDEN: [(Label, &str, &str, &str, &str); 5] = [
        (Label::Str, "hello", "a:b:", "wd2e6q0=", "i8uNEf2xBSvWkaEkowSIwA=="),
        (Label::Bool, "True", "flag:", "/cqH4w==", "6fEp/CY+4gjWwo4RJjwWHA=="),
        (Label::Int, "1234", "n:", "mIrBsg==", "64x6FZrzOoNI5U16AAU4Yw=="),
        (Label::Comment, " note", ":", "idad8qc=", "t3i3EhFKylt2bxRFth81fg=="),
        (Label::Time, "2024-01-01T00:00:00Z", "t:", "m4jAsu+PL+jbp0IhyKaVjCwAL6U=", "jSQExpnyj/urPAESzNx1fA=="),
    ];

    #[test]
    fn the_golden_tokens() {
        let (mut cipher, nonce) = golden();
        for (label, plaintext, aad, data, tag) in GOLDEN {
            let wanted = format!(
                "ENC[AES256_GCM,data:{data},iv:oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8=,tag:{tag},type:{}]",
                label.word()
            );
            let mut token = Vec::new();
            cipher.encrypt_under(&nonce, label, plaintext.as_bytes(), aad, &mut token).unwrap();
            assert_eq!(String::from_utf8(token.clone()).unwrap(), wanted);
            let mut out = Zeroizing::new(b"before".to_vec());
            assert_eq!(cipher.decrypt(&token, aad, &mut out), Ok(label));
            assert_eq!(&out[6..], plaintext.as_bytes());
        }
    }

    #[test]
    fn a_short_nonce_is_read() {
        let (mut cipher, _) = golden();
        let aes = AesGcm::<Aes256, U12>::new(cipher.key.expose_secret().into());
        let mut value = *b"hello";
        let tag = aes.encrypt_inout_detached(&Nonce::<U12>::from([7; 12]), b"a:", (&mut value[..]).into()).unwrap();
        let token = format!(
            "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]",
            BASE64.encode(value),
            BASE64.encode([7; 12]),
            BASE64.encode(tag)
        );
        let mut out = Zeroizing::default();
        assert_eq!(cipher.decrypt(token.as_bytes(), "a:", &mut out), Ok(Label::Str));
        assert_eq!(&out[..], b"hello");
    }

    #[test]
    fn what_is_wrong_with_a_token() {
        let (mut cipher, _) = golden();
        let mut token = Vec::new();
        cipher.encrypt(Label::Str, b"CANARY-heron", "a:", &mut token).unwrap();
        let token = String::from_utf8(token).unwrap();
        let mut out = Zeroizing::new(b"kept".to_vec());
        let mut verdict = |text: &str, aad: &str| cipher.decrypt(text.as_bytes(), aad, &mut out).unwrap_err();
        assert_eq!(verdict(&token, "b:"), CipherError::Altered);
        assert_eq!(verdict(&token[..token.len() - 1], "a:"), CipherError::NotAToken);
        assert_eq!(verdict(&token.replace("type:str", "type:text"), "a:"), CipherError::UnknownType);
        assert_eq!(verdict(&token.replace(",tag:", ",tag:!"), "a:"), CipherError::Base64 { part: "tag" });
        assert_eq!(verdict(&token.replace("data:", "data:!"), "a:"), CipherError::Base64 { part: "data" });
        assert_eq!(
            verdict("ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]", "a:"),
            CipherError::Size { part: "tag", bytes: 3 }
        );
        let foreign = ValueCipher::new(&DataKey::generate().unwrap()).decrypt(token.as_bytes(), "a:", &mut out);
        assert_eq!(foreign, Err(CipherError::Altered));
        assert_eq!(&out[..], b"kept");
    }

    proptest! {
        #[test]
        fn decrypting_undoes_encrypting(plaintext: Vec<u8>, aad: String) {
            let mut cipher = ValueCipher::new(&DataKey::generate().unwrap());
            let mut token = Vec::new();
            cipher.encrypt(Label::Str, &plaintext, &aad, &mut token).unwrap();
            prop_assert_eq!(token::well_formed(&token), !plaintext.is_empty());
            let mut out = Zeroizing::default();
            cipher.decrypt(&token, &aad, &mut out).unwrap();
            prop_assert_eq!(&out[..], &plaintext[..]);
        }
    }

    #[test]
    fn no_nonce_comes_twice() {
        let mut cipher = ValueCipher::new(&DataKey::generate().unwrap());
        let mut seen = std::collections::HashSet::new();
        assert!((0..3000).all(|_| seen.insert(cipher.next_nonce().unwrap())));
    }
}
