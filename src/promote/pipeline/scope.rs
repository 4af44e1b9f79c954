//! Fills in variables: one stage, one instance, one artifact.

use super::error::{PipelineError, PipelineFault, nearest};
use super::node::{At, Node, Raw};
use super::template::{Part, parts};
use super::{Per, Pipeline, Stage};
use crate::promote::artifact::Artifact;
use crate::promote::change::FactRef;

/// A value with its variables filled in.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A fraction.
    Fraction(f64),
    /// A text.
    Text(String),
    /// `${target.fact}`, alone.
    Fact(FactRef),
    /// `${build}`, alone.
    Build,
    /// `${secret.name}`, alone.
    Secret(String),
    /// A list.
    List(Vec<Self>),
    /// A map.
    Map(Vec<(String, Self)>),
}

/// What the variables of a pipeline stand for in one stage.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// The stage.
    pub stage: &'a Stage,
    /// The instance, of a stage that has instances (`pr-80`, `ana`).
    pub instance: Option<&'a str>,
    /// What moves, once it is known.
    pub artifact: Option<&'a Artifact>,
}

/// Variables inside variables inside variables: more than any person writes by hand.
const DEPTH: usize = 16;

impl Scope<'_> {
    /// A value with its variables filled in.
    ///
    /// # Errors
    /// [`PipelineError`] when a variable has no value here.
    pub fn resolve(&self, node: &Node) -> Result<Resolved, PipelineError> {
        self.value(node, 0)
    }

    /// A text with its variables filled in; facts and the build cannot be part of it.
    ///
    /// # Errors
    /// As [`Scope::resolve`], and when it is no text.
    pub fn text(&self, node: &Node) -> Result<String, PipelineError> {
        match self.resolve(node)? {
            Resolved::Text(text) => Ok(text),
            Resolved::Number(number) => Ok(number.to_string()),
            _ => Err(self.shape(
                node.at,
                node.text().unwrap_or_default(),
                "a text that is known before anything is done",
            )),
        }
    }

    /// The path of the stage's encrypted file.
    ///
    /// # Errors
    /// As [`Scope::text`].
    pub fn secrets_path(&self) -> Result<String, PipelineError> {
        match &self.stage.file {
            Some(file) => self.text(file),
            None => {
                let name = self.instance.unwrap_or(&self.stage.name);
                Ok(format!("secrets/{}.{name}.yaml", self.pipeline.name))
            }
        }
    }

    /// The same for a text that stands at `at`.
    ///
    /// # Errors
    /// As [`Scope::text`].
    pub fn text_at(&self, text: &str, at: At) -> Result<String, PipelineError> {
        self.text(&Node { at, value: Raw::Text(text.to_owned()) })
    }

    fn value(&self, node: &Node, depth: usize) -> Result<Resolved, PipelineError> {
        Ok(match &node.value {
            Raw::Null => Resolved::Null,
            Raw::Flag(flag) => Resolved::Flag(*flag),
            Raw::Number(number) => Resolved::Number(*number),
            Raw::Fraction(number) => Resolved::Fraction(*number),
            Raw::List(items) => {
                Resolved::List(items.iter().map(|item| self.value(item, depth)).collect::<Result<_, _>>()?)
            }
            Raw::Map(entries) => {
                let mut map = Vec::new();
                for (key, value) in entries {
                    let name = key.scalar().unwrap_or_default();
                    let name = self.joined(&name, key.at, depth)?;
                    map.push((name, self.value(value, depth)?));
                }
                Resolved::Map(map)
            }
            Raw::Text(text) => match self.parts(text, node.at)?.as_slice() {
                [Part::Variable(name)] => self.variable(name, node.at, depth)?,
                _ => Resolved::Text(self.joined(text, node.at, depth)?),
            },
        })
    }

    fn joined(&self, text: &str, at: At, depth: usize) -> Result<String, PipelineError> {
        let mut joined = String::new();
        for part in self.parts(text, at)? {
            match part {
                Part::Text(text) => joined.push_str(text),
                Part::Variable(name) => match self.variable(name, at, depth)? {
                    Resolved::Text(text) => joined.push_str(&text),
                    Resolved::Number(number) => joined.push_str(&number.to_string()),
                    _ => return Err(self.shape(at, name, "a text that can be part of another")),
                },
            }
        }
        Ok(joined)
    }

    fn parts<'t>(&self, text: &'t str, at: At) -> Result<Vec<Part<'t>>, PipelineError> {
        parts(text).ok_or_else(|| self.pipeline.error(at, PipelineFault::Unclosed { text: text.to_owned() }))
    }

    fn variable(&self, name: &str, at: At, depth: usize) -> Result<Resolved, PipelineError> {
        if depth > DEPTH {
            return Err(self.pipeline.error(at, PipelineFault::Circular { name: name.to_owned() }));
        }
        if let Some((_, node)) = self.stage.vars.iter().find(|(known, _)| known == name) {
            return self.value(node, depth + 1);
        }
        let unset = || {
            let nearest = nearest(name, self.stage.vars.iter().map(|(name, _)| name.as_str()));
            self.pipeline
                .error(at, PipelineFault::Unset { stage: self.stage.name.clone(), name: name.to_owned(), nearest })
        };
        if let Some((before, after)) = name.split_once('.') {
            if before == "build" {
                let part = self.artifact.and_then(|artifact| artifact.part(after));
                return part.map(Resolved::Text).ok_or_else(unset);
            }
            if before == "secret" {
                return Ok(Resolved::Secret(after.to_owned()));
            }
            if self.pipeline.target(before).is_some() {
                return Ok(Resolved::Fact(FactRef { target: before.to_owned(), fact: after.to_owned() }));
            }
        }
        match (name, self.instance, self.stage.per) {
            ("stage", _, _) => Ok(Resolved::Text(self.stage.name.clone())),
            ("build", _, _) => Ok(Resolved::Build),
            ("instance", Some(instance), _) | ("developer", Some(instance), Some(Per::Developer)) => {
                Ok(Resolved::Text(instance.to_owned()))
            }
            ("pull-request", Some(instance), Some(Per::PullRequest)) => {
                Ok(Resolved::Text(instance.strip_prefix("pr-").unwrap_or(instance).to_owned()))
            }
            _ => Err(unset()),
        }
    }

    fn shape(&self, at: At, word: &str, wanted: &str) -> PipelineError {
        self.pipeline.error(at, PipelineFault::Shape { word: word.to_owned(), wanted: wanted.to_owned() })
    }
}

impl Resolved {
    /// The same as JSON, where it holds nothing that is known later or secret.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        use serde_json::Value;
        Some(match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Number(number) => Value::from(*number),
            Self::Fraction(number) => Value::from(*number),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(items) => Value::Array(items.iter().map(Self::json).collect::<Option<_>>()?),
            Self::Map(entries) => Value::Object(
                entries.iter().map(|(name, value)| Some((name.clone(), value.json()?))).collect::<Option<_>>()?,
            ),
            Self::Fact(_) | Self::Build | Self::Secret(_) => return None,
        })
    }
}
