//! Values as a user writes them in JSON.

use crate::document::{Document, Format, KeyPath};
use crate::secret::SecretString;
use crate::sops::NewValue;

/// The key that a value is read under, because a JSON document is an object.
const KEY: &str = "value";

/// Reads a value as JSON spells it; `None` if it is no JSON. The reader's own words could hold a piece of the value, so
/// there are none.
pub(crate) fn of_json(text: &SecretString) -> Option<NewValue> {
    let text = text.expose_secret();
    let mut wrapped = Vec::with_capacity(text.len() + 16);
    wrapped.extend_from_slice(format!("{{\"{KEY}\":").as_bytes());
    wrapped.extend_from_slice(text.as_bytes());
    wrapped.extend_from_slice(b"\n}");
    let document = Document::parse(Format::Json, wrapped).ok()?;
    match NewValue::at(&document, &KeyPath::default()).ok()?? {
        NewValue::Map(mut entries) if entries.len() == 1 && document.metadata().is_none() => {
            entries.pop().map(|(_, value)| value)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        of_json(&SecretString::new(text.to_owned())).map(|value| format!("{value:?}"))
    }

    #[test]
    fn one_json_value_and_nothing_else() {
        for text in ["1", " \"a\\u0062\" ", "null", "[1, {\"a\": true}]", "{}\n", "{\"sops\": 1}"] {
            assert!(read(text).is_some(), "{text}");
        }
        for text in ["", "1 2", "1, \"x\": 2", "1, \"sops\": {}", "1}", "nul", "'a'", "{\"a\": }"] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read("1").unwrap().starts_with("Leaf { kind: Int"));
        assert!(read("1.0").unwrap().starts_with("Leaf { kind: Float"));
    }
}
