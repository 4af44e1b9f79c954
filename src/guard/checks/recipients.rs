//! Recipients of a file that are not those of its rule.

use super::Check;
use crate::document::Document;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::subject::Subject;
use crate::keys::{Recipient, WrappedKey};
use crate::sops::{Metadata, Rule};

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
                differences.push(format!("the recipient {} is missing from the file", named(key)));
            }
        }
        for key in &has.keys {
            if !wants.keys.iter().any(|known| same(known, key)) {
                differences.push(format!(
                    "the recipient {} is not one of the rule's and can open the file",
                    named(&key.recipient)
                ));
            }
        }
    }
    differences
}

/// What names the key, and not what is to be done with it: a rule may leave out an alias's role or a key's version.
fn same(wanted: &Recipient, given: &WrappedKey) -> bool {
    !given.enc.trim().is_empty()
        && match (wanted, &given.recipient) {
            (Recipient::Pgp(wanted), Recipient::Pgp(given)) => {
                wanted.fingerprint.eq_ignore_ascii_case(&given.fingerprint)
            }
            (Recipient::AwsKms(wanted), Recipient::AwsKms(given)) => wanted.arn == given.arn,
            (Recipient::AzureKeyVault(wanted), Recipient::AzureKeyVault(given)) => {
                let versions = wanted.version.is_empty() || wanted.version == given.version;
                versions && (&wanted.vault_url, &wanted.name) == (&given.vault_url, &given.name)
            }
            (wanted, given) => wanted == given,
        }
}

fn named(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Age(_) => format!("`{recipient}`"),
        other => format!("`{other}` ({})", other.type_word()),
    }
}
