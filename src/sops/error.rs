//! Why a file could not be opened, trusted or written.

use crate::cipher::CipherError;
use crate::cipher::shamir::ShamirError;
use crate::document::{EmitError, KeyPath, SyntaxError, SyntaxErrorKind};
use crate::error::{Class, Failure};
use crate::keys::{KeyError, Recipient};

use super::not_opened::NotOpened;

/// Everything that can go wrong with an encrypted file. Never holds a value; lines are those of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SopsError {
    /// The text is not what its format says.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A key or recipient is not usable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The cipher fails as such, not over a value.
    #[error(transparent)]
    Cipher(CipherError),

    /// The values cannot be written in the format asked for.
    #[error("the values cannot be written as asked: {0}")]
    Emit(#[from] EmitError),

    /// The file has no `sops` block.
    #[error("the file is not encrypted: it has no `sops` block")]
    NotEncrypted,
    /// The file has one already.
    #[error("the file is encrypted already: line {line} has the `sops` block")]
    AlreadyEncrypted {
        /// 1-based.
        line: usize,
    },
    /// A field of the block is not what it should be.
    #[error("`{field}` of the `sops` block {reason}")]
    Metadata {
        /// Its name.
        field: String,
        /// What is wrong with it, to be read after its name.
        reason: &'static str,
    },
    /// The block names no key at all.
    #[error("the `sops` block names no key")]
    NoKeys,
    /// A pattern is invalid.
    #[error("`{pattern}` is no pattern: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The rules cannot be read.
    #[error("{path}:{line}:{column}: {problem}")]
    Rules {
        /// How the user knows the file.
        path: String,
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
        /// What is wrong there.
        problem: String,
    },

    /// No key at hand opens the file.
    #[error(transparent)]
    NotOpened(NotOpened),
    /// Nobody is named to encrypt for.
    #[error("nobody is named to encrypt for")]
    NoRecipients,
    /// The data key could not be wrapped for everybody.
    #[error("the data key could not be wrapped for {}", unwrapped(.failures))]
    NotWrapped {
        /// For whom, with what each key service said.
        failures: Vec<(Recipient, Vec<KeyError>)>,
    },
    /// The data key cannot be split between the groups, or not be put together from their shares.
    #[error("{} key groups: {}", .groups, .problem)]
    Groups {
        /// How many there are.
        groups: usize,
        /// What is wrong.
        problem: ShamirError,
    },
    /// There is no such key group.
    #[error("there is no key group {index}: the file has {groups}, counted from 0")]
    NoGroup {
        /// The one asked for.
        index: usize,
        /// How many there are.
        groups: usize,
    },
    /// What a key service gave is no data key.
    #[error("what was unwrapped is no data key of 32 bytes")]
    NotADataKey,

    /// A value that must be a token is not a good one.
    #[error("`{path}` at line {line}: {problem}")]
    Value {
        /// Where it stands.
        path: KeyPath,
        /// 1-based.
        line: usize,
        /// What is wrong with it.
        problem: CipherError,
    },
    /// A value that must be a token is a number or a truth value.
    #[error("`{path}` at line {line} is to be encrypted, but it is a bare {kind}, not a token")]
    NotText {
        /// Where it stands.
        path: KeyPath,
        /// 1-based.
        line: usize,
        /// What it is.
        kind: &'static str,
    },
    /// A token's content is not of the type that it says.
    #[error("`{path}` at line {line} holds no {kind}, though its token says so")]
    Content {
        /// Where it stands.
        path: KeyPath,
        /// 1-based.
        line: usize,
        /// The token's type word.
        kind: &'static str,
    },

    /// What is published would tell more than the file does.
    #[error("{count} value(s) that are encrypted in the file would be readable in what is published of it")]
    LaidOpen {
        /// How many.
        count: usize,
    },

    /// There is no authentication code.
    #[error("the file has no MAC, so it cannot be trusted as a whole")]
    MacMissing,
    /// The authentication code cannot be decrypted.
    #[error("the MAC cannot be decrypted, so the file cannot be trusted as a whole: {problem}")]
    MacUnreadable {
        /// Why.
        problem: CipherError,
    },
    /// The authentication code is another one.
    #[error("the MAC does not match: a value was changed, moved or left out without the key")]
    MacMismatch,

    /// Comments would stay readable.
    #[error("{} would stay readable: SOPS drops a comment in this place", listed(.lines))]
    DroppedComments {
        /// 1-based.
        lines: Vec<usize>,
    },
    /// A comment is encrypted and is the mark that says what is not.
    #[error("the comment at line {line} matches `unencrypted_comment_regex`, but it would be encrypted")]
    EncryptedMark {
        /// 1-based.
        line: usize,
    },
    /// Aliases share values that are to be encrypted.
    #[error("line {line} shares a value that is to be encrypted; SOPS can encrypt only a copy")]
    Aliases {
        /// 1-based line of the first one.
        line: usize,
    },
    /// A tag makes a token unreadable for SOPS.
    #[error("`{path}` at line {line} has a tag that SOPS refuses on an encrypted value")]
    Tagged {
        /// Where it stands.
        path: KeyPath,
        /// 1-based.
        line: usize,
    },
    /// The encrypted text would be read in another way than the plaintext.
    #[error("the file cannot be encrypted in place: line {line} would be read in another way")]
    Unstable {
        /// 1-based.
        line: usize,
    },

    /// A value is not what it should become.
    #[error("the value for `{path}` is no {kind}")]
    NotOfKind {
        /// Where it should stand.
        path: KeyPath,
        /// What it should be.
        kind: &'static str,
    },
    /// A new value has no place.
    #[error("`{path}` cannot hold the new value: {reason}")]
    NoPlace {
        /// How far the path leads.
        path: KeyPath,
        /// What is there.
        reason: &'static str,
    },
    /// A value is no text.
    #[error("`{path}` is not UTF-8 text")]
    NotUtf8 {
        /// Where it stands.
        path: KeyPath,
    },
    /// Two versions of a file do not belong together.
    #[error("the edited text is {edited}, the encrypted file {encrypted}")]
    OtherFormat {
        /// The format of the edited text.
        edited: &'static str,
        /// The format of the file.
        encrypted: &'static str,
    },
}

impl SopsError {
    /// What the program `sops` exits with in this case, when it encrypts or decrypts.
    ///
    /// *Source*: the SOPS format, section 9.3.
    #[must_use]
    pub fn sops_exit_code(&self, encrypting: bool) -> u8 {
        match self {
            Self::Syntax(SyntaxError { kind: SyntaxErrorKind::Unwalkable(_), .. }) if encrypting => 23,
            Self::Syntax(SyntaxError { kind: SyntaxErrorKind::Unwalkable(_), .. }) => 25,
            Self::Syntax(_) if encrypting => 2,
            Self::Emit(_) => 4,
            Self::AlreadyEncrypted { .. } => 203,
            Self::NotOpened(_) => 128,
            Self::Value { .. } | Self::NotText { .. } | Self::Content { .. } => 25,
            Self::MacMissing | Self::MacUnreadable { .. } | Self::MacMismatch => 51,
            Self::EncryptedMark { .. } => 23,
            _ => 1,
        }
    }
}

impl SopsError {
    /// Whether the text stands in the way, which is not in the way of a file that is written anew.
    pub(super) const fn is_of_text(&self) -> bool {
        matches!(self, Self::Aliases { .. } | Self::Unstable { .. } | Self::Tagged { .. } | Self::Syntax(_))
    }
}

impl Failure for SopsError {
    fn class(&self) -> Class {
        match self {
            Self::Key(error) => error.class(),
            Self::Cipher(error) => error.class(),
            Self::Groups { problem, .. } => problem.class(),
            Self::NotWrapped { failures } => {
                let first = failures.iter().flat_map(|(_, errors)| errors).next();
                first.map_or(Class::Usage, Failure::class)
            }
            Self::NotEncrypted
            | Self::Metadata { .. }
            | Self::NoKeys
            | Self::NotOpened(_)
            | Self::NotADataKey
            | Self::Value { .. }
            | Self::NotText { .. }
            | Self::Content { .. }
            | Self::MacMissing
            | Self::MacUnreadable { .. }
            | Self::MacMismatch => Class::Untrusted,
            _ => Class::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint: &str = match self {
            Self::Key(error) => return error.hints(),
            Self::NotOpened(report) => return report.hints(),
            Self::Groups { problem, .. } => return problem.hints(),
            Self::NotWrapped { failures } => {
                return failures.iter().flat_map(|(_, errors)| errors).flat_map(Failure::hints).collect();
            }
            Self::NoRecipients => "name a recipient: `--age age1…`, or `age:` in a rule of `.sops.yaml`",
            Self::Value { .. } | Self::MacMismatch => {
                "`git log -p` shows who changed the file; an older version of it may still be good"
            }
            Self::NotText { .. } => "encrypt the value with `lockage set`; it was put there by hand",
            Self::MacMissing | Self::MacUnreadable { .. } => {
                "`--ignore-mac` shows the values all the same; do not write them back"
            }
            Self::DroppedComments { .. } => "move the comment to a line of its own beside a key, or remove it",
            Self::Aliases { .. } => "`--expand-aliases` writes a copy in place of every alias",
            Self::Tagged { .. } => "remove the tag; the value keeps its type",
            Self::Pattern { .. } => {
                "SOPS takes an invalid pattern for one that never matches and would leave values in clear"
            }
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

/// Each recipient with what was said of it.
fn unwrapped(failures: &[(Recipient, Vec<KeyError>)]) -> String {
    let shown = failures.iter().map(|(recipient, errors)| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        format!("`{recipient}`: {}", if errors.is_empty() { "nobody to ask".to_owned() } else { errors.join("; ") })
    });
    shown.collect::<Vec<_>>().join("\n  ")
}

fn listed(lines: &[usize]) -> String {
    match lines {
        [line] => format!("the comment at line {line}"),
        _ => {
            let list: Vec<String> = lines.iter().map(usize::to_string).collect();
            format!("the comments at lines {}", list.join(", "))
        }
    }
}
