//! What went wrong with a cloud, in our words and in those of SOPS.

use std::time::Duration;

use crate::error::Class;
use crate::keys::{KeyError, Recipient, ServiceError};
use crate::system::process::ProcessError;
use crate::system::wire::WireError;

/// A failure on the way to a key.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) class: Class,
    /// What happened, in a sentence.
    pub(super) problem: String,
    /// What SOPS prints behind its own introduction.
    pub(super) sops: String,
    /// What SOPS says before that in place of its usual introduction; nothing where this is empty.
    pub(super) lead: Option<&'static str>,
    pub(super) hint: Option<String>,
    /// Whether another try could do better.
    pub(super) passing: bool,
    /// When the server wants to be asked again.
    pub(super) after: Option<Duration>,
    /// The status of the answer, where its sender asks for it.
    pub(super) status: u16,
}

impl Trouble {
    pub(super) fn new(class: Class, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self { class, sops: problem.clone(), problem, lead: None, hint: None, passing: false, after: None, status: 0 }
    }

    /// To be mended on this machine.
    pub(super) fn usage(problem: impl Into<String>) -> Self {
        Self::new(Class::Usage, problem)
    }

    /// An answer that cannot be trusted, or a "no".
    pub(super) fn untrusted(problem: impl Into<String>) -> Self {
        Self::new(Class::Untrusted, problem)
    }

    /// The same, said by SOPS in other words.
    pub(super) fn sops(mut self, text: impl Into<String>) -> Self {
        self.sops = text.into();
        self
    }

    pub(super) fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }

    pub(super) const fn passing(mut self, passing: bool) -> Self {
        self.passing = passing;
        self
    }

    pub(super) const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With an introduction on both sides.
    pub(super) fn within(mut self, ours: &str, theirs: &str) -> Self {
        self.problem = format!("{ours}: {}", self.problem);
        self.sops = match self.lead {
            None => format!("{theirs}: {}", self.sops),
            Some("") => self.sops,
            Some(lead) => format!("{lead}: {}", self.sops),
        };
        self
    }

    /// With another introduction by SOPS than the usual one of its vendor, or none.
    ///
    /// *Source*: the real program: what happens before the key's service is asked is introduced otherwise.
    pub(super) const fn led(mut self, lead: &'static str) -> Self {
        self.lead = Some(lead);
        self
    }

    /// As the error of a key.
    pub(super) fn of(self, recipient: &Recipient) -> KeyError {
        let Self { class, problem, sops, hint, .. } = self;
        let sops = (sops != problem).then_some(sops);
        ServiceError { id: recipient.id(), problem, class, hint, sops }.into()
    }
}

impl From<WireError> for Trouble {
    fn from(error: WireError) -> Self {
        let class = if matches!(error, WireError::Settings(_)) { Class::Usage } else { Class::World };
        let passing = error.may_pass();
        Self::new(class, error.to_string()).passing(passing)
    }
}

impl From<ProcessError> for Trouble {
    fn from(error: ProcessError) -> Self {
        Self::new(Class::World, error.to_string())
    }
}

/// What a server says, for people: bounded, and without control characters, so that it cannot repaint a terminal.
pub(super) fn said(text: &str) -> String {
    let clean = text.chars().map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter });
    clean.take(2000).collect()
}
