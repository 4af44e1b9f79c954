//! All pipelines of a repository, and which one is meant.

use super::descriptor::Descriptor;
use super::pipeline::{Pipeline, PipelineError, nearest};
use crate::error::{Class, Failure};

/// The pipelines of one repository, in the order of their names.
#[derive(Clone, Debug)]
pub struct Pipelines(Vec<Pipeline>);

/// Why no pipeline was chosen.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// No pipeline has this name.
    #[error("there is no pipeline `{name}`{}", .nearest.as_ref().map(|word| format!("; the nearest is `{word}`")).unwrap_or_default())]
    Unknown {
        /// The name.
        name: String,
        /// The nearest name.
        nearest: Option<String>,
        /// All of them.
        known: Vec<String>,
    },
    /// No pipeline has these stages.
    #[error("no pipeline has {}{}", .stages.iter().map(|stage| format!("`{stage}`")).collect::<Vec<_>>().join(" and "), .nearest.as_ref().map(|word| format!("; the nearest stage is `{word}`")).unwrap_or_default())]
    NoneHas {
        /// The stages.
        stages: Vec<String>,
        /// The nearest stage to the first one that is unknown everywhere.
        nearest: Option<String>,
        /// Every pipeline with its stages.
        known: Vec<String>,
    },
    /// Several pipelines have these stages.
    #[error("{} pipelines have {}", .known.len(), .stages.iter().map(|stage| format!("`{stage}`")).collect::<Vec<_>>().join(" and "))]
    Several {
        /// The stages.
        stages: Vec<String>,
        /// The pipelines.
        known: Vec<String>,
    },
}

impl Failure for ChoiceError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unknown { known, .. } | Self::NoneHas { known, .. } => {
                known.iter().map(|name| format!("there is {name}")).collect()
            }
            Self::Several { known, .. } => known.iter().map(|name| format!("`--pipeline {name}`")).collect(),
        }
    }
}

impl Pipelines {
    /// Reads every file: pairs of path and text.
    ///
    /// # Errors
    /// [`PipelineError`], the first.
    pub fn parse<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t str)>,
        descriptors: &[&'static Descriptor],
    ) -> Result<Self, PipelineError> {
        let parsed = files.into_iter().map(|(file, text)| Pipeline::parse(file, text, descriptors));
        let mut pipelines = parsed.collect::<Result<Vec<_>, _>>()?;
        pipelines.sort_by(|one, two| one.name.cmp(&two.name));
        Ok(Self(pipelines))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Pipeline] {
        &self.0
    }

    /// The one with this name, else the only one that has all these stages (without their instances).
    ///
    /// # Errors
    /// [`ChoiceError`] with the list to choose from.
    pub fn choose(&self, name: Option<&str>, stages: &[&str]) -> Result<&Pipeline, ChoiceError> {
        let names = |pipelines: &[&Pipeline]| pipelines.iter().map(|pipeline| pipeline.name.clone()).collect();
        let all: Vec<&Pipeline> = self.0.iter().collect();
        if let Some(name) = name {
            return self.0.iter().find(|pipeline| pipeline.name == name).ok_or_else(|| ChoiceError::Unknown {
                name: name.to_owned(),
                nearest: nearest(name, self.0.iter().map(|pipeline| pipeline.name.as_str())),
                known: names(&all),
            });
        }
        let has = |pipeline: &&Pipeline| stages.iter().all(|stage| pipeline.stage(stage).is_some());
        let fitting: Vec<&Pipeline> = self.0.iter().filter(has).collect();
        let owned = || stages.iter().map(|stage| (*stage).to_owned()).collect();
        match fitting.as_slice() {
            [one] => Ok(one),
            [] => {
                let every =
                    || self.0.iter().flat_map(|pipeline| pipeline.stages.iter().map(|stage| stage.name.as_str()));
                let unknown = stages.iter().find(|stage| !every().any(|known| known == **stage));
                let known = self.0.iter().map(|pipeline| {
                    let stages: Vec<&str> = pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
                    format!("`{}` with `{}`", pipeline.name, stages.join("`, `"))
                });
                Err(ChoiceError::NoneHas {
                    stages: owned(),
                    nearest: unknown.and_then(|stage| nearest(stage, every())),
                    known: known.collect(),
                })
            }
            several => Err(ChoiceError::Several { stages: owned(), known: names(several) }),
        }
    }
}
