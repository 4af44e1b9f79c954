//! Values of `.sops.yaml` as the reader of SOPS takes them.
//!
//! It leaves entries out of a list that are null, cuts the fraction off a number where a whole one belongs, and takes the
//! truth words of YAML 1.1 where a truth value belongs. Recipients of any type are accepted until their rule is used.
//!
//! *Source*: the real program, which reads with yaml v3.

use serde::de::{Deserialize, Deserializer, Error};

use super::node::Content;

/// A list without its null entries; null is an empty one.
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Option::<Vec<Option<T>>>::deserialize(deserializer)?;
        Ok(Self(entries.into_iter().flatten().flatten().collect()))
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A number where a whole one belongs.
#[derive(Clone, Copy)]
pub(super) struct Whole {
    pub(super) value: i64,
    /// Whether it was written as one.
    pub(super) exact: bool,
}

impl<'de> Deserialize<'de> for Whole {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let too_large = || D::Error::custom("the number is too large");
        match Content::deserialize(deserializer)? {
            Content::Number(number) => {
                let value = i64::try_from(number).map_err(|_| too_large())?;
                Ok(Self { value, exact: true })
            }
            Content::Fraction(number) if number.abs() < i64::MAX as f64 => {
                Ok(Self { value: number as i64, exact: false })
            }
            Content::Fraction(_) => Err(too_large()),
            _ => Err(D::Error::custom("it is no number: write a whole one, without quotes")),
        }
    }
}

/// A truth value.
#[derive(Clone, Copy)]
pub(super) struct Truth(pub(super) bool);

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let truth = truth(&Content::deserialize(deserializer)?);
        truth.map(Self).ok_or_else(|| D::Error::custom("it is no truth value: write true or false, without quotes"))
    }
}

/// What a value means where a truth value belongs.
pub(in crate::sops) fn truth(content: &Content) -> Option<bool> {
    match content {
        Content::Bool(value) => Some(*value),
        Content::Text(text) => match text.as_str() {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Recipients: a comma-separated text, or a list of such texts.
pub(super) enum Words {
    Texts(Vec<String>),
    /// Something else, in the words of SOPS.
    Wrong(String),
}

impl Words {
    /// The recipients one by one.
    ///
    /// # Errors
    /// What `field` holds in place of them.
    pub(super) fn list(self, field: &str) -> Result<Vec<String>, String> {
        match self {
            Self::Texts(texts) => Ok(split(&texts)),
            Self::Wrong(problem) => Err(format!("invalid {field} key configuration: {problem}")),
        }
    }
}

/// Recipients that stand in one text, with commas between them.
pub(super) fn split(texts: &[String]) -> Vec<String> {
    let words = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = match Content::deserialize(deserializer)? {
            Content::List(entries) => {
                let texts = entries.into_iter().map(|entry| text(entry.value));
                texts.collect::<Result<_, _>>().map_err(|kind| format!("expected string in list, got {kind}"))
            }
            other => {
                let text = text(other).map(|text| vec![text]);
                text.map_err(|kind| format!("expected string, []string, or nil, got {kind}"))
            }
        };
        Ok(texts.map_or_else(Self::Wrong, Self::Texts))
    }
}

/// A text, or what Go calls the type of what is none.
fn text(content: Content) -> Result<String, &'static str> {
    match content {
        Content::Text(text) => Ok(text),
        Content::Null => Err("<nil>"),
        Content::Bool(_) => Err("bool"),
        Content::Number(_) => Err("int"),
        Content::Fraction(_) => Err("float64"),
        Content::List(_) => Err("[]interface {}"),
        Content::Map(_) => Err("map[string]interface {}"),
    }
}
