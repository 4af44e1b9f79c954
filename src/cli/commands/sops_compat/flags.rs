//! Flags as Go's flag package reads them, and as SOPS's subcommands reorder them.

use std::collections::BTreeMap;

use super::exit::Exit;
use crate::document::parse_bool;

/// One flag: its names, the variable that stands for it, and whether it takes a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    names: &'static [&'static str],
    variable: &'static str,
    value: bool,
}

const fn value(names: &'static [&'static str], variable: &'static str) -> Flag {
    Flag { names, variable, value: true }
}

const fn switch(names: &'static [&'static str]) -> Flag {
    Flag { names, variable: "", value: false }
}

/// Before a subcommand, and read whatever the command is.
pub(super) const GLOBAL: &[Flag] = &[
    value(&["config"], "SOPS_CONFIG"),
    value(&["indent"], ""),
    switch(&["mac-only-encrypted"]),
    switch(&["verbose"]),
    switch(&["disable-version-check"]),
    switch(&["check-for-updates"]),
    switch(&["version", "v"]),
    switch(&["help", "h"]),
];

/// Without a subcommand.
pub(super) const LEGACY: &[Flag] = &[
    switch(&["decrypt", "d"]),
    switch(&["encrypt", "e"]),
    switch(&["rotate", "r"]),
    switch(&["show-master-keys", "s"]),
    value(&["set"], ""),
    value(&["unencrypted-comment-regex"], ""),
    value(&["encrypted-comment-regex"], ""),
];

/// Of `encrypt`.
pub(super) const ENCRYPT: &[Flag] = &[
    switch(&["in-place", "i"]),
    value(&["output"], ""),
    value(&["filename-override"], ""),
    value(&["input-type"], ""),
    value(&["output-type"], ""),
    value(&["kms", "k"], "SOPS_KMS_ARN"),
    value(&["aws-profile"], ""),
    value(&["gcp-kms"], "SOPS_GCP_KMS_IDS"),
    value(&["hckms"], "SOPS_HUAWEICLOUD_KMS_IDS"),
    value(&["azure-kv"], "SOPS_AZURE_KEYVAULT_URLS"),
    value(&["hc-vault-transit"], "SOPS_VAULT_URIS"),
    value(&["pgp", "p"], "SOPS_PGP_FP"),
    value(&["age", "a"], "SOPS_AGE_RECIPIENTS"),
    value(&["encryption-context"], ""),
    value(&["unencrypted-suffix"], ""),
    value(&["encrypted-suffix"], ""),
    value(&["unencrypted-regex"], ""),
    value(&["encrypted-regex"], ""),
    value(&["shamir-secret-sharing-threshold"], ""),
    switch(&["enable-local-keyservice"]),
    value(&["keyservice"], "SOPS_KEYSERVICE"),
    switch(&["help", "h"]),
];

/// Of `decrypt`.
pub(super) const DECRYPT: &[Flag] = &[
    switch(&["in-place", "i"]),
    value(&["extract"], ""),
    value(&["output"], ""),
    switch(&["ignore-mac"]),
    value(&["filename-override"], ""),
    value(&["input-type"], ""),
    value(&["output-type"], ""),
    value(&["decryption-order"], "SOPS_DECRYPTION_ORDER"),
    switch(&["enable-local-keyservice"]),
    value(&["keyservice"], "SOPS_KEYSERVICE"),
    switch(&["help", "h"]),
];

/// Key types that cannot be wrapped for yet.
pub(super) const OTHER_KEYS: [&str; 6] = ["kms", "gcp-kms", "hckms", "azure-kv", "hc-vault-transit", "pgp"];

/// A parsed command line: the last value of every flag under its first name, and what follows the flags.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    values: BTreeMap<&'static str, String>,
    variables: BTreeMap<&'static str, &'static str>,
    pub(super) rest: Vec<String>,
}

impl Parsed {
    /// The value a flag was given.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The variable that stands for a flag which was not given.
    pub(super) fn variable(&self, name: &str) -> Option<&'static str> {
        if self.values.contains_key(name) {
            None
        } else {
            self.variables.get(name).copied().filter(|name| !name.is_empty())
        }
    }

    /// Whether a switch is on.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| parse_bool(value.as_bytes()) == Some(true))
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

/// Reads flags up to the first positional argument.
pub(super) fn parse(tables: &[&'static [Flag]], words: &[String]) -> Result<Parsed, Exit> {
    let mut parsed = Parsed::default();
    for flag in tables.iter().flat_map(|table| table.iter()) {
        parsed.variables.insert(flag.names[0], flag.variable);
    }
    let mut used: BTreeMap<&'static str, String> = BTreeMap::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            at += 1;
            break;
        }
        let Some((name, inline)) = split(word) else { break };
        at += 1;
        let Some(flag) = find(tables, name) else {
            return Err(Exit::usage(format!("flag provided but not defined: -{name}")));
        };
        let first = flag.names[0];
        if used.insert(first, name.to_owned()).is_some_and(|before| before != name) {
            return Err(Exit::usage(format!("Cannot use two forms of the same flag: {}", flag.names.join(" "))));
        }
        let given = match (flag.value, inline) {
            (_, Some(value)) => value.to_owned(),
            (false, None) => "true".to_owned(),
            (true, None) => {
                at += 1;
                let Some(value) = words.get(at - 1) else {
                    return Err(Exit::usage(format!("flag needs an argument: -{name}")));
                };
                value.clone()
            }
        };
        if !flag.value && parse_bool(given.as_bytes()).is_none() {
            return Err(Exit::usage(format!("invalid boolean value \"{given}\" for -{name}: parse error")));
        }
        parsed.values.insert(first, given);
    }
    parsed.rest = words[at..].to_vec();
    Ok(parsed)
}

/// Reads the flags of a subcommand, which may also follow its file: known flags are moved to the front, each with the
/// word behind it, whether or not it takes one.
pub(super) fn parse_reordered(tables: &[&'static [Flag]], words: &[String]) -> Result<Parsed, Exit> {
    let is_flag = |word: &String| split(word).is_some_and(|(name, _)| find(tables, name).is_some());
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
    parse(tables, &front)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn flags_are_go_s() {
        let parsed = parse(&[LEGACY, ENCRYPT], &words("-e --in-place --age=a --age b f.yaml -d")).unwrap();
        assert!(parsed.is_set("encrypt") && parsed.is_set("in-place") && !parsed.is_set("decrypt"));
        assert_eq!((parsed.value("age"), parsed.rest.join(" ")), (Some("b"), "f.yaml -d".to_owned()));
        assert!(!parse(&[ENCRYPT], &words("-i=false f")).unwrap().is_set("in-place"));
        for (line, message) in [
            ("-di f", "flag provided but not defined: -di"),
            ("--age", "flag needs an argument: -age"),
            ("-i=maybe f", "invalid boolean value \"maybe\" for -i: parse error"),
            ("-a x --age y", "Cannot use two forms of the same flag: age a"),
        ] {
            assert_eq!(parse(&[ENCRYPT], &words(line)).unwrap_err().message, message);
        }
    }

    #[test]
    fn subcommands_take_flags_behind_the_file() {
        let parsed = parse_reordered(&[DECRYPT], &words("f.yaml --extract k -i")).unwrap();
        assert_eq!(
            (parsed.value("extract"), parsed.is_set("in-place"), parsed.rest.join(" ")),
            (Some("k"), true, "f.yaml".to_owned())
        );
        // The word behind a switch is moved with it, which puts it before the file.
        let parsed = parse_reordered(&[DECRYPT], &words("f.yaml --ignore-mac other")).unwrap();
        assert_eq!(parsed.rest, ["other", "f.yaml"]);
        let parsed = parse_reordered(&[DECRYPT], &words("f.yaml -5 -- -i")).unwrap();
        assert_eq!(parsed.rest, ["f.yaml", "-5", "--", "-i"]);
    }
}
