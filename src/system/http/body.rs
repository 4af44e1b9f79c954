//! What a request carries; wiped when the last of its readers is done.

use hyper::body::Bytes;
use serde::Serialize;
use zeroize::Zeroizing;

use super::HttpError;
use crate::secret::SecretString;

/// A JSON text that may embed a secret.
#[derive(Clone, Default)]
pub struct Body(Bytes);

impl Body {
    /// `value` as JSON.
    ///
    /// # Errors
    /// [`HttpError::Configuration`] for a value JSON has no form for.
    pub fn json<T: Serialize>(value: &T) -> Result<Self, HttpError> {
        let text = serde_json::to_vec(value)
            .map_err(|_| HttpError::Configuration("a request's body has no form in JSON".into()))?;
        Ok(Self::wiped(Zeroizing::new(text)))
    }

    /// One flat object of names and secrets; no secret becomes `null`.
    #[must_use]
    pub fn secrets(entries: &[(&str, Option<&SecretString>)]) -> Self {
        // A byte becomes at most six (`\u001f`): the buffer never grows, so that no copy is left behind.
        let size = |text: &str| 6 * text.len() + 2;
        let bound = entries
            .iter()
            .map(|(name, value)| size(name) + 2 + value.map_or(4, |v| size(v.expose_secret())))
            .sum::<usize>();
        let mut text = Zeroizing::new(Vec::with_capacity(bound + 2));
        text.push(b'{');
        for (at, (name, value)) in entries.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            string(name, &mut text);
            text.push(b':');
            match value {
                Some(value) => string(value.expose_secret(), &mut text),
                None => text.extend_from_slice(b"null"),
            }
        }
        text.push(b'}');
        Self::wiped(text)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&self) -> Bytes {
        self.0.clone()
    }

    fn wiped(text: Zeroizing<Vec<u8>>) -> Self {
        Self(Bytes::from_owner(text))
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..=0x1f => {
                let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn secrets_come_back_from_json(pairs in proptest::collection::btree_map(".*", proptest::option::of(".*"), 0..5)) {
            let held: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.clone().map(SecretString::new))).collect();
            let entries: Vec<_> = held.iter().map(|(k, v)| (*k, v.as_ref())).collect();
            let body = Body::secrets(&entries);
            let read: std::collections::BTreeMap<String, Option<String>> = serde_json::from_slice(&body.0).unwrap();
            proptest::prop_assert_eq!(read, pairs);
        }
    }
}
