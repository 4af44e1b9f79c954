//! What SOPS makes of a file that it reads with losses, written as it would write it.
//!
//! Of two equal keys in a section the later value stays in the place of the earlier one; a comment behind a line joins
//! the one above; a comment at the end of the file goes.

use std::collections::HashMap;

use super::scan::{Item, Scanner, unquote};
use crate::document::emit::{EmitOptions, emit};
use crate::document::owned::OwnedTree;
use crate::document::scalar::Kind;
use crate::document::syntax::{Format, SyntaxError, SyntaxErrorKind, error};

struct Section<'t> {
    name: &'t [u8],
    comment: Vec<u8>,
    keys: Vec<(&'t [u8], Vec<u8>, Vec<u8>)>,
    places: HashMap<&'t [u8], usize>,
}

impl<'t> Section<'t> {
    fn new(name: &'t [u8], comment: Vec<u8>) -> Self {
        Self { name, comment, keys: Vec::new(), places: HashMap::new() }
    }

    fn set(&mut self, key: &'t [u8], value: Vec<u8>, comment: Vec<u8>) {
        let place = *self.places.entry(key).or_insert(self.keys.len());
        match self.keys.get_mut(place) {
            Some((_, old, above)) => (*old, *above) = (value, comment),
            None => self.keys.push((key, value, comment)),
        }
    }

    /// The comment of what was read last.
    fn comment(&mut self) -> &mut Vec<u8> {
        match self.keys.last_mut() {
            Some((.., comment)) => comment,
            None => &mut self.comment,
        }
    }
}

pub(super) fn rewritten(text: &[u8]) -> Result<Vec<u8>, SyntaxError> {
    let mut sections = vec![Section::new(b"DEFAULT", Vec::new())];
    let mut scanner = Scanner::new(text);
    let mut waiting: Vec<u8> = Vec::new();
    while let Some(item) = scanner.next()? {
        match item {
            Item::Comment { range, inline: false } => waiting = text[range].to_vec(),
            Item::Comment { range, .. } => {
                let Some(section) = sections.last_mut() else { continue };
                let comment = section.comment();
                if !comment.is_empty() {
                    // The line keeps its mark, as every line of a comment but the first.
                    comment.extend_from_slice(b"\n; ");
                }
                comment.extend_from_slice(&text[range]);
            }
            Item::Section { name, .. } => sections.push(Section::new(&text[name], std::mem::take(&mut waiting))),
            Item::Entry { key, value, .. } => {
                let content = unquote(&text[value.range.clone()], value.form).into_owned();
                if let Some(section) = sections.last_mut() {
                    section.set(&text[key], content, std::mem::take(&mut waiting));
                }
            }
        }
    }
    let failed = |_| error(Format::Ini, text, 0, SyntaxErrorKind::NotAllowed("something that SOPS cannot write"));
    let mut written = emit(Format::Ini, &tree(&sections), None, EmitOptions::default()).map_err(failed)?;
    Ok(std::mem::take(&mut *written))
}

fn tree(sections: &[Section<'_>]) -> OwnedTree {
    let mut tree = OwnedTree::default();
    tree.open(false);
    for Section { name, comment, keys, .. } in sections {
        tree.push_key_bytes(name);
        tree.open(false);
        if !comment.is_empty() {
            tree.push_comment(comment);
        }
        for (key, value, comment) in keys {
            tree.push_key_bytes(key);
            tree.push_scalar(Kind::Str, value);
            if !comment.is_empty() {
                tree.push_comment(comment);
            }
        }
        tree.close();
    }
    tree.close();
    tree
}
