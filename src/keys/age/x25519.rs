//! The plain age identity, `AGE-SECRET-KEY-1…`, which computes its public key once.
//!
//! The age crate computes it anew for every file that it opens: a third of what a small file costs.
//!
//! *Source*: the age specification, "The X25519 recipient type".

use std::sync::OnceLock;

use ::age::DecryptError;
use age_core::format::{FileKey, Stanza};
use age_core::primitives::bech32_encode;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use bech32::Hrp;
use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::native;

const TAG: &str = "X25519";
const INFO: &[u8] = b"age-encryption.org/v1/X25519";
const RECIPIENT: &str = "age";
const IDENTITY: &str = "AGE-SECRET-KEY-";

/// A secret key, and its public half once somebody has asked for it.
#[derive(Clone)]
pub(in crate::keys) struct X25519Identity {
    secret: StaticSecret,
    public: OnceLock<PublicKey>,
}

impl X25519Identity {
    /// Reads `AGE-SECRET-KEY-1…`.
    pub(in crate::keys) fn parse(text: &str) -> Option<Self> {
        let bytes = native::decode(text, IDENTITY)?;
        let secret = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
        Some(Self { secret: StaticSecret::from(*secret), public: OnceLock::new() })
    }

    /// Who it answers to.
    pub(in crate::keys) fn recipient(&self) -> String {
        bech32_encode(Hrp::parse_unchecked(RECIPIENT), self.public().as_bytes())
    }

    fn public(&self) -> &PublicKey {
        self.public.get_or_init(|| PublicKey::from(&self.secret))
    }
}

impl ::age::Identity for X25519Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        let [share] = stanza.args.as_slice() else { return Some(Err(DecryptError::InvalidHeader)) };
        let share = BASE64_STANDARD_NO_PAD.decode(share).ok().and_then(|share| <[u8; 32]>::try_from(share).ok());
        let Some(share) = share.filter(|_| native::is_body(&stanza.body)) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let shared = self.secret.diffie_hellman(&PublicKey::from(share));
        // A point of low order gives the same secret to everybody.
        if !shared.was_contributory() {
            return Some(Err(DecryptError::InvalidHeader));
        }
        let mut salt = [0; 64];
        salt[..32].copy_from_slice(&share);
        salt[32..].copy_from_slice(self.public().as_bytes());
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(&salt), shared.as_bytes()).expand(INFO, &mut key[..]).ok()?;
        native::open(&stanza.body, &key, &[0; 12])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::age::{Identity as _, Recipient as _, x25519};
    use age_core::format::FILE_KEY_BYTES;
    use age_core::secrecy::ExposeSecret as _;

    fn pair() -> (x25519::Identity, X25519Identity) {
        let theirs = x25519::Identity::generate();
        let ours = X25519Identity::parse(theirs.to_string().expose_secret()).unwrap();
        (theirs, ours)
    }

    fn file_key(opened: Option<Result<FileKey, DecryptError>>) -> Option<Option<Vec<u8>>> {
        opened.map(|key| key.ok().map(|key| key.expose_secret().to_vec()))
    }

    #[test]
    fn it_opens_what_the_age_crate_opens_and_refuses_what_that_refuses() {
        let ((theirs, ours), (_, other)) = (pair(), pair());
        assert_eq!(ours.recipient(), theirs.to_public().to_string());
        let secret = FileKey::init_with_mut(|key| key.fill(7));
        let (stanzas, _) = theirs.to_public().wrap_file_key(&secret).unwrap();
        let whole = &stanzas[0];
        assert_eq!(file_key(ours.unwrap_stanza(whole)), Some(Some(vec![7; FILE_KEY_BYTES])));
        assert_eq!(file_key(other.unwrap_stanza(whole)), None);
        let altered = |change: &dyn Fn(&mut Stanza)| {
            let (tag, args, body) = (whole.tag.clone(), whole.args.clone(), whole.body.clone());
            let mut stanza = Stanza { tag, args, body };
            change(&mut stanza);
            stanza
        };
        let low_order = BASE64_STANDARD_NO_PAD.encode([0; 32]);
        let changes: [&dyn Fn(&mut Stanza); 8] = [
            &|stanza| stanza.tag = "scrypt".into(),
            &|stanza| stanza.args.clear(),
            &|stanza| stanza.args.push("x".into()),
            &|stanza| stanza.args[0].push('='),
            &|stanza| stanza.args[0] = "AAAA".into(),
            &|stanza| stanza.args[0] = low_order.clone(),
            &|stanza| stanza.body.push(0),
            &|stanza| stanza.body[0] ^= 1,
        ];
        for (number, change) in changes.iter().enumerate() {
            let stanza = altered(change);
            let (theirs, ours) = (file_key(theirs.unwrap_stanza(&stanza)), file_key(ours.unwrap_stanza(&stanza)));
            assert!(ours == theirs && ours.flatten().is_none(), "change {number}");
        }
    }

    #[test]
    fn what_is_no_identity_is_none() {
        for text in ["", "AGE-SECRET-KEY-1", "age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw"] {
            assert!(X25519Identity::parse(text).is_none(), "{text}");
        }
        let mut small = x25519::Identity::generate().to_string().expose_secret().to_lowercase();
        assert!(X25519Identity::parse(&small).is_none(), "Go's age does not take it either");
        small.make_ascii_uppercase();
        assert!(X25519Identity::parse(&small).is_some());
    }
}
