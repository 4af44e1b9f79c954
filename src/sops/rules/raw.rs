//! `.sops.yaml` as it is written.

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::document::Dialect;
use crate::keys::{AwsKmsRecipient, AzureKeyVaultRecipient, EncryptionContext, KeyKind, Recipient};
use crate::sops::SopsError;
use crate::sops::pattern::Pattern;
use crate::sops::rules::destination::{RawDestination, RawStores};
use crate::sops::rules::{Rule, RuleGroup};
use crate::sops::scope::Selector;

#[derive(Default, Deserialize)]
pub(super) struct RawFile {
    pub(super) creation_rules: Option<Vec<Spanned<RawRule>>>,
    pub(super) destination_rules: Option<Vec<Spanned<RawDestination>>>,
    pub(super) stores: Option<RawStores>,
}

#[derive(Deserialize)]
pub(super) struct RawRule {
    pub(super) path_regex: Option<String>,
    age: Option<Words>,
    pgp: Option<Words>,
    kms: Option<Words>,
    aws_profile: Option<String>,
    gcp_kms: Option<Words>,
    hckms: Option<Vec<String>>,
    azure_keyvault: Option<Words>,
    hc_vault_transit_uri: Option<Words>,
    key_groups: Option<Vec<RawGroup>>,
    shamir_threshold: Option<usize>,
    mac_only_encrypted: Option<bool>,
    encrypted_suffix: Option<String>,
    unencrypted_suffix: Option<String>,
    encrypted_regex: Option<String>,
    unencrypted_regex: Option<String>,
    encrypted_comment_regex: Option<String>,
    unencrypted_comment_regex: Option<String>,
    dotenv_dialect: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawGroup {
    merge: Option<Vec<Self>>,
    age: Option<Vec<String>>,
    pgp: Option<Vec<String>>,
    hc_vault: Option<Vec<String>>,
    kms: Option<Vec<RawAwsKms>>,
    gcp_kms: Option<Vec<RawGcpKms>>,
    hckms: Option<Vec<RawHuaweiKms>>,
    azure_keyvault: Option<Vec<RawAzure>>,
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

/// A comma-separated text or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(text) => split(&[text]),
            Self::Many(texts) => split(&texts),
        }
    }
}

fn split(texts: &[String]) -> Vec<String> {
    let words = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
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
        let (mac_only_encrypted, shamir_threshold) = (self.mac_only_encrypted, self.shamir_threshold);
        Ok(Rule {
            path_regex,
            groups: self.groups()?,
            selector: selector.unwrap_or_default(),
            mac_only_encrypted: mac_only_encrypted.unwrap_or_default(),
            shamir_threshold: shamir_threshold.filter(|threshold| *threshold != 0),
            dialect,
            line,
        })
    }

    /// *Source*: the SOPS format, sections 8.2 and 8.3; groups, if there are any, put the keys of the rule itself aside.
    fn groups(self) -> Result<Vec<RuleGroup>, String> {
        if let Some(groups) = self.key_groups.filter(|groups| !groups.is_empty()) {
            return groups.into_iter().map(RawGroup::into_group).collect();
        }
        let profile = self.aws_profile.unwrap_or_default();
        let mut keys = Vec::new();
        for (kind, words) in [
            (KeyKind::Age, self.age),
            (KeyKind::Pgp, self.pgp),
            (KeyKind::AwsKms, self.kms),
            (KeyKind::GcpKms, self.gcp_kms),
            (KeyKind::HuaweiKms, self.hckms.map(Words::Many)),
            (KeyKind::AzureKeyVault, self.azure_keyvault),
            (KeyKind::VaultTransit, self.hc_vault_transit_uri),
        ] {
            for word in words.map_or_else(Vec::new, Words::list) {
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
        for merged in self.merge.unwrap_or_default() {
            keys.extend(merged.into_group()?.keys);
        }
        for (kind, words) in [(KeyKind::Age, self.age), (KeyKind::Pgp, self.pgp)] {
            for word in split(&words.unwrap_or_default()) {
                keys.push(parsed(kind, &word)?);
            }
        }
        keys.extend(self.kms.into_iter().flatten().map(|key| {
            Recipient::AwsKms(AwsKmsRecipient {
                arn: key.arn,
                role: key.role.unwrap_or_default(),
                context: key.context.unwrap_or_default(),
                aws_profile: key.aws_profile.unwrap_or_default(),
            })
        }));
        keys.extend(self.gcp_kms.into_iter().flatten().map(|key| Recipient::parse_gcp_kms(&key.resource_id)));
        for key in self.hckms.into_iter().flatten() {
            keys.push(parsed(KeyKind::HuaweiKms, &key.key_id)?);
        }
        keys.extend(self.azure_keyvault.into_iter().flatten().map(|key| {
            Recipient::AzureKeyVault(AzureKeyVaultRecipient {
                vault_url: key.vault_url,
                name: key.key,
                version: key.version.unwrap_or_default(),
            })
        }));
        for word in split(&self.hc_vault.unwrap_or_default()) {
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

fn parsed(kind: KeyKind, text: &str) -> Result<Recipient, String> {
    Recipient::parse(kind, text).map_err(|error| error.to_string())
}
