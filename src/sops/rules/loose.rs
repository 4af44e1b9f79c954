//! Values of `.sops.yaml` as the reader of SOPS takes them.
//!
//! It leaves entries out of a list that are null, cuts the fraction off a number where a whole one belongs, and takes the
//! truth words of YAML 1.1 where a truth value belongs. Recipients of any type are accepted until their rule is used.
//!
//! *Source*: the real program, which reads with yaml v3.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A list without its null entries.
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<Option<T>>::deserialize(deserializer)?;
        Ok(Self(entries.into_iter().flatten().collect()))
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
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Whole;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a whole number")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Whole, E> {
                Ok(Whole { value, exact: true })
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Whole, E> {
                let value = i64::try_from(value).map_err(|_| E::custom("the number is too large"))?;
                Ok(Whole { value, exact: true })
            }

            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
            fn visit_f64<E: Error>(self, value: f64) -> Result<Whole, E> {
                if value.abs() < i64::MAX as f64 {
                    Ok(Whole { value: value as i64, exact: false })
                } else {
                    Err(E::custom("the number is too large"))
                }
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// A truth value.
#[derive(Clone, Copy)]
pub(super) struct Truth(pub(super) bool);

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = Truth;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("true or false, without quotes")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Truth, E> {
                Ok(Truth(value))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Truth, E> {
                let no_word = || E::custom("it is no truth value: write true or false, without quotes");
                truth(text).map(Truth).ok_or_else(no_word)
            }
        }
        deserializer.deserialize_any(Word)
    }
}

/// What a text means where a truth value belongs.
pub(in crate::sops) fn truth(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
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
        let wrong = |kind| Self::Wrong(format!("expected string, []string, or nil, got {kind}"));
        Ok(match Value::deserialize(deserializer)? {
            Value::Text(text) => Self::Texts(vec![text]),
            Value::Other(kind) => wrong(kind),
            Value::List(entries) => {
                let texts = entries.into_iter().map(|entry| match entry {
                    Value::Text(text) => Ok(text),
                    Value::List(_) => Err("[]interface {}"),
                    Value::Other(kind) => Err(kind),
                });
                texts
                    .collect::<Result<_, _>>()
                    .map_or_else(|kind| Self::Wrong(format!("expected string in list, got {kind}")), Self::Texts)
            }
        })
    }
}

/// Any value.
enum Value {
    Text(String),
    List(Vec<Self>),
    /// Go's name of its type.
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Value, E> {
                Ok(Value::Text(String::from_utf8_lossy(bytes).into_owned()))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Other("bool"))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
                Ok(Value::Other("int"))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Value, E> {
                Ok(Value::Other("int"))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Other("float64"))
            }

            fn visit_unit<E: Error>(self) -> Result<Value, E> {
                Ok(Value::Other("<nil>"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = entries.next_element()? {
                    list.push(entry);
                }
                Ok(Value::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Value::Other("map[string]interface {}"))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
