//! The one answer to "must this leaf be encrypted?".

use std::ops::Range;

use crate::document::{CommentId, Document, Format, Path, Visit};

use super::pattern::Pattern;
use super::{Metadata, Rule, SopsError};

/// What SOPS leaves in clear when nobody says otherwise.
pub const DEFAULT_SUFFIX: &str = "_unencrypted";

/// The rule that picks the leaves, of which a file has exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Every leaf; what a binary file has.
    Everything,
    /// All but those below a key that ends so.
    UnencryptedSuffix(String),
    /// Only those below a key that ends so.
    EncryptedSuffix(String),
    /// All but those below a key that matches.
    UnencryptedRegex(Pattern),
    /// Only those below a key that matches.
    EncryptedRegex(Pattern),
    /// All but those under a comment that matches.
    UnencryptedCommentRegex(Pattern),
    /// Only those under a comment that matches.
    EncryptedCommentRegex(Pattern),
}

impl Selector {
    /// The fields of the metadata and of a rule that choose, in the order in which SOPS names them.
    pub const FIELDS: [&str; 6] = [
        "encrypted_suffix",
        "unencrypted_suffix",
        "encrypted_regex",
        "unencrypted_regex",
        "encrypted_comment_regex",
        "unencrypted_comment_regex",
    ];

    /// The selector of that field and value; `None` if it is none of [`Selector::FIELDS`].
    ///
    /// # Errors
    /// [`SopsError::Pattern`].
    pub fn of_field(field: &str, value: &str) -> Result<Option<Self>, SopsError> {
        let selector = Self::of_field_as_sops(field, value);
        let problem = selector.as_ref().and_then(Self::pattern).and_then(Pattern::problem);
        problem.map_or(Ok(selector), Err)
    }

    /// The same, but an invalid pattern never matches, as SOPS has it: `encrypted_regex` then encrypts nothing.
    #[must_use]
    pub fn of_field_as_sops(field: &str, value: &str) -> Option<Self> {
        let pattern = || Pattern::as_sops(value);
        Some(match field {
            "unencrypted_suffix" => Self::UnencryptedSuffix(value.to_owned()),
            "encrypted_suffix" => Self::EncryptedSuffix(value.to_owned()),
            "unencrypted_regex" => Self::UnencryptedRegex(pattern()),
            "encrypted_regex" => Self::EncryptedRegex(pattern()),
            "unencrypted_comment_regex" => Self::UnencryptedCommentRegex(pattern()),
            "encrypted_comment_regex" => Self::EncryptedCommentRegex(pattern()),
            _ => return None,
        })
    }

    /// Its pattern, if it has one.
    #[must_use]
    pub const fn pattern(&self) -> Option<&Pattern> {
        match self {
            Self::UnencryptedRegex(pattern)
            | Self::EncryptedRegex(pattern)
            | Self::UnencryptedCommentRegex(pattern)
            | Self::EncryptedCommentRegex(pattern) => Some(pattern),
            Self::Everything | Self::UnencryptedSuffix(_) | Self::EncryptedSuffix(_) => None,
        }
    }

    /// The field and value as the metadata has them; `None` for everything.
    #[must_use]
    pub fn field(&self) -> Option<(&'static str, &str)> {
        Some(match self {
            Self::Everything => return None,
            Self::UnencryptedSuffix(suffix) => ("unencrypted_suffix", suffix),
            Self::EncryptedSuffix(suffix) => ("encrypted_suffix", suffix),
            Self::UnencryptedRegex(pattern) => ("unencrypted_regex", pattern.source()),
            Self::EncryptedRegex(pattern) => ("encrypted_regex", pattern.source()),
            Self::UnencryptedCommentRegex(pattern) => ("unencrypted_comment_regex", pattern.source()),
            Self::EncryptedCommentRegex(pattern) => ("encrypted_comment_regex", pattern.source()),
        })
    }
}

impl Default for Selector {
    fn default() -> Self {
        Self::UnencryptedSuffix(DEFAULT_SUFFIX.to_owned())
    }
}

/// Which leaves and comments of a document must be encrypted. Built from rules or from a file's own metadata; a check
/// that must not be fooled builds it from rules.
///
/// `null`, `""`, `{}` and `[]` have nothing to encrypt and stay in clear wherever they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptionScope {
    selector: Selector,
}

impl EncryptionScope {
    /// The scope of a selector.
    #[must_use]
    pub const fn new(selector: Selector) -> Self {
        Self { selector }
    }

    /// What a rule asks for.
    #[must_use]
    pub fn of_rule(rule: &Rule) -> Self {
        Self::new(rule.selector.clone())
    }

    /// What a file says of itself.
    #[must_use]
    pub fn of_metadata(metadata: &Metadata) -> Self {
        Self::new(metadata.selector.clone())
    }

    /// Its selector.
    #[must_use]
    pub const fn selector(&self) -> &Selector {
        &self.selector
    }

    /// The pattern of the comments that mark what is to be encrypted, or what is not.
    pub(super) fn mark(&self) -> Option<&Pattern> {
        match &self.selector {
            Selector::UnencryptedCommentRegex(mark) | Selector::EncryptedCommentRegex(mark) => Some(mark),
            _ => None,
        }
    }

    /// Visits everything in walk order and says of each leaf and comment whether it must be encrypted (`false` for all
    /// other visits). The comments are judged by the text that stands in `document`.
    ///
    /// # Errors
    /// The first error that `visit` returns.
    pub fn walk<E>(&self, document: &Document, visit: impl FnMut(Visit<'_>, bool) -> Result<(), E>) -> Result<(), E> {
        self.walk_with(document, |id| document.comment(id), visit)
    }

    /// The same, with the comments' texts from elsewhere: places are those of the text that will be written, texts
    /// those of the plaintext.
    pub(super) fn walk_with<'t, E>(
        &self,
        document: &Document,
        comment: impl Fn(CommentId) -> &'t [u8],
        mut visit: impl FnMut(Visit<'_>, bool) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut judge = self.judge(document);
        document.walk(|seen| {
            let must = judge.must(&seen, &comment);
            visit(seen, must)
        })
    }

    /// The same, showing nothing but a `part` of the leaves and what stands between them.
    pub(super) fn walk_part<'t, E>(
        &self,
        places: &Document,
        part: &Range<usize>,
        comment: impl Fn(CommentId) -> &'t [u8],
        mut visit: impl FnMut(Visit<'_>, bool) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut judge = self.judge(places);
        places.walk_part(part, |seen, inside| {
            let must = judge.must(&seen, &comment);
            if inside { visit(seen, must) } else { Ok(()) }
        })
    }

    /// SOPS drops the selectors for binary files, whatever a rule says.
    fn judge(&self, document: &Document) -> Judge<'_> {
        let binary = document.format() == Format::Binary;
        Judge { selector: if binary { &Selector::Everything } else { &self.selector }, open: Vec::new() }
    }
}

/// One open container.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Whether a key from the root to the container itself matches.
    key: bool,
    /// Whether a comment before the item that comes next matches.
    comment: bool,
}

struct Judge<'s> {
    selector: &'s Selector,
    open: Vec<Level>,
}

impl Judge<'_> {
    /// Whether what the walk shows must be encrypted.
    fn must<'t>(&mut self, seen: &Visit<'_>, comment: impl Fn(CommentId) -> &'t [u8]) -> bool {
        match seen {
            Visit::Leaf { path, .. } => return self.leaf(path),
            Visit::Comment { id, .. } => return self.comment(comment(*id)),
            Visit::Enter { path, .. } => self.enter(path),
            Visit::Leave => {
                self.open.pop();
            }
            Visit::ItemDone => {
                if let Some(level) = self.open.last_mut() {
                    level.comment = false;
                }
            }
        }
        false
    }

    fn enter(&mut self, path: &Path<'_>) {
        let key = self.key_matches(path);
        self.open.push(Level { key, comment: false });
    }

    /// Whether a key of `path` matches, looking at the last one only: what is above was looked at on the way in.
    fn key_matches(&self, path: &Path<'_>) -> bool {
        self.in_matching_container() || path.keys().next_back().is_some_and(|key| self.matches(key))
    }

    fn in_matching_container(&self) -> bool {
        self.open.last().is_some_and(|level| level.key)
    }

    fn matches(&self, key: &str) -> bool {
        match self.selector {
            Selector::UnencryptedSuffix(suffix) | Selector::EncryptedSuffix(suffix) => key.ends_with(suffix.as_str()),
            Selector::UnencryptedRegex(pattern) | Selector::EncryptedRegex(pattern) => pattern.is_match(key.as_bytes()),
            _ => false,
        }
    }

    fn leaf(&self, path: &Path<'_>) -> bool {
        match self.selector {
            Selector::Everything => true,
            Selector::UnencryptedSuffix(_) | Selector::UnencryptedRegex(_) => !self.key_matches(path),
            Selector::EncryptedSuffix(_) | Selector::EncryptedRegex(_) => self.key_matches(path),
            Selector::UnencryptedCommentRegex(_) => !self.under_comment(),
            Selector::EncryptedCommentRegex(_) => self.under_comment(),
        }
    }

    /// A comment counts for itself before it is judged, except where it marks what is to be encrypted: the mark stays
    /// readable.
    fn comment(&mut self, text: &[u8]) -> bool {
        let (Selector::UnencryptedCommentRegex(pattern) | Selector::EncryptedCommentRegex(pattern)) = self.selector
        else {
            let matching = self.in_matching_container();
            return match self.selector {
                Selector::EncryptedSuffix(_) | Selector::EncryptedRegex(_) => matching,
                Selector::UnencryptedSuffix(_) | Selector::UnencryptedRegex(_) => !matching,
                _ => true,
            };
        };
        let before = self.under_comment();
        let itself = pattern.is_match(text);
        if let Some(level) = self.open.last_mut() {
            level.comment |= itself;
        }
        match self.selector {
            Selector::UnencryptedCommentRegex(_) => !(before || itself),
            _ => before,
        }
    }

    fn under_comment(&self) -> bool {
        self.open.iter().any(|level| level.comment)
    }
}
