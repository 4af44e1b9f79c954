//! A new data key for an old file.

use crate::cipher::{DataKey, Label, ValueCipher};
use crate::document::{CommentId, Edits, Replacement};
use crate::keys::{KeyServices, Recipient};

use super::change::containers;
use super::decrypted::DecryptedFile;
use super::metadata::time_of;
use super::scope::{EncryptionScope, Selector};
use super::seal::seal_code;
use super::values::{self, Opened, label_of};
use super::wrapping::{self, Wanted};
use super::{Pattern, SopsError};

/// How often a token is drawn again that by chance matches the pattern of the marking comments.
const DRAWS: usize = 32;

impl DecryptedFile {
    /// The file under a new data key: every value and comment is encrypted anew, and the key is wrapped anew for everybody
    /// in it, for `add` as well and for `remove` no longer. Nothing else moves.
    ///
    /// Those to be added join the first group, unless they are in it; those to be removed leave every group they are in,
    /// and are known by their [`Recipient::id`]. Comments that should have been encrypted and were not are now.
    ///
    /// *Source*: the SOPS format, section 9.9.
    ///
    /// # Errors
    /// [`SopsError::NoRecipients`] if a group would be empty; [`SopsError::NotWrapped`].
    pub fn rotate(
        &self,
        add: &[Recipient],
        remove: &[String],
        keys: &KeyServices,
        now: jiff::Timestamp,
    ) -> Result<Vec<u8>, SopsError> {
        let file = &self.encrypted;
        let mut metadata = file.metadata.clone();
        let mut groups: Vec<Vec<Wanted>> =
            metadata.groups.iter().map(|group| group.keys.iter().map(Wanted::of_file).collect()).collect();
        for recipient in add {
            let wanted = Wanted::new(recipient, keys, now)?;
            match groups.first_mut() {
                Some(first) if !first.iter().any(|known| known.recipient.id() == wanted.recipient.id()) => {
                    first.push(wanted);
                }
                _ => {}
            }
        }
        for group in &mut groups {
            group.retain(|wanted| !remove.contains(&wanted.recipient.id()));
        }
        let key = DataKey::generate().map_err(SopsError::Cipher)?;
        (metadata.groups, metadata.shamir_threshold) = wrapping::wrap(&key, &groups, metadata.shamir_threshold, keys)?;
        metadata.lastmodified = time_of(now);

        let (mut old, mut new) = (file.cipher(&self.key), ValueCipher::new(&key));
        let scope = EncryptionScope::of_metadata(&file.metadata);
        let mark = match scope.selector() {
            Selector::UnencryptedCommentRegex(mark) | Selector::EncryptedCommentRegex(mark) => Some(mark),
            _ => None,
        };
        let mut edits = Edits::new();
        let mut token = Vec::with_capacity(1024);
        let mut stale = Vec::new();
        let code = values::open(&file.document, &file.metadata, &mut old, |opened| {
            match opened {
                Opened::Value { id, kind, bytes: b"", .. } => edits.opened(id, kind, b""),
                Opened::Value { id, kind, bytes, path, .. } => {
                    token.clear();
                    let sealed = new.encrypt(label_of(kind), bytes, path.associated_data(), &mut token);
                    sealed.map_err(SopsError::Cipher)?;
                    edits.leaf(id, &Replacement::Token(&token));
                }
                Opened::Comment { id, text, path } => {
                    seal_comment(&mut new, text, path.associated_data(), mark, &mut token)?;
                    edits.comment(id, &token);
                }
                Opened::StaleComment { id } => stale.push(id),
            }
            Ok(())
        })?;
        if !stale.is_empty() {
            let places = containers(&file.document)?;
            for id in stale {
                let CommentId(index) = id;
                let place = places.get(index as usize).map_or("", String::as_str);
                seal_comment(&mut new, file.document.comment(id), place, mark, &mut token)?;
                edits.comment(id, &token);
            }
        }
        seal_code(&mut metadata, &code, &mut new)?;
        let mut text = file.written(edits, Some(&metadata))?;
        Ok(std::mem::take(&mut *text))
    }
}

/// Encrypts a comment; a token that matches the pattern of the marking comments would be taken for one.
fn seal_comment(
    cipher: &mut ValueCipher,
    text: &[u8],
    associated_data: &str,
    mark: Option<&Pattern>,
    token: &mut Vec<u8>,
) -> Result<(), SopsError> {
    for _ in 0..DRAWS {
        token.clear();
        cipher.encrypt(Label::Comment, text, associated_data, token).map_err(SopsError::Cipher)?;
        if !mark.is_some_and(|mark| mark.is_match(token)) {
            break;
        }
    }
    Ok(())
}
