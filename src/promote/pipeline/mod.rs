//! A pipeline: ordered stages, what each wants, and the steps that bring a build there.
//!
//! A pipeline file is read once, checked whole against the backends' descriptors, and every complaint names file, line,
//! column and the nearest word. Variables stay in the texts until a stage is chosen ([`Scope`]).

mod check;
mod error;
mod node;
mod reading;
mod scope;
mod shape;
mod steps;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use error::nearest;
pub use error::{PipelineError, PipelineFault};
pub use node::{At, Node, Raw};
pub use scope::{Resolved, Scope};

use super::change::Stack;
use super::descriptor::{Descriptor, Word};

/// One pipeline file.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The file's name without its extension.
    pub name: String,
    /// The file's path, relative to the repository's root, for messages.
    pub file: String,
    /// One line about it.
    pub about: String,
    /// What moves.
    pub artifact: ArtifactRule,
    /// Where things are, in the order of the file.
    pub targets: Vec<TargetRule>,
    /// The declared secrets, by name.
    pub secrets: BTreeMap<String, SecretRule>,
    /// What a promotion does, in order.
    pub steps: Vec<StepRule>,
    /// What has to be true afterwards; every entry is a check.
    pub verify: Vec<StepRule>,
    /// What is done on request.
    pub tasks: Vec<Task>,
    /// The stages, in the order of the file.
    pub stages: Vec<Stage>,
}

/// `artifact:`.
#[derive(Clone, Debug)]
pub struct ArtifactRule {
    /// The repository.
    pub git: String,
    /// Which tags are releases.
    pub tags: Option<String>,
    /// The branch that is built.
    pub branch: Option<String>,
    /// Images, by name.
    pub images: BTreeMap<String, String>,
    /// How builds are made and moved on platforms that distinguish.
    pub stack: Option<Stack>,
    /// Where it stands.
    pub at: At,
}

/// One of `targets:`.
#[derive(Clone, Debug)]
pub struct TargetRule {
    /// Its name.
    pub name: String,
    /// Its backend.
    pub backend: &'static Descriptor,
    /// What stands at the backend's word.
    pub address: Node,
    /// Its other words.
    pub options: Vec<(String, Node)>,
    /// Where it stands.
    pub at: At,
}

/// One of `secrets:`.
#[derive(Clone, Debug)]
pub struct SecretRule {
    /// Where its value comes from.
    pub origin: Origin,
    /// Whether it may be missing.
    pub optional: bool,
    /// Where it stands.
    pub at: At,
}

/// Where a secret's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A person puts it into the stage's file.
    Given,
    /// The tool made it once; it is in the stage's file.
    Generate,
    /// Written in the pipeline file: no secret.
    Value(String),
    /// Copied from an application's own secret.
    Copy(String),
    /// Owned elsewhere.
    From(String),
    /// Made of other secrets.
    Render,
}

/// One step, with the words that any step may have.
#[derive(Clone, Debug)]
pub struct StepRule {
    /// What it does.
    pub verb: Verb,
    /// The stages it runs in; `None`: all.
    pub only: Option<Vec<String>>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Words that have no meaning yet here, each with its place (`lend`, `undo`, `backup`, `when`, `affects`, `destroys`).
    pub modifiers: Vec<(String, At)>,
    /// Where it stands.
    pub at: At,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Sets values in a committed file.
    Edit,
    /// Brings secrets to a target.
    Deliver {
        /// The target.
        target: String,
        /// The address in it.
        to: String,
        /// The word of the backend that stands for this address.
        word: &'static Word,
        /// Name there, secret's name here.
        keys: Vec<(String, String)>,
    },
    /// Makes a target equal to what is written.
    Apply {
        /// The target.
        target: String,
        /// The backend's words with their values, in order.
        words: Vec<(&'static Word, Node)>,
    },
    /// Runs a command once.
    Run,
    /// Changes a count for a while.
    Scale,
    /// Waits until something is true.
    Check {
        /// A target's name or an `https://` address.
        subject: Node,
        /// The backend's words with their values.
        words: Vec<(String, Node)>,
    },
    /// Steps that run at once.
    Together(Vec<StepRule>),
}

/// One of `tasks:`.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub about: String,
    /// The stages it may run in; `None`: all.
    pub only: Option<Vec<String>>,
    /// What it asks for.
    pub asks: Vec<String>,
    /// What it does.
    pub steps: Vec<StepRule>,
}

/// One of `stages:`.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// The stage a build comes from.
    pub after: Option<String>,
    /// Where that stands; without it, where the stage does.
    pub after_at: At,
    /// The encrypted file of its secrets, with variables.
    pub file: Option<Node>,
    /// Its variables.
    pub vars: Vec<(String, Node)>,
    /// What kinds of artifact it takes; empty: any.
    pub accepts: Vec<String>,
    /// How many approvals it needs, and where that stands.
    pub approve: Option<(u32, At)>,
    /// How long a build has to run in the stage before.
    pub soak: Option<(Duration, At)>,
    /// What its instances are.
    pub per: Option<Per>,
    /// How long an instance lives.
    pub expires: Option<Duration>,
    /// Where it stands.
    pub at: At,
}

/// What a stage has one instance of for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// `local/ana`.
    Developer,
    /// `review/pr-80`.
    PullRequest,
}

impl Pipeline {
    /// Reads and checks one file. `file` is its path for messages; its stem is the pipeline's name.
    ///
    /// # Errors
    /// [`PipelineError`], the first in reading order.
    pub fn parse(file: &str, text: &str, descriptors: &[&'static Descriptor]) -> Result<Self, PipelineError> {
        let pipeline = reading::Reading { file, descriptors }.pipeline(text)?;
        check::check(&pipeline)?;
        Ok(pipeline)
    }

    /// A stage by name.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// A target by name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&TargetRule> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The steps that run in a stage.
    pub fn steps_of<'a>(&'a self, stage: &'a str) -> impl Iterator<Item = &'a StepRule> {
        self.steps.iter().filter(move |step| step.runs_in(stage))
    }

    /// Whether a build may go from one stage straight to the other.
    #[must_use]
    pub fn leads(&self, from: &str, to: &str) -> bool {
        self.stage(to).and_then(|stage| stage.after.as_deref()) == Some(from)
    }

    /// An error at a place of this file.
    #[must_use]
    pub fn error(&self, at: At, fault: PipelineFault) -> PipelineError {
        PipelineError { file: self.file.clone(), at, fault }
    }
}

impl StepRule {
    /// Whether it writes to a target.
    #[must_use]
    pub fn speaks_with(&self, name: &str) -> bool {
        match &self.verb {
            Verb::Deliver { target, .. } | Verb::Apply { target, .. } => target == name,
            Verb::Together(steps) => steps.iter().any(|step| step.speaks_with(name)),
            Verb::Edit | Verb::Run | Verb::Scale | Verb::Check { .. } => false,
        }
    }

    /// Whether it runs in a stage.
    #[must_use]
    pub fn runs_in(&self, stage: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|name| name == stage))
    }
}

impl Stage {
    /// Whether consent needs its typed name.
    #[must_use]
    pub fn protected(&self) -> bool {
        self.approve.is_some()
    }
}
