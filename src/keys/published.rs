//! The test key that everybody has.
//!
//! Its identity is published in `secrets/published-test-key.txt`, so a file that it opens is no secret.

use super::Recipient;

/// The recipient of the published test key.
pub const RECIPIENT: &str = "age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw";

/// Whether `recipient` is the published test key's.
#[must_use]
pub fn is_published(recipient: &Recipient) -> bool {
    matches!(recipient, Recipient::Age(age) if age.text() == RECIPIENT)
}
