//! Texts of the formats that SOPS does not know.

use lockage::document::Dialect;

use crate::yaml::generate::Random;

const WORDS: &[&str] = &[
    "a", "b c", "é", "😀", "#", " # x", "'", "\"", "`", "\\", "\\n", "\\\"", "\\'", "\\$", "$", "$x", "${y}", "=", ";",
    "~", "\n", "\t", " ", "[", "]", "{", ",", "|", "&", "!", "*", "%", "null", "1", "-", "\\\\", "''", "\"\"", "ENC[",
    "sops_a=1",
];

fn string(random: &mut Random) -> String {
    (0..random.below(5)).map(|_| random.pick(WORDS)).collect()
}

/// A file of that dialect, or nearly.
pub(crate) fn dotenv(random: &mut Random, dialect: Dialect) -> String {
    let mut out = String::new();
    let newline = if random.chance(8) { "\r\n" } else { "\n" };
    for position in 0..random.below(6) {
        match random.below(9) {
            0 => out.push_str(&format!("# {}", string(random).replace(['\n', '\r', '\\'], ""))),
            1 => {}
            kind => {
                if kind == 2 && dialect != Dialect::Docker && dialect != Dialect::Systemd {
                    out.push_str("export ");
                }
                out.push_str(&format!("K{position}="));
                out.push_str(&value(random, dialect));
                if random.chance(6) {
                    out.push_str(random.pick(&[" # why", " ", "\t#x", " #"]));
                }
            }
        }
        out.push_str(newline);
    }
    if random.chance(6) {
        out.truncate(out.trim_end().len());
    }
    out
}

/// Pieces at which a reader may see something else than we do.
const PIECES: &[&str] = &[
    "\u{FEFF}", "\u{A0}", "\u{85}", "\u{2028}", "\u{3000}", "\u{B}", "\u{C}", "\r", "\r\n", "\n", "\t", " ", "=", ":",
    "#", " #", "'", "\"", "\\", "$", "$$", "${K0}", "$K", "$\u{17F}", "export", "export ", "export\t", "K0", "é", "1",
    ".", "-", "[", "K0=", "K1 =", "K2= ", "K3:", "\\n", "\\0101", "\\0377", "\\0400", "\\01", "\\c", "\\x", "\\\\",
    "\\'", "\\\"", "\\$",
];

/// A file of that dialect with pieces in places where nobody puts them.
pub(crate) fn odd_dotenv(random: &mut Random, dialect: Dialect) -> String {
    let mut text = dotenv(random, dialect);
    for _ in 0..random.below(4) {
        let places: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
        let at = places[random.below(places.len())];
        text.insert_str(at, random.pick(PIECES));
    }
    text
}

/// A value in quotes that may hold it, or bare.
fn value(random: &mut Random, dialect: Dialect) -> String {
    let text = string(random);
    match random.below(4) {
        0 => format!("'{}'", text.replace('\'', "")),
        1 if dialect == Dialect::Node => format!("\"{}\"", text.replace('"', "")),
        1 => {
            let mut inside = text.replace('\\', "\\\\");
            for special in ["\"", "$", "`"] {
                let escape = special != "`" || dialect != Dialect::Compose;
                inside = if escape { inside.replace(special, &format!("\\{special}")) } else { inside };
            }
            format!("\"{inside}\"")
        }
        2 => text.chars().filter(|char| char.is_alphanumeric() || *char == '-').collect(),
        _ => text,
    }
}

const KEYS: &[&str] = &["a", "b", "c", "d.e", "\"q r\"", "'l'", "\"\"", "1", "x", "longer-name"];
const LEAVES: &[&str] = &[
    "1",
    "-7",
    "+5",
    "0",
    "9223372036854775807",
    "1.5",
    "1.50",
    "-0.0",
    "1e3",
    "6.26e-34",
    "true",
    "false",
    "1979-05-27",
    "1979-05-27T07:32:00Z",
    "1979-05-27 07:32:00.5",
    "07:32:00",
    "'C:\\x'",
    "\"\"",
    "''",
    "'''a'b'''",
    "\"\"\"\nx\ny\n\"\"\"",
    "'''\nraw\n'''",
    "\"\"\"a\"\"b\"\"\"",
    "\"tab\\tx\\\"\"",
    "\"é😀\"",
    "[]",
    "{}",
    "inf",
    "\"null\"",
];
const ODD_LEAVES: &[&str] = &[
    "0x1F",
    "0o17",
    "0b1",
    "1_000",
    "1_0.5",
    "-inf",
    "nan",
    "+nan",
    "\"\\u00e9\"",
    "\"\"\"a\\\n   b\"\"\"",
    "\"\\x41\\e\"",
    "07:32",
    "1e06",
    "\"a\tb\"",
];

fn leaf(random: &mut Random, odd: bool) -> String {
    if odd && random.chance(3) { random.pick(ODD_LEAVES).to_owned() } else { random.pick(LEAVES).to_owned() }
}

fn toml_value(random: &mut Random, odd: bool, depth: usize, out: &mut String) {
    match random.below(if depth > 2 { 6 } else { 9 }) {
        0..=5 => out.push_str(&leaf(random, odd)),
        6 => {
            out.push('{');
            for position in 0..random.below(3) {
                out.push_str(if position > 0 { ", " } else { " " });
                out.push_str(&format!("k{position} = "));
                toml_value(random, odd, depth + 1, out);
            }
            out.push_str(" }");
        }
        _ => {
            let lines = random.chance(3);
            out.push('[');
            let items = random.below(4);
            for position in 0..items {
                out.push_str(if lines { "\n  " } else { "" });
                toml_value(random, odd, depth + 1, out);
                out.push_str(if position + 1 < items || random.chance(4) { ", " } else { "" });
                if lines && random.chance(3) {
                    out.push_str("# c");
                }
            }
            out.push_str(if lines { "\n]" } else { "]" });
        }
    }
}

/// A TOML text; with `odd` also of spellings that a token does not keep.
pub(crate) fn toml(random: &mut Random, odd: bool) -> String {
    let mut out = String::new();
    for _ in 0..random.below(9) {
        match random.below(8) {
            0 => out.push_str("# note"),
            1 => {}
            2 => out.push_str(&format!("[{}]", key(random))),
            3 => out.push_str(&format!("[[{}]]  # of many", key(random))),
            _ => {
                out.push_str(&format!("{} = ", key(random)));
                toml_value(random, odd, 0, &mut out);
                if random.chance(5) {
                    out.push_str(" # behind");
                }
            }
        }
        out.push('\n');
    }
    if random.chance(6) {
        out.pop();
    }
    out
}

fn key(random: &mut Random) -> String {
    let mut key = random.pick(KEYS).to_owned();
    if random.chance(3) {
        key.push_str(random.pick(&[".x", " . y", ".'z'", ".a"]));
    }
    key
}
