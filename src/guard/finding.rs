//! What a check found: where, what, and how to mend it. Never the text itself.

use std::collections::HashMap;

use serde::Serialize;

use super::allow::Fingerprint;
use crate::document::Document;
use crate::repo::RepoPath;
use crate::sops::Problem;

/// One finding. It holds no byte of the file but names of keys that are no secret themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check that found it.
    pub check: &'static str,
    /// The file, as one line of text.
    pub file: String,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
    /// What is true of it.
    pub message: String,
    /// What to do.
    pub mend: String,
    /// What an exception would name. Printed only of values that cannot be guessed from it.
    #[serde(skip)]
    pub(super) value: Option<Fingerprint>,
}

/// Something that was not judged, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// The file, as one line of text.
    pub file: String,
    /// What was left out, and what it needs.
    pub message: String,
}

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl At {
    /// The file as a whole.
    pub(super) const TOP: Self = Self { line: 1, column: 1 };

    /// The place of a byte offset of a document.
    pub(super) fn of(document: &Document, offset: usize) -> Self {
        Self::from(document.position(offset))
    }
}

impl From<(usize, usize)> for At {
    fn from((line, column): (usize, usize)) -> Self {
        Self { line, column }
    }
}

/// Collects what the checks find in one file.
pub(super) struct Findings {
    file: String,
    check: &'static str,
    pub(super) list: Vec<Finding>,
    pub(super) notes: Vec<Note>,
    /// What of the list stands at each place, so that a file with many findings takes no longer for each.
    placed: HashMap<(usize, usize), Vec<usize>>,
}

impl Findings {
    pub(super) fn new(path: &RepoPath) -> Self {
        Self { file: path.to_string(), check: "", list: Vec::new(), notes: Vec::new(), placed: HashMap::new() }
    }

    /// Names the check that looks from now on.
    pub(super) fn of(&mut self, check: &'static str) -> &mut Self {
        self.check = check;
        self
    }

    /// Adds a finding that no exception can answer.
    pub(super) fn add(&mut self, at: At, message: impl Into<String>, mend: impl Into<String>) {
        self.push(at, message.into(), mend.into(), None);
    }

    /// Adds a finding that an exception entry for `value` answers.
    pub(super) fn add_value(&mut self, at: At, message: impl Into<String>, mend: impl Into<String>, value: &[u8]) {
        self.push(at, message.into(), mend.into(), Some(Fingerprint::of(value)));
    }

    /// Adds what is wrong with the file itself; no exception can answer it.
    pub(super) fn take(&mut self, problems: Vec<Problem>) {
        for Problem { line, column, message, mend, .. } in problems {
            self.add(At { line, column }, message, mend);
        }
    }

    /// Says what was not judged.
    pub(super) fn note(&mut self, message: impl Into<String>) {
        self.notes.push(Note { file: self.file.clone(), message: message.into() });
    }

    fn push(&mut self, at: At, message: String, mend: String, value: Option<Fingerprint>) {
        let finding = Finding {
            check: self.check,
            file: self.file.clone(),
            line: at.line,
            column: at.column,
            message,
            mend,
            value,
        };
        let here = self.placed.entry((at.line, at.column)).or_default();
        if !here.iter().any(|known| self.list.get(*known) == Some(&finding)) {
            here.push(self.list.len());
            self.list.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_twice_is_told_once() {
        let mut found = Findings::new(&RepoPath::from("a"));
        for _ in 0..2 {
            found.of("one").add(At::TOP, "this", "mend");
            found.add(At { line: 2, column: 1 }, "this", "mend");
            found.add_value(At::TOP, "this", "mend", b"value");
            found.of("two").add(At::TOP, "this", "mend");
            found.add(At::TOP, "that", "mend");
        }
        let told: Vec<_> = found.list.iter().map(|finding| (finding.check, finding.line, &*finding.message)).collect();
        let wanted =
            [("one", 1, "this"), ("one", 2, "this"), ("one", 1, "this"), ("two", 1, "this"), ("two", 1, "that")];
        assert_eq!(told, wanted);
    }
}
