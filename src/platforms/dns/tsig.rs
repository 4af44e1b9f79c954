//! Signed messages (TSIG, RFC 8945) with HMAC-SHA-256 or HMAC-SHA-512.
//!
//! The HMAC is ours and not the DNS library's, which keeps keys in memory it does not wipe.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hickory_proto::op::Message;
use hickory_proto::rr::Name;
use hickory_proto::rr::rdata::tsig::{
    TSIG, TsigAlgorithm, TsigError, make_tsig_record, message_tbs, signed_bitmessage_to_buf,
};
use ring::hmac;
use zeroize::Zeroizing;

use super::record::{absolute, show_name};
use crate::secret::SecretString;

/// How far two clocks may be apart, in seconds; the value that RFC 8945 recommends.
const FUDGE: u16 = 300;

/// A shared key: its name, its algorithm, its bytes.
pub(super) struct Key {
    name: Name,
    algorithm: TsigAlgorithm,
    bytes: Zeroizing<Vec<u8>>,
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distrust {
    /// It has no signature.
    Unsigned,
    /// Its signature is not that of the key.
    Forged,
    /// It was signed at another time.
    Stale,
}

impl Key {
    /// Reads a key as `nsupdate -y` takes it, `[algorithm:]name:base64`, or the base64 alone where the target names the key.
    ///
    /// # Errors
    /// What is wrong with it, without any of its bytes.
    pub(super) fn parse(
        text: &SecretString,
        name: Option<&str>,
        algorithm: Option<&str>,
    ) -> Result<Self, &'static str> {
        let parts: Vec<&str> = text.expose_secret().trim().split(':').collect();
        let (algorithm, name, secret) = match (parts.as_slice(), name) {
            ([secret], Some(name)) => (algorithm, name, *secret),
            ([_], None) => return Err("it does not say its name: `name:base64`"),
            ([name, secret], _) => (algorithm, *name, *secret),
            ([algorithm, name, secret], _) => (Some(*algorithm), *name, *secret),
            _ => return Err("it is not `algorithm:name:base64`"),
        };
        let algorithm = match algorithm.unwrap_or("hmac-sha256") {
            "hmac-sha256" => TsigAlgorithm::HmacSha256,
            "hmac-sha512" => TsigAlgorithm::HmacSha512,
            _ => return Err("its algorithm is neither `hmac-sha256` nor `hmac-sha512`"),
        };
        let name = absolute(name).ok_or("its name is no domain name")?;
        let bytes = STANDARD.decode(secret).map(Zeroizing::new).map_err(|_| "its secret is no base64")?;
        if bytes.len() < 16 {
            return Err("its secret is shorter than 128 bits");
        }
        Ok(Self { name, algorithm, bytes })
    }

    /// The key's name, which is no secret.
    pub(super) fn name(&self) -> String {
        show_name(&self.name)
    }

    /// Signs a message in place, at `now` in seconds since 1970; the signature is what the answer is checked against.
    ///
    /// # Errors
    /// When the message cannot be written as bytes.
    pub(super) fn sign(&self, message: &mut Message, now: u64) -> Result<Vec<u8>, &'static str> {
        let unsigned = TSIG::new(self.algorithm.clone(), now, FUDGE, Vec::new(), message.metadata.id, None, Vec::new());
        let signed = message_tbs(message, &unsigned, &self.name).map_err(|_| "the message cannot be written")?;
        let mac = hmac::sign(&self.hmac(), &signed).as_ref().to_vec();
        message.set_signature(Box::new(make_tsig_record(self.name.clone(), unsigned.set_mac(mac.clone()))));
        Ok(mac)
    }

    /// Checks an answer to a message whose signature was `request`.
    ///
    /// # Errors
    /// [`Distrust`].
    pub(super) fn verify(&self, answer: &[u8], request: &[u8], now: u64) -> Result<(), Distrust> {
        let (signed, record) = signed_bitmessage_to_buf(answer, Some(request), true).map_err(|_| Distrust::Unsigned)?;
        let tsig = &record.data;
        if record.name.to_lowercase() != self.name || tsig.algorithm != self.algorithm {
            return Err(Distrust::Forged);
        }
        // Compares whole and in constant time: a truncated signature is none.
        hmac::verify(&self.hmac(), &signed, &tsig.mac).map_err(|_| Distrust::Forged)?;
        if tsig.time.abs_diff(now) > u64::from(FUDGE) { Err(Distrust::Stale) } else { Ok(()) }
    }

    fn hmac(&self) -> hmac::Key {
        let algorithm = if self.algorithm == TsigAlgorithm::HmacSha512 { hmac::HMAC_SHA512 } else { hmac::HMAC_SHA256 };
        hmac::Key::new(algorithm, &self.bytes)
    }
}

/// The error that an answer's own signature record names.
pub(super) fn tsig_error(answer: &Message) -> Option<TsigError> {
    answer.signature().and_then(|record| record.data.error)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "Q0FOQVJZLWhlcm9uLUNBTkFSWS1oZXJvbg==";

    fn key(text: &str) -> Result<Key, &'static str> {
        Key::parse(&SecretString::new(text.into()), None, None)
    }

    #[test]
    fn keys_as_nsupdate_takes_them() {
        assert_eq!(key(&format!("Deploy.:{SECRET}")).unwrap().name(), "deploy");
        assert_eq!(key(&format!("hmac-sha512:deploy:{SECRET}")).unwrap().algorithm, TsigAlgorithm::HmacSha512);
        let named = Key::parse(&SecretString::new(SECRET.into()), Some("deploy"), Some("hmac-sha512")).unwrap();
        assert_eq!((named.name().as_str(), &named.algorithm), ("deploy", &TsigAlgorithm::HmacSha512));
        for bad in [SECRET, "deploy:c2hvcnQ=", "deploy:CANARY-heron", &format!("hmac-md5:deploy:{SECRET}"), "a:b:c:d"] {
            assert!(!key(bad).unwrap_err().contains("CANARY"));
        }
        assert_eq!(format!("{:?}", named), "Key(deploy.)");
    }

    #[test]
    fn an_answer_counts_only_with_the_keys_signature_over_it_and_the_question() {
        let key = key(&format!("deploy:{SECRET}")).unwrap();
        let mut message = Message::query();
        let request = key.sign(&mut message, 1000).unwrap();
        // A question's signature covers no earlier one; as an answer it is therefore a forgery.
        assert_eq!(key.verify(&message.to_vec().unwrap(), &request, 1000), Err(Distrust::Forged));
        assert_eq!(key.verify(&Message::query().to_vec().unwrap(), &request, 1000), Err(Distrust::Unsigned));
    }
}
