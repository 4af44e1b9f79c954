//! Flags as Go's flag package reads them, and as SOPS's subcommands reorder them.
//!
//! *Source*: the SOPS format, section 9.1, and the real program.

use std::collections::BTreeMap;

use crate::document::parse_bool;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing; off unless it is given.
    Nothing,
    /// Nothing; on unless it is denied.
    NothingOn,
    Text,
    Number,
    /// A text each time that it is given.
    Texts,
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    /// Its names; the first one is what it is known by here.
    pub(super) names: &'static [&'static str],
    /// The variable that stands for it, or nothing.
    pub(super) variable: &'static str,
    pub(super) takes: Takes,
    /// What it is for.
    pub(super) help: &'static str,
}

/// A command line that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    /// Whether it is the line itself, so that the usage is shown; else it is a variable.
    pub(super) usage: bool,
    /// Whether nothing stands before the message there.
    pub(super) bare: bool,
}

/// The flags of one level, and what follows them.
#[derive(Clone, Debug, Default)]
pub(super) struct Parsed {
    /// What was given, by the first name: all values in their order.
    given: BTreeMap<&'static str, Vec<String>>,
    /// What the environment says.
    variables: BTreeMap<&'static str, String>,
    on: Vec<&'static str>,
    pub(super) rest: Vec<String>,
}

impl Parsed {
    /// The last value of a flag, else that of its variable; an empty one is none.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let given = self.given.get(name).and_then(|values| values.last());
        given.or_else(|| self.variables.get(name)).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Every value of a flag; of its variable the parts between commas.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        match (self.given.get(name), self.variables.get(name)) {
            (Some(values), _) => values.iter().map(String::as_str).collect(),
            (None, Some(text)) => text.split(',').map(str::trim).collect(),
            (None, None) => Vec::new(),
        }
    }

    /// Whether a switch is on.
    pub(super) fn is_set(&self, name: &str) -> bool {
        match self.given.get(name).and_then(|values| values.last()).or_else(|| self.variables.get(name)) {
            Some(value) => parse_bool(value.as_bytes()) == Some(true),
            None => self.on.contains(&name),
        }
    }

    /// Whether it was given on the command line.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// A number that is not zero.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.value(name).and_then(|text| text.parse().ok()).filter(|number| *number != 0)
    }
}

fn find(tables: &[&'static [Flag]], name: &str) -> Option<&'static Flag> {
    tables.iter().flat_map(|table| table.iter()).find(|flag| flag.names.contains(&name))
}

/// The name in a word that looks like a flag, and the value behind `=`.
fn split(word: &str) -> Option<(&str, Option<&str>)> {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).filter(|name| !name.is_empty())?;
    Some(match name.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (name, None),
    })
}

/// Reads the variables that stand for flags.
fn variables(
    tables: &[&'static [Flag]],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<&'static str, String>, Wrong> {
    let mut found = BTreeMap::new();
    for flag in tables.iter().flat_map(|table| table.iter()).filter(|flag| !flag.variable.is_empty()) {
        let Some(mut text) = environment(flag.variable) else { continue };
        if matches!(flag.takes, Takes::Nothing | Takes::NothingOn) {
            if text.is_empty() {
                text = "false".to_owned();
            } else if parse_bool(text.as_bytes()).is_none() {
                let (name, shown) = (flag.names[0], format!("{text:?}"));
                let message = format!(
                    "could not parse {text} as bool value for flag {name}: strconv.ParseBool: parsing {shown}: invalid syntax"
                );
                return Err(Wrong { message, usage: false, bare: false });
            }
        }
        found.insert(flag.names[0], text);
    }
    Ok(found)
}

/// Reads flags up to the first positional argument.
pub(super) fn parse(
    tables: &[&'static [Flag]],
    words: &[String],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Parsed, Wrong> {
    let wrong = |message: String| Wrong { message, usage: true, bare: false };
    let mut parsed = Parsed { variables: variables(tables, environment)?, ..Parsed::default() };
    let all = || tables.iter().flat_map(|table| table.iter());
    parsed.on = all().filter(|flag| flag.takes == Takes::NothingOn).map(|flag| flag.names[0]).collect();
    let mut used: BTreeMap<&'static str, &str> = BTreeMap::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            at += 1;
            break;
        }
        let Some((name, inline)) = split(word) else { break };
        at += 1;
        if name.is_empty() || name.starts_with('-') {
            return Err(wrong(format!("bad flag syntax: {word}")));
        }
        let Some(flag) = find(tables, name) else {
            return Err(wrong(format!("flag provided but not defined: -{name}")));
        };
        let first = flag.names[0];
        if used.insert(first, name).is_some_and(|before| before != name) {
            // No flag has more than two.
            let second = flag.names.last().unwrap_or(&first);
            let message = format!("Cannot use two forms of the same flag: {second} {first}");
            return Err(Wrong { message, usage: true, bare: true });
        }
        let switch = matches!(flag.takes, Takes::Nothing | Takes::NothingOn);
        let given = match inline {
            Some(value) => value.to_owned(),
            None if switch => "true".to_owned(),
            None => {
                at += 1;
                let Some(value) = words.get(at - 1) else {
                    return Err(wrong(format!("flag needs an argument: -{name}")));
                };
                value.clone()
            }
        };
        if switch && parse_bool(given.as_bytes()).is_none() {
            return Err(wrong(format!("invalid boolean value \"{given}\" for -{name}: parse error")));
        }
        if flag.takes == Takes::Number && given.parse::<i64>().is_err() {
            return Err(wrong(format!("invalid value \"{given}\" for flag -{name}: parse error")));
        }
        parsed.given.entry(first).or_default().push(given);
    }
    parsed.rest = words[at..].to_vec();
    Ok(parsed)
}

/// Puts known flags before everything else, each with the word behind it, whether or not it takes one: so flags of a
/// subcommand may also follow its file.
pub(super) fn reordered(tables: &[&'static [Flag]], words: &[String]) -> Vec<String> {
    let is_flag = |word: &String| {
        let name = word.trim_start_matches('-');
        word.starts_with('-') && find(tables, name.split('=').next().unwrap_or(name)).is_some()
    };
    let (mut front, mut back) = (Vec::new(), Vec::new());
    let mut takes_next = false;
    for (at, word) in words.iter().enumerate() {
        if is_flag(word) {
            front.push(word.clone());
            takes_next = !word.contains('=');
        } else if takes_next {
            front.push(word.clone());
            takes_next = false;
        } else if word == "--" {
            back.extend_from_slice(&words[at..]);
            break;
        } else {
            back.push(word.clone());
        }
    }
    front.append(&mut back);
    front
}

#[cfg(test)]
mod tests {
    use super::super::grammar::{APP, command};
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn of(name: &str) -> &'static [&'static [Flag]] {
        command(name).unwrap().flags
    }

    #[test]
    fn flags_are_go_s() {
        let parsed = parse(APP, &words("-e --in-place --age=a --age b f.yaml -d"), &nothing).unwrap();
        assert!(parsed.is_set("encrypt") && parsed.is_set("in-place") && !parsed.is_set("decrypt"));
        assert!(parsed.is_set("enable-local-keyservice") && parsed.values("age") == ["a", "b"]);
        assert_eq!((parsed.value("age"), parsed.rest.join(" ")), (Some("b"), "f.yaml -d".to_owned()));
        assert!(!parse(APP, &words("-i=false f"), &nothing).unwrap().is_set("in-place"));
        for (line, message) in [
            ("-di f", "flag provided but not defined: -di"),
            ("--age", "flag needs an argument: -age"),
            ("-i=maybe f", "invalid boolean value \"maybe\" for -i: parse error"),
            ("-a x --age y", "Cannot use two forms of the same flag: a age"),
            ("--indent x", "invalid value \"x\" for flag -indent: parse error"),
            ("---age x", "bad flag syntax: ---age"),
            ("-=x", "bad flag syntax: -=x"),
        ] {
            assert_eq!(parse(APP, &words(line), &nothing).unwrap_err().message, message);
        }
    }

    #[test]
    fn variables_stand_for_flags() {
        let environment = |name: &str| match name {
            "SOPS_KEYSERVICE" => Some("unix:///a, tcp://b:1".to_owned()),
            "SOPS_ENABLE_LOCAL_KEYSERVICE" => Some(String::new()),
            "SOPS_AGE_RECIPIENTS" => Some("age1".to_owned()),
            _ => None,
        };
        let parsed = parse(APP, &words("-a age2 f"), &environment).unwrap();
        assert_eq!((parsed.values("keyservice"), parsed.value("age")), (vec!["unix:///a", "tcp://b:1"], Some("age2")));
        assert!(!parsed.is_set("enable-local-keyservice"));
        let malformed = |name: &str| (name == "SOPS_DISABLE_VERSION_CHECK").then(|| "maybe".to_owned());
        let wrong = parse(APP, &words("f"), &malformed).unwrap_err();
        assert!(!wrong.usage && wrong.message.ends_with("parsing \"maybe\": invalid syntax"), "{wrong:?}");
    }

    #[test]
    fn subcommands_take_flags_behind_the_file() {
        let parse = |line: &str| parse(of("decrypt"), &reordered(of("decrypt"), &words(line)), &nothing).unwrap();
        let parsed = parse("f.yaml --extract k -i");
        assert_eq!(
            (parsed.value("extract"), parsed.is_set("in-place"), parsed.rest.join(" ")),
            (Some("k"), true, "f.yaml".into())
        );
        // The word behind a switch is moved with it, which puts it before the file.
        assert_eq!(parse("f.yaml --ignore-mac other").rest, ["other", "f.yaml"]);
        assert_eq!(parse("f.yaml -- -i").rest, ["f.yaml", "--", "-i"]);
        assert_eq!(reordered(of("set"), &words("f [\"a\"] -5")), ["f", "[\"a\"]", "-5"]);
    }
}
