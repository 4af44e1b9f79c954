//! What is wrong with a pipeline file, where, and which word was meant.

use super::node::At;
use crate::error::{Class, Failure};

/// A fault in a pipeline file.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{file}:{}:{}: {fault}", at.line, at.column)]
pub struct PipelineError {
    /// The file, as the user knows it.
    pub file: String,
    /// Where in it.
    pub at: At,
    /// What is wrong.
    pub fault: PipelineFault,
}

/// The kinds of fault.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum PipelineFault {
    /// The text is no YAML.
    #[error("this is not YAML: {what}")]
    NotYaml {
        /// What the reader of YAML expected.
        what: String,
    },
    /// A word that the vocabulary does not have at this place.
    #[error("`{word}` is not a word of {place}{}", meant(.nearest.as_deref()))]
    UnknownWord {
        /// The word.
        word: String,
        /// Where it stands (`a stage`).
        place: String,
        /// The nearest word that it has.
        nearest: Option<String>,
    },
    /// A word that has to be there.
    #[error("{place} has no `{word}`")]
    Missing {
        /// The word.
        word: String,
        /// Where it is missing.
        place: String,
    },
    /// A value of the wrong shape.
    #[error("`{word}` is not {wanted}")]
    Shape {
        /// The word.
        word: String,
        /// What it shall be (`a text`).
        wanted: String,
    },
    /// A name that nothing declares.
    #[error("there is no {kind} `{name}`{}", meant(.nearest.as_deref()))]
    Undeclared {
        /// `stage`, `target`, `secret`, `variable`, `fact`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The nearest declared name.
        nearest: Option<String>,
    },
    /// A variable that a stage does not set although a step that runs there uses it.
    #[error("the stage `{stage}` does not set `{name}`, which is used here{}", meant(.nearest.as_deref()))]
    Unset {
        /// The stage.
        stage: String,
        /// The variable.
        name: String,
        /// The nearest variable that it sets.
        nearest: Option<String>,
    },
    /// Stages that come after each other in a circle.
    #[error("the stages `{}` come after each other in a circle", .stages.join("` → `"))]
    Cycle {
        /// The circle.
        stages: Vec<String>,
    },
    /// Variables that are made of each other.
    #[error("the variable `{name}` is made of itself")]
    Circular {
        /// The variable.
        name: String,
    },
    /// A duration that is none.
    #[error("`{text}` is not a duration (a whole number and one of s, m, h, d)")]
    Duration {
        /// The text.
        text: String,
    },
    /// A name that cannot be one.
    #[error("`{name}` cannot be the name of a {kind} (lower-case letters, digits, `-`)")]
    Name {
        /// The kind of thing.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A `${` without its `}`.
    #[error("`{text}` has a `${{` that is not closed")]
    Unclosed {
        /// The text.
        text: String,
    },
    /// A step of no verb, or of more than one.
    #[error("a step has exactly one of `edit`, `deliver`, `apply`, `run`, `scale`, `check`, `together`; this one has {count}{}", meant(.nearest.as_deref()))]
    Verb {
        /// How many.
        count: usize,
        /// The verb that was perhaps meant.
        nearest: Option<String>,
    },
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|word| format!("; the nearest is `{word}`")).unwrap_or_default()
}

impl Failure for PipelineError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn hints(&self) -> Vec<String> {
        match &self.fault {
            PipelineFault::UnknownWord { nearest: Some(word), .. } => {
                vec![format!("write `{word}` at {}:{}", self.file, self.at)]
            }
            PipelineFault::Unset { stage, name, .. } => {
                vec![format!("add `{name}` to the `vars` of `{stage}`, or `only` to the step")]
            }
            _ => Vec::new(),
        }
    }
}

/// The word of `known` that is nearest to `word`, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let limit = (word.chars().count() / 3).max(1) + 1;
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// Edits (insert, delete, replace, swap of neighbours) between two words.
fn distance(one: &str, two: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let two: Vec<char> = two.chars().collect();
    let mut rows = vec![vec![0; two.len() + 1]; one.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=two.len()).collect();
    for i in 1..=one.len() {
        for j in 1..=two.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(one[i - 1] != two[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == two[j - 2] && one[i - 2] == two[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[one.len()][two.len()]
}
