//! Opens leaves of encrypted files for the engine, which knows no file format of secrets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::Context;
use crate::cli::secrets::identities::Identities;
use crate::document::{Format, KeyPath};
use crate::error::Failure as _;
use crate::keys::published;
use crate::promote::{Opener, SourceError};
use crate::secret::{SecretRef, SecretString};
use crate::sops::{DecryptedFile, EncryptedFile};

/// Where a repository publishes its test key.
pub(crate) const PUBLISHED: &str = "secrets/published-test-key.txt";

/// The first file that was refused because the published test key opens it.
#[derive(Clone, Default)]
pub(crate) struct Refused(Arc<Mutex<Option<String>>>);

impl Refused {
    /// The file, if one was refused.
    pub(crate) fn file(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, file: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| file.to_owned());
    }
}

/// An opener with the user's identities. Each version of a file is decrypted once and kept, wiped with the opener.
///
/// `published`: in a rehearsal the published test key, as the repository has it; elsewhere a file that everybody can open
/// is refused.
pub(crate) fn opener(context: &Context, published: Option<SecretString>) -> (Opener, Refused) {
    let context = context.clone();
    let refused = Refused::default();
    let noted = refused.clone();
    let opened: Mutex<BTreeMap<String, DecryptedFile>> = Mutex::default();
    let open = move |reference: &SecretRef, bytes: &[u8]| -> Result<SecretString, SourceError> {
        let locked = |why: String, hints: Vec<String>| SourceError::Locked { reference: reference.clone(), why, hints };
        let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
        if !opened.contains_key(&reference.blob) {
            let sealed = EncryptedFile::parse(Format::of_path(&reference.file), bytes.to_vec())
                .map_err(|error| locked(error.to_string(), error.hints()))?;
            if published.is_none() && everybody_opens(&sealed) {
                noted.note(&reference.file);
                return Err(locked("the published test key opens it, so it holds no secret".to_owned(), Vec::new()));
            }
            let mut identities = Identities::of_user(&context, sealed.metadata());
            if let Some(text) = &published {
                let _ = identities.keyring.add_age_text(text, PUBLISHED);
            }
            let recorded = |failed: crate::cli::Failed| locked(failed.message, failed.hints);
            let witness = context.witness(Some(reference.file.as_ref())).map_err(recorded)?;
            let plain = witness.decrypted(sealed.decrypt(&identities.keys(&context))).map_err(recorded)?;
            let plain = plain.map_err(|error| locked(error.to_string(), error.hints()))?;
            opened.insert(reference.blob.clone(), plain);
        }
        let missing = || SourceError::Missing { reference: reference.clone() };
        let file = opened.get(&reference.blob).ok_or_else(missing)?;
        let path: KeyPath = reference.path.parse().map_err(|_| missing())?;
        match file.get(&path) {
            Ok(Some(value)) => Ok(value.text),
            Ok(None) => Err(missing()),
            Err(error) => Err(locked(error.to_string(), error.hints())),
        }
    };
    (Box::new(open), refused)
}

/// Whether the published test key is among a file's recipients.
fn everybody_opens(file: &EncryptedFile) -> bool {
    file.metadata().recipients().any(published::is_published)
}
