//! Input and output of different types, and what only SOPS takes, held to the real `sops`.

pub(crate) mod differential;
mod refused;

use lockage::document::{Document, EmitOptions, Format, emit};
use lockage::sops::{EncryptedFile, Encryption, Flavour, SopsError, encrypt, encrypt_as};

use crate::support::{encryption, keyring, now};

pub(super) fn as_sops() -> Encryption {
    Encryption { flavour: Flavour::Sops, ..encryption() }
}

/// What `sops encrypt --input-type INPUT --output-type OUTPUT` does.
pub(crate) fn encrypted(input: Format, output: Format, text: &[u8], how: &Encryption) -> Result<Vec<u8>, SopsError> {
    let document = Document::parse_as_sops(input, text.to_vec())?;
    if input == output {
        return encrypt(&document, how, &keyring(), now());
    }
    encrypt_as(&document, output, EmitOptions::default(), how, &keyring(), now())
}

/// What `sops decrypt --input-type INPUT --output-type OUTPUT` does where they differ.
pub(super) fn decrypted(input: Format, output: Format, file: &[u8]) -> Result<Vec<u8>, SopsError> {
    let opened = EncryptedFile::parse_as_sops(input, file.to_vec())?.decrypt(&keyring())?;
    Ok(emit(output, &opened.tree()?, None, EmitOptions::default())?.to_vec())
}
