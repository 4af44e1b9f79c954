//! OpenPGP keys.

use super::without_blanks;

/// An OpenPGP key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PgpRecipient {
    /// Its fingerprint, or another name that `gpg` knows; a `!` at the end asks for exactly that subkey.
    pub fingerprint: String,
}

impl PgpRecipient {
    pub(super) fn parse(text: &str) -> Self {
        Self { fingerprint: without_blanks(text) }
    }
}
