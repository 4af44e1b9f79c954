//! Splits a secret into shares of which a threshold is enough, after Shamir.
//!
//! Each byte is the constant of a random polynomial over GF(2⁸) with x⁸+x⁴+x³+x+1; share *i* holds the values at
//! x = i + 1, and x itself as its last byte. Nothing here looks anything up by, or branches on, a secret byte.
//!
//! *Source*: the SOPS format, section 4.

use zeroize::Zeroizing;

use crate::error::{Class, Failure};
use crate::secret::SecretBytes;

/// Why a secret cannot be split or put together. The words are those of SOPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShamirError {
    /// More shares are needed than there are.
    #[error("parts cannot be less than threshold")]
    FewerThanThreshold,
    /// There are more shares than x has values.
    #[error("parts cannot exceed 255")]
    TooMany,
    /// One share would be the secret.
    #[error("threshold must be at least 2")]
    Threshold,
    /// There is nothing to split.
    #[error("cannot split an empty secret")]
    Empty,
    /// One share says nothing.
    #[error("less than two parts cannot be used to reconstruct the secret")]
    FewerThanTwo,
    /// A share is no share.
    #[error("parts must be at least two bytes")]
    TooShort,
    /// The shares are of different secrets.
    #[error("all parts must be the same length")]
    Lengths,
    /// A share was given twice.
    #[error("duplicate part detected")]
    Duplicate,
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandom,
}

impl Failure for ShamirError {
    fn class(&self) -> Class {
        match self {
            Self::FewerThanThreshold | Self::TooMany | Self::Threshold | Self::Empty => Class::Usage,
            Self::NoRandom => Class::World,
            _ => Class::Untrusted,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::FewerThanThreshold => vec!["`shamir_threshold` is at most the number of key groups".to_owned()],
            Self::Threshold => {
                vec!["where one group shall be enough, put the keys into one group; else it takes 2 of them".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// Splits a secret into shares.
///
/// # Errors
/// [`ShamirError`] for numbers that cannot be: it takes 2 to 255 shares, of no more than there are.
pub fn split(secret: &SecretBytes, shares: usize, threshold: usize) -> Result<Vec<SecretBytes>, ShamirError> {
    if shares < threshold {
        return Err(ShamirError::FewerThanThreshold);
    }
    let Ok(last) = u8::try_from(shares) else { return Err(ShamirError::TooMany) };
    if threshold < 2 {
        return Err(ShamirError::Threshold);
    }
    let secret = secret.expose_secret();
    if secret.is_empty() {
        return Err(ShamirError::Empty);
    }
    // The coefficients of x¹ to xᵗ⁻¹ of every byte's polynomial, one power after another.
    let mut coefficients = Zeroizing::new(vec![0; secret.len() * (threshold - 1)]);
    getrandom::fill(&mut coefficients).map_err(|_| ShamirError::NoRandom)?;
    let share = |x: u8| {
        let mut values = Zeroizing::new(vec![0; secret.len()]);
        for power in coefficients.chunks_exact(secret.len()).rev() {
            for (value, coefficient) in values.iter_mut().zip(power) {
                *value = multiply(*value ^ coefficient, x);
            }
        }
        let mut share = Vec::with_capacity(secret.len() + 1);
        share.extend(values.iter().zip(secret).map(|(value, constant)| value ^ constant));
        share.push(x);
        SecretBytes::new(share)
    };
    Ok((1..=last).map(share).collect())
}

/// Puts a secret together from shares: all of them count. Too few of them, or altered ones, give another secret; nothing
/// here can tell.
///
/// # Errors
/// [`ShamirError`] for shares that cannot belong together.
pub fn combine(shares: &[SecretBytes]) -> Result<SecretBytes, ShamirError> {
    let [first, _, ..] = shares else { return Err(ShamirError::FewerThanTwo) };
    if first.len() < 2 {
        return Err(ShamirError::TooShort);
    }
    if shares.iter().any(|share| share.len() != first.len()) {
        return Err(ShamirError::Lengths);
    }
    let points: Vec<(u8, &[u8])> =
        shares.iter().filter_map(|share| share.expose_secret().split_last()).map(|(x, values)| (*x, values)).collect();
    let mut secret = Zeroizing::new(vec![0; first.len() - 1]);
    for (index, (x, values)) in points.iter().enumerate() {
        // The Lagrange basis polynomial of this point, at 0.
        let mut basis = 1;
        for (_, (other, _)) in points.iter().enumerate().filter(|(position, _)| *position != index) {
            if other == x {
                return Err(ShamirError::Duplicate);
            }
            basis = multiply(basis, multiply(*other, inverse(other ^ x)));
        }
        for (byte, value) in secret.iter_mut().zip(*values) {
            *byte ^= multiply(*value, basis);
        }
    }
    Ok(SecretBytes::new(std::mem::take(&mut *secret)))
}

/// The product in GF(2⁸), in the same steps whatever the factors are.
const fn multiply(mut a: u8, b: u8) -> u8 {
    let mut product = 0;
    let mut bit = 0;
    while bit < 8 {
        product ^= a & 0u8.wrapping_sub((b >> bit) & 1);
        a = (a << 1) ^ (0x1b & 0u8.wrapping_sub(a >> 7));
        bit += 1;
    }
    product
}

/// The inverse: the 254th power.
const fn inverse(a: u8) -> u8 {
    let mut power = a;
    let mut product = 1;
    let mut bit = 1;
    while bit < 8 {
        power = multiply(power, power);
        product = multiply(product, power);
        bit += 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197, section 4.2: {57} times {83} is {c1}.
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        assert!((1..=255).all(|a| multiply(a, inverse(a)) == 1));
        for a in [0, 1, 2, 0x80, 0xff] {
            assert_eq!((multiply(a, 1), multiply(a, 0)), (a, 0));
        }
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let secret = SecretBytes::new(vec![1; 32]);
        for (shares, threshold, error) in [
            (2, 3, ShamirError::FewerThanThreshold),
            (3, 1, ShamirError::Threshold),
            (256, 2, ShamirError::TooMany),
            (3, 0, ShamirError::Threshold),
        ] {
            assert_eq!(split(&secret, shares, threshold).err(), Some(error), "{threshold} of {shares}");
        }
        assert_eq!(split(&SecretBytes::default(), 2, 2).err(), Some(ShamirError::Empty));
        let bytes = |bytes: &[u8]| SecretBytes::new(bytes.to_vec());
        for (shares, error) in [
            (vec![bytes(&[1, 1])], ShamirError::FewerThanTwo),
            (vec![bytes(&[1]), bytes(&[2])], ShamirError::TooShort),
            (vec![bytes(&[1, 1]), bytes(&[1, 2, 3])], ShamirError::Lengths),
            (vec![bytes(&[1, 1]), bytes(&[2, 1])], ShamirError::Duplicate),
        ] {
            assert_eq!(combine(&shares).err(), Some(error));
        }
    }

    /// *Source*: the SOPS format, section 15: shares of the key 00 to 1f, of which two are enough.
    #[test]
    fn the_shares_of_sops_itself_give_its_key() {
        const SHARES: [&str; 3] = [
            "f38eeba6b29869a0c4a829b93a57c4ed19b25a787ee5bc45bcc85ca162908a2101",
            "fd04cb527324d8528b504c7460b981d0024c82c5c0ee59b34ba09674e01c2d6302",
            "0e8b22f7c5b9b7f547f16fc656e34b320befcaaeaa1ef3e1ef71d0ce9e91b95d03",
        ];
        let share = |hex: &str| {
            let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
            SecretBytes::new(bytes.collect())
        };
        let key: Vec<u8> = (0..32).collect();
        for (one, other) in [(0, 1), (0, 2), (1, 2), (2, 0)] {
            let combined = combine(&[share(SHARES[one]), share(SHARES[other])]).unwrap();
            assert_eq!(combined.expose_secret(), key);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_shares_from_the_threshold_on_give_the_secret_and_fewer_do_not(
            secret in prop::collection::vec(any::<u8>(), 16..48),
            (shares, threshold) in (2usize..12).prop_flat_map(|shares| (Just(shares), 2..=shares)),
            seed in any::<u64>(),
        ) {
            let whole = SecretBytes::new(secret.clone());
            let mut made = split(&whole, shares, threshold).unwrap();
            for (index, share) in made.iter().enumerate() {
                prop_assert_eq!(share.expose_secret().last().copied(), u8::try_from(index + 1).ok());
            }
            made.sort_by_key(|share| seed.rotate_left(u32::from(share.expose_secret()[secret.len()]) * 7));
            for count in threshold..=shares {
                let combined = combine(&made[..count]).unwrap();
                prop_assert_eq!(combined.expose_secret(), &secret[..]);
            }
            if threshold > 2 {
                let combined = combine(&made[..threshold - 1]).unwrap();
                prop_assert_ne!(combined.expose_secret(), &secret[..]);
            }
        }
    }
}
