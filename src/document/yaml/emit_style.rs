//! In which style go-yaml's writer puts a text, as SOPS asks it to.
//!
//! SOPS has each value written and read once by itself, and keeps the style of that for the file; a text that does not
//! survive this is lost.

use std::borrow::Cow;

use base64::Engine as _;

use super::chars::break_len;
use super::event::Tag;
use super::resolve;
use crate::document::emit::general;
use crate::document::scalar::{Kind, parse_float};

/// How a scalar is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// A scalar ready to be written.
pub(super) struct Styled<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) style: Style,
    /// `!!binary` or `!!merge`.
    pub(super) tag: &'static str,
    /// Whether it holds a line break of any kind.
    pub(super) multiline: bool,
}

/// Characters of a line of base64.
const BINARY_LINE: usize = 70;

impl<'t> Styled<'t> {
    /// The scalar as SOPS writes it; `None` where its writer loses the text.
    pub(super) fn new(kind: Kind, bytes: &'t [u8]) -> Option<Self> {
        let plain = |text: Cow<'t, str>| Some(Self { text, ..Self::null() });
        match kind {
            Kind::Str => Self::text(bytes),
            Kind::Null => Some(Self::null()),
            Kind::Bool => plain(if bytes == b"True" { "true" } else { "false" }.into()),
            Kind::Int | Kind::Time => plain(String::from_utf8_lossy(bytes)),
            Kind::Float => {
                let value = parse_float(bytes).unwrap_or(f64::NAN);
                plain(match general(value, 'e') {
                    text if text == "+Inf" => ".inf".into(),
                    text if text == "-Inf" => "-.inf".into(),
                    text if text == "NaN" => ".nan".into(),
                    text => text.into(),
                })
            }
        }
    }

    /// What a lost text becomes.
    pub(super) fn null() -> Self {
        Self { text: "null".into(), style: Style::Plain, tag: "", multiline: false }
    }

    fn text(bytes: &'t [u8]) -> Option<Self> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            let text = binary(bytes);
            let style = if text.contains('\n') { Style::Literal } else { Style::Plain };
            return Some(Self { multiline: style == Style::Literal, text: text.into(), style, tag: "!!binary" });
        };
        let shape = Shape::of(text);
        let wanted = if text.contains('\n') {
            Style::Literal
        } else if matches!(resolve::kind(bytes, true, Tag::None), Ok(Kind::Str)) && !is_old(text) {
            Style::Plain
        } else {
            Style::Double
        };
        let style = match wanted {
            Style::Literal if !shape.block => Style::Double,
            // The reader refuses a tab where it finds out the indentation.
            Style::Literal if text.starts_with('\t') => return None,
            Style::Plain if !shape.plain && shape.single => Style::Single,
            Style::Plain if !shape.plain => Style::Double,
            style => style,
        };
        let tag = if style == Style::Plain && text == "<<" { "!!merge" } else { "" };
        Some(Self { text: text.into(), style, tag, multiline: shape.breaks })
    }
}

/// Base64 in lines, the last one ended, too, where there are several.
fn binary(bytes: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    if text.len() < BINARY_LINE {
        return text;
    }
    let lines = text.as_bytes().chunks(BINARY_LINE).map(String::from_utf8_lossy);
    lines.flat_map(|line| [line, "\n".into()]).collect()
}

/// What YAML 1.1 takes for a truth value or a number of base 60.
fn is_old(text: &str) -> bool {
    let words = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    words.contains(&text) || is_base_60(text.as_bytes())
}

fn is_base_60(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"+").or(text.strip_prefix(b"-")).unwrap_or(text);
    let mut parts = unsigned.split(|byte| *byte == b':');
    let first = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    if !first.first().is_some_and(u8::is_ascii_digit)
        || !first.iter().all(|byte| byte.is_ascii_digit() || *byte == b'_')
        || rest.peek().is_none()
    {
        return false;
    }
    let sixty = |part: &[u8]| match part {
        [digit] => digit.is_ascii_digit(),
        [ten, digit] => matches!(ten, b'0'..=b'5') && digit.is_ascii_digit(),
        _ => false,
    };
    while let Some(part) = rest.next() {
        let point = part.iter().position(|byte| *byte == b'.').filter(|_| rest.peek().is_none());
        let (digits, fraction) = part.split_at(point.unwrap_or(part.len()));
        let fraction = fraction.iter().skip(1).all(|byte| byte.is_ascii_digit() || *byte == b'_');
        if !sixty(digits) || !fraction {
            return false;
        }
    }
    true
}

/// Which styles a text allows outside brackets.
struct Shape {
    plain: bool,
    single: bool,
    block: bool,
    breaks: bool,
}

impl Shape {
    /// *Source*: the rules of libyaml's writer.
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let blank_at = |at: usize| matches!(bytes.get(at), None | Some(b' ' | b'\t'));
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special, mut tab) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        // What came before: nothing, a blank or a break; and of those which.
        let (mut before_blank, mut before_space, mut before_break) = (true, false, false);
        for (at, char) in text.char_indices() {
            let next_blank = blank_at(at + char.len_utf8());
            let is_break = break_len(bytes, at) > 0;
            indicators |= match char {
                '#' => before_blank,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => at == 0,
                '?' | '-' => at == 0 && next_blank,
                ':' => next_blank,
                _ => false,
            };
            tab |= char == '\t';
            special |= char != '\t' && !is_printable(char);
            breaks |= is_break;
            break_space |= char == ' ' && before_break;
            space_break |= is_break && before_space;
            (before_space, before_break) = (char == ' ', is_break);
            before_blank = is_break || matches!(char, ' ' | '\t' | '\0');
        }
        let edge = |char: char, at: usize| char == ' ' || break_len(bytes, at) > 0;
        let leading = text.chars().next().is_some_and(|char| edge(char, 0));
        let trailing = text.char_indices().next_back().is_some_and(|(at, char)| edge(char, at));
        let single = !(break_space || space_break || tab || special);
        Self {
            plain: single && !(leading || trailing || breaks || indicators),
            single,
            block: !(text.is_empty() || text.ends_with(' ') || space_break || special),
            breaks,
        }
    }
}

/// What libyaml's writer puts down as it is; nothing beyond the basic plane.
pub(super) fn is_printable(char: char) -> bool {
    matches!(char, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}') && char != '\u{FEFF}'
}

#[cfg(test)]
mod tests {
    use super::{Kind, Style, Styled, is_base_60};

    #[test]
    fn styles_are_those_of_the_specification() {
        let style = |text: &'static str| Styled::new(Kind::Str, text.as_bytes()).map(|styled| styled.style);
        for text in ["true", "1.0", "~", "1_000", "yes", "1:20", "2001-01-01", "", "a\u{1}", "\u{1F600}", "a\tb"] {
            assert_eq!(style(text), Some(Style::Double), "{text:?}");
        }
        for text in [" lead", "trail ", "x: y", "# no", "@at", "- a", "-", "?", "{", "...", "a #b"] {
            assert_eq!(style(text), Some(Style::Single), "{text:?}");
        }
        for text in ["a b", "a#b", "a:b", "=", "yEs", "?a", "-a", "http://x", "<<"] {
            assert_eq!(style(text), Some(Style::Plain), "{text:?}");
        }
        assert_eq!(style("a\nb"), Some(Style::Literal));
        assert_eq!(style("a \nb"), Some(Style::Double));
        assert_eq!(style("\ta\nb"), None);
    }

    #[test]
    fn base_60_is_exact() {
        for (text, is) in
            [("1:20", true), ("+1_:59.5_", true), ("1:60", false), ("1:2:", false), ("1.5:20", false), ("1", false)]
        {
            assert_eq!(is_base_60(text.as_bytes()), is, "{text}");
        }
    }
}
