//! A YAML value with the place of each of its parts, keys included.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A value and where it stands: an alias where the alias stands.
#[derive(Clone, Debug)]
pub(in crate::sops) struct Node {
    /// 1-based.
    pub(in crate::sops) line: usize,
    /// 1-based, in characters.
    pub(in crate::sops) column: usize,
    pub(in crate::sops) value: Content,
}

/// What stands there.
#[derive(Clone, Debug)]
pub(in crate::sops) enum Content {
    Null,
    Bool(bool),
    Number(i128),
    Fraction(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar, as far as it is one.
    pub(in crate::sops) fn text(&self) -> Option<&str> {
        if let Content::Text(text) = &self.value { Some(text) } else { None }
    }

    pub(in crate::sops) fn entries(&self) -> &[(Self, Self)] {
        if let Content::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The value of that key.
    pub(in crate::sops) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// The key and its value.
    pub(in crate::sops) fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        self.entries().iter().find(|(known, _)| known.text() == Some(key))
    }

    /// The items of a list.
    pub(in crate::sops) fn items(&self) -> &[Self] {
        if let Content::List(items) = &self.value { items } else { &[] }
    }

    pub(in crate::sops) fn is_null(&self) -> bool {
        matches!(self.value, Content::Null)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let at = &spanned.referenced;
        Ok(Self { line: place(at.line()), column: place(at.column()), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Content, E> {
        Ok(Content::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Content, E> {
        Ok(Content::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Content, E> {
        Ok(Content::Fraction(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Content::Map(map))
    }
}
