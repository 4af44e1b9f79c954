//! A YAML value with the place of each of its parts.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A place in a pipeline file, counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: At,
    /// What it is.
    pub value: Raw,
}

/// What stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// A fraction; only the shape `Any` takes it.
    Fraction(f64),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Raw::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn list(&self) -> Option<&[Self]> {
        if let Raw::List(items) = &self.value { Some(items) } else { None }
    }

    /// The entries, if it is a map.
    #[must_use]
    pub fn map(&self) -> Option<&[(Self, Self)]> {
        if let Raw::Map(entries) = &self.value { Some(entries) } else { None }
    }

    /// A scalar in words: a text as it is, numbers and truth values as they are written.
    #[must_use]
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Raw::Text(text) => Some(text.clone()),
            Raw::Number(number) => Some(number.to_string()),
            Raw::Fraction(number) => Some(number.to_string()),
            Raw::Flag(flag) => Some(flag.to_string()),
            Raw::Null | Raw::List(_) | Raw::Map(_) => None,
        }
    }

    /// Every text in it, keys of maps included.
    pub fn texts<'a>(&'a self, found: &mut Vec<(&'a str, At)>) {
        match &self.value {
            Raw::Text(text) => found.push((text, self.at)),
            Raw::List(items) => items.iter().for_each(|item| item.texts(found)),
            Raw::Map(entries) => entries.iter().for_each(|(key, value)| {
                key.texts(found);
                value.texts(found);
            }),
            Raw::Null | Raw::Flag(_) | Raw::Number(_) | Raw::Fraction(_) => {}
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Raw>::deserialize(deserializer)?;
        let at = &spanned.referenced;
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Self { at: At { line: place(at.line()), column: place(at.column()) }, value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Raw, E> {
        Ok(Raw::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Raw, E> {
        i64::try_from(number).map(Raw::Number).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Fraction(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}
