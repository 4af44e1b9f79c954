//! When and how often a request is repeated.

use std::time::Duration;

use backon::ExponentialBuilder;

use super::HttpError;

/// Waits that double, with jitter; a server's `Retry-After` comes first.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// The first wait.
    pub first: Duration,
    /// The longest wait, also when the server asks for a longer one: then the failure is reported instead.
    pub longest: Duration,
    /// How many times at most.
    pub times: usize,
}

impl Default for Repeat {
    /// About two minutes in all: a bucket that refills 75 times a minute has room again long before.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(60), times: 7 }
    }
}

impl Repeat {
    pub(super) fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_max_times(self.times)
            .with_factor(2.0)
            .with_jitter()
    }

    /// The wait before the next try, `None` to give up.
    pub(super) fn delay(&self, error: &HttpError, planned: Option<Duration>) -> Option<Duration> {
        let planned = planned?;
        match error.retry_after() {
            Some(after) if after > self.longest => None,
            Some(after) => Some(after.max(self.first)),
            None => Some(planned),
        }
    }
}
