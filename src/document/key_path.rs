//! The path of a value, in the two spellings users write.

use std::fmt;
use std::str::FromStr;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathPart {
    /// A mapping key.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
}

/// The path of a value from the root of its document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyPath(Vec<PathPart>);

/// Why a text is not a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key path: {reason} at character {at}; write `[\"db\"][\"hosts\"][0]` or `db.hosts[0]`")]
pub struct KeyPathError {
    /// 1-based character.
    pub at: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl KeyPath {
    /// A path of these parts.
    #[must_use]
    pub fn new(parts: Vec<PathPart>) -> Self {
        Self(parts)
    }

    /// Its parts, outermost first.
    #[must_use]
    pub fn parts(&self) -> &[PathPart] {
        &self.0
    }

    /// The path without its last part, and that part.
    #[must_use]
    pub fn split_last(&self) -> Option<(Self, &PathPart)> {
        self.0.split_last().map(|(last, parents)| (Self(parents.to_vec()), last))
    }

    /// The associated data of a value at this path.
    #[must_use]
    pub fn associated_data(&self) -> String {
        let mut data = String::new();
        for part in &self.0 {
            if let PathPart::Key(key) = part {
                data.push_str(key);
                data.push(':');
            }
        }
        if data.is_empty() {
            data.push(':');
        }
        data
    }

    /// Reads SOPS's spelling only: `["a"]["b"][0]`.
    ///
    /// # Errors
    /// [`KeyPathError`] with the character where it stops being one.
    pub fn from_sops(text: &str) -> Result<Self, KeyPathError> {
        let mut parser = Parser { chars: text.chars().collect(), at: 0 };
        parser.blanks();
        let mut parts = Vec::new();
        while parser.peek().is_some() {
            parts.push(parser.bracket()?);
            parser.blanks();
        }
        Ok(Self(parts))
    }
}

impl FromStr for KeyPath {
    type Err = KeyPathError;

    /// Reads either spelling; a text that begins with `[` is SOPS's, or leads into a list at the top: `[0].name`.
    fn from_str(text: &str) -> Result<Self, KeyPathError> {
        let list = text.trim_start().starts_with('[');
        let as_sops = if list { Some(Self::from_sops(text)) } else { None };
        if let Some(Ok(path)) = as_sops {
            return Ok(path);
        }
        let mut parser = Parser { chars: text.chars().collect(), at: 0 };
        let mut parts = match as_sops {
            // A list at the top, and words behind its first position.
            Some(Err(error)) => vec![parser.bracket().map_err(|_| error)?],
            _ => vec![parser.word()?],
        };
        while let Some(next) = parser.peek() {
            match next {
                '[' => parts.push(parser.bracket()?),
                '.' => {
                    parser.at += 1;
                    parts.push(parser.word()?);
                }
                _ => return Err(parser.error("expected `.` or `[`")),
            }
        }
        Ok(Self(parts))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, part) in self.0.iter().enumerate() {
            match part {
                PathPart::Index(index) => write!(f, "[{index}]")?,
                PathPart::Key(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    if key.is_empty() || key.contains(['.', '[', ']', '"', '\\', ' ', '\n']) {
                        write!(f, "{}", serde_json::Value::from(key.as_str()))?;
                    } else {
                        f.write_str(key)?;
                    }
                }
            }
        }
        Ok(())
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn error(&self, reason: &'static str) -> KeyPathError {
        KeyPathError { at: self.at + 1, reason }
    }

    fn word(&mut self) -> Result<PathPart, KeyPathError> {
        if self.peek() == Some('"') {
            return self.quoted('"').map(PathPart::Key);
        }
        let start = self.at;
        while self.peek().is_some_and(|next| next != '.' && next != '[') {
            self.at += 1;
        }
        if start == self.at {
            return Err(self.error("expected a key"));
        }
        Ok(PathPart::Key(self.chars[start..self.at].iter().collect()))
    }

    fn bracket(&mut self) -> Result<PathPart, KeyPathError> {
        if self.peek() != Some('[') {
            return Err(self.error("expected `[`"));
        }
        self.at += 1;
        self.blanks();
        let part = match self.peek() {
            Some(quote @ ('"' | '\'')) => PathPart::Key(self.quoted(quote)?),
            _ => PathPart::Index(self.number()?),
        };
        self.blanks();
        if self.peek() != Some(']') {
            return Err(self.error("expected `]`"));
        }
        self.at += 1;
        Ok(part)
    }

    fn number(&mut self) -> Result<usize, KeyPathError> {
        let start = self.at;
        while self.peek().is_some_and(|next| next.is_ascii_digit()) {
            self.at += 1;
        }
        let digits: String = self.chars[start..self.at].iter().collect();
        digits.parse().map_err(|_| self.error("expected a quoted key or a list position"))
    }

    fn quoted(&mut self, quote: char) -> Result<String, KeyPathError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(KeyPathError { at: start + 1, reason: "unclosed quote" }),
                Some(next) if next == quote => break,
                Some('\\') if quote == '"' => {
                    self.at += 1;
                    let escaped = self.peek().ok_or_else(|| self.error("unclosed quote"))?;
                    text.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        other => other,
                    });
                }
                Some(next) => text.push(next),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(text)
    }
}
