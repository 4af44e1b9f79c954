//! Regular expressions as Go reads them, because the rules of a repository are read by SOPS, too.
//!
//! Both dialects are RE2's; where they differ the pattern is respelled: Go's `\d \w \s \b` are ASCII, `[` inside a class
//! and `{` outside a repetition are literal, `\<` is a `<`, `\Q…\E` quotes. What Go refuses is refused here, too: SOPS
//! treats an invalid pattern as one that never matches, which can leave a whole file in clear.

mod property;

use regex::bytes::Regex;

use super::SopsError;

/// A pattern that is searched for anywhere in a text.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    /// Or why it is none.
    regex: Result<Regex, &'static str>,
}

impl Pattern {
    /// Compiles Go's spelling.
    ///
    /// # Errors
    /// [`SopsError::Pattern`] for what Go refuses.
    pub fn new(source: &str) -> Result<Self, SopsError> {
        let pattern = Self::as_sops(source);
        match pattern.problem() {
            Some(problem) => Err(problem),
            None => Ok(pattern),
        }
    }

    /// The same, but an invalid pattern is one that never matches, as SOPS has it.
    #[must_use]
    pub fn as_sops(source: &str) -> Self {
        let respelled = Respeller { rest: source, out: String::with_capacity(source.len() + 16) }.run();
        let regex = respelled.and_then(|respelled| {
            Regex::new(&respelled).map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => "it is too large",
                _ => "it is no regular expression as Go reads them",
            })
        });
        Self { source: source.to_owned(), regex }
    }

    /// Why it never matches, if it is invalid.
    #[must_use]
    pub fn problem(&self) -> Option<SopsError> {
        let reason = self.regex.as_ref().err()?;
        Some(SopsError::Pattern { pattern: self.source.clone(), reason })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it matches anywhere in `text`.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.as_ref().is_ok_and(|regex| regex.is_match(text))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

type Refused = &'static str;

struct Respeller<'p> {
    rest: &'p str,
    out: String,
}

/// ASCII classes, as they stand inside and outside of brackets.
const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r"\t\n\x0c\r ";

impl<'p> Respeller<'p> {
    fn run(mut self) -> Result<String, Refused> {
        // Whether the last thing written was a repetition, of which Go allows no second one.
        let mut repeated = false;
        while let Some(next) = self.take() {
            match next {
                '*' | '+' | '?' if repeated => return Err("a repetition follows another one"),
                '*' | '+' | '?' => {
                    self.out.push(next);
                    self.lazy();
                    repeated = true;
                    continue;
                }
                '{' => match self.counted() {
                    Some(_) if repeated => return Err("a repetition follows another one"),
                    Some(count) => {
                        if count.split(',').any(|bound| bound.parse::<u32>().is_ok_and(|bound| bound > 1000)) {
                            return Err("a repetition counts above 1000");
                        }
                        for piece in ["{", count, "}"] {
                            self.out.push_str(piece);
                        }
                        self.lazy();
                        repeated = true;
                        continue;
                    }
                    None => self.out.push_str(r"\{"),
                },
                '}' => self.out.push_str(r"\}"),
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                other => self.out.push(other),
            }
            repeated = false;
        }
        Ok(self.out)
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn eat(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn lazy(&mut self) {
        if self.eat("?") {
            self.out.push('?');
        }
    }

    /// What is inside a repetition `{n}`, `{n,}`, `{n,m}`, whose `{` is already taken.
    fn counted(&mut self) -> Option<&'p str> {
        let end = self.rest.find('}')?;
        let inner = &self.rest[..end];
        let (low, high) = inner.split_once(',').unwrap_or((inner, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if low.is_empty() || low.len() > 9 || high.len() > 9 || !digits(low) || !digits(high) {
            return None;
        }
        self.rest = &self.rest[end + 1..];
        Some(inner)
    }

    fn group(&mut self) -> Result<(), Refused> {
        self.out.push('(');
        if !self.eat("?") {
            return Ok(());
        }
        self.out.push('?');
        if self.rest.starts_with("P<") || self.rest.starts_with('<') {
            return Ok(());
        }
        // Flags: Go has four, and a colon or a bracket ends them.
        while let Some(next) = self.take() {
            self.out.push(next);
            match next {
                'i' | 'm' | 's' | 'U' | '-' => {}
                ':' | ')' => return Ok(()),
                _ => return Err("a group begins with an unknown flag"),
            }
        }
        Err("a group is not closed")
    }

    fn escape(&mut self) -> Result<(), Refused> {
        let Some(next) = self.take() else { return Err("it ends with a backslash") };
        match next {
            'd' => self.bracketed("", DIGIT),
            'D' => self.bracketed("^", DIGIT),
            'w' => self.bracketed("", WORD),
            'W' => self.bracketed("^", WORD),
            's' => self.bracketed("", SPACE),
            'S' => self.bracketed("^", SPACE),
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' => self.out.push_str(r"(?-u:\B)"),
            'A' => self.out.push_str(r"\A"),
            'z' => self.out.push_str(r"\z"),
            'Q' => {
                let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
                self.out.push_str(&regex::escape(quoted));
                self.rest = rest;
            }
            'p' | 'P' => {
                let property = self.property(next)?;
                self.out.push_str(&property);
            }
            other => {
                let letter = self.literal(other)?;
                self.push_literal(letter);
            }
        }
        Ok(())
    }

    fn bracketed(&mut self, not: &str, class: &str) {
        for piece in ["(?-i:[", not, class, "])"] {
            self.out.push_str(piece);
        }
    }

    fn push_literal(&mut self, letter: char) {
        self.out.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
    }

    /// `\p{Greek}`, `\p{^Greek}`, `\pL`; the `\p` is already taken.
    fn property(&mut self, sign: char) -> Result<String, Refused> {
        let unclosed = "a Unicode class is not closed";
        let name = if self.eat("{") {
            let (name, rest) = self.rest.split_once('}').ok_or(unclosed)?;
            self.rest = rest;
            name
        } else {
            let letter = self.rest.chars().next().ok_or(unclosed)?;
            let (name, rest) = self.rest.split_at(letter.len_utf8());
            self.rest = rest;
            name
        };
        let (name, inverted) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        property::respelled(name, inverted != (sign == 'P')).ok_or("it has a Unicode class that Go does not know")
    }

    /// The one character behind an escape; the backslash and `next` are already taken.
    fn literal(&mut self, next: char) -> Result<char, Refused> {
        let unknown = "it has an escape that Go does not know";
        Ok(match next {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => {
                let digits = if self.eat("{") {
                    let (digits, rest) = self.rest.split_once('}').ok_or(unknown)?;
                    self.rest = rest;
                    digits
                } else {
                    let digits = self.rest.get(..2).ok_or(unknown)?;
                    self.rest = &self.rest[2..];
                    digits
                };
                let code = u32::from_str_radix(digits, 16).map_err(|_| unknown)?;
                char::from_u32(code).ok_or(unknown)?
            }
            // Octal, of up to three digits; a single digit but 0 would be a back reference.
            '0'..='7' => {
                let more: &str =
                    &self.rest[..self.rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count()];
                if next != '0' && more.is_empty() {
                    return Err(unknown);
                }
                self.rest = &self.rest[more.len()..];
                let code = u32::from_str_radix(&format!("{next}{more}"), 8).map_err(|_| unknown)?;
                char::from_u32(code).ok_or(unknown)?
            }
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => other,
            _ => return Err(unknown),
        })
    }

    fn class(&mut self) -> Result<(), Refused> {
        let unclosed = "a character class is not closed";
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if !first && self.eat("]") {
                self.out.push(']');
                return Ok(());
            }
            first = false;
            if self.rest.starts_with("[:")
                && let Some(end) = self.rest.find(":]")
            {
                self.out.push_str(&self.rest[..end + 2]);
                self.rest = &self.rest[end + 2..];
                continue;
            }
            if self.class_escape()? {
                continue;
            }
            let low = self.class_char().ok_or(unclosed)??;
            self.push_class_char(low);
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.rest = &self.rest[1..];
                let high = self.class_char().ok_or(unclosed)??;
                self.out.push('-');
                self.push_class_char(high);
            }
        }
    }

    /// `\d` and its like inside a class.
    fn class_escape(&mut self) -> Result<bool, Refused> {
        let Some(sign) = self.rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) else { return Ok(false) };
        let class = match sign {
            'd' => DIGIT.to_owned(),
            'w' => WORD.to_owned(),
            's' => SPACE.to_owned(),
            'D' => format!("[^{DIGIT}]"),
            'W' => format!("[^{WORD}]"),
            'S' => format!("[^{SPACE}]"),
            'p' | 'P' => {
                self.rest = &self.rest[2..];
                let property = self.property(sign)?;
                self.out.push_str(&property);
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.rest = &self.rest[2..];
        self.out.push_str(&class);
        Ok(true)
    }

    fn class_char(&mut self) -> Option<Result<char, Refused>> {
        match self.take()? {
            '\\' => {
                let next = self.take()?;
                Some(self.literal(next))
            }
            other => Some(Ok(other)),
        }
    }

    /// Every ASCII sign is escaped: what is a sign in a class differs between the dialects.
    fn push_class_char(&mut self, letter: char) {
        if letter.is_ascii_punctuation() && !matches!(letter, '<' | '>') {
            self.out.push('\\');
        }
        self.out.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_spellings() {
        for (pattern, text, wanted) in [
            ("^(data|stringData)$", "data", true),
            ("^(data|stringData)$", "metadata", false),
            ("pass", "my_password", true),
            (r"^\d+$", "42", true),
            (r"^\d+$", "٤٢", false),
            (r"^\w+$", "naïve", false),
            (r"\bé", "é", false),
            (r"^[[:alpha:]_[]+$", "a_[", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[\w-]+$", "a-b", true),
            (r"^[^]a]$", "]", false),
            (r"^[]a]$", "]", true),
            (r"^\<a\>$", "<a>", true),
            (r"^a{,5}$", "a{,5}", true),
            (r"^a{2}$", "aa", true),
            (r"^a{$", "a{", true),
            (r"^\Qa.b\E.$", "a.bc", true),
            (r"^\Qa.b", "axb", false),
            (r"(?i)^TOKEN$", "token", true),
            (r"^(?P<n>a)(?<m>b)$", "ab", true),
            (r"^\x41\x{42}\103$", "ABC", true),
            (r"^\p{^Greek}+$", "abc", true),
            (r"^\p{^Greek}+$", "α", false),
            (r"^\P{^greek}+$", "α", true),
            (r"^\pL$", "é", true),
            (r"^\pl$", "é", true),
            (r"^\PL$", "é", false),
            (r"^\p{ upper-case Letter}$", "É", true),
            (r"^[\p{Nd}\p{Latin}]+$", "٤é", true),
            (r"\p{Cs}", "a", false),
            (r"^[b\p{Surrogate}]\P{Cs}$", "ba", true),
            (r"^.$", "\n", false),
            (r"a$", "a\n", false),
            (r"^[+--]$", ",", true),
            (r"^a+?b*?$", "aab", true),
            ("", "anything", true),
        ] {
            let compiled = Pattern::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(compiled.is_match(text.as_bytes()), wanted, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_go_refuses() {
        for pattern in [
            "[",
            "(",
            ")",
            "a**",
            "a*+",
            "+a",
            "*",
            "(?=a)",
            "(?<!a)",
            r"\1",
            r"\8",
            r"\Z",
            r"\y",
            r"a\",
            "a{1001}",
            "(?x)a",
            "[b-a]",
            "[a",
            r"\p{",
            r"\p{}",
            r"\p{Alphabetic}",
            r"\p{Age=6.0}",
            r"\p{sc=Latin}",
            r"\p{Latn}",
            r"\p{isL}",
            r"\p{Old_Italic}",
            r"[\p{Lowercase}]",
            r"\p{L&}",
            r"\pé",
        ] {
            assert!(matches!(Pattern::new(pattern), Err(SopsError::Pattern { .. })), "{pattern}");
        }
    }
}
