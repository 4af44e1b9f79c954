//! A secret used as the key of a mapping: keys are never encrypted.

use super::Check;
use crate::document::{Document, KeyId, Node};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::subject::Subject;
use crate::guard::words::{Looks, looks};

/// Looks at the keys of encrypted files.
pub(super) struct SecretName;

impl Check for SecretName {
    fn id(&self) -> &'static str {
        "secret-as-key"
    }

    fn about(&self) -> &'static str {
        "a key of a mapping that looks like a password or a token; keys are never encrypted"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let Some(document) = subject.encrypted()? else { return Ok(()) };
        let suspects = suspects(document);
        if suspects.is_empty() {
            return Ok(());
        }
        let earlier = subject.earlier()?;
        for id in suspects {
            let name = document.key(id);
            let known = |old: &Document| (0..).zip(&old.outline().keys).any(|(key, _)| old.key(KeyId(key)) == name);
            if !earlier.iter().any(known) {
                let (line, column) = document.position(document.outline().keys[id.0 as usize].range.start);
                found.add_value(
                    At { line, column },
                    "this key looks like a password or a token, and keys are never encrypted",
                    "put the secret into the value; if it is a name, allow its SHA-256 in `.lockage.yaml`",
                    name.as_bytes(),
                );
            }
        }
        Ok(())
    }
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
