//! `lockage edit`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::cli::secrets::desk::{self, Desk};
use crate::cli::secrets::editor::Editor;
use crate::cli::secrets::identities::to_encrypt;
use crate::cli::secrets::input::{Source, Types};
use crate::cli::secrets::opening::open;
use crate::cli::secrets::recipients::Recipients;
use crate::cli::secrets::services::Opening;
use crate::cli::secrets::{in_file, private, rules};
use crate::cli::{Action, Context, Failed, report, terminal};
use crate::document::{Document, Format, Visit};
use crate::sops::{DecryptedFile, Encryption, Flavour, SopsError, encrypt};
use crate::system::files::{Mode, Target};

/// Names shown of what has changed.
const MOST_NAMES: usize = 5;

/// Edit the values of an encrypted file; what you do not touch keeps its ciphertext byte for byte.
///
/// The plaintext lies on a memory file system while the editor is open and is wiped afterwards, whatever happens. A
/// file that is not there yet is made by its rule in `.sops.yaml`. What cannot be saved is put aside, encrypted for the
/// same keys, in `lockage/unsaved` of the user's state folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage edit secrets/app.yaml\n  \
EDITOR='code --wait' lockage edit secrets/app.env")]
pub(crate) struct Edit {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    recipients: Recipients,
    #[command(flatten)]
    opening: Opening,
    /// Where there is no memory file system, write the plaintext to a disk while the editor is open.
    #[arg(long)]
    plaintext_on_disk: bool,
}

impl Edit {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.opening.chosen(context)?;
        let source = Source::File(self.file.clone());
        let format = self.types.format(&source)?;
        let target = Target::hold(&context.path(&self.file))?;
        let subject = Subject::open(context, &source, format, &target, &self.recipients)?;
        let folder = private::folder(context, self.plaintext_on_disk)?;
        let name = self.file.file_name().unwrap_or(OsStr::new("secrets"));
        let desk = Desk::lay(Editor::choose(context)?, folder, name, subject.plaintext())?;
        let mut place = None;
        loop {
            let mut edited = desk.open(place)?;
            if edited.text[..] == *subject.plaintext() && edited.at_once {
                edited.text = look_again(context, &desk)?;
            }
            if edited.text[..] == *subject.plaintext() {
                say(context, &format!("nothing has changed in {}", self.file.display()));
                return Ok(0);
            }
            let failed = match subject.encrypted(context, format, &edited.text) {
                Ok(None) => return Ok(0),
                Ok(Some((text, summary))) => {
                    let recorded =
                        context.witness(source.path(None)).and_then(|witness| witness.record(Action::Encrypt));
                    let replaced =
                        recorded.and_then(|()| Ok(target.replace(&text, subject.known(), Mode::KeptOr(0o644))?));
                    match replaced {
                        Ok(()) => {
                            say(context, &format!("saved {}: {summary}", self.file.display()));
                            return Ok(0);
                        }
                        Err(failed) => failed,
                    }
                }
                Err(error) => {
                    place = position(&error);
                    in_file(&source, error)
                }
            };
            if context.interactive {
                report::failure(&failed);
                let question = "Open the editor again? Otherwise what you wrote is put aside, encrypted.";
                if terminal::confirm_unless_no(context, question)? {
                    continue;
                }
            }
            return Err(subject.aside(context, name, &edited.text, failed));
        }
    }
}

/// An editor that has returned at once may still have the file open.
fn look_again(context: &Context, desk: &Desk) -> Result<Zeroizing<Vec<u8>>, Failed> {
    say(context, "lockage: the editor returned at once (does it fork? use `--wait`: `EDITOR='code --wait'`)");
    if context.interactive {
        terminal::confirm_unless_no(context, "Look at the file again? Answer once it is saved and closed.")?;
    }
    desk.read()
}

fn say(context: &Context, line: &str) {
    if !context.quiet {
        report::say(line);
    }
}

/// Where in the edited text the error is, if it is in a place.
fn position(error: &SopsError) -> Option<(usize, usize)> {
    match error {
        SopsError::Syntax(error) => Some((error.line, error.column)),
        SopsError::AlreadyEncrypted { line }
        | SopsError::EncryptedMark { line }
        | SopsError::Aliases { line }
        | SopsError::Tagged { line, .. }
        | SopsError::Unstable { line } => Some((*line, 1)),
        SopsError::DroppedComments { lines } => lines.first().map(|line| (*line, 1)),
        _ => None,
    }
}

/// What is edited.
enum Subject {
    /// A file that is there, and its bytes.
    Old(Box<DecryptedFile>, Zeroizing<Vec<u8>>),
    /// A file to be made.
    New(Encryption, &'static [u8]),
}

impl Subject {
    fn open(
        context: &Context,
        source: &Source,
        format: Format,
        target: &Target,
        recipients: &Recipients,
    ) -> Result<Self, Failed> {
        let Source::File(path) = source else { return Err(in_file(source, SopsError::NotEncrypted)) };
        if !target.exists() {
            return Ok(Self::New(rules::encryption(context, Some(path), recipients)?, example(format)));
        }
        let input = target.read_at_most(context.max_size)?;
        let opened = open(context, source, format, input.to_vec())?;
        Ok(Self::Old(Box::new(opened.file), input))
    }

    fn plaintext(&self) -> &[u8] {
        match self {
            Self::Old(file, _) => file.text(),
            Self::New(_, example) => example,
        }
    }

    /// What must still be there when the new text is written.
    fn known(&self) -> Option<&[u8]> {
        match self {
            Self::Old(_, input) => Some(input),
            Self::New(..) => None,
        }
    }

    /// Keeps what was written although it cannot be saved: encrypted for the same keys, outside of the repository.
    fn aside(&self, context: &Context, name: &OsStr, edited: &[u8], failed: Failed) -> Failed {
        let sealed = match self {
            Self::Old(file, _) => file.aside(edited, context.now()),
            Self::New(encryption, _) => Document::parse_plain(Format::Binary, edited.to_vec())
                .map_err(SopsError::from)
                .and_then(|document| encrypt(&document, encryption, &to_encrypt(context), context.now())),
        };
        let kept = sealed.map_err(Failed::from).and_then(|text| desk::put_aside(context, name, &text));
        match kept {
            Ok(path) => failed.hint(format!(
                "what you wrote is not lost: it is in `{0}`, encrypted for the same keys; `lockage decrypt {0}` shows it",
                path.display()
            )),
            Err(error) => failed.hint(format!("what you wrote is lost: {}", error.message)),
        }
    }

    /// The new text of the file, and a line about what has changed.
    fn encrypted(
        &self,
        context: &Context,
        format: Format,
        edited: &[u8],
    ) -> Result<Option<(Vec<u8>, String)>, SopsError> {
        let format = match (self, format) {
            // It may say more than its name.
            (Self::Old(file, _), _) => file.document()?.format(),
            (Self::New(encryption, _), Format::Dotenv) => encryption.dialect.map_or(format, Format::Dialect),
            (Self::New(..), _) => format,
        };
        let edited = Document::parse(format, edited.to_vec())?;
        match self {
            Self::Old(file, _) => {
                let text = file.reencrypt(&edited, Flavour::Own, context.now())?;
                let Some(text) = text else { return Ok(None) };
                Ok(Some((text, summary(file.document()?, &edited)?)))
            }
            Self::New(encryption, _) => {
                let text = encrypt(&edited, encryption, &to_encrypt(context), context.now())?;
                Ok(Some((text, format!("a new file with {} values", edited.outline().leaves.len()))))
            }
        }
    }
}

/// What a new file begins with.
pub(super) fn example(format: Format) -> &'static [u8] {
    match format {
        Format::Yaml => b"example_key: example_value\n",
        Format::Json => b"{\n\t\"example_key\": \"example_value\"\n}\n",
        Format::Dotenv | Format::Dialect(_) => b"EXAMPLE_KEY=example_value\n",
        Format::Ini => b"[example]\nkey = value\n",
        Format::Toml => b"example_key = \"example_value\"\n",
        Format::Binary => b"",
    }
}

/// Which values have changed, by name.
fn summary(old: &Document, new: &Document) -> Result<String, SopsError> {
    let (mut old, new) = (values(old)?, values(new)?);
    let mut names = Vec::new();
    for (name, value) in &new {
        match old.remove(name) {
            Some(before) if before == *value => {}
            Some(_) => names.push(name.clone()),
            None => names.push(format!("+{name}")),
        }
    }
    names.extend(old.into_keys().map(|name| format!("-{name}")));
    if names.is_empty() {
        return Ok("no value has changed, only the text around them".to_owned());
    }
    let (count, more) = (names.len(), names.len().saturating_sub(MOST_NAMES));
    names.truncate(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok(format!("{count} value(s) changed ({}{more})", names.join(", ")))
}

/// Every value by its path; where a key stands twice, the last one.
fn values(document: &Document) -> Result<BTreeMap<String, Zeroizing<Vec<u8>>>, SopsError> {
    let mut values = BTreeMap::new();
    document.walk(|visit| {
        if let Visit::Leaf { id, path } = visit {
            let value = Zeroizing::new(document.scalar(id)?.canonical.into_owned());
            values.insert(path.to_key_path().to_string(), value);
        }
        Ok::<(), SopsError>(())
    })?;
    Ok(values)
}
