//! `.sops.yaml` under a lens: what SOPS reads in another way than its author meant, silently.
//!
//! SOPS ignores unknown keys, takes an invalid selector for one that never matches, and never says that a rule cannot be
//! reached or that two key groups split the key. Each check says where and what to do.

mod reach;
mod rule;
mod words;

use crate::keys::Recipient;

use super::rules::node::{Content, Node};
use super::{Problem, RuleSet, SopsError};

/// A file that the rules may be for.
#[derive(Clone, Debug)]
pub struct KnownFile {
    /// Its path, relative to the folder of the rules, with `/`.
    pub path: String,
    /// Who can open it; `None` if it is not encrypted.
    pub recipients: Option<Vec<Recipient>>,
}

/// Problems that the reader of the rules stops at.
const FATAL: &[&str] = &["invalid-regex", "invalid-recipient", "two-selectors", "wrong-type"];

/// Collects what is wrong with the rules.
#[derive(Default)]
struct Lint {
    list: Vec<Problem>,
}

impl Lint {
    fn add(&mut self, check: &'static str, at: &Node, message: impl Into<String>, mend: impl Into<String>) {
        let (line, column) = (at.line, at.column);
        let problem = Problem { check, line, column, message: message.into(), mend: mend.into() };
        if !self.list.contains(&problem) {
            self.list.push(problem);
        }
    }
}

/// What is wrong with the text of a `.sops.yaml`, by line. `files` are those that the rules may be for; without them
/// nothing is said of recipients that no file names, and less of rules that are never reached.
///
/// ```
/// let problems = lockage::sops::lint_rules("creation_rules:\n  - encrypted_regx: ^data$\n", &[]);
/// let problem = problems.iter().find(|problem| problem.check == "unknown-key").ok_or("nothing found")?;
/// assert_eq!((problem.line, problem.column), (2, 5));
/// assert!(problem.mend.contains("`encrypted_regex`"));
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn lint_rules(text: &str, files: &[KnownFile]) -> Vec<Problem> {
    let mut lint = Lint::default();
    let mut bytes = text.as_bytes();
    if let Some(Ok(root)) = serde_saphyr::read::<_, Node>(&mut bytes).next() {
        file(&root, text, &mut lint);
        if let Some(rules) = root.get("creation_rules") {
            reach::rules(rules.items(), files, &mut lint);
        }
    }
    // What the reader of the rules refuses is a problem whether or not a check above knows why.
    if let Err(SopsError::Rules { line, column, problem, .. }) = RuleSet::parse(text, "")
        && !lint.list.iter().any(|known| known.line >= line && FATAL.contains(&known.check))
    {
        let mend = "mend it; until then no file is encrypted or decrypted below this folder".to_owned();
        lint.list.push(Problem { check: "unreadable-rules", line, column, message: problem, mend });
    }
    lint.list.sort_by_key(|problem| (problem.line, problem.column));
    lint.list
}

/// The top of the file.
fn file(root: &Node, text: &str, lint: &mut Lint) {
    if root.is_null() {
        return;
    }
    let Content::Map(entries) = &root.value else {
        lint.add("wrong-type", root, "a mapping is expected", "write `creation_rules:` and its list");
        return;
    };
    for (key, value) in entries {
        // Anchors for later use stand under names of the author's own.
        let name = key.text().unwrap_or_default();
        let own = name.starts_with("x-") || name.starts_with(['.', '_']);
        if !own && (words::near(name, words::FILE).is_some() || !defines_anchor(text, key)) {
            words::known(key, words::FILE, "the file", lint);
        }
        match name {
            "creation_rules" => rule::rules(key, value, lint),
            "destination_rules" => rule::destinations(value, lint),
            "stores" => stores(value, lint),
            _ => {}
        }
    }
}

/// Whether an anchor stands in the lines from `key` to the next key of its column.
fn defines_anchor(text: &str, key: &Node) -> bool {
    let mut lines = text.lines().skip(key.line.saturating_sub(1));
    let first = lines.next().unwrap_or_default();
    let below = lines.take_while(|line| line.is_empty() || line.starts_with([' ', '\t', '-', '#']));
    let marks = |line: &str| line.split([' ', '\t', '[', '{', ',']).any(|word| word.len() > 1 && word.starts_with('&'));
    marks(first) || below.into_iter().any(marks)
}

/// *Source*: the SOPS format, section 8.2.
fn stores(value: &Node, lint: &mut Lint) {
    for (key, settings) in value.entries() {
        words::known(key, words::STORES, "`stores`", lint);
        for (key, value) in settings.entries() {
            words::known(key, &["indent"], "a store", lint);
            if !matches!(value.value, Content::Number(_)) && !value.is_null() {
                lint.add("wrong-type", value, "`indent` is no whole number", "write how many blanks");
            }
        }
    }
}
