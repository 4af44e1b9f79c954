//! One rule: its keys, its selector, its groups.

use super::{Lint, words};
use crate::keys::{KeyKind, Recipient};
use crate::sops::rules::loose::truth;
use crate::sops::rules::node::{Content, Node};
use crate::sops::{Pattern, Selector};

/// The creation rules.
pub(super) fn rules(key: &Node, value: &Node, lint: &mut Lint) {
    match &value.value {
        Content::Null => lint.add(
            "no-rules",
            key,
            "`creation_rules` is empty, which SOPS takes for no configuration at all",
            "write a rule, or remove the line",
        ),
        Content::List(rules) if rules.is_empty() => lint.add(
            "no-rules",
            key,
            "`creation_rules` is an empty list: every `encrypt` fails below this folder",
            "write a rule, or remove the line",
        ),
        Content::List(rules) => rules.iter().for_each(|rule| creation(rule, lint)),
        _ => lint.add("wrong-type", value, "`creation_rules` is no list", "begin each rule with `- `"),
    }
}

fn creation(rule: &Node, lint: &mut Lint) {
    let Content::Map(entries) = &rule.value else {
        lint.add("wrong-type", rule, "a rule is a mapping", "write `path_regex:` and the keys");
        return;
    };
    for (key, _) in entries {
        words::known(key, words::RULE, "a rule", lint);
    }
    path(rule, lint);
    selectors(rule, lint);
    switch(rule, "mac_only_encrypted", lint);
    let groups = rule.get("key_groups").map(Node::items).unwrap_or_default();
    if groups.is_empty() {
        let mut named = false;
        for (key, value) in entries {
            let Some(word) = key.text().filter(|word| words::KEYS.contains(word)) else { continue };
            named |= recipients(word, value, lint) > 0;
        }
        if !named {
            lint.add(
                "no-recipients",
                rule,
                "this rule names nobody to encrypt for; `sops encrypt` fails where it matches",
                "name a recipient: `age: age1…`",
            );
        }
    } else {
        for (key, _) in entries.iter().filter(|(key, _)| key.text().is_some_and(|word| words::KEYS.contains(&word))) {
            let word = key.text().unwrap_or_default();
            lint.add(
                "ignored-keys",
                key,
                format!(
                    "`{word}` stands beside `key_groups`, and SOPS ignores it: these recipients cannot open the file"
                ),
                "put them into a group, or remove them",
            );
        }
        groups.iter().for_each(|group| key_group(group, lint));
    }
    threshold(rule, groups, lint);
}

/// What `path_regex` can never match, or what SOPS stops at.
fn path(rule: &Node, lint: &mut Lint) {
    let Some(value) = rule.get("path_regex") else { return };
    let Some(source) = value.text() else {
        lint.add("wrong-type", value, "`path_regex` is no text", "put it into single quotes");
        return;
    };
    if let Err(error) = Pattern::new(source) {
        let glob = if source.starts_with('*') { " (a regular expression, not a pattern of the shell)" } else { "" };
        let mend = format!("SOPS stops where it reaches this rule; mend the expression{glob}");
        lint.add("invalid-regex", value, error.to_string(), mend);
    } else if source.starts_with("^/") || source.starts_with("^\\./") || source.starts_with("^./") {
        lint.add(
            "unreachable",
            value,
            "paths are relative to this file and begin with a name, so that this never matches",
            "begin it with the folder's name: `^secrets/`",
        );
    }
}

/// An invalid selector is the one that writes a whole file in clear.
///
/// *Source*: the SOPS format, section 13, number 15.
fn selectors(rule: &Node, lint: &mut Lint) {
    let mut first: Option<&str> = None;
    for (key, value) in rule.entries() {
        let Some(field) = key.text().filter(|word| Selector::FIELDS.contains(word)) else { continue };
        let Some(text) = value.text() else {
            if !value.is_null() {
                lint.add("wrong-type", value, format!("`{field}` is no text"), "put it into single quotes");
            }
            continue;
        };
        if text.is_empty() {
            continue;
        }
        if let Some(first) = first {
            let message = format!("`{field}` stands beside `{first}`; a rule has one selector, and SOPS refuses two");
            lint.add("two-selectors", key, message, "remove one of them");
        }
        first = Some(field);
        if let Err(error) = Selector::of_field(field, text) {
            let effect = if field.starts_with("encrypted") {
                "SOPS ignores it and writes every value in clear"
            } else {
                "SOPS ignores it and encrypts every value"
            };
            lint.add("invalid-regex", value, format!("{error}; {effect}"), "mend the expression");
        }
    }
}

/// How many recipients a key of a rule names; those that are none are said.
fn recipients(word: &str, value: &Node, lint: &mut Lint) -> usize {
    let Some(kind) = kind_of(word) else { return 0 };
    let texts: Vec<&Node> = match &value.value {
        Content::List(items) => items.iter().collect(),
        Content::Text(_) if word == "hckms" => {
            lint.add("wrong-type", value, "`hckms` is no list", "begin each key with `- `");
            return 0;
        }
        _ => vec![value],
    };
    let mut found = 0;
    for node in texts {
        let Some(text) = node.text() else {
            if !node.is_null() {
                lint.add("wrong-type", node, format!("`{word}` holds something that is no text"), "put it into quotes");
            }
            continue;
        };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            found += 1;
            if let Err(error) = Recipient::parse(kind, part) {
                lint.add(
                    "invalid-recipient",
                    node,
                    error.to_string(),
                    "mend or remove it; nothing is encrypted until then",
                );
            }
        }
    }
    found
}

/// The kind of recipients that a key of a rule or of a group names.
pub(super) fn kind_of(word: &str) -> Option<KeyKind> {
    Some(match word {
        "azure_keyvault" => KeyKind::AzureKeyVault,
        "hc_vault_transit_uri" | "hc_vault" => KeyKind::VaultTransit,
        word => KeyKind::of_word(word)?,
    })
}

fn key_group(group: &Node, lint: &mut Lint) {
    if group_keys(group, lint) == 0 {
        lint.add(
            "no-recipients",
            group,
            "this key group is empty, and SOPS refuses to encrypt with it",
            "name a recipient in it, or remove it",
        );
    }
}

/// How many keys a group has, those of merged groups included.
fn group_keys(group: &Node, lint: &mut Lint) -> usize {
    let mut found = 0;
    for (key, value) in group.entries() {
        words::known(key, words::GROUP, "a key group", lint);
        found += match key.text().unwrap_or_default() {
            "merge" => value.items().iter().map(|merged| group_keys(merged, lint)).sum(),
            word @ ("age" | "pgp" | "hc_vault") => recipients(word, value, lint),
            _ => value.items().len(),
        };
    }
    found
}

/// Two groups silently mean that one key of each is needed.
///
/// *Source*: the SOPS format, section 4.
fn threshold(rule: &Node, groups: &[Node], lint: &mut Lint) {
    let given =
        rule.entry("shamir_threshold").filter(|(_, value)| !matches!(value.value, Content::Null | Content::Number(0)));
    let count = groups.len();
    let Some((key, value)) = given else {
        if let (Some((key, _)), true) = (rule.entry("key_groups"), count > 1) {
            lint.add(
                "silent-shamir",
                key,
                format!("{count} key groups split the data key: it takes one key of each of them to open a file"),
                format!(
                    "if that is meant, say so: `shamir_threshold: {count}`; if any key shall be enough, put all of \
                     them into one group"
                ),
            );
        }
        return;
    };
    let Content::Number(number) = value.value else {
        lint.add("wrong-type", value, "`shamir_threshold` is no whole number", "write how many groups it takes");
        return;
    };
    let most = i128::try_from(count).unwrap_or(i128::MAX);
    if count < 2 {
        lint.add(
            "silent-shamir",
            key,
            "`shamir_threshold` has no effect on a single group: any of its keys opens a file",
            "remove it, or make groups of the keys",
        );
    } else if number < 2 {
        lint.add(
            "silent-shamir",
            value,
            format!("a threshold of {number} is refused by SOPS where there are {count} groups"),
            "write 2 or more; if any key shall be enough, put all of them into one group",
        );
    } else if number > most {
        lint.add(
            "silent-shamir",
            value,
            format!("it takes {number} groups, and there are {count}: nothing can be encrypted"),
            format!("write {count} or less"),
        );
    }
}

/// A switch of a rule; SOPS reads none of the file if one is something else than a truth value.
fn switch(rule: &Node, word: &'static str, lint: &mut Lint) {
    let Some(value) = rule.get(word) else { return };
    if truth(&value.value).is_none() {
        lint.add("wrong-type", value, format!("`{word}` is no truth value"), "write true or false, without quotes");
    }
}

/// The rules of `publish`.
pub(super) fn destinations(value: &Node, lint: &mut Lint) {
    for rule in value.items() {
        for (key, _) in rule.entries() {
            words::known(key, words::DESTINATION, "a destination rule", lint);
        }
        path(rule, lint);
        switch(rule, "omit_extensions", lint);
        let kinds = ["s3_bucket", "gcs_bucket", "vault_path"];
        let named: Vec<&str> = kinds.into_iter().filter(|word| rule.get(word).is_some()).collect();
        if named.len() != 1 {
            lint.add(
                "destination",
                rule,
                if named.is_empty() {
                    "this rule names no destination; `publish` fails where it matches".to_owned()
                } else {
                    format!("this rule names {} destinations; `publish` takes one", named.len())
                },
                "name one of `s3_bucket`, `gcs_bucket`, `vault_path`",
            );
        }
        if let Some(again) = rule.get("recreation_rule") {
            again.entries().iter().for_each(|(key, _)| words::known(key, words::RULE, "a rule", lint));
            for field in Selector::FIELDS.into_iter().filter(|field| field.ends_with("regex")) {
                if let Some((key, _)) = again.entry(field).filter(|(_, value)| !value.is_null()) {
                    lint.add(
                        "ignored-keys",
                        key,
                        format!("`{field}` of a recreation rule is ignored by `sops publish`"),
                        "use a suffix, or publish the file as it is",
                    );
                }
            }
        }
    }
}
