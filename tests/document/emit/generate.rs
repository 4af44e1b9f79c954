//! Documents of every type with strings, numbers and shapes that a writer may get wrong.

use lockage::document::Format;

use crate::extensions::generate as extensions;
use crate::yaml::generate::{self, Random};

const PIECES: &[&str] = &[
    "a",
    "b c",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "'",
    "\"",
    "#",
    " #",
    ": ",
    ":",
    "- ",
    "-",
    "?",
    "? ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "&",
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    "\\",
    "\\n",
    "/",
    "<",
    ">",
    "&",
    "=",
    ";",
    "\u{0}",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffd}",
    "\r",
    "\r\n",
    "é",
    "日本",
    "😀",
    "1",
    "0",
    "true",
    "yes",
    "null",
    "~",
    "1:20",
    "2024-01-02",
    ".5",
    "1e3",
    "---",
    "...",
    "<<",
    "\"\"\"",
];

const TEXTS: &[&str] = &[
    "",
    "x",
    "two words",
    "true",
    "True",
    "no",
    "OFF",
    "yEs",
    "null",
    "~",
    "1",
    "-0",
    "010",
    "0x1F",
    "0o17",
    "1_000",
    "1.50",
    "1e3",
    ".inf",
    ".NaN",
    "1:20",
    "1:2:3.5",
    "9223372036854775808",
    "2024-01-02",
    "2024-01-02T03:04:05+01:00",
    "<<",
    "=",
    "a\nb",
    "a\nb\n",
    "a\n\n",
    "\n",
    "\na",
    " a\nb",
    "\ta\nb",
    "a \nb",
    "a\n b",
    "tr ",
    " le",
    "# c",
    "a: b",
    "a #b",
    "...",
    "--- x",
    "\u{1F600}",
    "\u{feff}x",
    "é",
    "line\r\nbreak",
    "x\u{2028}y",
    "x\u{85}y",
    "a<b>&c",
    "[x]",
];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "42",
    "-7",
    "1.0",
    "1.50",
    "0.1",
    "1e2",
    "1E-7",
    "1e-6",
    "0.000001",
    "1e20",
    "1e21",
    "123456.7",
    "1234567.8",
    "100000",
    "1000000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "5e-324",
    "1.7976931348623157e308",
    "1234567890.123456",
    "true",
    "false",
    "null",
];

/// A text of that type.
pub(crate) fn text(random: &mut Random, format: Format) -> Vec<u8> {
    match format {
        Format::Yaml if random.chance(4) => generate::soup(random).into_bytes(),
        Format::Yaml => generate::document(random).into_bytes(),
        Format::Json => {
            let mut out = String::new();
            object(random, 0, &mut out);
            out.into_bytes()
        }
        Format::Dotenv => dotenv(random).into_bytes(),
        Format::Ini => ini(random).into_bytes(),
        Format::Toml => extensions::toml(random, true).into_bytes(),
        Format::Dialect(dialect) => extensions::dotenv(random, dialect).into_bytes(),
        Format::Binary => (0..random.below(40)).map(|_| random.below(256) as u8).collect(),
    }
}

pub(crate) fn string(random: &mut Random) -> String {
    if random.chance(2) {
        return random.pick(TEXTS).to_owned();
    }
    let mut text: String = (0..random.below(6)).map(|_| random.pick(PIECES)).collect();
    if random.chance(40) {
        text.push_str(&"long ".repeat(30));
    }
    text
}

fn json_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).unwrap());
}

fn object(random: &mut Random, depth: usize, out: &mut String) {
    out.push('{');
    for position in 0..random.below(5) {
        if position > 0 {
            out.push(',');
        }
        if random.chance(12) {
            json_string("data", out);
        } else if random.chance(4) {
            json_string(&string(random), out);
        } else {
            json_string(&format!("k{position}"), out);
        }
        out.push(':');
        value(random, depth + 1, out);
    }
    out.push('}');
}

fn value(random: &mut Random, depth: usize, out: &mut String) {
    match random.below(if depth > 4 { 6 } else { 10 }) {
        0..=3 => json_string(&string(random), out),
        4 | 5 => out.push_str(random.pick(NUMBERS)),
        6 | 7 => object(random, depth, out),
        _ => {
            out.push('[');
            for position in 0..random.below(4) {
                if position > 0 {
                    out.push(',');
                }
                value(random, depth + 1, out);
            }
            out.push(']');
        }
    }
}

fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

fn dotenv(random: &mut Random) -> String {
    let mut out = String::new();
    for position in 0..random.below(6) {
        match random.below(7) {
            0 => out.push_str(&format!("#{}", one_line(&string(random)))),
            1 => out.push_str("data=whole"),
            2 => {}
            _ => out.push_str(&format!("K{position}={}", one_line(&string(random)))),
        }
        out.push('\n');
    }
    out
}

fn ini(random: &mut Random) -> String {
    let mut out = String::new();
    for section in 0..random.below(4) {
        if section > 0 || random.chance(2) {
            if random.chance(3) {
                out.push_str(&format!("; about {section}\n"));
            }
            out.push_str(&format!("[s{}]\n", random.below(3)));
        }
        for position in 0..random.below(4) {
            if random.chance(3) {
                out.push_str(random.pick(&["; one\n", "# two\n", "; a\n# b\n;c\n"]));
            }
            let value = string(random).replace(['\n', '\r'], "");
            let value = match random.below(4) {
                0 => format!("\"\"\"{}\"\"\"", value.replace('"', "")),
                1 => format!("`{}`", value.replace('`', "")),
                2 => format!("\"{}\"", value.replace(['"', '#', ';', '\\'], "")),
                _ => value.replace(['#', ';', '\\', '"', '\'', '`'], "").trim().to_owned(),
            };
            let key = random.pick(&["k", "key", "a b", "`a=b`", "long_name", "x.y"]);
            out.push_str(&format!("{key}{position} = {value}\n"));
            if random.chance(6) {
                out.push('\n');
            }
        }
    }
    out
}
