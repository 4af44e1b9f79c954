//! `sops edit`, and `sops FILE`.
//!
//! *Source*: the SOPS format, section 9.11. Where SOPS would start the editor for ever, because nobody can say that it
//! has been seen to the error, we end; what was written is then put aside. What is edited under the metadata of
//! `--show-master-keys`, SOPS discards; here it counts.
//!
//! With `--output-type` SOPS shows the file as the output's type, reads what was edited as the input's, and writes the
//! output's under the old name. So only JSON out of YAML can be saved and opened again: JSON is YAML. Of any other pair
//! SOPS starts the editor for ever, or writes what it cannot open; we refuse those.

use std::ffi::OsStr;
use std::io::BufRead as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::call::{Call, Loaded, write};
use super::exit::{self, Exit};
use super::recipients;
use crate::cli::Action;
use crate::cli::commands::edit::example;
use crate::cli::secrets::desk::{self, Desk};
use crate::cli::secrets::editor::Editor;
use crate::cli::secrets::private;
use crate::document::{Document, Edits, EmitOptions, Format, MetadataEdit, emit};
use crate::sops::{DecryptedFile, Encryption, Flavour, SopsError, encrypt, encrypt_as};

/// What is edited.
enum Subject {
    Old(Box<DecryptedFile>),
    New(Box<Encryption>),
}

pub(super) fn run(call: &Call) -> Result<u8, Exit> {
    let path = call.file()?;
    of_file(call, &path)
}

pub(super) fn of_file(call: &Call, path: &Path) -> Result<u8, Exit> {
    let name = call.name(Some(path));
    let formats = call.formats(name.as_deref());
    let subject = if path.exists() {
        if call.legacy {
            recipients::demand_rule(call, path)?;
        }
        call.rules(None)?;
        let Loaded { file, keys, witness } = call.load(Some(path), formats.0)?;
        let opened = call.open(file, &keys, &witness)?;
        Subject::Old(Box::new(opened))
    } else {
        Subject::New(Box::new(recipients::encryption(call, name.as_deref())?))
    };
    if formats.0 != formats.1 && formats != (Format::Yaml, Format::Json) {
        let (input, output) = (formats.0.word(), formats.1.word());
        let reason = format!("Could not marshal tree: what is shown as {output} cannot be read back as {input}");
        return Err(Exit::new(4, reason));
    }
    let shown = subject.shown(call, formats)?;
    let editor = Editor::of_variables(&call.context, &["SOPS_EDITOR", "EDITOR"]);
    let not_run = |failed: crate::cli::Failed| Exit::new(201, format!("Could not run editor: {}", failed.message));
    let folder = private::folder_or_temporary(&call.context)?;
    let file_name = path.file_name().unwrap_or(OsStr::new("secrets"));
    let desk = Desk::lay(editor.map_err(not_run)?, folder, file_name, &shown)?;
    loop {
        let edited = desk.open(None).map_err(not_run)?.text;
        if edited[..] == shown[..] {
            return Err(Exit::new(200, "File has not changed, exiting."));
        }
        match subject.encrypted(call, formats, &edited) {
            Ok(text) => {
                call.context.witness(Some(path))?.record(Action::Encrypt)?;
                write(path, &text, 0o644, "in-place")?;
                return Ok(0);
            }
            Err(error) => {
                let words = "Could not load tree, probably due to invalid syntax. Press enter to return to the editor, or Ctrl+C to exit.";
                exit::log_error("CMD", words, &Exit::encrypting(error).message);
                let mut line = String::new();
                if !matches!(std::io::stdin().lock().read_line(&mut line), Ok(read) if read > 0) {
                    return Err(subject.aside(call, file_name, &edited));
                }
            }
        }
    }
}

impl Subject {
    /// What the editor shows.
    fn shown(&self, call: &Call, (input, output): (Format, Format)) -> Result<Zeroizing<Vec<u8>>, Exit> {
        let file = match self {
            Self::New(_) => return Ok(Zeroizing::new(example(output).to_vec())),
            Self::Old(file) => file,
        };
        let with_keys = call.flags.is_set("show-master-keys");
        let failed = |error: SopsError| Exit::decrypting(&error);
        if input != output {
            let metadata = with_keys.then(|| file.metadata().to_tree());
            let emitted = emit(output, &file.tree().map_err(failed)?, metadata.as_ref(), call.emit_options(output));
            return emitted.map_err(|error| failed(error.into()));
        }
        if !with_keys {
            return Ok(Zeroizing::new(file.text().to_vec()));
        }
        let mut edits = Edits::new();
        edits.metadata = MetadataEdit::Set(file.metadata().to_tree());
        file.document().and_then(|document| Ok(document.apply(&edits)?)).map_err(failed)
    }

    /// The text of the new file.
    fn encrypted(&self, call: &Call, formats: (Format, Format), edited: &[u8]) -> Result<Vec<u8>, SopsError> {
        let now = call.context.now();
        let mut document = Document::parse_as_sops(formats.0, edited.to_vec())?;
        if call.flags.is_set("show-master-keys") && document.metadata().is_some() {
            let mut edits = Edits::new();
            edits.metadata = MetadataEdit::Remove;
            let text = match document.apply(&edits) {
                // Out of braces the metadata does not come off.
                Err(_) => emit(formats.0, &document.tree(&edits)?, None, EmitOptions::default())?,
                text => text?,
            };
            document = Document::parse_as_sops(formats.0, text.to_vec())?;
        }
        match self {
            Self::Old(file) if formats.0 != formats.1 => {
                file.reencrypt_as(&document, formats.1, call.emit_options(formats.1), Flavour::Sops, now)
            }
            Self::Old(file) => match file.reencrypt(&document, Flavour::Sops, now)? {
                Some(text) => Ok(text),
                None => file.touch(now),
            },
            Self::New(encryption) if formats.0 == formats.1 => {
                encrypt(&document, encryption, &call.keys_to_encrypt(), now)
            }
            Self::New(encryption) => {
                encrypt_as(&document, formats.1, call.emit_options(formats.1), encryption, &call.keys_to_encrypt(), now)
            }
        }
    }

    /// Nobody is there to go on: what was written is kept, encrypted for the same keys.
    fn aside(&self, call: &Call, name: &OsStr, edited: &[u8]) -> Exit {
        let now = call.context.now();
        let sealed = match self {
            Self::Old(file) => file.aside(edited, now),
            Self::New(encryption) => Document::parse_plain(Format::Binary, edited.to_vec())
                .map_err(SopsError::from)
                .and_then(|document| encrypt(&document, encryption, &call.keys_to_encrypt(), now)),
        };
        let kept = sealed.map_err(crate::cli::Failed::from);
        match kept.and_then(|text| desk::put_aside(&call.context, name, &text)) {
            Ok(path) => Exit::new(1, format!("What you wrote is in {}, encrypted for the same keys.", path.display())),
            Err(error) => Exit::new(1, format!("What you wrote is lost: {}", error.message)),
        }
    }
}
