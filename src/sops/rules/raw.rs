//! `.sops.yaml` as it is written.

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::document::Dialect;
use crate::keys::{AwsKmsRecipient, AzureKeyVaultRecipient, EncryptionContext, KeyKind, Recipient};
use crate::sops::SopsError;
use crate::sops::pattern::Pattern;
use crate::sops::rules::destination::{RawDestination, RawStores};
use crate::sops::rules::loose::{List, Truth, Whole, Words, split};
use crate::sops::rules::{Rule, RuleGroup};
use crate::sops::scope::Selector;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawFile {
    pub(super) creation_rules: Option<List<Spanned<RawRule>>>,
    pub(super) destination_rules: List<Spanned<RawDestination>>,
    pub(super) stores: Option<RawStores>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRule {
    pub(super) path_regex: Option<String>,
    age: Option<Words>,
    pgp: Option<Words>,
    kms: Option<Words>,
    aws_profile: Option<String>,
    gcp_kms: Option<Words>,
    hckms: Option<List<String>>,
    azure_keyvault: Option<Words>,
    hc_vault_transit_uri: Option<Words>,
    key_groups: List<RawGroup>,
    shamir_threshold: Option<Whole>,
    mac_only_encrypted: Option<Truth>,
    encrypted_suffix: Option<String>,
    unencrypted_suffix: Option<String>,
    encrypted_regex: Option<String>,
    unencrypted_regex: Option<String>,
    encrypted_comment_regex: Option<String>,
    unencrypted_comment_regex: Option<String>,
    dotenv_dialect: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawGroup {
    merge: List<Self>,
    age: List<String>,
    pgp: List<String>,
    hc_vault: List<String>,
    kms: List<RawAwsKms>,
    gcp_kms: List<RawGcpKms>,
    hckms: List<RawHuaweiKms>,
    azure_keyvault: List<RawAzure>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawAwsKms {
    arn: String,
    role: Option<String>,
    context: Option<EncryptionContext>,
    aws_profile: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawGcpKms {
    resource_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawHuaweiKms {
    key_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawAzure {
    #[serde(rename = "vaultUrl")]
    vault_url: String,
    key: String,
    version: Option<String>,
}

impl RawRule {
    pub(super) fn into_rule(self, line: usize, strict: bool) -> Result<Rule, String> {
        let said = |error: SopsError| error.to_string();
        let path_regex = self.path_regex.as_deref().filter(|source| !source.is_empty());
        let path_regex = path_regex.map(Pattern::as_sops);
        let values = [
            &self.encrypted_suffix,
            &self.unencrypted_suffix,
            &self.encrypted_regex,
            &self.unencrypted_regex,
            &self.encrypted_comment_regex,
            &self.unencrypted_comment_regex,
        ];
        let mut selector = None;
        for (field, value) in Selector::FIELDS.into_iter().zip(values) {
            let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else { continue };
            if selector.is_some() {
                return Err(format!("`{field}` stands beside another selector; a rule has one"));
            }
            selector = Selector::of_field_as_sops(field, value);
        }
        let patterns = path_regex.iter().chain(selector.iter().filter_map(Selector::pattern));
        if let Some(problem) = patterns.filter_map(Pattern::problem).next().filter(|_| strict) {
            return Err(said(problem));
        }
        let dialect = match self.dotenv_dialect.as_deref() {
            None | Some("") => None,
            Some(word) => Dialect::of_word(word),
        };
        if strict && dialect.is_none() && self.dotenv_dialect.as_deref().is_some_and(|word| !word.is_empty()) {
            return Err(format!("`dotenv_dialect` is one of {}", Dialect::WORDS.join(", ")));
        }
        let mac_only_encrypted = self.mac_only_encrypted.is_some_and(|Truth(only)| only);
        let shamir_threshold = self.shamir_threshold.map(|threshold| groups_needed(threshold, strict)).transpose()?;
        Ok(Rule {
            path_regex,
            groups: self.groups()?,
            selector: selector.unwrap_or_default(),
            mac_only_encrypted,
            shamir_threshold: shamir_threshold.filter(|threshold| *threshold != 0),
            dialect,
            line,
        })
    }

    /// *Source*: the SOPS format, sections 8.2 and 8.3; groups, if there are any, put the keys of the rule itself aside.
    fn groups(self) -> Result<Vec<RuleGroup>, String> {
        if !self.key_groups.0.is_empty() {
            return self.key_groups.0.into_iter().map(RawGroup::into_group).collect();
        }
        let profile = self.aws_profile.unwrap_or_default();
        let mut keys = Vec::new();
        for (kind, field, words) in [
            (KeyKind::Age, "age", self.age),
            (KeyKind::Pgp, "pgp", self.pgp),
            (KeyKind::AwsKms, "kms", self.kms),
            (KeyKind::GcpKms, "gcp_kms", self.gcp_kms),
            (KeyKind::HuaweiKms, "hckms", self.hckms.map(|List(texts)| Words::Texts(texts))),
            (KeyKind::AzureKeyVault, "azure_keyvault", self.azure_keyvault),
            (KeyKind::VaultTransit, "hc_vault_transit_uri", self.hc_vault_transit_uri),
        ] {
            let words = words.map(|words| words.list(field)).transpose()?;
            for word in words.unwrap_or_default() {
                keys.push(match kind {
                    KeyKind::AwsKms => Recipient::parse_aws_kms(&word, &EncryptionContext::new(), &profile),
                    _ => parsed(kind, &word)?,
                });
            }
        }
        Ok(vec![RuleGroup { keys }])
    }
}

impl RawGroup {
    fn into_group(self) -> Result<RuleGroup, String> {
        let mut keys = Vec::new();
        for merged in self.merge.0 {
            keys.extend(merged.into_group()?.keys);
        }
        for (kind, words) in [(KeyKind::Age, self.age), (KeyKind::Pgp, self.pgp)] {
            for word in split(&words.0) {
                keys.push(parsed(kind, &word)?);
            }
        }
        keys.extend(self.kms.0.into_iter().map(|key| {
            Recipient::AwsKms(AwsKmsRecipient {
                arn: key.arn,
                role: key.role.unwrap_or_default(),
                context: key.context.unwrap_or_default(),
                aws_profile: key.aws_profile.unwrap_or_default(),
            })
        }));
        keys.extend(self.gcp_kms.0.into_iter().map(|key| Recipient::parse_gcp_kms(&key.resource_id)));
        for key in self.hckms.0 {
            keys.push(parsed(KeyKind::HuaweiKms, &key.key_id)?);
        }
        keys.extend(self.azure_keyvault.0.into_iter().map(|key| {
            Recipient::AzureKeyVault(AzureKeyVaultRecipient {
                vault_url: key.vault_url,
                name: key.key,
                version: key.version.unwrap_or_default(),
            })
        }));
        for word in split(&self.hc_vault.0) {
            keys.push(parsed(KeyKind::VaultTransit, &word)?);
        }
        let mut unique: Vec<Recipient> = Vec::with_capacity(keys.len());
        for key in keys {
            if !unique.iter().any(|known| known.kind() == key.kind() && known.id() == key.id()) {
                unique.push(key);
            }
        }
        Ok(RuleGroup { keys: unique })
    }
}

/// How many groups it takes; nothing where the rules leave that to their number.
fn groups_needed(threshold: Whole, strict: bool) -> Result<usize, String> {
    if strict && !threshold.exact {
        return Err("`shamir_threshold` is no whole number".to_owned());
    }
    usize::try_from(threshold.value).map_err(|_| "`shamir_threshold` is below 0".to_owned())
}

fn parsed(kind: KeyKind, text: &str) -> Result<Recipient, String> {
    Recipient::parse(kind, text).map_err(|error| error.to_string())
}
