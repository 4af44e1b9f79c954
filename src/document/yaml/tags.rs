//! Tags: handles, directives, and what a tag means.

use std::borrow::Cow;

use super::Fault;
use super::event::Tag;
use super::scan_property::{handle_end, unescape};
use super::token::Token;

/// The tag handles of one document.
pub(super) struct Tags<'t> {
    text: &'t [u8],
    handles: Vec<(&'t [u8], Vec<u8>)>,
    version: bool,
}

impl<'t> Tags<'t> {
    pub(super) const fn new(text: &'t [u8]) -> Self {
        Self { text, handles: Vec::new(), version: false }
    }

    /// Forgets the directives of the document before.
    pub(super) fn begin_document(&mut self) {
        self.handles.clear();
        self.version = false;
    }

    /// Takes a directive into account.
    pub(super) fn directive(&mut self, token: Token) -> Result<(), Fault> {
        let mut words =
            self.text[token.range()].split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
        let name = words.next().unwrap_or_default();
        let value = words.next().unwrap_or_default();
        if name == b"%YAML" {
            // go-yaml reads the numbers, so that `01.1` passes.
            let number = |part: Option<&[u8]>| part.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            let mut parts = value.split(|byte| *byte == b'.');
            let (major, minor): (Option<u8>, Option<u8>) = (number(parts.next()), number(parts.next()));
            if (major, minor) != (Some(1), Some(1)) {
                return Err(Fault::not_allowed(token.start as usize, "only `%YAML 1.1` can be read by SOPS"));
            }
            if std::mem::replace(&mut self.version, true) {
                return Err(Fault::not_allowed(token.start as usize, "a second `%YAML` directive"));
            }
            return Ok(());
        }
        if self.handles.iter().any(|(handle, _)| *handle == value) {
            return Err(Fault::not_allowed(token.start as usize, "a second `%TAG` directive for this handle"));
        }
        let prefix = words.next().and_then(unescape).unwrap_or_default();
        self.handles.push((value, prefix));
        Ok(())
    }

    /// What a tag means.
    pub(super) fn meaning(&self, token: Token) -> Result<Tag, Fault> {
        let tag = &self.text[token.range()];
        if let Some(verbatim) = tag.strip_prefix(b"!<") {
            let verbatim = unescape(verbatim.strip_suffix(b">").unwrap_or(verbatim)).unwrap_or_default();
            return Ok(Tag::of_full(&verbatim));
        }
        if tag == b"!" {
            return Ok(Tag::None);
        }
        let end = handle_end(tag, 0);
        let handle = if end > 1 && tag[end - 1] == b'!' { &tag[..end] } else { &tag[..1] };
        let Some(prefix) = self.prefix(handle) else {
            return Err(Fault::not_allowed(token.start as usize, "this tag handle is not declared"));
        };
        let mut full = prefix.into_owned();
        full.extend_from_slice(&unescape(&tag[handle.len()..]).unwrap_or_default());
        Ok(Tag::of_full(&full))
    }

    fn prefix(&self, handle: &[u8]) -> Option<Cow<'_, [u8]>> {
        if let Some((_, prefix)) = self.handles.iter().find(|(declared, _)| *declared == handle) {
            return Some(Cow::Borrowed(prefix));
        }
        match handle {
            b"!" => Some(Cow::Borrowed(b"!")),
            b"!!" => Some(Cow::Borrowed(b"tag:yaml.org,2002:")),
            _ => None,
        }
    }
}
