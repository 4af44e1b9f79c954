//! Exceptions: `.lockage.yaml` beside `.sops.yaml` at the repository's root.
//!
//! An entry names a check and the hash of one value, never a line or a commit: it survives every move and rebase, and
//! it cannot let a second value through.

use super::error::{GuardError, SettingsFault};
use super::finding::Finding;
use crate::document::{Document, Format, Path, PathPart, SyntaxErrorKind, Visit};

/// The file that holds the exceptions.
pub const SETTINGS: &str = ".lockage.yaml";

const ENTRY_WORDS: &[&str] = &["rule", "value", "path", "why"];

/// SHA-256 of a value that an exception names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of `value`.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, value);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:")?;
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One exception.
#[derive(Debug)]
struct Entry {
    check: &'static str,
    value: Fingerprint,
    path: Option<regex::Regex>,
}

/// The exceptions of one version of the settings.
#[derive(Debug, Default)]
pub(super) struct AllowList(Vec<Entry>);

impl AllowList {
    /// Reads the settings; `checks` are the identifiers that an entry may name.
    pub(super) fn parse(text: Vec<u8>, checks: &[&'static str]) -> Result<Self, GuardError> {
        let document = match Document::parse(Format::Yaml, text) {
            Ok(document) => document,
            Err(error) if error.kind == SyntaxErrorKind::Empty => return Ok(Self::default()),
            Err(error) => return Err(GuardError::Syntax(error)),
        };
        let mut drafts: Vec<Draft> = Vec::new();
        // Where the key of each open container stands.
        let mut open = Vec::new();
        document.walk(|visit| {
            let key = |path: &Path<'_>| {
                let key = path.last_key().map_or(0, |key| document.outline().keys[key.0 as usize].range.start);
                document.position(key)
            };
            match visit {
                Visit::Enter { path, .. } => open.push(key(path)),
                Visit::Leave => drop(open.pop()),
                Visit::Leaf { id, path } => {
                    let start = document.outline().leaf(id).range.start;
                    let text = document.scalar(id).ok().map(|scalar| String::from_utf8_lossy(&scalar.canonical).into());
                    let leaf = Leaf { at: document.position(start), text: text.unwrap_or_default() };
                    let keys: Vec<_> = open.iter().skip(1).copied().chain([key(path)]).collect();
                    place(path.to_key_path().parts(), &keys, leaf, &mut drafts)?;
                }
                _ => {}
            }
            Ok::<(), GuardError>(())
        })?;
        drafts.into_iter().map(|draft| draft.finish(checks)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an entry answers `finding`.
    pub(super) fn answers(&self, finding: &Finding) -> bool {
        let Some(value) = finding.value else { return false };
        self.0.iter().any(|entry| {
            entry.check == finding.check
                && entry.value == value
                && entry.path.as_ref().is_none_or(|path| path.is_match(&finding.file))
        })
    }
}

struct Leaf {
    at: (usize, usize),
    text: String,
}

#[derive(Default)]
struct Draft {
    line: usize,
    rule: Option<Leaf>,
    value: Option<Leaf>,
    path: Option<Leaf>,
    why: Option<Leaf>,
}

fn fault(at: (usize, usize), fault: SettingsFault) -> GuardError {
    GuardError::Settings { line: at.0, column: at.1, fault }
}

fn unknown(at: (usize, usize), word: &str, known: &[&'static str]) -> GuardError {
    let nearest = similar::get_close_matches(word, known, 1, 0.5).first().map(|&word| word.to_owned());
    fault(at, SettingsFault::UnknownWord { word: word.to_owned(), nearest })
}

/// Puts one scalar of the settings where it belongs; `keys` says where the key of each part of its path stands.
fn place(parts: &[PathPart], keys: &[(usize, usize)], leaf: Leaf, drafts: &mut Vec<Draft>) -> Result<(), GuardError> {
    let word = |at: usize, known: &[&'static str]| match parts.get(at) {
        Some(PathPart::Key(key)) if known.contains(&key.as_str()) => Ok(()),
        Some(PathPart::Key(key)) => Err(unknown(keys.get(at).copied().unwrap_or(leaf.at), key, known)),
        _ => Err(fault(leaf.at, SettingsFault::Shape)),
    };
    word(0, &["guard"])?;
    word(1, &["allow"])?;
    let Some(PathPart::Index(index)) = parts.get(2) else { return Err(fault(leaf.at, SettingsFault::Shape)) };
    word(3, ENTRY_WORDS)?;
    if parts.len() != 4 {
        return Err(fault(leaf.at, SettingsFault::Shape));
    }
    if *index >= drafts.len() {
        let line = keys.last().map_or(1, |key| key.0);
        drafts.push(Draft { line, ..Draft::default() });
    }
    let (Some(draft), Some(PathPart::Key(word))) = (drafts.last_mut(), parts.get(3)) else { return Ok(()) };
    let slot = match word.as_str() {
        "rule" => &mut draft.rule,
        "value" => &mut draft.value,
        "path" => &mut draft.path,
        _ => &mut draft.why,
    };
    *slot = Some(leaf);
    Ok(())
}

impl Draft {
    fn finish(self, checks: &[&'static str]) -> Result<Entry, GuardError> {
        let missing = |word| fault((self.line, 1), SettingsFault::Missing { word });
        let rule = self.rule.as_ref().ok_or_else(|| missing("rule"))?;
        let value = self.value.as_ref().ok_or_else(|| missing("value"))?;
        let why = self.why.as_ref().ok_or_else(|| missing("why"))?;
        if why.text.trim().is_empty() {
            return Err(fault(why.at, SettingsFault::Missing { word: "why" }));
        }
        let check = checks.iter().find(|check| **check == rule.text);
        let &check = check.ok_or_else(|| unknown(rule.at, &rule.text, checks))?;
        let value = Fingerprint::parse(&value.text).ok_or_else(|| fault(value.at, SettingsFault::Hash))?;
        let path = self.path.as_ref().map(|path| glob(&path.text).ok_or_else(|| fault(path.at, SettingsFault::Glob)));
        Ok(Entry { check, value, path: path.transpose()? })
    }
}

/// `*` within a folder, `**` across folders, `?` one letter.
fn glob(text: &str) -> Option<regex::Regex> {
    let mut pattern = String::from("^");
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (piece, taken) = match letter {
            '*' if rest.starts_with("**/") => ("(?:.*/)?".to_owned(), 3),
            '*' if rest.starts_with("**") => (".*".to_owned(), 2),
            '*' => ("[^/]*".to_owned(), 1),
            '?' => ("[^/]".to_owned(), 1),
            letter => (regex::escape(letter.encode_utf8(&mut [0; 4])), letter.len_utf8()),
        };
        pattern.push_str(&piece);
        rest = &rest[taken..];
    }
    pattern.push('$');
    (!text.is_empty()).then(|| regex::Regex::new(&pattern).ok()).flatten()
}
