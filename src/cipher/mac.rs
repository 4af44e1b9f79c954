//! The message authentication code over a file's plaintext values.

use ring::digest::{Context, SHA512};

/// What the code is started with when it covers encrypted values only, so that the two kinds always differ.
///
/// *Source*: the SOPS format, section MAC: SHA-256 of the text `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b, 0x97, 0x5b,
    0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// A running SHA-512 over the canonical bytes of the leaves, in walk order, without separators.
pub struct Mac(Context);

impl Mac {
    /// An empty code; `only_encrypted` as the metadata says.
    #[must_use]
    pub fn new(only_encrypted: bool) -> Self {
        let mut context = Context::new(&SHA512);
        if only_encrypted {
            context.update(&ONLY_ENCRYPTED);
        }
        Self(context)
    }

    /// Adds a leaf's canonical bytes.
    pub fn update(&mut self, canonical: &[u8]) {
        self.0.update(canonical);
    }

    /// The code: 128 upper-case hexadecimal digits.
    #[must_use]
    pub fn finish(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut text = String::with_capacity(128);
        for byte in self.0.finish().as_ref() {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_golden_code() {
        let mut mac = Mac::new(false);
        for leaf in [&b"bar"[..], b"12", b"True", b"1.5"] {
            mac.update(leaf);
        }
        assert_eq!(
            mac.finish(),
            "0FE4297802A4BAB5B7F64123432CF8D5420D6DEC769DF65F7A65CC7C1AACD2BC986ECCD407CC931B746A9AE9DE557DB3D7EBCF3884\
             192B270B62D6F6CC6C8192"
        );
    }

    #[test]
    fn the_two_kinds_differ_even_over_nothing() {
        assert_ne!(Mac::new(true).finish(), Mac::new(false).finish());
    }
}
