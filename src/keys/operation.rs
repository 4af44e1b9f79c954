//! What is done with a data key.

/// One of the two things that a key service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Encrypt,
    Decrypt,
}

impl Operation {
    /// Its word in addresses and questions.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        }
    }
}
