//! The dialects of environment files, and what sets them apart.

/// Who reads an environment file with quotes in it.
///
/// *Source*: the readers themselves, where their documentation says less: `docker run --env-file` (`pkg/kvfile`),
/// Compose (`compose-go/dotenv`), POSIX shells' `set -a; . FILE`, `node --env-file`, `EnvironmentFile=` of systemd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `docker compose`.
    Compose,
    /// `docker run --env-file`: no quotes at all.
    Docker,
    /// A POSIX shell.
    Shell,
    /// `node --env-file`.
    Node,
    /// `EnvironmentFile=` of a systemd unit.
    Systemd,
}

/// How a value stands in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Bare,
    Single,
    Double,
    Backquoted,
}

impl Form {
    pub(super) const ALL: [Self; 4] = [Self::Bare, Self::Single, Self::Double, Self::Backquoted];

    pub(super) const fn mark(self) -> &'static [u8] {
        match self {
            Self::Bare => b"",
            Self::Single => b"'",
            Self::Double => b"\"",
            Self::Backquoted => b"`",
        }
    }
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Compose, Self::Docker, Self::Shell, Self::Node, Self::Systemd];

    /// The names of all of them.
    pub const WORDS: [&'static str; 5] = ["compose", "docker", "shell", "node", "systemd"];

    /// Its name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Compose => "compose",
            Self::Docker => "docker",
            Self::Shell => "shell",
            Self::Node => "node",
            Self::Systemd => "systemd",
        }
    }

    /// The dialect of that name.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.word() == word)
    }

    /// Whether `export` may stand before a name.
    pub(super) const fn exports(self) -> bool {
        matches!(self, Self::Compose | Self::Shell | Self::Node)
    }

    /// Whether a byte may stand in a name; Compose would take letters of all scripts, and Docker control characters.
    pub(super) const fn in_name(self, byte: u8, first: bool) -> bool {
        match self {
            Self::Docker => !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C | 0),
            Self::Compose => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'[' | b']'),
            Self::Node => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'),
            Self::Shell | Self::Systemd => {
                byte == b'_' || byte.is_ascii_alphabetic() || !first && byte.is_ascii_digit()
            }
        }
    }

    /// What a reader passes over before a statement and behind a closing quote.
    pub(super) fn passes(self, char: char) -> bool {
        match self {
            Self::Compose | Self::Docker => char.is_whitespace(),
            Self::Node => char == ' ',
            Self::Shell | Self::Systemd => matches!(char, ' ' | '\t'),
        }
    }

    /// What a reader passes over inside a line, around the name and the `=`.
    pub(super) fn passes_inside(self, char: char) -> bool {
        match self {
            Self::Compose => matches!(char, '\t' | '\u{B}' | '\u{C}' | '\r' | ' ' | '\u{85}' | '\u{A0}'),
            _ => self.passes(char),
        }
    }

    /// What a reader takes from the end of a value without quotes.
    pub(super) fn trims(self, char: char) -> bool {
        match self {
            Self::Docker => false,
            Self::Systemd => matches!(char, ' ' | '\t' | '\r'),
            _ => self.passes(char),
        }
    }

    /// Whether a sign ends a name: to Compose as in YAML, too.
    pub(super) const fn ends_name(self, byte: u8) -> bool {
        byte == b'=' || byte == b':' && matches!(self, Self::Compose)
    }

    /// Whether the mark of UTF-8 at the beginning belongs to no name.
    pub(super) const fn passes_mark(self) -> bool {
        matches!(self, Self::Compose | Self::Docker)
    }

    /// Whether blanks may stand around the `=`.
    pub(super) const fn spaced(self) -> bool {
        matches!(self, Self::Compose | Self::Node | Self::Systemd)
    }

    /// Whether a comment may stand behind a value.
    pub(super) const fn comments_behind(self) -> bool {
        matches!(self, Self::Compose | Self::Shell | Self::Node)
    }

    /// Whether a byte begins a comment that has a line to itself.
    pub(super) const fn begins_comment(self, byte: u8) -> bool {
        byte == b'#' || byte == b';' && matches!(self, Self::Systemd)
    }

    /// The form that a value's first byte announces.
    pub(super) fn form(self, first: Option<u8>) -> Form {
        match first {
            _ if self == Self::Docker => Form::Bare,
            Some(b'\'') => Form::Single,
            Some(b'"') => Form::Double,
            Some(b'`') if self == Self::Node => Form::Backquoted,
            _ => Form::Bare,
        }
    }

    /// What is said of a value that none of its forms can hold.
    pub(super) const fn refusal(self) -> &'static str {
        match self {
            Self::Compose => "Compose cannot read this value from an env file",
            Self::Docker => "`docker run --env-file` has no quotes: a value cannot hold a line break",
            Self::Shell => "a shell's variable cannot hold this value",
            Self::Node => "Node cannot read this value: all three quotes stand in it, or a carriage return",
            Self::Systemd => "systemd cannot read this value from an environment file",
        }
    }
}
