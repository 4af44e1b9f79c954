//! Documents by a seed, with everything in them that YAML, JSON and dotenv share or do not.

/// A small generator: the same seed gives the same documents everywhere.
pub struct Seed(u64);

impl Seed {
    pub fn new(number: u64) -> Self {
        Self(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_4E5B)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % bound
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const KEYS: [&str; 14] = [
    "password",
    "user",
    "data",
    "token_unencrypted",
    "x_secret",
    "db",
    "hosts",
    "key",
    "naïve",
    "a b",
    "a:b",
    "A",
    "n1",
    "sops_mac",
];
const WORDS: [&str; 12] = [
    "blue",
    "heron house",
    "ünïcode ☃",
    "it's",
    "a\\b",
    "p@ss",
    "value: no",
    "x#y",
    "C:\\dir",
    "50%",
    "a, b",
    "CANARY-heron",
];
const TYPED: [&str; 24] = [
    "0",
    "1",
    "-17",
    "9223372036854775807",
    "1.5",
    "1.50",
    "-0.0",
    "1e3",
    "1E-7",
    "6.02e23",
    "true",
    "false",
    "null",
    "123456789.125",
    "2024-01-02T03:04:05Z",
    "2024-01-02T03:04:05.250+02:00",
    "True",
    "FALSE",
    "~",
    ".inf",
    "5.",
    ".5",
    "+5",
    "1e21",
];
const JSON_TYPED: [&str; 12] =
    ["0", "-17", "9223372036854775807", "1.5", "1.50", "-0.0", "1e3", "1E-7", "6.02e23", "true", "false", "null"];
const COMMENTS: [&str; 6] = [" note", "", " sops:enc here", " plain: text", " ünïcode", "no blank"];

/// A JSON object on several lines.
pub fn json(seed: &mut Seed) -> String {
    let mut out = String::new();
    json_object(seed, 0, &mut out);
    out.push('\n');
    out
}

fn json_object(seed: &mut Seed, depth: usize, out: &mut String) {
    out.push('{');
    let count = seed.below(5) + usize::from(depth == 0);
    for index in 0..count {
        out.push_str(if index > 0 { ",\n" } else { "\n" });
        out.push_str(&"  ".repeat(depth + 1));
        let key = format!("{}{index}", seed.pick(&KEYS));
        out.push_str(&serde_json::Value::from(key).to_string());
        out.push_str(": ");
        json_value(seed, depth + 1, out);
    }
    if count > 0 {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push('}');
}

fn json_value(seed: &mut Seed, depth: usize, out: &mut String) {
    match seed.below(if depth < 4 { 10 } else { 7 }) {
        0..=3 => out.push_str(&serde_json::Value::from(text(seed)).to_string()),
        4..=6 => out.push_str(seed.pick(&JSON_TYPED)),
        7 => {
            out.push('[');
            for index in 0..seed.below(4) {
                out.push_str(if index > 0 { ", " } else { "" });
                json_value(seed, depth + 1, out);
            }
            out.push(']');
        }
        _ => json_object(seed, depth, out),
    }
}

fn text(seed: &mut Seed) -> String {
    match seed.below(8) {
        0 => String::new(),
        1 => format!("{}\n{}\n", seed.pick(&WORDS), seed.pick(&WORDS)),
        2 => seed.pick(&TYPED).to_owned(),
        3 => "long ".repeat(seed.below(60)),
        _ => seed.pick(&WORDS).to_owned(),
    }
}

/// A dotenv file.
pub fn dotenv(seed: &mut Seed) -> String {
    let mut out = String::new();
    for index in 0..seed.below(8) {
        match seed.below(6) {
            0 => out.push_str(&format!("#{}\n", seed.pick(&COMMENTS))),
            1 => out.push('\n'),
            _ => {
                let value = text(seed).replace('\n', "\\n");
                out.push_str(&format!(
                    "{}{index}={value}\n",
                    seed.pick(&["PASSWORD", "DB", "x_unencrypted", "A ", "export B"])
                ));
            }
        }
    }
    if seed.one_in(5) && out.ends_with('\n') {
        out.pop();
    }
    out
}

/// A YAML document with comments, styles and blank lines.
pub fn yaml(seed: &mut Seed) -> String {
    let mut out = String::new();
    let documents = if seed.one_in(8) { 2 } else { 1 };
    for number in 0..documents {
        if number > 0 {
            out.push_str("---\n");
        }
        let indent = seed.pick(&["  ", "    "]);
        yaml_mapping(seed, indent, 0, &mut out);
    }
    if seed.one_in(6) {
        out = out.replace('\n', "\r\n");
    }
    if seed.one_in(6) && !out.contains("|") {
        out.truncate(out.trim_end().len());
    }
    out
}

fn comment_lines(seed: &mut Seed, margin: &str, out: &mut String) {
    if seed.one_in(7) {
        out.push('\n');
    }
    if seed.one_in(4) {
        for _ in 0..=seed.below(2) {
            out.push_str(&format!("{margin}#{}\n", seed.pick(&COMMENTS)));
        }
        if seed.one_in(4) {
            out.push('\n');
        }
    }
}

fn yaml_mapping(seed: &mut Seed, indent: &str, depth: usize, out: &mut String) {
    let margin = indent.repeat(depth);
    for index in 0..=seed.below(4) {
        comment_lines(seed, &margin, out);
        let key = format!("{}{index}", seed.pick(&KEYS));
        let key = if key.contains(": ") { format!("'{key}'") } else { key };
        out.push_str(&format!("{margin}{key}:"));
        yaml_value(seed, indent, depth, out);
    }
}

/// What follows `key:` or `-`, up to and with its line break.
fn yaml_value(seed: &mut Seed, indent: &str, depth: usize, out: &mut String) {
    match seed.below(if depth < 3 { 12 } else { 8 }) {
        0..=7 => yaml_scalar(seed, indent, depth, out),
        8 | 9 => {
            out.push_str(if seed.one_in(5) { " # open\n" } else { "\n" });
            yaml_mapping(seed, indent, depth + 1, out);
        }
        10 => {
            out.push('\n');
            for _ in 0..=seed.below(3) {
                comment_lines(seed, &indent.repeat(depth + 1), out);
                out.push_str(&format!("{}-", indent.repeat(depth + 1)));
                yaml_scalar(seed, indent, depth + 1, out);
            }
        }
        _ => {
            let items: Vec<String> = (0..seed.below(4)).map(|_| flow_scalar(seed)).collect();
            match seed.below(3) {
                0 => out.push_str(" {}\n"),
                1 => out.push_str(&format!(" [{}]\n", items.join(", "))),
                _ => out.push_str(&format!(" {{k: {}, l: [{}]}}\n", flow_scalar(seed), items.join(", "))),
            }
        }
    }
}

fn flow_scalar(seed: &mut Seed) -> String {
    match seed.below(3) {
        0 => seed.pick(&TYPED).to_owned(),
        1 => format!("'{}'", seed.pick(&WORDS).replace('\'', "''")),
        _ => "plain word".to_owned(),
    }
}

fn yaml_scalar(seed: &mut Seed, indent: &str, depth: usize, out: &mut String) {
    let inner = indent.repeat(depth + 1);
    let tail = if seed.one_in(6) { format!(" #{}\n", seed.pick(&COMMENTS)) } else { "\n".to_owned() };
    match seed.below(9) {
        0 => out.push_str(&format!(" '{}'{tail}", text(seed).replace('\n', " ").replace('\'', "''"))),
        1 => out.push_str(&format!(" {}{tail}", serde_json::Value::from(text(seed)))),
        2 => {
            let header = seed.pick(&[" |", " |-", " |+", " >", " >-"]);
            out.push_str(&format!("{header}\n{inner}{}\n\n{inner}{}\n", seed.pick(&WORDS), seed.pick(&WORDS)));
        }
        3 | 4 => out.push_str(&format!(" {}{tail}", seed.pick(&TYPED))),
        5 => out.push_str(&tail),
        _ => {
            out.push_str(&format!(" {}{tail}", seed.pick(&["blue", "heron house", "ünïcode ☃", "it's", "a\\b", "x#y"])))
        }
    }
}
