//! A secret used as the key of a mapping, or as a part of one: keys are never encrypted.
//!
//! A part can be told from a name only by who knows the values: by comparing with an earlier version, or with a key.

use std::collections::HashSet;

use memchr::memmem;
use zeroize::Zeroizing;

use super::Check;
use crate::document::{Document, KeyId, Kind, LeafId, Node};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::placeholder::is_harmless;
use crate::guard::subject::Subject;
use crate::guard::words::{Looks, looks};
use crate::sops::DecryptedFile;

/// Looks at the keys of encrypted files.
pub(super) struct SecretName;

impl Check for SecretName {
    fn id(&self) -> &'static str {
        "secret-as-key"
    }

    fn about(&self) -> &'static str {
        "a key of a mapping that is a password or a token, or (with `--with-key`) holds a value; keys are never encrypted"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let Some(document) = subject.encrypted()? else { return Ok(()) };
        if let Some(Ok(file)) = subject.opened()? {
            for id in repeating(document, file) {
                say(
                    document,
                    id,
                    found,
                    "the name of this key holds the text of an encrypted value, and keys are never encrypted",
                    "name the key otherwise; if the value is no secret, allow the key's SHA-256 in `.lockage.yaml`",
                );
            }
        }
        let suspects = suspects(document);
        if suspects.is_empty() {
            return Ok(());
        }
        let earlier = subject.earlier()?;
        let keys = |old: &'_ Document| (0..).map(KeyId).take(old.outline().keys.len());
        let known: HashSet<&str> = earlier.iter().flat_map(|old| keys(old).map(|key| old.key(key))).collect();
        for id in suspects {
            if !known.contains(document.key(id)) {
                say(
                    document,
                    id,
                    found,
                    "this key looks like a password or a token, and keys are never encrypted",
                    "put the secret into the value; if it is a name, allow its SHA-256 in `.lockage.yaml`",
                );
            }
        }
        Ok(())
    }
}

fn say(document: &Document, id: KeyId, found: &mut Findings, message: &str, mend: &str) {
    found.add_value(
        At::of(document, document.outline().keys[id.0 as usize].range.start),
        message,
        mend,
        document.key(id).as_bytes(),
    );
}

/// Values of fewer bytes stand in names by chance.
const SHORTEST_VALUE: usize = 8;

/// Keys whose names hold the text of an encrypted value that looks like a secret: letters and digits, and no
/// placeholder.
fn repeating(document: &Document, file: &DecryptedFile) -> Vec<KeyId> {
    let Ok(plain) = file.document() else { return Vec::new() };
    let mut values: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    for id in (0..).map(LeafId).take(plain.outline().leaves.len()) {
        let Ok(scalar) = plain.scalar(id) else { continue };
        let value = &scalar.canonical;
        let mixed = value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic);
        if scalar.kind == Kind::Str && value.len() >= SHORTEST_VALUE && mixed && !is_harmless(value) {
            values.push(Zeroizing::new(value.to_vec()));
        }
    }
    let keys = (0..).map(KeyId).take(document.outline().keys.len());
    keys.filter(|id| values.iter().any(|value| memmem::find(document.key(*id).as_bytes(), value).is_some())).collect()
}

/// Keys that look like a secret. Words and a number count only where they name a single value and are alone in
/// that: hosts and instances are numbered, too, and come in numbers.
fn suspects(document: &Document) -> Vec<KeyId> {
    let mut open: Vec<Vec<KeyId>> = Vec::new();
    let mut pending: Option<KeyId> = None;
    let mut found = Vec::new();
    for node in &document.outline().nodes {
        match *node {
            Node::Open { .. } => {
                pending = None;
                open.push(Vec::new());
            }
            Node::Close => found.extend(open.pop().filter(|alone| alone.len() == 1).into_iter().flatten()),
            Node::Key(id) => match looks(document.key(id)) {
                Looks::Secret => found.push(id),
                Looks::Numbered => pending = Some(id),
                Looks::Name => pending = None,
            },
            Node::Leaf(_) => {
                if let (Some(id), Some(numbered)) = (pending.take(), open.last_mut()) {
                    numbered.push(id);
                }
            }
            Node::Comment(_) => {}
        }
    }
    found.sort();
    found
}
