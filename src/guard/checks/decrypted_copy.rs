//! A decrypted copy of an encrypted file where no rule looks: `secrets.yaml.dec`, a file renamed and decrypted.
//!
//! The cipher adds no bytes, so that a token tells how long its value is. A file with the keys of an encrypted one and
//! values of just those lengths is its copy, whatever it is called.

use std::collections::{HashMap, HashSet};

use super::Check;
use crate::document::{Document, Format, Visit};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::kinship::{Token, tokens};
use crate::guard::placeholder::is_harmless;
use crate::guard::reading::{Worth, worth};
use crate::guard::subject::Subject;
use crate::guard::world::Relative;
use crate::repo::RepoPath;

/// Compares files under no rule with the encrypted files of HEAD and of the index.
pub(super) struct DecryptedCopy;

/// Larger texts are not taken apart: a copy of secrets is small, and most staged text of this size is data.
const LARGEST: usize = 1 << 20;

impl Check for DecryptedCopy {
    fn id(&self) -> &'static str {
        "decrypted-copy"
    }

    fn about(&self) -> &'static str {
        "a decrypted copy of an encrypted file, outside of every creation rule"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        if !subject.is_file() || !subject.governing.is_empty() {
            return Ok(());
        }
        let Some(text) = subject.text()?.filter(|text| !text.is_empty() && text.len() <= LARGEST) else {
            return Ok(());
        };
        if let Some((document, values)) = structured(subject.path(), text) {
            for relative in subject.world.relatives()? {
                if let Some(offset) = copies(&values, subject.path(), relative) {
                    say(relative, At::of(&document, offset), found);
                    return Ok(());
                }
            }
        }
        if text.len() >= LONG_BINARY || derived_name(subject.path()) {
            let whole =
                subject.world.relatives()?.iter().find(|relative| is_whole_copy(text, subject.path(), relative));
            if let Some(relative) = whole {
                say(relative, At::TOP, found);
            }
        }
        Ok(())
    }
}

fn say(relative: &Relative, at: At, found: &mut Findings) {
    found.add(
        at,
        format!("this looks like a decrypted copy of `{}`: the same keys, values of the same lengths", relative.path),
        "remove it from the index (`git rm --cached`), or bring it under a creation rule and encrypt it",
    );
}

/// What stands in clear under one place.
#[derive(Default)]
struct Clear {
    /// Where the first value stands that is no placeholder.
    first: Option<usize>,
    /// How long they are.
    lengths: HashSet<usize>,
}

type Values = HashMap<String, Clear>;

/// The text as whatever it can be read as, and its values in clear.
fn structured(path: &RepoPath, text: &[u8]) -> Option<(Document, Values)> {
    let named = Format::of_path(&path.text());
    let formats = if named == Format::Binary { &[Format::Yaml, Format::Dotenv, Format::Ini][..] } else { &[named] };
    let document = formats.iter().find_map(|format| Document::parse(*format, text.to_vec()).ok())?;
    if document.metadata().is_some() {
        return None;
    }
    let mut values = Values::new();
    let never: Result<(), std::convert::Infallible> = document.walk(|visit| {
        if let Visit::Leaf { id, path } = visit
            && worth(&document, id) == Worth::Clear
            && let Ok(scalar) = document.scalar(id)
        {
            let here = values.entry(path.associated_data().to_owned()).or_default();
            here.lengths.insert(scalar.canonical.len());
            if here.first.is_none() && !is_harmless(&scalar.canonical) {
                here.first = Some(document.outline().leaf(id).range.start);
            }
        }
        Ok(())
    });
    let Ok(()) = never;
    (!values.is_empty()).then_some((document, values))
}

/// Values shorter than this say little by their length.
const TELLING: usize = 6;

/// Where the first copied value stands, if `values` are those of the relative.
fn copies(values: &Values, path: &RepoPath, relative: &Relative) -> Option<usize> {
    // An empty value of a copy is none that is in clear.
    let tells = |token: &Token| !token.comment && token.hidden > 0;
    let hidden: Vec<Token> = tokens(&relative.document).into_iter().filter(tells).collect();
    let (mut held, mut equal, mut telling, mut first) = (0, 0, false, None);
    for token in &hidden {
        let Some(Clear { first: Some(offset), lengths }) = values.get(&token.place) else { continue };
        held += 1;
        first = first.or(Some(*offset));
        let same = lengths.contains(&token.hidden);
        equal += usize::from(same);
        telling |= same && token.hidden >= TELLING;
    }
    let close = relative.removed || akin(path, &relative.path);
    let by_length =
        telling && equal * 3 >= hidden.len() * 2 && (equal >= 3 || close || path.folder() == relative.path.folder());
    let by_name = close && held * 2 >= hidden.len() && !is_sample(path);
    first.filter(|_| by_length || by_name)
}

/// From this length on, a text of just the length of an encrypted binary file is its copy.
const LONG_BINARY: usize = 200;

fn is_whole_copy(text: &[u8], path: &RepoPath, relative: &Relative) -> bool {
    let hidden = tokens(&relative.document);
    let whole = Format::of_path(&relative.path.text()) == Format::Binary;
    let [token] = &hidden[..] else { return false };
    whole && token.hidden == text.len() && (text.len() >= LONG_BINARY || relative.removed || akin(path, &relative.path))
}

/// Words that people and tools add to the name of a copy.
const COPY_WORDS: &[&str] = &[
    "dec",
    "decrypted",
    "plain",
    "plaintext",
    "clear",
    "cleartext",
    "bak",
    "backup",
    "orig",
    "old",
    "tmp",
    "temp",
    "copy",
    "enc",
    "encrypted",
    "sops",
    "swp",
    "save",
    "yaml",
    "yml",
    "json",
    "env",
    "ini",
    "txt",
];

fn words(path: &RepoPath) -> Vec<String> {
    let name = String::from_utf8_lossy(path.name()).to_lowercase();
    let parts = name.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Whether a name is that of a copy by its own words.
fn derived_name(path: &RepoPath) -> bool {
    path.name().ends_with(b"~") || words(path).iter().any(|word| COPY_WORDS[..19].contains(&word.as_str()))
}

/// Whether two names differ in such words only.
fn akin(one: &RepoPath, other: &RepoPath) -> bool {
    let stem = |path| {
        let words: Vec<String> = words(path);
        words.into_iter().filter(|word| !COPY_WORDS.contains(&word.as_str())).collect::<Vec<_>>()
    };
    stem(one) == stem(other)
}

/// Whether a name says that its values are made up.
fn is_sample(path: &RepoPath) -> bool {
    let sample = ["example", "sample", "template", "tmpl", "tpl", "dist", "default", "defaults", "schema"];
    words(path).iter().any(|word| sample.contains(&word.as_str()))
}
