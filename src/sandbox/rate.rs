//! How many requests the account has left: a bucket that each request takes from and that time fills.

use jiff::Timestamp;

/// What the bucket holds.
const LARGEST: u32 = 4500;
/// Milliseconds in which one request comes back: 75 a minute.
const REFILL: i64 = 800;

/// The account's bucket. A served world begins with a full one.
///
/// *Source*: the vendor's reference on rate limits; `GET /account/rate-limits` takes nothing.
pub(super) struct Bucket {
    left: u32,
    /// When the last whole request came back.
    at: Timestamp,
}

impl Bucket {
    /// A full one.
    pub(super) const fn full(now: Timestamp) -> Self {
        Self { left: LARGEST, at: now }
    }

    /// What is left now.
    pub(super) fn left(&mut self, now: Timestamp) -> u32 {
        let passed = now.as_millisecond().saturating_sub(self.at.as_millisecond()).max(0);
        let back = passed / REFILL;
        self.left = self.left.saturating_add(u32::try_from(back).unwrap_or(u32::MAX)).min(LARGEST);
        // What is left of the time counts for the next one; a full bucket keeps no time.
        let rest = if self.left == LARGEST { 0 } else { passed % REFILL };
        self.at = now - jiff::SignedDuration::from_millis(rest);
        self.left
    }

    /// Takes one request, and says what is left; nothing where none was.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<u32> {
        self.left = self.left(now).checked_sub(1)?;
        Some(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_empty_it_and_time_fills_it() {
        let at = |milliseconds: i64| Timestamp::from_millisecond(1_000_000 + milliseconds).unwrap();
        let mut bucket = Bucket::full(at(0));
        assert_eq!(bucket.take(at(0)), Some(4499));
        assert_eq!(bucket.left(at(799)), 4499);
        assert_eq!(bucket.left(at(800)), 4500, "one comes back in 0.8 s");
        for left in (0..4500).rev() {
            assert_eq!(bucket.take(at(800)), Some(left));
        }
        assert_eq!(bucket.take(at(1599)), None);
        assert_eq!(bucket.take(at(1600)), Some(0));
        assert_eq!(bucket.left(at(61_600)), 75, "75 a minute");
        assert_eq!(bucket.left(at(0)), 75, "a clock that goes back takes nothing");
        assert_eq!(bucket.left(at(10_000_000)), 4500);
    }
}
