//! A plan: the ordered, serialisable, secret-free, refusable list of changes.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::artifact::Artifact;
use super::change::{Build, Resource, State};
use super::platform::{Act, Check, Observed, Target};
use super::repository::FileVersion;
use super::stage_name::StageName;
use crate::error::{Class, Failure};

/// The version of the schema that this program writes and reads.
pub(super) const SCHEMA: &str = "lockage.plan/1";

/// What shall be done to one stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `SCHEMA`.
    pub schema: String,
    /// The SHA-256 of everything else in it, 64 hexadecimal digits; also the promotion's name.
    pub id: String,
    /// The pipeline.
    pub pipeline: String,
    /// The stage that is changed.
    pub stage: StageName,
    /// Why.
    pub purpose: Purpose,
    /// What the stage runs afterwards; `None` for a stage that runs no build.
    pub artifact: Option<Artifact>,
    /// What the stage ran when the plan was made.
    pub previous: Option<Build>,
    /// The stage's encrypted file and which version of it is delivered.
    pub secrets: Option<FileVersion>,
    /// The targets that the plan speaks with.
    pub targets: Vec<Target>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// Resources that already are what they shall be.
    pub agreeing: Vec<Agreement>,
    /// What has to be true afterwards.
    pub checks: Vec<Check>,
    /// What was asked before, each with its answer.
    pub gates: Vec<Gate>,
    /// What a person should know (`the release command runs twice`).
    pub notes: Vec<String>,
    /// The ledger's newest entry of this stage when the plan was made, as its commit.
    pub ledger: Option<String>,
    /// Whether the stage's consent is its typed name.
    pub protected: bool,
    /// When the plan was made.
    pub made: Timestamp,
}

/// Why a stage is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A build comes from another stage.
    Promotion {
        /// The stage it comes from.
        from: StageName,
    },
    /// The stage is made equal to its declaration, with the build it already runs.
    Equalise,
    /// What an earlier promotion did is undone.
    Rollback {
        /// The ledger entry's commit.
        entry: String,
    },
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    #[serde(flatten)]
    pub task: Task,
    /// How long it may take; without it the backend's default.
    pub timeout: Option<Duration>,
    /// Where it stands in the pipeline file, `file:line:column`.
    pub declared: String,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "nearly every step is a write")]
pub enum Task {
    /// One write.
    Write(Write),
    /// A wait until something is true.
    Check(Check),
}

/// One write of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// What is sent; facts are still open.
    pub act: Act,
    /// What was read of the resource when the plan was made.
    pub observed: Observed,
    /// What else the write does, in the backend's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub effect: String,
    /// How it is undone.
    pub undo: Undo,
}

/// How a write is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// By the change's inverse.
    Inverse,
    /// By the platform's own way back to a recorded version, because a value of `before` is in no version at hand.
    Restore {
        /// The version to go back to.
        version: String,
        /// The kinds of resource of the same target that come back with it.
        covers: Vec<String>,
    },
    /// Not at all.
    Irreversible,
}

/// A resource that already is what it shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// The resource.
    pub resource: Resource,
    /// What it is and shall be.
    pub state: State,
}

/// A question that was asked before anything is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The question (`review/pr-80 is healthy`, `CI`).
    pub question: String,
    /// Its answer in few words.
    pub answer: String,
    /// Whether the answer was looked for at all.
    pub asked: bool,
}

/// Why a text is no plan that can be applied.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanFileError {
    /// It is no plan at all.
    #[error("the plan is not JSON of the schema `{SCHEMA}`: line {line}, column {column}")]
    Malformed {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// It is a plan of another version.
    #[error("the plan has the schema `{0}`, this program knows `{SCHEMA}`")]
    Schema(String),
    /// It was changed after it was made.
    #[error("the plan was changed after it was made")]
    Edited,
}

impl Failure for PlanFileError {
    fn class(&self) -> Class {
        match self {
            Self::Edited => Class::Untrusted,
            Self::Malformed { .. } | Self::Schema(_) => Class::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        vec!["make it again with `lockage plan -o plan.json`".to_owned()]
    }
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.steps.iter().any(|step| matches!(step.task, Task::Write(_)))
    }

    /// A target by name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The plan's text, for a file.
    ///
    /// # Errors
    /// Never in practice: every part of a plan is JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// Reads a plan back.
    ///
    /// # Errors
    /// [`PlanFileError`] when it is none, or was changed since it was made.
    pub fn from_json(text: &str) -> Result<Self, PlanFileError> {
        let malformed =
            |error: &serde_json::Error| PlanFileError::Malformed { line: error.line(), column: error.column() };
        let raw: serde_json::Value = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let schema = raw.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
        if schema != SCHEMA {
            return Err(PlanFileError::Schema(schema.chars().take(60).collect()));
        }
        let plan: Self = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        if plan.digest() == plan.id { Ok(plan) } else { Err(PlanFileError::Edited) }
    }

    /// The SHA-256 of the plan without its `id`.
    pub(crate) fn digest(&self) -> String {
        let mut unnamed = self.clone();
        unnamed.id = String::new();
        let text = serde_json::to_vec(&unnamed).unwrap_or_default();
        hex(ring::digest::digest(&ring::digest::SHA256, &text).as_ref())
    }

    /// The same plan under its name.
    pub(crate) fn named(mut self) -> Self {
        self.id = self.digest();
        self
    }

    /// The first twelve digits of the name, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
