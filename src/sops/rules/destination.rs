//! Where `publish` puts files, and how the program `sops` would indent what it prints.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::Rule;
use super::loose::{Truth, Whole};
use super::raw::RawRule;
use crate::document::Format;
use crate::sops::pattern::Pattern;

/// One destination rule; of its places at most one should be named.
#[derive(Clone, Debug, Default)]
pub struct DestinationRule {
    /// Which paths it is for; all if absent.
    pub path_regex: Option<Pattern>,
    /// A bucket of Amazon S3; empty for none.
    pub s3_bucket: String,
    /// What stands before the file's name there.
    pub s3_prefix: String,
    /// A bucket of Google Cloud Storage; empty for none.
    pub gcs_bucket: String,
    /// What stands before the file's name there.
    pub gcs_prefix: String,
    /// A path in Vault's KV engine; empty for none.
    pub vault_path: String,
    /// The server; empty for that of the environment.
    pub vault_address: String,
    /// Where the engine is mounted; empty for `secret`.
    pub vault_kv_mount_name: String,
    /// The engine's version, 1 or 2; nothing for 2.
    pub vault_kv_version: Option<i64>,
    /// Whether the name loses its extension.
    pub omit_extensions: bool,
    /// The rule that the file is encrypted anew by on its way.
    pub recreation_rule: Option<Rule>,
    /// 1-based line of the rule.
    pub line: usize,
}

/// The indentations of what is written anew; nothing where the rules say nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stores {
    /// Of JSON; -1 is a tab.
    pub json: Option<i64>,
    /// Of the JSON around a binary file.
    pub json_binary: Option<i64>,
    /// Of YAML; 0 is 4.
    pub yaml: Option<i64>,
}

impl Stores {
    /// What is asked for this format.
    #[must_use]
    pub const fn indent(&self, format: Format) -> Option<i64> {
        match format {
            Format::Yaml => self.yaml,
            Format::Json => self.json,
            Format::Binary => self.json_binary,
            _ => None,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RawDestination {
    path_regex: Option<String>,
    s3_bucket: Option<String>,
    s3_prefix: Option<String>,
    gcs_bucket: Option<String>,
    gcs_prefix: Option<String>,
    vault_path: Option<String>,
    vault_address: Option<String>,
    vault_kv_mount_name: Option<String>,
    vault_kv_version: Option<Whole>,
    omit_extensions: Option<Truth>,
    recreation_rule: Option<Spanned<RawRule>>,
}

impl RawDestination {
    pub(super) fn into_rule(self, line: usize, strict: bool) -> Result<DestinationRule, String> {
        let path_regex = self.path_regex.as_deref().filter(|source| !source.is_empty()).map(Pattern::as_sops);
        if let Some(problem) = path_regex.as_ref().and_then(Pattern::problem).filter(|_| strict) {
            return Err(problem.to_string());
        }
        let recreation_rule = self.recreation_rule.map(|raw| {
            let line = usize::try_from(raw.referenced.line()).unwrap_or(0);
            // SOPS drops the selectors of these, whatever they are.
            raw.value.into_rule(line, false)
        });
        Ok(DestinationRule {
            path_regex,
            s3_bucket: self.s3_bucket.unwrap_or_default(),
            s3_prefix: self.s3_prefix.unwrap_or_default(),
            gcs_bucket: self.gcs_bucket.unwrap_or_default(),
            gcs_prefix: self.gcs_prefix.unwrap_or_default(),
            vault_path: self.vault_path.unwrap_or_default(),
            vault_address: self.vault_address.unwrap_or_default(),
            vault_kv_mount_name: self.vault_kv_mount_name.unwrap_or_default(),
            vault_kv_version: self.vault_kv_version.map(|version| version.value),
            omit_extensions: self.omit_extensions.is_some_and(|Truth(omit)| omit),
            recreation_rule: recreation_rule.transpose()?,
            line,
        })
    }
}

#[derive(Default, Deserialize)]
pub(super) struct RawStores {
    json: Option<RawStore>,
    json_binary: Option<RawStore>,
    yaml: Option<RawStore>,
}

#[derive(Default, Deserialize)]
struct RawStore {
    indent: Option<Whole>,
}

impl RawStores {
    pub(super) fn into_stores(self) -> Stores {
        let indent = |store: Option<RawStore>| Some(store?.indent?.value);
        Stores { json: indent(self.json), json_binary: indent(self.json_binary), yaml: indent(self.yaml) }
    }
}
