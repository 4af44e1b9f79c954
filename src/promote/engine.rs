//! Plans, applies, resumes and rolls back promotions of one repository.

use std::path::PathBuf;

use jiff::Timestamp;

use super::ledger::Ledger;
use super::platform::Connector;
use super::repository::Repository;

/// Everything a promotion needs of its surroundings.
pub struct Engine<'a> {
    /// Makes the platforms' clients.
    pub connector: &'a dyn Connector,
    /// The repository, read through HEAD.
    pub repository: &'a dyn Repository,
    /// What every stage has run.
    pub ledger: Ledger,
    /// The folder of journals, one for each stage that is being changed.
    pub journals: PathBuf,
    /// The time now.
    pub clock: fn() -> Timestamp,
    /// Who acts, for the ledger and the lock.
    pub by: String,
}
