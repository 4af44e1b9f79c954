//! `sops rotate` and `-r`.

use std::path::Path;

use super::call::{Call, Loaded, converted};
use super::exit::Exit;
use super::recipients;
use crate::cli::Action;

pub(super) fn run(call: &Call) -> Result<u8, Exit> {
    let path = call.file()?;
    of_file(call, &path)
}

pub(super) fn of_file(call: &Call, path: &Path) -> Result<u8, Exit> {
    let destination = call.destination(Some(path))?;
    let name = call.name(Some(path));
    if call.legacy {
        recipients::demand_rule(call, name.as_deref().unwrap_or(path))?;
    }
    call.rules(None)?;
    let formats = call.formats(name.as_deref());
    let (add, remove) = (recipients::named(call, "add-")?, recipients::named(call, "rm-")?);
    let remove: Vec<String> = remove.iter().map(crate::keys::Recipient::id).collect();
    let Loaded { file, keys, witness } = call.load(Some(path), formats.0)?;
    witness.record(Action::Rotate)?;
    let opened = call.open(file, &keys, &witness)?;
    let text = opened.rotate(&add, &remove, &keys, call.context.now()).map_err(Exit::encrypting)?;
    witness.record(Action::Encrypt)?;
    destination.write(&converted(call, text, formats, &keys)?, 0o644)?;
    Ok(0)
}
