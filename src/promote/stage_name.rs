//! How a person names a stage: `staging`, `review/pr-80`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A stage, and which instance of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StageName {
    /// The stage.
    pub stage: String,
    /// The instance, of a stage that has instances.
    pub instance: Option<String>,
}

/// A text that cannot name a stage.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot name a stage (`staging`, `review/pr-80`: lower-case letters, digits, `-`)")]
pub struct NotAStageName(pub String);

impl StageName {
    /// A stage without instances.
    #[must_use]
    pub fn plain(stage: impl Into<String>) -> Self {
        Self { stage: stage.into(), instance: None }
    }

    /// The same stage, this instance of it.
    #[must_use]
    pub fn with_instance(&self, instance: impl Into<String>) -> Self {
        Self { stage: self.stage.clone(), instance: Some(instance.into()) }
    }

    /// The name as one file-name part (`review.pr-80`).
    #[must_use]
    pub fn in_file_name(&self) -> String {
        self.to_string().replace('/', ".")
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stage)?;
        self.instance.as_ref().map_or(Ok(()), |instance| write!(f, "/{instance}"))
    }
}

impl FromStr for StageName {
    type Err = NotAStageName;

    fn from_str(text: &str) -> Result<Self, NotAStageName> {
        // The name becomes part of a git ref and of a file name.
        let good = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                && !part.ends_with('-')
        };
        let (stage, instance) = match text.split_once('/') {
            None => (text, None),
            Some((stage, instance)) => (stage, Some(instance)),
        };
        if !good(stage) || !instance.is_none_or(good) {
            return Err(NotAStageName(text.to_owned()));
        }
        Ok(Self { stage: stage.to_owned(), instance: instance.map(str::to_owned) })
    }
}

impl Serialize for StageName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StageName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
