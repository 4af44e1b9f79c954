//! Escapes that JSON does not demand and some writers make: remembered in the spelling of the token that replaces a
//! string, so that the string comes back as it was written.

use zeroize::Zeroizing;

use super::string::{quote, unescape};

/// How a writer escapes beyond what JSON demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Not at all.
    Bare,
    /// `<`, `>` and `&`, as Go does.
    Html,
    /// `/`, as PHP does.
    Slash,
    /// Everything beyond ASCII, as Python does.
    Ascii,
}

/// The spelling of a token's end under each manner; a reader sees the same characters.
const MARKS: [(Manner, &[u8], &[u8]); 3] = [
    (Manner::Html, b"]", b"\\u005d"),
    (Manner::Slash, b"]", b"\\u005D"),
    (Manner::Ascii, b"r]", b"\\u0072]"),
];

impl Manner {
    /// The manner in which the string `old` (with its quotes) is written; of a token what its mark says.
    pub(super) fn of(old: &[u8]) -> Self {
        let Some(inner) = old.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else { return Self::Bare };
        if memchr::memchr(b'\\', inner).is_none() {
            return Self::Bare;
        }
        if inner.starts_with(b"ENC[") {
            let marked = MARKS.iter().find(|(_, _, mark)| inner.ends_with(mark));
            return marked.map_or(Self::Bare, |(manner, _, _)| *manner);
        }
        let value = Zeroizing::new(unescape(inner));
        let mut again = Zeroizing::new(Vec::with_capacity(old.len()));
        for manner in [Self::Bare, Self::Html, Self::Slash, Self::Ascii] {
            again.clear();
            manner.quote(&value, &mut again);
            if *again == *old {
                return manner;
            }
        }
        Self::Bare
    }

    /// Appends `bytes` as a JSON string in this manner.
    pub(super) fn quote(self, bytes: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        quote(bytes, out);
        if self == Self::Bare || !out[start..].iter().any(|byte| self.escapes(*byte)) {
            return;
        }
        let bare = String::from_utf8_lossy(&out[start..]).into_owned();
        out.truncate(start);
        for letter in bare.chars() {
            match (self, letter) {
                (Self::Slash, '/') => out.extend_from_slice(b"\\/"),
                (Self::Html, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => push_units(letter, out),
                (Self::Ascii, letter) if !letter.is_ascii() => push_units(letter, out),
                _ => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        zeroize::Zeroize::zeroize(&mut bare.into_bytes());
    }

    /// Appends `token` as a JSON string that remembers this manner.
    pub(super) fn mark(self, token: &[u8], out: &mut Vec<u8>) {
        let mark = MARKS.iter().find(|(manner, end, _)| *manner == self && token.ends_with(end));
        let Some((_, end, mark)) = mark else { return quote(token, out) };
        out.push(b'"');
        out.extend_from_slice(&token[..token.len() - end.len()]);
        out.extend_from_slice(mark);
        out.push(b'"');
    }

    /// Whether a byte of the bare spelling may begin something that this manner escapes.
    const fn escapes(self, byte: u8) -> bool {
        match self {
            Self::Bare => false,
            Self::Html => matches!(byte, b'<' | b'>' | b'&' | 0xE2),
            Self::Slash => byte == b'/',
            Self::Ascii => byte >= 0x80,
        }
    }
}

fn push_units(letter: char, out: &mut Vec<u8>) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        out.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            out.push(b"0123456789abcdef"[usize::from(*unit >> shift & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_remembers_the_manner_and_reads_as_itself() {
        let token = b"ENC[AES256_GCM,data:a/b=,iv:c,tag:d,type:str]";
        for (source, manner) in [
            (r#""a/b <é>""#, Manner::Bare),
            (r#""a/b \u003cé\u003e""#, Manner::Html),
            (r#""a\/b <é>""#, Manner::Slash),
            (r#""a/b <\u00e9> \ud83d\ude00""#, Manner::Ascii),
            (r#""a\/b \u003c""#, Manner::Bare),
            (r#""\u003C""#, Manner::Bare),
        ] {
            let found = Manner::of(source.as_bytes());
            assert_eq!(found, manner, "{source}");
            let mut marked = Vec::new();
            found.mark(token, &mut marked);
            assert_eq!(unescape(&marked[1..marked.len() - 1]), token, "{source}");
            assert_eq!(Manner::of(&marked), manner, "{source}");
        }
    }
}
