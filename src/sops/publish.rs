//! What is published of a file: the file for other keys, or its values.
//!
//! *Source*: the SOPS format, section 11.

use zeroize::Zeroizing;

use crate::document::{Document, EmitOptions, Format, OwnedTree, Visit, emit};
use crate::keys::{Destination, KeyServices};

use super::decrypted::DecryptedFile;
use super::encrypted::EncryptedFile;
use super::encryption::{Encryption, encrypt};
use super::regroup::KeyChanges;
use super::rules::{DestinationRule, Rule};
use super::scope::{EncryptionScope, Selector};
use super::seal::Flavour;
use super::{Pattern, SopsError};

/// Every key matches this one.
const ANY_KEY: &str = "^";

/// What a destination gets of a file.
#[derive(Debug)]
pub struct Publication {
    /// The encrypted file as it is or for other keys, or its values as JSON.
    pub content: Zeroizing<Vec<u8>>,
    /// Whether the file had to be decrypted for that.
    pub opened: bool,
    /// Who can open it, where it is for other keys.
    pub recreated: Option<Recreated>,
}

/// A file for other keys, made out of one that was opened.
#[derive(Clone, Debug)]
pub struct Recreated {
    /// Who can open it, beside who can open the file that it was made of.
    pub changes: KeyChanges,
    /// How many values are encrypted in that file and readable in this one, because the rule asks for it.
    pub laid_open: usize,
}

impl DestinationRule {
    /// The places that it names, of which there should be one.
    #[must_use]
    pub fn places(&self) -> Vec<Destination> {
        let text = |text: &str| text.to_owned();
        let mut places = Vec::new();
        if !self.s3_bucket.is_empty() {
            places.push(Destination::S3 { bucket: text(&self.s3_bucket), prefix: text(&self.s3_prefix) });
        }
        if !self.gcs_bucket.is_empty() {
            places.push(Destination::Gcs { bucket: text(&self.gcs_bucket), prefix: text(&self.gcs_prefix) });
        }
        if !self.vault_path.is_empty() {
            places.push(Destination::VaultKv {
                address: text(&self.vault_address),
                mount: text(&self.vault_kv_mount_name),
                path: text(&self.vault_path),
                first: self.vault_kv_version == Some(1),
            });
        }
        places
    }

    /// Whether it is for a path, as SOPS takes it: as it was typed.
    #[must_use]
    pub fn is_for(&self, path: &str) -> bool {
        self.path_regex.as_ref().is_none_or(|regex| regex.is_match(path.as_bytes()))
    }

    /// The rule that its files are encrypted anew by, if it names anybody.
    #[must_use]
    pub fn recreation(&self) -> Option<&Rule> {
        self.recreation_rule.as_ref().filter(|rule| rule.keys().next().is_some())
    }
}

impl EncryptedFile {
    /// What `destination` gets of this file, whose text is `text`, by `rule`.
    ///
    /// # Errors
    /// As for [`EncryptedFile::decrypt`], [`DecryptedFile::recreate`] and [`DecryptedFile::values_as_json`].
    pub fn publication(
        self,
        text: &[u8],
        destination: &Destination,
        rule: &DestinationRule,
        flavour: Flavour,
        keys: &KeyServices,
        now: jiff::Timestamp,
    ) -> Result<Publication, SopsError> {
        if destination.takes_values() {
            let content = self.decrypt(keys)?.values_as_json()?;
            return Ok(Publication { content, opened: true, recreated: None });
        }
        let Some(rule) = rule.recreation() else {
            return Ok(Publication { content: Zeroizing::new(text.to_vec()), opened: false, recreated: None });
        };
        let (text, recreated) = self.decrypt(keys)?.recreate(rule, flavour, keys, now)?;
        Ok(Publication { content: Zeroizing::new(text), opened: true, recreated: Some(recreated) })
    }
}

impl DecryptedFile {
    /// The plaintext under a new data key for the keys of `rule`, in our own flavour with everything else that the rule
    /// says. SOPS leaves out its patterns and `mac_only_encrypted`, and so does its flavour.
    ///
    /// Where the rule names no suffix SOPS encrypts everything and does not say so, and nobody can open what it makes of
    /// keys that end in `_unencrypted`. Here such values stay as they are in the file: encrypted ones encrypted.
    ///
    /// # Errors
    /// As for [`encrypt`]; [`SopsError::LaidOpen`] if a value would become readable although no selector asks for it.
    pub fn recreate(
        &self,
        rule: &Rule,
        flavour: Flavour,
        keys: &KeyServices,
        now: jiff::Timestamp,
    ) -> Result<(Vec<u8>, Recreated), SopsError> {
        let mut encryption = Encryption { flavour, ..Encryption::of_rule(rule) };
        if flavour == Flavour::Sops {
            encryption.mac_only_encrypted = false;
            if !matches!(rule.selector, Selector::EncryptedSuffix(_) | Selector::UnencryptedSuffix(_)) {
                encryption.scope = EncryptionScope::default();
            }
        }
        let format = self.encrypted.document.format();
        let parse = match (format, flavour) {
            (Format::Binary, _) => Document::parse_plain,
            (_, Flavour::Sops) => Document::parse_as_sops,
            (_, Flavour::Own) => Document::parse,
        };
        let document = parse(format, self.text().to_vec())?;
        let before = EncryptionScope::of_metadata(self.metadata());
        let mut laid_open = laid_open(&document, &before, &encryption.scope)?;
        if laid_open > 0 && *encryption.scope.selector() == Selector::default() {
            encryption.scope = EncryptionScope::new(Selector::EncryptedRegex(Pattern::new(ANY_KEY)?));
            laid_open = self::laid_open(&document, &before, &encryption.scope)?;
            if laid_open > 0 {
                return Err(SopsError::LaidOpen { count: laid_open });
            }
        }
        let text = encrypt(&document, &encryption, keys, now)?;
        Ok((text, Recreated { changes: self.encrypted.metadata.key_changes(&encryption.groups), laid_open }))
    }

    /// The values as one JSON object, those of a later document in the place of those of an earlier one.
    ///
    /// # Errors
    /// [`SopsError::Emit`]; [`SopsError::Syntax`].
    pub fn values_as_json(&self) -> Result<Zeroizing<Vec<u8>>, SopsError> {
        let merged: OwnedTree = self.tree()?.merged()?;
        Ok(emit(Format::Json, &merged, None, EmitOptions::default())?)
    }
}

/// How many leaves are to be encrypted by one scope and not by another one.
fn laid_open(document: &Document, by: &EncryptionScope, not_by: &EncryptionScope) -> Result<usize, SopsError> {
    if document.format() == Format::Binary {
        return Ok(0);
    }
    let must = |scope: &EncryptionScope| {
        let mut must = Vec::new();
        scope.walk(document, |visit, encrypted| {
            if let Visit::Leaf { .. } = visit {
                must.push(encrypted);
            }
            Ok::<(), SopsError>(())
        })?;
        Ok::<_, SopsError>(must)
    };
    let (one, other) = (must(by)?, must(not_by)?);
    Ok(one.into_iter().zip(other).filter(|(one, other)| *one && !*other).count())
}
