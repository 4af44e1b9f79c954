//! Recipients of a file that are not those of its rule.

use super::Check;
use crate::document::Document;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::subject::Subject;
use crate::sops::{GroupKey, Metadata, Rule, RuleKey};

/// Looks at who can open files under a rule.
pub(super) struct Recipients;

impl Check for Recipients {
    fn id(&self) -> &'static str {
        "recipients"
    }

    fn about(&self) -> &'static str {
        "recipients of a file that are missing, or more, or others than those of its creation rule"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        // The rule as it will be: whoever changes the recipients changes rule and files in one commit.
        let (Some(governing), Some(document)) = (subject.governing.first(), subject.encrypted()?) else {
            return Ok(());
        };
        let Some((metadata, top)) = metadata(document) else { return Ok(()) };
        let rule = governing.rule;
        if rule.keys().next().is_none() {
            return Ok(());
        }
        let mend = format!("run `lockage encrypt` again, or `sops updatekeys {}`", subject.path());
        let mut say = |what: String| {
            found.add(top, format!("{what}; the rule is at {}", governing.shown()), mend.clone());
        };
        for difference in differences(&metadata, rule) {
            say(difference);
        }
        if metadata.groups.len() > 1
            && threshold(rule.shamir_threshold, rule) > threshold(metadata.shamir_threshold, rule)
        {
            say("fewer key groups than the rule wants are enough to open the file".into());
        }
        Ok(())
    }
}

fn metadata(document: &Document) -> Option<(Metadata, At)> {
    let block = document.metadata()?;
    let metadata = Metadata::from_tree(&block.tree).ok()?;
    Some((metadata, At::offset(document.text(), block.range.start)))
}

/// Without a threshold every group is needed.
fn threshold(given: Option<usize>, rule: &Rule) -> usize {
    given.unwrap_or(rule.groups.len())
}

/// What differs, group by group.
fn differences(metadata: &Metadata, rule: &Rule) -> Vec<String> {
    if metadata.groups.len() != rule.groups.len() {
        return vec![format!("the file has {} key groups, its rule {}", metadata.groups.len(), rule.groups.len())];
    }
    let mut differences = Vec::new();
    for (has, wants) in metadata.groups.iter().zip(&rule.groups) {
        for key in &wants.keys {
            if !has.keys.iter().any(|known| same(key, known)) {
                differences.push(format!("the recipient {} is missing from the file", wanted(key)));
            }
        }
        for key in &has.keys {
            if !wants.keys.iter().any(|known| same(known, key)) {
                differences
                    .push(format!("the recipient {} is not one of the rule's and can open the file", given(key)));
            }
        }
    }
    differences
}

fn same(wanted: &RuleKey, given: &GroupKey) -> bool {
    match (wanted, given) {
        (RuleKey::Recipient(recipient), GroupKey::Wrapped(wrapped)) => {
            *recipient == wrapped.recipient && !wrapped.enc.trim().is_empty()
        }
        (RuleKey::Other { word, id }, GroupKey::Other { word: other, id: named }) => {
            word == other && spelled(word, id) == spelled(word, named)
        }
        _ => false,
    }
}

/// Rules and files spell the same key differently: fingerprints with blanks, a role behind an ARN, a URI.
fn spelled(word: &str, id: &str) -> String {
    match word {
        "pgp" => id.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_ascii_uppercase(),
        "kms" => id.split('+').next().unwrap_or_default().to_owned(),
        "hc_vault" => {
            let parts = id.split('/').filter(|part| !part.is_empty() && !matches!(*part, "v1" | "keys"));
            parts.collect::<Vec<_>>().join("/")
        }
        "azure_kv" => {
            id.split('/').filter(|part| !part.is_empty() && *part != "keys").take(3).collect::<Vec<_>>().join("/")
        }
        _ => id.to_owned(),
    }
}

fn wanted(key: &RuleKey) -> String {
    match key {
        RuleKey::Recipient(recipient) => format!("`{recipient}`"),
        RuleKey::Other { word, id } => format!("`{id}` ({word})"),
    }
}

fn given(key: &GroupKey) -> String {
    match key {
        GroupKey::Wrapped(wrapped) => format!("`{}`", wrapped.recipient),
        GroupKey::Other { word, id } => format!("`{id}` ({word})"),
    }
}
