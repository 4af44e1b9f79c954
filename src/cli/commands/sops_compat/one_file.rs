//! `sops encrypt` and `sops decrypt`, `-e` and `-d`.

use zeroize::Zeroizing;

use super::call::Call;
use super::exit::{self, Exit};
use super::{extract, recipients};
use crate::cli::Action;
use crate::document::{Document, Format, OwnedTree, emit};
use crate::sops::{SopsError, encrypt_as};

pub(super) fn encrypt(call: &Call) -> Result<u8, Exit> {
    exit::warn_of_ignored(&call.flags.rest);
    let file = call.file().ok();
    let destination = call.destination(file.as_deref())?;
    match &file {
        None if call.legacy => return Err(Exit::new(100, "Error: no file specified")),
        None if call.flags.value("filename-override").is_none() => {
            return Err(Exit::new(8, "Error: must specify --filename-override when reading from stdin"));
        }
        None => {}
        Some(file) => call.exists(file)?,
    }
    let name = call.name(file.as_deref());
    let (format, output) = call.formats(name.as_deref());
    let encryption = recipients::encryption(call, name.as_deref())?;
    let mut input = call.read(file.as_deref())?;
    let parse = if format == Format::Binary { Document::parse_plain } else { Document::parse_as_sops };
    let document = parse(format, std::mem::take(&mut *input)).map_err(|error| Exit::encrypting(error.into()))?;
    let (keys, now) = (call.keys_to_encrypt(), call.context.now());
    // The JSON around a binary file has no text of the user's to keep.
    let anew = format != output || (output == Format::Binary && encryption.emit.indent.is_some());
    let text = if !anew {
        crate::sops::encrypt(&document, &encryption, &keys, now)
    } else {
        encrypt_as(&document, output, encryption.emit, &encryption, &keys, now)
    };
    let text = text.map_err(Exit::encrypting)?;
    call.context.witness(file.as_deref())?.record(Action::Encrypt)?;
    destination.write(&text, 0o644)?;
    Ok(0)
}

pub(super) fn decrypt(call: &Call) -> Result<u8, Exit> {
    exit::warn_of_ignored(&call.flags.rest);
    let file = call.file().ok();
    let destination = call.destination(file.as_deref())?;
    match &file {
        None if call.legacy => return Err(Exit::new(100, "Error: no file specified")),
        None => {}
        Some(file) => call.exists(file)?,
    }
    let path = call.flags.value("extract").map(|path| extract::path(path, extract::EXTRACT)).transpose()?;
    call.rules(None)?;
    let name = call.name(file.as_deref());
    let (format, output) = call.formats(name.as_deref());
    let loaded = call.load(file.as_deref(), format)?;
    let failed = |error: SopsError| Exit::decrypting(&error);
    let whole = path.is_none() && format == output;
    let (text, tree): (Zeroizing<Vec<u8>>, Option<OwnedTree>) = if call.flags.is_set("ignore-mac") {
        let opened = loaded.witness.decrypted(loaded.file.decrypt_unverified(&loaded.keys))?.map_err(failed)?;
        let tree = if whole { None } else { Some(opened.tree(&loaded.file).map_err(failed)?) };
        (Zeroizing::new(opened.text().to_vec()), tree)
    } else {
        let opened = loaded.witness.decrypted(loaded.file.decrypt(&loaded.keys))?.map_err(failed)?;
        let tree = if whole { None } else { Some(opened.tree().map_err(failed)?) };
        (Zeroizing::new(opened.text().to_vec()), tree)
    };
    let text = match (tree, path) {
        (None, _) => text,
        (Some(tree), None) => emit(output, &tree, None, call.emit_options(output)).map_err(Exit::emitting)?,
        (Some(tree), Some(path)) => {
            let selected =
                tree.select(&path).map_err(|error| Exit::new(1, format!("error truncating tree: {error}")))?;
            selected.emit(output, call.emit_options(output)).map_err(Exit::emitting)?
        }
    };
    destination.write(&text, 0o600)?;
    Ok(0)
}
