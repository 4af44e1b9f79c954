//! The path of a tracked file, as git has it: bytes, `/` between folders.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// A path relative to the repository's root. Git allows every byte but NUL in it, line breaks and quotes included.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoPath(Box<[u8]>);

impl RepoPath {
    /// The path of these bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text for patterns; what is not UTF-8 becomes U+FFFD, as Go's regular expressions see it.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The last part.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        memchr::memrchr(b'/', &self.0).map_or(&*self.0, |at| &self.0[at + 1..])
    }

    /// The folder, with its final `/`; empty at the root.
    #[must_use]
    pub fn folder(&self) -> &[u8] {
        memchr::memrchr(b'/', &self.0).map_or(&[], |at| &self.0[..=at])
    }
}

impl From<&str> for RepoPath {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl fmt::Display for RepoPath {
    /// One line whatever the name holds: a name with control characters or quotes stands in double quotes, escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        if !text.contains(|letter: char| letter.is_control() || matches!(letter, '"' | '\\' | '\u{FFFD}')) {
            return f.write_str(&text);
        }
        f.write_char('"')?;
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                match letter {
                    '"' | '\\' => write!(f, "\\{letter}")?,
                    '\n' => f.write_str("\\n")?,
                    '\t' => f.write_str("\\t")?,
                    letter if letter.is_control() => write!(f, "\\u{:04x}", u32::from(letter))?,
                    letter => f.write_char(letter)?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\{byte:03o}")?;
            }
        }
        f.write_char('"')
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_whatever_it_holds() {
        assert_eq!(RepoPath::from("a b/ü.yaml").to_string(), "a b/ü.yaml");
        assert_eq!(RepoPath::from("a\n\"b\".yaml").to_string(), r#""a\n\"b\".yaml""#);
        assert_eq!(RepoPath::new(&b"a\xff.yaml"[..]).to_string(), r#""a\377.yaml""#);
    }

    #[test]
    fn folder_and_name_take_a_path_apart() {
        let path = RepoPath::from("a/b/c.env");
        assert_eq!((path.folder(), path.name()), (&b"a/b/"[..], &b"c.env"[..]));
        assert_eq!(RepoPath::from(".env").folder(), b"");
    }
}
