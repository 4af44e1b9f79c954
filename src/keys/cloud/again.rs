//! How often a cloud is asked.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use super::trouble::Trouble;

/// No wait is longer; where a server asks for twice that, the failure is reported instead.
const LONGEST: Duration = Duration::from_secs(20);

/// Tries with waits that double, with jitter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    /// All tries together, the first one included.
    pub(super) tries: usize,
    /// The first wait.
    pub(super) first: Duration,
}

impl Again {
    pub(super) const fn new(tries: usize, first: Duration) -> Self {
        Self { tries, first }
    }

    /// Tries until it works, fails for good, or was tried often enough.
    pub(super) fn attempt<T>(self, mut once: impl FnMut() -> Result<T, Trouble>) -> Result<T, Trouble> {
        let waits = ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(LONGEST)
            .with_max_times(self.tries.saturating_sub(1))
            .with_factor(2.0)
            .with_jitter();
        let mut waits = waits.build();
        loop {
            let trouble = match once() {
                Ok(done) => return Ok(done),
                Err(trouble) => trouble,
            };
            let wait = waits.next().filter(|_| trouble.passing).map(|wait| wait.max(trouble.after.unwrap_or_default()));
            let Some(wait) = wait.filter(|wait| *wait <= LONGEST * 2) else { return Err(trouble) };
            tracing::info!("{}; asking again in {wait:.1?}", trouble.problem);
            std::thread::sleep(wait);
        }
    }
}
