//! A key of a stand-in, bound to the name that it is asked for by.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

fn key() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[42; 32]).unwrap())
}

pub fn seal(name: &str, plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0; 12];
    getrandom::fill(&mut nonce).unwrap();
    let mut text = plain.to_vec();
    key().seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name), &mut text).unwrap();
    [&nonce[..], &text].concat()
}

pub fn open(name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.split_at_checked(12)?;
    let mut text = text.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    key().open_in_place(nonce, Aad::from(name), &mut text).ok().map(|plain| plain.to_vec())
}

/// Both with base64 around them, as JSON has them.
pub fn seal_text(name: &str, plain: &str) -> Option<String> {
    Some(STANDARD.encode(seal(name, &STANDARD.decode(plain).ok()?)))
}

pub fn open_text(name: &str, sealed: &str) -> Option<String> {
    Some(STANDARD.encode(open(name, &STANDARD.decode(sealed).ok()?)?))
}
