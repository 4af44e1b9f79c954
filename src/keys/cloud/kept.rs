//! Credentials and tokens that were fetched, until shortly before their end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::trouble::Trouble;

/// What is renewed this long before its end.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

type Cell<T> = Arc<Mutex<Option<(T, Option<Timestamp>)>>>;

/// What was fetched, by name.
pub(super) struct Kept<T>(Mutex<HashMap<String, Cell<T>>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Kept<T> {
    /// What is kept under `name`, else what `fetch` gives with its end, if it has one. Two threads do not fetch the same
    /// at once.
    pub(super) fn get(
        &self,
        name: &str,
        now: Timestamp,
        fetch: impl FnOnce() -> Result<(T, Option<Timestamp>), Trouble>,
    ) -> Result<T, Trouble> {
        let cell =
            Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default());
        let mut kept = cell.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, end)) = &*kept
            && end.is_none_or(|end| end > now + MARGIN)
        {
            return Ok(known.clone());
        }
        let (fetched, end) = fetch()?;
        *kept = Some((fetched.clone(), end));
        Ok(fetched)
    }

    /// Forgets what was refused.
    pub(super) fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}
