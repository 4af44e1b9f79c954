//! Holds a value against the shape that a backend gave for a word.

use super::error::{PipelineFault, nearest};
use super::node::{At, Node, Raw};
use super::template::{Part, parts};
use crate::promote::descriptor::Shape;

/// Holds `node`, the value of `word`, against `shape`.
pub(crate) fn hold(word: &str, node: &Node, shape: &Shape) -> Result<(), (At, PipelineFault)> {
    if is_variable(node) {
        return Ok(());
    }
    let wrong = || Err((node.at, PipelineFault::Shape { word: word.to_owned(), wanted: shape.in_words() }));
    match (shape, &node.value) {
        (Shape::Any, _)
        | (Shape::Text, Raw::Text(_))
        | (Shape::Number, Raw::Number(_))
        | (Shape::Flag, Raw::Flag(_)) => Ok(()),
        (Shape::OneOf(words), Raw::Text(text)) if words.contains(&text.as_str()) => Ok(()),
        (Shape::OneOf(words), Raw::Text(text)) => Err((
            node.at,
            PipelineFault::UnknownWord {
                word: text.clone(),
                place: format!("`{word}`"),
                nearest: nearest(text, words.iter().copied()),
            },
        )),
        (Shape::List(inner), Raw::List(items)) => items.iter().try_for_each(|item| hold(word, item, inner)),
        (Shape::Map(inner), Raw::Map(entries)) => entries.iter().try_for_each(|(key, value)| {
            let name = key.scalar().ok_or_else(|| {
                (key.at, PipelineFault::Shape { word: word.to_owned(), wanted: "a map with texts as names".to_owned() })
            })?;
            hold(&name, value, inner)
        }),
        (Shape::Record(words), Raw::Map(entries)) => record(word, node.at, entries, words),
        (Shape::Either(shapes), _) => {
            // The shape of the same kind explains itself better than "one of these".
            let alike = shapes.iter().find(|shape| shape.is_like(&node.value));
            match alike {
                Some(alike) => hold(word, node, alike),
                None => wrong(),
            }
        }
        _ => wrong(),
    }
}

fn record(
    word: &str,
    at: At,
    entries: &[(Node, Node)],
    words: &[(&'static str, Shape, bool)],
) -> Result<(), (At, PipelineFault)> {
    for (key, value) in entries {
        let name = key.scalar().unwrap_or_default();
        let Some((_, shape, _)) = words.iter().find(|(known, _, _)| *known == name) else {
            let nearest = nearest(&name, words.iter().map(|(known, _, _)| *known));
            return Err((key.at, PipelineFault::UnknownWord { word: name, place: format!("`{word}`"), nearest }));
        };
        hold(&name, value, shape)?;
    }
    for (name, _, needed) in words {
        if *needed && !entries.iter().any(|(key, _)| key.text() == Some(*name)) {
            return Err((at, PipelineFault::Missing { word: (*name).to_owned(), place: format!("`{word}`") }));
        }
    }
    Ok(())
}

/// A text that is one variable and nothing else may stand for any shape: it is held against it once it is filled in.
fn is_variable(node: &Node) -> bool {
    node.text().and_then(parts).is_some_and(|parts| matches!(parts.as_slice(), [Part::Variable(_)]))
}

impl Shape {
    fn is_like(&self, raw: &Raw) -> bool {
        match self {
            Self::Text | Self::OneOf(_) => matches!(raw, Raw::Text(_)),
            Self::Number => matches!(raw, Raw::Number(_)),
            Self::Flag => matches!(raw, Raw::Flag(_)),
            Self::List(_) => matches!(raw, Raw::List(_)),
            Self::Map(_) | Self::Record(_) => matches!(raw, Raw::Map(_)),
            Self::Either(shapes) => shapes.iter().any(|shape| shape.is_like(raw)),
            Self::Any => true,
        }
    }

    /// The shape, as a complaint names it.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Number => "a whole number".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::OneOf(words) => format!("one of `{}`", words.join("`, `")),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
            Self::Record(words) => {
                let names: Vec<&str> = words.iter().map(|(name, _, _)| *name).collect();
                format!("a map of `{}`", names.join("`, `"))
            }
            Self::Either(shapes) => shapes.iter().map(Self::in_words).collect::<Vec<_>>().join(" or "),
            Self::Any => "a value".to_owned(),
        }
    }
}
