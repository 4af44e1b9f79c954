//! A new encrypted file.

use crate::cipher::{DataKey, ValueCipher};
use crate::document::{Dialect, Document, EmitError, EmitOptions, Format};
use crate::keys::{KeyServices, Recipient};

use super::SopsError;
use super::metadata::Metadata;
use super::rules::{Rule, RuleGroup};
use super::scope::{EncryptionScope, Selector};
use super::seal::{Flavour, Seal};
use super::wrapping;

/// How a file shall be encrypted.
#[derive(Clone, Debug, Default)]
pub struct Encryption {
    /// For whom.
    pub groups: Vec<RuleGroup>,
    /// What in it.
    pub scope: EncryptionScope,
    /// Whether the authentication code covers encrypted values only.
    pub mac_only_encrypted: bool,
    /// How many groups it shall take to open it, all of them if nothing is said; stored, and without effect on a
    /// single group.
    pub shamir_threshold: Option<usize>,
    /// Whose manners to keep.
    pub flavour: Flavour,
    /// How a file is written anew where its text cannot be kept.
    pub emit: EmitOptions,
    /// How the quotes of a dotenv file are read, if a rule says.
    pub dialect: Option<Dialect>,
    /// Whether aliases over values that are to be encrypted may become copies; `sops` never asks.
    pub expand_aliases: bool,
}

impl Encryption {
    /// What a rule asks for.
    #[must_use]
    pub fn of_rule(rule: &Rule) -> Self {
        Self {
            groups: rule.groups.clone(),
            scope: EncryptionScope::of_rule(rule),
            mac_only_encrypted: rule.mac_only_encrypted,
            shamir_threshold: rule.shamir_threshold,
            dialect: rule.dialect,
            ..Self::default()
        }
    }

    /// Everything but `…_unencrypted`, for these recipients.
    #[must_use]
    pub fn to(recipients: impl IntoIterator<Item = Recipient>) -> Self {
        let keys = recipients.into_iter().collect();
        Self { groups: vec![RuleGroup { keys }], ..Self::default() }
    }
}

/// Encrypts a plaintext document under a fresh data key: the text of the file.
///
/// # Errors
/// [`SopsError::AlreadyEncrypted`]; nobody to encrypt for; [`SopsError::NotWrapped`]; in our own flavour everything that
/// could not be kept or would stay readable.
pub fn encrypt(
    document: &Document,
    encryption: &Encryption,
    keys: &KeyServices,
    now: jiff::Timestamp,
) -> Result<Vec<u8>, SopsError> {
    refuse_encrypted(document)?;
    let Prepared { key, scope, mut metadata } = prepare(document, encryption, keys, now)?;
    let scope = &scope;

    let mut cipher = ValueCipher::new(&key);
    let flavour = encryption.flavour;
    let seal = Seal { document, scope, cipher: &mut cipher, kept: None, flavour };
    let sealed = match seal.run(&mut metadata, now) {
        Err(SopsError::Aliases { line }) if encryption.expand_aliases || flavour == Flavour::Sops => {
            tracing::debug!(line, "aliases over encrypted values become copies");
            match document.expanded() {
                Ok(None) => Err(SopsError::Aliases { line }),
                Ok(Some(expanded)) => Seal { document: &expanded, scope, cipher: &mut cipher, kept: None, flavour }
                    .run(&mut metadata, now),
                Err(refused) => Err(refused.into()),
            }
        }
        other => other,
    };
    match sealed {
        Err(error) if flavour == Flavour::Sops && error.is_of_text() => {
            tracing::debug!("the text cannot be kept: {error}");
            let seal = Seal { document, scope, cipher: &mut cipher, kept: None, flavour };
            seal.write_as(document.format(), encryption.emit, &mut metadata, now)
        }
        other => other,
    }
    .map(|text| ended(text, document.format(), flavour))
}

/// Called as `sops`, a text ends with a line break, as SOPS's writers end it; its own round trip gives one, too.
pub(super) fn ended(mut text: Vec<u8>, format: Format, flavour: Flavour) -> Vec<u8> {
    if flavour == Flavour::Sops && format != Format::Binary && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text
}

/// A data key, wrapped for everybody, and what shall be said of it.
pub(super) struct Prepared {
    pub(super) key: DataKey,
    pub(super) scope: EncryptionScope,
    pub(super) metadata: Metadata,
}

pub(super) fn prepare(
    document: &Document,
    encryption: &Encryption,
    keys: &KeyServices,
    now: jiff::Timestamp,
) -> Result<Prepared, SopsError> {
    let key = DataKey::generate().map_err(SopsError::Cipher)?;
    let wanted = wrapping::wanted(&encryption.groups, keys, now)?;
    let (groups, threshold) = wrapping::wrap(&key, &wanted, encryption.shamir_threshold, keys)?;
    // SOPS drops what a rule says of the leaves where there is only one.
    let binary = document.format() == Format::Binary;
    let scope = if binary { EncryptionScope::new(Selector::Everything) } else { encryption.scope.clone() };
    let mut metadata = Metadata::new(groups, &scope, encryption.mac_only_encrypted && !binary);
    metadata.shamir_threshold = threshold;
    Ok(Prepared { key, scope, metadata })
}

/// A plaintext must not have the `sops` block.
pub(super) fn refuse_encrypted(document: &Document) -> Result<(), SopsError> {
    match document.metadata() {
        // In a later document only SOPS's writer meets the name.
        None if !document.outline().more_metadata.is_empty() => Err(EmitError::Reserved.into()),
        None => Ok(()),
        Some(metadata) => Err(SopsError::AlreadyEncrypted { line: document.position(metadata.range.start).0 }),
    }
}
