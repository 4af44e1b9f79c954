//! Who a new file is encrypted for, and what of it: flags and variables before rules.
//!
//! *Source*: the SOPS format, section 8.4.

use std::path::Path;

use super::call::Call;
use super::exit::{self, Exit};
use crate::cli::report;
use crate::keys::{EncryptionContext, KeyKind, Recipient};
use crate::sops::{Encryption, EncryptionScope, Flavour, Pattern, RuleGroup, Selector};

/// The flags that name keys, in the order in which the keys stand in a file.
const FLAGS: [(&str, KeyKind); 7] = [
    ("kms", KeyKind::AwsKms),
    ("gcp-kms", KeyKind::GcpKms),
    ("hckms", KeyKind::HuaweiKms),
    ("azure-kv", KeyKind::AzureKeyVault),
    ("pgp", KeyKind::Pgp),
    ("hc-vault-transit", KeyKind::VaultTransit),
    ("age", KeyKind::Age),
];

const MORE_SELECTORS: &str = "cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file";

/// The keys of one kind in a list parted by commas.
fn of_list(call: &Call, kind: KeyKind, list: &str, context: &EncryptionContext) -> Result<Vec<Recipient>, Exit> {
    let profile = call.flags.value("aws-profile").unwrap_or_default();
    let parse = |text: &str| match kind {
        KeyKind::AwsKms => Ok(Recipient::parse_aws_kms(text, context, profile)),
        _ => Recipient::parse(kind, text).map_err(|error| Exit::new(1, error.sops_text())),
    };
    list.split(',').map(parse).collect()
}

/// The keys of the flags with this beginning (`add-`, `rm-`, or nothing).
pub(super) fn named(call: &Call, beginning: &str) -> Result<Vec<Recipient>, Exit> {
    let context = context(call)?;
    let mut keys = Vec::new();
    for (flag, kind) in FLAGS {
        if let Some(list) = call.flags.value(&format!("{beginning}{flag}")) {
            keys.extend(of_list(call, kind, list, &context)?);
        }
    }
    Ok(keys)
}

/// The keys of flags that may be given several times.
pub(super) fn group(call: &Call) -> Result<RuleGroup, Exit> {
    let context = context(call)?;
    let mut keys = Vec::new();
    for (flag, kind) in FLAGS {
        for list in call.flags.values(flag) {
            keys.extend(of_list(call, kind, list, &context)?);
        }
    }
    Ok(RuleGroup { keys })
}

/// `--encryption-context`.
fn context(call: &Call) -> Result<EncryptionContext, Exit> {
    let Some(text) = call.flags.value("encryption-context") else { return Ok(EncryptionContext::new()) };
    let pair = |pair: &str| match pair.split(':').collect::<Vec<_>>()[..] {
        [name, value] => Ok((name.to_owned(), Some(value.to_owned()))),
        _ => {
            let words = "Encryption context contains a non-string value, context will not be used";
            exit::log("AWSKMS", "warning", words);
            Err(Exit::new(6, "Invalid KMS encryption context format"))
        }
    };
    text.split(',').map(pair).collect()
}

/// How a new file shall be encrypted.
pub(super) fn encryption(call: &Call, name: Option<&Path>) -> Result<Encryption, Exit> {
    let rules = call.rules(name)?;
    let chosen = selectors(call)?;
    let rule = match (&rules, name) {
        (Some(rules), Some(name)) if rules.set.rules().is_some() => {
            let rule = rules.rule_for(&call.context, name);
            Some(rule.ok_or_else(|| Exit::new(1, "error loading config: no matching creation rules found"))?)
        }
        _ => None,
    };
    let named = named(call, "")?;
    if rule.is_none() && named.is_empty() {
        return Err(Exit::new(
            1,
            "config file not found, or has no creation rules, and no keys provided through command line options",
        ));
    }
    let mut encryption = rule.map(Encryption::of_rule).unwrap_or_default();
    if !named.is_empty() {
        encryption.groups = vec![RuleGroup { keys: named }];
    } else if call.legacy {
        // Only here does SOPS give the context to the keys of a rule.
        let context = context(call)?;
        for key in encryption.groups.iter_mut().flat_map(|group| &mut group.keys) {
            if let Recipient::AwsKms(key) = key
                && key.context.is_empty()
            {
                key.context.clone_from(&context);
            }
        }
    }
    if let Some(selector) = chosen {
        let kind = |selector: &Selector| selector.field().map(|(field, _)| field);
        let ruled = rule.is_some_and(|rule| rule.selector != Selector::default());
        if ruled && kind(encryption.scope.selector()) != kind(&selector) {
            return Err(Exit::new(8, format!("Error: {MORE_SELECTORS}")));
        }
        encryption.scope = EncryptionScope::new(selector);
    }
    encryption.mac_only_encrypted |= call.global.is_set("mac-only-encrypted");
    encryption.flavour = Flavour::Sops;
    encryption.emit = call.emit_options(call.formats(name).1);
    if let Some(problem) = encryption.scope.selector().pattern().and_then(Pattern::problem) {
        // Nothing matches it, so that `encrypted_regex` leaves everything in clear: SOPS says nothing of it.
        report::say(&format!("warning: {problem}, so it matches nothing"));
    }
    if let Some(threshold) = call.flags.number("shamir-secret-sharing-threshold") {
        encryption.shamir_threshold = usize::try_from(threshold).ok();
    }
    Ok(encryption)
}

/// The one selector that a flag names.
fn selectors(call: &Call) -> Result<Option<Selector>, Exit> {
    let mut chosen = Vec::new();
    for field in Selector::FIELDS {
        let Some(value) = call.flags.value(&field.replace('_', "-")) else { continue };
        chosen.extend(Selector::of_field_as_sops(field, value));
    }
    if chosen.len() > 1 {
        return Err(Exit::new(8, format!("Error: {MORE_SELECTORS}")));
    }
    Ok(chosen.pop())
}

/// The old forms that change a file want a rule for it, although they use none.
pub(super) fn demand_rule(call: &Call, name: &Path) -> Result<(), Exit> {
    match call.rules(Some(name))? {
        Some(rules) if rules.set.rules().is_some() && rules.rule_for(&call.context, name).is_none() => {
            Err(Exit::new(1, "error loading config: no matching creation rules found"))
        }
        _ => Ok(()),
    }
}

/// Whether any flag adds or removes a key.
pub(super) fn changes(call: &Call) -> bool {
    FLAGS
        .iter()
        .any(|(flag, _)| ["add-", "rm-"].iter().any(|lead| call.flags.value(&format!("{lead}{flag}")).is_some()))
}
