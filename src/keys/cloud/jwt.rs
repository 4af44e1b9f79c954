//! Tokens that we sign ourselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::trouble::Trouble;
use crate::secret::SecretString;

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSA, PKCS #1 v1.5.
    Rs256,
    /// RSA, PSS.
    Ps256,
}

impl Algorithm {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }
}

/// A token of `header` and `claims`, signed with an RSA key in PEM.
pub(super) fn signed(
    algorithm: Algorithm,
    header: &Value,
    claims: &Value,
    key: &[u8],
) -> Result<SecretString, Trouble> {
    let unusable = || Trouble::usage("the private key is no RSA key in PEM");
    let pair = match PrivateKeyDer::from_pem_slice(key).map_err(|_| unusable())? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(unusable()),
    }
    .map_err(|_| unusable())?;
    let mut text = format!("{}.{}", part(header), part(claims));
    let encoding: &dyn RsaEncoding = match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        Algorithm::Ps256 => &RSA_PSS_SHA256,
    };
    let mut signature = vec![0; pair.public().modulus_len()];
    let signed = pair.sign(encoding, &SystemRandom::new(), text.as_bytes(), &mut signature);
    signed.map_err(|_| Trouble::usage("the private key cannot sign"))?;
    text.push('.');
    text.push_str(&URL_SAFE_NO_PAD.encode(&signature));
    Ok(SecretString::new(text))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
