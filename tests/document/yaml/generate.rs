//! Texts that are nearly YAML: from a grammar, from a soup of pieces, and mutated.

/// A small generator of numbers (SplitMix64), so that a seed names a run on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const PIECES: &[&str] = &[
    "a",
    "b",
    "key",
    "x y",
    ": ",
    ":",
    ":\n",
    ": ",
    "\n",
    "\n",
    "\n\n",
    "  ",
    " ",
    "    ",
    "\n  ",
    "\n    ",
    "- ",
    "-\n",
    "- - ",
    "-",
    "[",
    "]",
    "{",
    "}",
    ",",
    ", ",
    "'",
    "\"",
    "''",
    "\"q\"",
    "'s'",
    "#",
    " # c",
    "# c\n",
    "|\n",
    "|-\n",
    "|+\n",
    ">\n",
    ">-\n",
    ">+2\n",
    "|1-\n",
    "| # h\n",
    "?",
    "? ",
    "&x ",
    "&y",
    "*x",
    "*y ",
    "!!str ",
    "!!int ",
    "! ",
    "!t ",
    "!!null ",
    "!!float ",
    "!!binary ",
    "!<tag:yaml.org,2002:str> ",
    "%YAML 1.1\n",
    "%TAG !e! tag:yaml.org,2002:\n",
    "!e!int ",
    "---\n",
    "--- ",
    "...\n",
    "\t",
    "\r\n",
    "\r",
    "\u{85}",
    "\u{2028}",
    "\u{FEFF}",
    "é",
    "日本",
    "😀",
    "\\n",
    "\\\n",
    "\\x41",
    "\\u00e9",
    "\\ud800",
    "\\/",
    "1",
    "-5",
    "010",
    "0x1F",
    "1_000",
    "1.5",
    "1e3",
    ".5",
    "5.",
    ".inf",
    ".nan",
    "true",
    "no",
    "null",
    "~",
    "2024-01-02",
    "2024-1-2 3:4:5.50",
    "2024-01-02T03:04:05+01:30",
    "<<",
    "=",
    "@",
    "`",
    "%",
    "\u{0}",
    "\u{7f}",
    "9223372036854775808",
    "0b-1",
    "08",
];

/// A run of pieces without any plan.
pub(crate) fn soup(random: &mut Random) -> String {
    let length = 1 + random.below(24);
    let mut text = if random.chance(2) { "a: ".to_owned() } else { String::new() };
    for _ in 0..length {
        text.push_str(random.pick(PIECES));
    }
    if random.chance(2) {
        text.push('\n');
    }
    text
}

const SCALARS: &[&str] = &[
    "x",
    "two words",
    "1",
    "-0",
    "+5",
    "010",
    "0o17",
    "0x1F",
    "0b101",
    "1_000",
    "1.0",
    "1.50",
    "1e3",
    "5.",
    ".5",
    ".inf",
    "-.INF",
    ".NaN",
    "1e400",
    "99999999999999999999",
    "true",
    "False",
    "yes",
    "~",
    "null",
    "2024-01-02",
    "2024-01-02T03:04:05Z",
    "2024-01-02T03:04:05.500+02:00",
    "2024-1-2 3:4:5",
    "'single'",
    "'it''s'",
    "\"double\"",
    "\"esc \\t\\u00e9\\x41\\\\ \"",
    "''",
    "\"\"",
    "é日😀",
    "a:b",
    "a#b",
    "-x",
    "?x",
    ":x",
    "!!str 5",
    "!!int \"7\"",
    "!!float 3",
    "!t 5",
    "! 6",
    "!!binary aGVsbG8=",
    "!!timestamp '2024-01-02'",
    "&s v",
    "&s 5",
    "*s",
    "ENC[AES256_GCM,data:6eVb0KuE,iv:mZwt4hZv8qI/8fbN3j7HwoTXgDbkFYwtPEHiyx7XEuA=,tag:IU4j9mMVX5DVEyy0ufLYPQ==,type:str]",
    "[]",
    "{}",
    "[1, two, 'three']",
    "{p: 1, q: [2, {r: 3}]}",
    "[a: 1, b]",
    "{x, y: }",
    "[\n      1, # c\n      2\n      ]",
    "",
];

const BREAKS: &[&str] = &["\n", "\n", "\n", "\n", "\n", "\n", "\r\n", "\u{2028}"];

/// A document with blocks, lists, comments and blank lines, mostly right.
pub(crate) struct Writer<'r> {
    random: &'r mut Random,
    text: String,
    line_break: &'static str,
    names: usize,
}

/// A mostly well-formed text.
pub(crate) fn document(random: &mut Random) -> String {
    let line_break = random.pick(BREAKS);
    let mut writer = Writer { random, text: String::new(), line_break, names: 0 };
    writer.stream();
    writer.text
}

impl Writer<'_> {
    fn stream(&mut self) {
        if self.random.chance(20) {
            self.text.push('\u{FEFF}');
        }
        self.gap(0);
        if self.random.chance(5) {
            self.line("---");
        }
        let indent = if self.random.chance(8) { 2 } else { 0 };
        self.mapping(indent, 0);
        while self.random.chance(5) {
            let marker = self.random.pick(&["---", "--- # c", "...\n---", "%YAML 1.1\n---"]);
            self.line(marker);
            self.mapping(0, 1);
        }
        self.gap(0);
        if self.random.chance(8) {
            self.text.push_str("...");
        }
        if self.random.chance(4) {
            while self.text.ends_with(['\n', '\r', '\u{2028}']) {
                self.text.pop();
            }
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push_str(self.line_break);
    }

    /// Comments and blank lines, now and then.
    fn gap(&mut self, indent: usize) {
        while self.random.chance(4) {
            match self.random.below(4) {
                0 => self.line(""),
                1 => self.line("   "),
                _ => {
                    let shift = self.random.below(4);
                    let comment =
                        format!("{}# c{}", " ".repeat((indent + shift).saturating_sub(shift / 2 * 2)), self.names);
                    self.line(&comment);
                }
            }
        }
    }

    fn name(&mut self) -> String {
        self.names += 1;
        let names = [
            format!("k{}", self.names),
            format!("\"k {}\"", self.names),
            format!("'k{}'", self.names),
            format!("é{}", self.names),
        ];
        match self.random.below(8) {
            0..=4 => names[0].clone(),
            other => names[other - 4].clone(),
        }
    }

    fn mapping(&mut self, indent: usize, depth: usize) {
        for _ in 0..1 + self.random.below(4) {
            self.gap(indent);
            let name = self.name();
            self.text.push_str(&" ".repeat(indent));
            self.pair(&name, indent, depth);
        }
    }

    fn pair(&mut self, name: &str, indent: usize, depth: usize) {
        if self.random.chance(20) {
            self.line(&format!("? {name}"));
            self.text.push_str(&" ".repeat(indent));
        } else {
            self.text.push_str(name);
        }
        self.text.push(':');
        let deeper = indent + 1 + self.random.below(4);
        match self.random.below(10) {
            0 | 1 if depth < 4 => {
                self.head();
                self.mapping(deeper, depth + 1);
            }
            2 | 3 if depth < 4 => {
                self.head();
                let column = if self.random.chance(2) { indent } else { deeper };
                self.list(column, depth + 1);
            }
            4 => self.block(indent),
            5 => self.folded(indent),
            _ => self.scalar(),
        }
    }

    fn head(&mut self) {
        let head = self.random.pick(&["", "", "", "", " # h", " &m", " !!map", " !t # h"]);
        self.line(head);
    }

    fn scalar(&mut self) {
        let scalar = self.random.pick(SCALARS);
        let comment = self.random.pick(&["", "", "", "", " # i", "  #", " \t# i"]);
        self.line(&format!(" {scalar}{comment}"));
    }

    fn block(&mut self, indent: usize) {
        let header = self.random.pick(&[" |", " |-", " |+", " >", " >-", " >+", " | # h", " |2", " >1-", " &b |"]);
        self.line(header);
        let column = indent + 1 + self.random.below(3);
        for _ in 0..self.random.below(5) {
            match self.random.below(6) {
                0 => self.line(""),
                1 => self.line(&" ".repeat(indent)),
                2 => self.line(&format!("{}  more", " ".repeat(column))),
                _ => self.line(&format!("{}text # no comment", " ".repeat(column))),
            }
        }
    }

    /// A plain or quoted scalar on several lines.
    fn folded(&mut self, indent: usize) {
        let quote = self.random.pick(&["", "\"", "'"]);
        self.line(&format!(" {quote}one "));
        for _ in 0..self.random.below(3) {
            let line = self.random.pick(&["", "two", " three\t", "four \\", "- five"]);
            self.line(&format!("{}{line}", " ".repeat(indent + 1)));
        }
        self.line(&format!("{}end{quote}", " ".repeat(indent + 2)));
    }

    fn list(&mut self, indent: usize, depth: usize) {
        for _ in 0..1 + self.random.below(3) {
            self.gap(indent);
            self.text.push_str(&" ".repeat(indent));
            self.text.push('-');
            match self.random.below(6) {
                0 if depth < 4 => {
                    self.text.push(' ');
                    let name = self.name();
                    self.pair(&name, indent + 2, depth + 1);
                    if self.random.chance(2) {
                        self.mapping(indent + 2, depth + 1);
                    }
                }
                1 if depth < 4 => {
                    self.text.push_str(" - ");
                    self.scalar();
                }
                2 => self.block(indent),
                _ => self.scalar(),
            }
        }
    }
}

/// The same text with a few small accidents.
pub(crate) fn mutate(random: &mut Random, text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(4) {
            0 if at < bytes.len() => {
                bytes.remove(at);
            }
            1 if at < bytes.len() => {
                let to = (at + random.below(6)).min(bytes.len());
                let copy = bytes[at..to].to_vec();
                let target = random.below(bytes.len() + 1);
                bytes.splice(target..target, copy);
            }
            2 if at < bytes.len() => {
                let byte = *random
                    .pick(&[&b' ', &b'\n', &b':', &b'#', &b'-', &b'"', &b'\'', &b'[', &b'}', &b'\t', &b',', &0xE9]);
                bytes[at] = byte;
            }
            _ => {
                let piece = random.pick(PIECES);
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    bytes
}
