//! What can be said of an encrypted file without a key: is it whole as far as its shape tells, and is it what its rule
//! wants?

mod block;
mod leaves;
mod reading;
mod recipients;
mod shape;

pub(crate) use block::block;
pub(crate) use leaves::{Worth, worth};
pub(crate) use reading::{is_governed, read_as_named};
pub(crate) use recipients::{key_differences, same_key};

use crate::document::{Document, Format};

use super::{EncryptionScope, Metadata, Rule, Selector};

/// Something that is wrong with a file or with rules. It holds no value.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The word it is known by.
    pub check: &'static str,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
    /// What is true of it.
    pub message: String,
    /// What to do.
    pub mend: String,
}

/// Collects what is wrong with one document.
struct Found<'d> {
    document: &'d Document,
    check: &'static str,
    list: Vec<Problem>,
}

impl<'d> Found<'d> {
    fn new(document: &'d Document, check: &'static str) -> Self {
        Self { document, check, list: Vec::new() }
    }

    fn check(&mut self, check: &'static str) -> &mut Self {
        self.check = check;
        self
    }

    fn add(&mut self, offset: usize, message: impl Into<String>, mend: impl Into<String>) {
        let (line, column) = self.document.position(offset);
        self.list.push(Problem { check: self.check, line, column, message: message.into(), mend: mend.into() });
    }
}

/// What is wrong with a file as far as anybody can tell without a key: its `sops` block, its tokens, values in clear,
/// and, held to `rule`, its recipients and its selector. `place` is how messages name the rule.
///
/// ```
/// use lockage::document::{Document, Format};
/// use lockage::sops::{RuleSet, validate};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let recipient = "age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj";
/// let rules = RuleSet::parse(&format!("creation_rules: [{{age: {recipient}}}]"), ".sops.yaml")?;
/// let document = Document::parse(Format::Yaml, b"password: blue\n".to_vec())?;
/// let problems = validate(&document, rules.rule_for("app.yaml").map(|rule| (rule, ".sops.yaml:1")));
/// assert_eq!(problems[0].check, "not-encrypted");
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn validate(document: &Document, rule: Option<(&Rule, &str)>) -> Vec<Problem> {
    let mut problems = block(document);
    let Some(metadata) = document.metadata() else {
        if let (Some((rule, place)), true) = (rule, problems.is_empty()) {
            problems.extend(not_encrypted(document, rule, place));
        }
        return problems;
    };
    let own = Metadata::from_tree(&metadata.tree).ok();
    let scopes =
        own.iter().map(EncryptionScope::of_metadata).chain(rule.map(|(rule, _)| EncryptionScope::of_rule(rule)));
    problems.extend(leaves::leaves(document, &scopes.collect::<Vec<_>>()));
    if let (Some(own), Some((rule, place))) = (own, rule) {
        problems.extend(against_rule(document, &own, rule, place));
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}

fn not_encrypted(document: &Document, rule: &Rule, place: &str) -> Option<Problem> {
    let clear = leaves::leaves(document, &[EncryptionScope::of_rule(rule)]);
    let first = clear.first()?;
    let values = if clear.len() == 1 { "1 value".to_owned() } else { format!("{} values", clear.len()) };
    Some(Problem {
        check: "not-encrypted",
        message: format!("not encrypted, but under the rule at {place}: {values} in clear"),
        mend: "run `lockage encrypt -i` on it".into(),
        ..first.clone()
    })
}

fn against_rule(document: &Document, own: &Metadata, rule: &Rule, place: &str) -> Vec<Problem> {
    let mut found = Found::new(document, "recipients");
    let top = document.metadata().map_or(0, |block| block.range.start);
    for difference in key_differences(own, rule) {
        found.add(top, format!("{difference}; the rule is at {place}"), "run `sops updatekeys` on it");
    }
    if document.format() == Format::Binary || as_strict(&own.selector, &rule.selector) {
        return found.list;
    }
    let named = |selector: &Selector| match selector.field() {
        Some((field, value)) => format!("`{field}: {value}`"),
        None => "none".to_owned(),
    };
    found.check("selector").add(
        top,
        format!("the file's own selector is not that of the rule at {place}, {}", named(&rule.selector)),
        "decrypt it and encrypt it again, so that it takes the rule's selector",
    );
    found.list
}

/// Whether `own` surely encrypts all that `rule` does, but for names that carry SOPS's own suffix, whose values are
/// judged one by one.
pub(crate) fn as_strict(own: &Selector, rule: &Selector) -> bool {
    let picks =
        matches!(rule, Selector::EncryptedSuffix(_) | Selector::EncryptedRegex(_) | Selector::EncryptedCommentRegex(_));
    own == rule || *own == Selector::Everything || picks && *own == Selector::default()
}
