//! What every room's error can say of itself: its class, which becomes the exit code, and what to do about it.

/// The class of a failure; its number is the exit code of `lockage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The expected "no": findings, drift, a conflict, an unhealthy target.
    No = 1,
    /// Usage or configuration: the user can mend it on this machine.
    Usage = 2,
    /// A file or a key could not be opened or trusted.
    Untrusted = 3,
    /// The outside world: a platform, the network, the disk.
    World = 4,
    /// Our own bug.
    Bug = 70,
}

impl Class {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The stable word for JSON documents.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Usage => "usage",
            Self::Untrusted => "untrusted",
            Self::World => "world",
            Self::Bug => "bug",
        }
    }
}

/// How far a change got when it failed; part of every report about a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing was changed.
    Unchanged,
    /// Everything was changed as planned.
    Applied,
    /// Everything applied was undone again.
    RolledBack,
    /// Some steps hold, others do not; the journal knows which.
    Partial,
    /// A request was sent and its fate is not known.
    Unknown,
}

/// What an error says beside its message.
pub trait Failure: std::error::Error {
    /// The class, from which the exit code follows.
    fn class(&self) -> Class;

    /// What to do: each names a command, or a file and a line. Empty when there is nothing to say.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }

    /// How far a change got, where the command changes something.
    fn outcome(&self) -> Option<Outcome> {
        None
    }
}
