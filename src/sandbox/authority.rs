//! The world's own certificate authority.

use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::error::SandboxError;
use super::vault::{Sealed, Vault};
use crate::secret::SecretString;

/// What the authority calls itself.
pub(super) const NAME: &str = "lockage sandbox authority";

/// How long a certificate holds, as those of the vendor's authority do.
const DAYS: i64 = 90;

/// Issues certificates that chain to `authority.pem` of the world.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: SecretString,
    pub(super) starts_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

impl Authority {
    /// Makes a new world's authority: its certificate in clear, its key sealed.
    pub(super) fn create(dir: &Path, vault: &Vault, now: Timestamp) -> Result<(), SandboxError> {
        let key = KeyPair::generate().map_err(|_| SandboxError::Certificate)?;
        let mut params = params();
        set_validity(&mut params, now, 3650);
        let certificate = params.self_signed(&key).map_err(|_| SandboxError::Certificate)?;
        let sealed = vault.seal(NAME, &SecretString::new(key.serialize_pem()))?;
        let text = serde_json::to_string(&sealed).map_err(|_| SandboxError::Sealing)?;
        super::store::write_private(&dir.join("authority-key"), text.as_bytes())?;
        super::store::write_private(&dir.join("authority.pem"), certificate.pem().as_bytes())
    }

    /// Opens the world's authority.
    pub(super) fn open(dir: &Path, vault: &Vault) -> Result<Self, SandboxError> {
        let path = dir.join("authority-key");
        let text = std::fs::read_to_string(&path).map_err(|source| SandboxError::file(&path, source))?;
        let sealed: Sealed = serde_json::from_str(&text).map_err(|_| SandboxError::Damaged { path })?;
        let key = vault.open(NAME, &sealed)?;
        let key = KeyPair::from_pem(key.expose_secret()).map_err(|_| SandboxError::Certificate)?;
        Ok(Self { issuer: Issuer::new(params(), key) })
    }

    /// A certificate for one host name.
    pub(super) fn issue(&self, hostname: &str, now: Timestamp) -> Result<Issued, SandboxError> {
        let key = KeyPair::generate().map_err(|_| SandboxError::Certificate)?;
        let mut params = CertificateParams::new([hostname.to_owned()]).map_err(|_| SandboxError::Certificate)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, hostname);
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, DAYS);
        let certificate = params.signed_by(&key, &self.issuer).map_err(|_| SandboxError::Certificate)?;
        Ok(Issued {
            chain: certificate.pem(),
            key: SecretString::new(key.serialize_pem()),
            starts_at: midnight(now, -1),
            expires_at: midnight(now, DAYS),
        })
    }
}

/// A chain and its key, both PEM, as a handshake needs them.
pub(super) fn certified_key(chain: &str, key: &SecretString) -> Option<CertifiedKey> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().ok()?;
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()).ok()?;
    CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()).ok()
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Midnight this many days after `now`'s day; the nearest that a calendar has.
fn midnight(now: Timestamp, days: i64) -> Timestamp {
    let date = now.to_zoned(TimeZone::UTC).date();
    let date = date.saturating_add(days.days());
    date.to_zoned(TimeZone::UTC).map_or(now, |zoned| zoned.timestamp())
}

/// From the day before `now`, for clocks that differ, to this many days after it.
fn set_validity(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let [from, to] = [-1, days].map(|days| {
        let date = midnight(now, days).to_zoned(TimeZone::UTC).date();
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    });
    params.not_before = from;
    params.not_after = to;
}
