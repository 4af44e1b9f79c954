//! X-Wing: ML-KEM-768 and X25519 as one key encapsulation, secret as long as one of the two is.
//!
//! *Source*: draft-connolly-cfrg-xwing-kem, which is the KEM `MLKEM768-X25519` of draft-ietf-hpke-pq.

use ml_kem::kem::Decapsulate as _;
use ml_kem::{B32, EncapsulateDeterministic as _, Encoded, EncodedSizeUser as _, KemCore, MlKem768};
use sha3::digest::{ExtendableOutput as _, Update as _, XofReader as _};
use sha3::{Digest as _, Sha3_256, Shake256};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// Bytes of the seed that a decapsulation key is.
pub(super) const SEED: usize = 32;
/// Bytes of an encapsulation key.
pub(super) const PUBLIC: usize = LATTICE_PUBLIC + CURVE;
/// Bytes of an encapsulated secret.
pub(super) const ENCAPSULATED: usize = LATTICE_CIPHERTEXT + CURVE;

const LATTICE_PUBLIC: usize = 1184;
const LATTICE_CIPHERTEXT: usize = 1088;
const CURVE: usize = 32;
/// Keeps the combined secret apart from other uses of the same hash.
const LABEL: &[u8] = br"\.//^\";

type Encapsulation = <MlKem768 as KemCore>::EncapsulationKey;
type Decapsulation = <MlKem768 as KemCore>::DecapsulationKey;

/// Both halves of a decapsulation key.
struct Secret {
    lattice: Decapsulation,
    lattice_public: Encapsulation,
    curve: StaticSecret,
}

impl Secret {
    fn of(seed: &[u8; SEED]) -> Self {
        let mut expanded = Zeroizing::new([0; 96]);
        Shake256::default().chain(seed).finalize_xof().read(&mut expanded[..]);
        let part = |at: usize| {
            let mut bytes = Zeroizing::new([0; 32]);
            bytes.copy_from_slice(&expanded[at..at + 32]);
            bytes
        };
        let (lattice, lattice_public) = MlKem768::generate_deterministic(&B32::from(*part(0)), &B32::from(*part(32)));
        Self { lattice, lattice_public, curve: StaticSecret::from(*part(64)) }
    }
}

/// The encapsulation key of a seed.
pub(super) fn public_of(seed: &[u8; SEED]) -> Vec<u8> {
    let secret = Secret::of(seed);
    let mut public = secret.lattice_public.as_bytes().to_vec();
    public.extend_from_slice(PublicKey::from(&secret.curve).as_bytes());
    public
}

/// Whether these bytes are an encapsulation key: every coefficient below the modulus.
///
/// *Source*: FIPS 203, section 7.2.
pub(super) fn is_public(public: &[u8]) -> bool {
    split_public(public).is_some_and(|(lattice, _)| lattice.as_bytes()[..] == public[..LATTICE_PUBLIC])
}

fn split_public(public: &[u8]) -> Option<(Encapsulation, PublicKey)> {
    let (lattice, curve) = public.split_at_checked(LATTICE_PUBLIC)?;
    let lattice = Encapsulation::from_bytes(&Encoded::<Encapsulation>::try_from(lattice).ok()?);
    Some((lattice, PublicKey::from(<[u8; CURVE]>::try_from(curve).ok()?)))
}

/// A fresh secret, and what the holder of the key makes it from; `None` if `public` is no key or there is no randomness.
pub(super) fn encapsulate(public: &[u8]) -> Option<(Vec<u8>, Zeroizing<[u8; 32]>)> {
    let (lattice, curve) = split_public(public)?;
    let mut random = Zeroizing::new([0; 64]);
    getrandom::fill(&mut random[..]).ok()?;
    let (message, ephemeral) = random.split_at(32);
    let (ciphertext, mut lattice_secret) = lattice.encapsulate_deterministic(&B32::try_from(message).ok()?).ok()?;
    let ephemeral = StaticSecret::from(<[u8; CURVE]>::try_from(ephemeral).ok()?);
    let share = PublicKey::from(&ephemeral);
    let curve_secret = ephemeral.diffie_hellman(&curve);
    let combined = combine(&lattice_secret, curve_secret.as_bytes(), share.as_bytes(), curve.as_bytes());
    zeroize::Zeroize::zeroize(&mut lattice_secret[..]);
    let mut encapsulated = ciphertext.to_vec();
    encapsulated.extend_from_slice(share.as_bytes());
    Some((encapsulated, combined))
}

/// The secret that was encapsulated; `None` if the length is wrong. Altered bytes give another secret.
pub(super) fn decapsulate(seed: &[u8; SEED], encapsulated: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let (ciphertext, share) = encapsulated.split_at_checked(LATTICE_CIPHERTEXT)?;
    let share = PublicKey::from(<[u8; CURVE]>::try_from(share).ok()?);
    let secret = Secret::of(seed);
    let mut lattice_secret = secret.lattice.decapsulate(&ciphertext.try_into().ok()?).ok()?;
    let curve_secret = secret.curve.diffie_hellman(&share);
    let public = PublicKey::from(&secret.curve);
    let combined = combine(&lattice_secret, curve_secret.as_bytes(), share.as_bytes(), public.as_bytes());
    zeroize::Zeroize::zeroize(&mut lattice_secret[..]);
    Some(combined)
}

fn combine(lattice: &[u8], curve: &[u8; CURVE], share: &[u8; CURVE], public: &[u8; CURVE]) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha3_256::new();
    for part in [lattice, &curve[..], &share[..], &public[..], LABEL] {
        sha3::Digest::update(&mut hash, part);
    }
    Zeroizing::new(hash.finalize().into())
}
