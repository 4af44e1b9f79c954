//! `sops set`, `sops unset` and `--set`.

use std::path::Path;

use super::call::{Call, Loaded, converted, write};
use super::exit::Exit;
use super::{extract, recipients};
use crate::cli::secrets::value;
use crate::cli::{Action, Witness};
use crate::document::{Format, KeyPath, Kind, PathPart, fixed_notation, parse_float};
use crate::secret::SecretString;
use crate::sops::{DecryptedFile, Flavour, NewValue, SopsError};
use crate::system::files;

pub(super) fn set(call: &Call) -> Result<u8, Exit> {
    let (from_file, from_stdin) = (call.flags.is_set("value-file"), call.flags.is_set("value-stdin"));
    if from_file && from_stdin {
        return Err(Exit::new(1, "Error: cannot use both --value-file and --value-stdin"));
    }
    let wanted = if from_stdin { 2 } else { 3 };
    if call.flags.rest.len() != wanted {
        let what = if from_stdin { "index is" } else { "index and value are" };
        let message =
            format!("Error: no file specified, or {what} missing. Need precisely {wanted} positional arguments.");
        return Err(Exit::new(100, message));
    }
    let file = call.file()?;
    let path = extract::path(&call.flags.rest[1], extract::SET)?;
    let text = if from_stdin {
        text_of(files::read_stream(std::io::stdin().lock(), 4096, Path::new("stdin")))?
    } else if from_file {
        text_of(files::read(&call.context.path(Path::new(&call.flags.rest[2]))))?
    } else {
        SecretString::new(call.flags.rest[2].clone())
    };
    put(call, &file, &path, &text)
}

/// `--set '["a"][0] "value"'`.
pub(super) fn legacy(call: &Call, file: &Path) -> Result<u8, Exit> {
    let text = call.flags.value("set").unwrap_or_default();
    // The bracket belongs to the path, the blank to nobody.
    let Some(at) = text.find("] ") else { return Err(Exit::new(7, "Invalid --set format")) };
    let path = extract::path(&text[..=at], (7, "Invalid --set format"))?;
    recipients::demand_rule(call, file)?;
    put(call, file, &path, &SecretString::new(text[at + 2..].to_owned()))
}

fn put(call: &Call, file: &Path, path: &KeyPath, text: &SecretString) -> Result<u8, Exit> {
    let value = value_of(text)?;
    if is_metadata(path, call.formats(Some(file)).0) {
        return Err(Exit::encrypting(SopsError::AlreadyEncrypted { line: 0 }));
    }
    change(call, file, |file, now, witness| {
        let changed = match file.put(path, &value, Flavour::Sops, now) {
            // A position in a mapping is no place, and SOPS writes the file all the same.
            Err(SopsError::NoPlace { reason: "a mapping has keys, not positions", .. }) => None,
            other => other.map_err(|error| Exit::changing(&error))?,
        };
        if changed.is_none() && call.flags.is_set("idempotent") {
            // SOPS encrypts before it compares.
            witness.record(Action::Encrypt)?;
        }
        Ok(changed)
    })
}

/// Whether a value there would be taken for metadata.
fn is_metadata(path: &KeyPath, format: Format) -> bool {
    match (path.parts(), format) {
        ([PathPart::Key(key), ..], Format::Dotenv) => key.starts_with("sops_"),
        ([PathPart::Key(key), ..], Format::Yaml | Format::Json | Format::Ini) => key == "sops",
        _ => false,
    }
}

pub(super) fn unset(call: &Call) -> Result<u8, Exit> {
    if call.flags.rest.len() != 2 {
        return Err(Exit::new(100, "Error: no file specified, or index is missing"));
    }
    let file = call.file()?;
    let path = extract::path(&call.flags.rest[1], extract::UNSET)?;
    let idempotent = call.flags.is_set("idempotent");
    change(call, &file, |file, now, _| {
        let failed = |error: SopsError| Exit::changing(&error);
        match file.unset(&path, Flavour::Sops, now).map_err(failed)? {
            None => match why_missing(file, &path).map_err(failed)? {
                Missing::Entry(_) if idempotent => Ok(None),
                Missing::Entry(exit) | Missing::Container(exit) => Err(exit),
            },
            changed => Ok(changed),
        }
    })
}

/// Opens a file, changes it and writes it back; where nothing has changed only if the user does not mind.
fn change(
    call: &Call,
    path: &Path,
    change: impl FnOnce(&DecryptedFile, jiff::Timestamp, &Witness) -> Result<Option<Vec<u8>>, Exit>,
) -> Result<u8, Exit> {
    call.rules(None)?;
    let formats = call.formats(Some(path));
    let Loaded { file, keys, witness } = call.load(Some(path), formats.0)?;
    let opened = call.open(file, &keys, &witness)?;
    let now = call.context.now();
    let text = match change(&opened, now, &witness)? {
        Some(text) => text,
        None if call.flags.is_set("idempotent") => return Ok(0),
        None => opened.touch(now).map_err(|error| Exit::changing(&error))?,
    };
    let text = converted(call, text, formats, &keys)?;
    witness.record(Action::Encrypt)?;
    write(path, &text, 0o644, "in-place")?;
    Ok(0)
}

/// What SOPS says of a path that leads nowhere.
enum Missing {
    /// There is no such key or position.
    Entry(Exit),
    /// What stands there has neither keys nor positions, which `--idempotent` does not excuse.
    Container(Exit),
}

fn why_missing(file: &DecryptedFile, path: &KeyPath) -> Result<Missing, SopsError> {
    let document = file.document()?;
    for depth in 1..=path.parts().len() {
        let parts = &path.parts()[..depth];
        if NewValue::at(document, &KeyPath::new(parts.to_vec()))?.is_some() {
            continue;
        }
        let above = NewValue::at(document, &KeyPath::new(parts[..depth - 1].to_vec()))?;
        return Ok(match (&parts[depth - 1], above) {
            (part, Some(NewValue::Leaf { kind, .. })) => {
                let item = match part {
                    PathPart::Key(key) => key.clone(),
                    PathPart::Index(index) => index.to_string(),
                };
                Missing::Container(Exit::new(1, format!("Unsupported type: {} for item '{item}'", go_type(kind))))
            }
            (PathPart::Key(key), _) => Missing::Entry(Exit::new(1, format!("Key not found: {key}"))),
            (PathPart::Index(index), _) => Missing::Entry(Exit::new(1, format!("Index {index} out of bounds"))),
        });
    }
    Ok(Missing::Entry(Exit::new(1, "Key not found")))
}

const fn go_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Str => "string",
        Kind::Int => "int",
        Kind::Float => "float64",
        Kind::Bool => "bool",
        Kind::Time => "time.Time",
        Kind::Null => "<nil>",
    }
}

/// The value as SOPS reads it: an object keeps its numbers, a single number becomes a floating one, a list is refused.
fn value_of(text: &SecretString) -> Result<NewValue, Exit> {
    match value::of_json(text) {
        None => Err(Exit::new(7, "Value for --set is not valid JSON")),
        Some(NewValue::List(_)) => Err(Exit::new(7, "Invalid --set value format")),
        Some(NewValue::Leaf { kind: Kind::Int, text }) => {
            let number = parse_float(text.expose_secret().as_bytes()).map(fixed_notation);
            Ok(NewValue::leaf(Kind::Float, number.unwrap_or_default()))
        }
        Some(value) => Ok(value),
    }
}

fn text_of(read: Result<zeroize::Zeroizing<Vec<u8>>, files::FileError>) -> Result<SecretString, Exit> {
    let mut bytes = read.map_err(|error| Exit::new(1, super::exit::whole(&error)))?;
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(SecretString::new(text)),
        Err(error) => {
            drop(zeroize::Zeroizing::new(error.into_bytes()));
            Err(Exit::new(7, "Value for --set is not valid JSON"))
        }
    }
}
