//! Rules that nothing reaches, and recipients that nothing was encrypted for.

use super::rule::kind_of;
use super::{KnownFile, Lint, words};
use crate::keys::Recipient;
use crate::sops::rules::node::{Content, Node};
use crate::sops::{Pattern, same_key};

/// A rule as far as its paths go.
struct Reach<'n> {
    node: &'n Node,
    source: &'n str,
    /// `None` if the expression is invalid, which is another problem.
    pattern: Option<Pattern>,
}

/// Looks at all rules together.
pub(super) fn rules(rules: &[Node], files: &[KnownFile], lint: &mut Lint) {
    let reaches: Vec<Reach<'_>> = rules.iter().map(reach).collect();
    for (at, rule) in reaches.iter().enumerate() {
        let shadow = reaches[..at].iter().find(|earlier| covers(earlier.source, rule.source));
        match shadow.or_else(|| taken(&reaches[..at], rule, files)) {
            Some(earlier) => {
                lint.add(
                    "unreachable",
                    rule.node,
                    format!(
                        "this rule is never reached: the rule at line {} takes every file before it",
                        earlier.node.line
                    ),
                    "put it before that rule, or remove it",
                );
            }
            None => strangers(&reaches[..at], rule, files, lint),
        }
    }
}

fn reach(node: &Node) -> Reach<'_> {
    let source = node.get("path_regex").and_then(Node::text).unwrap_or_default();
    Reach { node, source, pattern: Pattern::new(source).ok() }
}

impl Reach<'_> {
    fn matches(&self, file: &KnownFile) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(file.path.as_bytes()))
    }
}

/// Whether one expression surely matches all that another does: it matches everything, is the same, or is a plain text
/// that every match of the other one begins with or holds.
fn covers(earlier: &str, later: &str) -> bool {
    if matches!(earlier, "" | "^" | "$" | ".*" | "^.*" | ".*$" | "^.*$" | ".+" | "^.+$" | "." | "^.")
        || earlier == later
    {
        return true;
    }
    let (text, whole) = plain(earlier.strip_prefix('^').unwrap_or(earlier));
    if !whole || text.is_empty() {
        return false;
    }
    let (beginning, _) = plain(later.strip_prefix('^').unwrap_or(later));
    match earlier.starts_with('^') {
        true => later.starts_with('^') && beginning.starts_with(&text),
        false => beginning.contains(&text),
    }
}

/// The text that a match has to begin with, up to the first sign that is not plain, and whether that is all of the
/// expression. Where there are alternatives there is none.
fn plain(source: &str) -> (String, bool) {
    let mut text = String::new();
    if source.contains('|') {
        return (text, false);
    }
    let mut letters = source.chars().peekable();
    while let Some(letter) = letters.next() {
        let plain = match letter {
            '\\' => match letters.next() {
                Some(sign) if sign.is_ascii_punctuation() => sign,
                _ => return (text, false),
            },
            letter if letter.is_alphanumeric() || "/_-~@%,:;=!#&'\"<> ".contains(letter) => letter,
            _ => return (text, false),
        };
        // What is repeated may be there no time at all.
        if matches!(letters.peek(), Some('*' | '?' | '{' | '+')) {
            return (text, false);
        }
        text.push(plain);
    }
    (text, true)
}

/// The earlier rule that takes all of the files that a rule is for, if there are such files.
fn taken<'r, 'n>(earlier: &'r [Reach<'n>], rule: &Reach<'_>, files: &[KnownFile]) -> Option<&'r Reach<'n>> {
    let mut by = None;
    for file in files.iter().filter(|file| rule.matches(file)) {
        by = Some(earlier.iter().find(|earlier| earlier.matches(file))?);
    }
    by
}

/// Recipients of a rule that none of its encrypted files names.
fn strangers(earlier: &[Reach<'_>], rule: &Reach<'_>, files: &[KnownFile], lint: &mut Lint) {
    let mine = |file: &&KnownFile| rule.matches(file) && !earlier.iter().any(|earlier| earlier.matches(file));
    let known: Vec<&Recipient> =
        files.iter().filter(mine).filter_map(|file| file.recipients.as_ref()).flatten().collect();
    if known.is_empty() {
        return;
    }
    for (node, recipient) in named(rule.node) {
        let there = known.iter().any(|known| same_key(&recipient, known));
        if !there {
            lint.add(
                "unknown-recipient",
                node,
                format!("no file that is encrypted by this rule names `{recipient}`"),
                "run `sops updatekeys` on the files, or remove the recipient",
            );
        }
    }
}

/// The recipients that are written as text, each with its place.
fn named(rule: &Node) -> Vec<(&Node, Recipient)> {
    let mut found = Vec::new();
    let groups = rule.get("key_groups").map(Node::items).unwrap_or_default();
    if groups.is_empty() {
        words::KEYS.iter().filter_map(|word| Some((*word, rule.get(word)?))).for_each(|(word, value)| {
            texts(word, value, &mut found);
        });
    }
    for group in groups {
        in_group(group, &mut found);
    }
    found
}

fn in_group<'n>(group: &'n Node, found: &mut Vec<(&'n Node, Recipient)>) {
    for (key, value) in group.entries() {
        match key.text() {
            Some("merge") => value.items().iter().for_each(|merged| in_group(merged, found)),
            Some(word @ ("age" | "pgp" | "hc_vault")) => texts(word, value, found),
            Some(word) => {
                let fields = [("kms", "arn"), ("gcp_kms", "resource_id"), ("hckms", "key_id")];
                let Some((_, field)) = fields.iter().find(|(list, _)| *list == word) else { continue };
                value.items().iter().filter_map(|item| item.get(field)).for_each(|node| texts(word, node, found));
            }
            None => {}
        }
    }
}

fn texts<'n>(word: &str, value: &'n Node, found: &mut Vec<(&'n Node, Recipient)>) {
    let Some(kind) = kind_of(word) else { return };
    let nodes = if let Content::List(items) = &value.value { &items[..] } else { std::slice::from_ref(value) };
    for node in nodes {
        let parts = node.text().unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty());
        found.extend(parts.filter_map(|part| Some((node, Recipient::parse(kind, part).ok()?))));
    }
}
