//! Values in the KV engine of a Vault.
//!
//! *Source*: the notes on the wire, section 6; the SOPS format, section 11.

use std::collections::BTreeMap;
use std::fmt;

use ring::digest::{Context, Digest, SHA256};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::destination::{Destination, Standing};
use super::trouble::Trouble;
use super::vault::{VaultTransit, path};
use crate::keys::Surroundings;
use crate::system::wire::Wire;

/// The address where none is named.
const USUAL: &str = "https://127.0.0.1:8200";

/// Puts values into a Vault.
pub(super) struct VaultKv {
    vault: VaultTransit,
}

impl VaultKv {
    pub(super) fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        Self { vault: VaultTransit::new(surroundings, wire) }
    }

    /// The address as SOPS shows it, before anything in it is cleaned or escaped.
    pub(super) fn address(&self, destination: &Destination, name: &str) -> String {
        let (server, place) = self.place(destination, name);
        format!("{server}/v1/{place}")
    }

    /// Whether what is there has the same values; order and spelling of the JSON do not count.
    pub(super) fn compare(&self, destination: &Destination, name: &str, content: &[u8]) -> Result<Standing, Trouble> {
        let url = self.url(destination, name)?;
        let answer = match self.vault.exchange("GET", &url, &[]) {
            Ok(answer) => answer,
            Err(trouble) if trouble.status == 404 => return Ok(Standing::Nothing),
            Err(trouble) => return Err(trouble),
        };
        let found = if is_first(destination) {
            answer.json::<First>().map(|first| first.data)
        } else {
            answer.json::<Second>().and_then(|second| second.data.data)
        };
        Ok(match found {
            None => Standing::Nothing,
            found if found == serde_json::from_slice(content).ok() => Standing::Same,
            Some(_) => Standing::Other(None),
        })
    }

    /// Writes the values, which are a JSON object.
    pub(super) fn put(&self, destination: &Destination, name: &str, content: &[u8]) -> Result<(), Trouble> {
        let url = self.url(destination, name)?;
        if is_first(destination) {
            return self.vault.exchange("PUT", &url, content).map(drop);
        }
        // Measured first: the buffer never grows, so that no copy is left behind.
        let (before, behind) = (b"{\"data\":".as_slice(), b"}".as_slice());
        let mut body = Zeroizing::new(Vec::with_capacity(before.len() + content.len() + behind.len()));
        for part in [before, content, behind] {
            body.extend_from_slice(part);
        }
        self.vault.exchange("PUT", &url, &body).map(drop)
    }

    /// The server, and the path below its version.
    fn place(&self, destination: &Destination, name: &str) -> (String, String) {
        let Destination::VaultKv { address, mount, path, first } = destination else { return Default::default() };
        let surroundings = &self.vault.surroundings;
        let server = match address.as_str() {
            "" => surroundings.first(&["VAULT_AGENT_ADDR", "VAULT_ADDR"]).unwrap_or(USUAL),
            named => named,
        };
        let ended = |text: &str| if text.ends_with('/') { text.to_owned() } else { format!("{text}/") };
        let mount = ended(if mount.is_empty() { "secret" } else { mount });
        let data = if *first { "" } else { "data/" };
        (server.to_owned(), format!("{mount}{data}{}{name}", ended(path)))
    }

    fn url(&self, destination: &Destination, name: &str) -> Result<String, Trouble> {
        let (server, place) = self.place(destination, name);
        if matches!(destination, Destination::VaultKv { address, .. } if !address.is_empty()) {
            // The rules may be somebody else's; the token is the user's.
            self.vault.allowed(&server)?;
        }
        if !server.starts_with("http://") && !server.starts_with("https://") {
            return Err(Trouble::usage(format!(
                "`{server}` is no address of a Vault: it begins with neither `http://` nor `https://`"
            )));
        }
        let parts: Vec<&str> = place.split('/').filter(|part| !part.is_empty()).collect();
        if parts.iter().any(|part| matches!(*part, "." | "..")) {
            return Err(Trouble::usage(format!("`{place}` leads out of its folder")));
        }
        Ok(format!("{}/v1/{}", server.trim_end_matches('/'), path(&parts.join("/"))))
    }
}

fn is_first(destination: &Destination) -> bool {
    matches!(destination, Destination::VaultKv { first: true, .. })
}

#[derive(serde::Deserialize)]
struct First {
    data: Json,
}

#[derive(serde::Deserialize)]
struct Second {
    data: Versioned,
}

/// A deleted version has no data.
#[derive(serde::Deserialize)]
struct Versioned {
    data: Option<Json>,
}

/// The fingerprint of a JSON value, with which two of them can be compared while neither is kept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Json(Vec<u8>);

impl Json {
    fn of(kind: u8, parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&[kind]);
        for part in parts {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        let digest: Digest = context.finish();
        Self(digest.as_ref().to_vec())
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::of(b'n', &[]))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::of(b'b', &[&[u8::from(value)]]))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::of(b'i', &[&i128::from(value).to_be_bytes()]))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::of(b'i', &[&i128::from(value).to_be_bytes()]))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::of(b'f', &[&value.to_be_bytes()]))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::of(b's', &[value.as_bytes()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut parts = Vec::new();
        while let Some(Json(item)) = items.next_element()? {
            parts.push(item);
        }
        Ok(Json::of(b'l', &parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        // Of two values under one key the last one counts, as it does in Vault.
        let mut sorted = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry::<Json, Json>()? {
            sorted.insert(key, value);
        }
        let parts: Vec<&[u8]> = sorted.iter().flat_map(|(key, value)| [key.0.as_slice(), value.0.as_slice()]).collect();
        Ok(Json::of(b'm', &parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_spelling_do_not_count_and_all_else_does() {
        let json = |text: &str| serde_json::from_str::<Json>(text).unwrap().0;
        assert_eq!(json("{\"a\": 1, \"b\": [null, \"\\u0041\"]}"), json("{\"b\":[null,\"A\"],\"a\":1}"));
        let all =
            ["{}", "[]", "null", "1", "1.5", "\"1\"", "true", "{\"a\":1}", "{\"a\":{}}", "[[]]", "[1,2]", "[2,1]"];
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                assert_ne!(json(one), json(other), "{one} {other}");
            }
        }
    }
}
