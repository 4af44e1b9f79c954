//! `lockage decrypt`.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::cli::secrets::batch::SealedBatch;
use crate::cli::secrets::in_file;
use crate::cli::secrets::input::{Source, Types};
use crate::cli::secrets::layout::{Layout, warn_of_comments};
use crate::cli::secrets::opening::Sealed;
use crate::cli::secrets::output::{Content, Destination};
use crate::cli::secrets::services::Opening;
use crate::cli::secrets::several::Several;
use crate::cli::{Context, Failed, report};
use crate::document::{Document, Format, KeyPath, OwnedTree, emit};
use crate::error::Class;
use crate::sops::SopsError;

/// Decrypt a file; it comes out as it went in, byte for byte. Several files are changed all together or not at all.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage decrypt secrets/app.yaml\n  \
lockage decrypt secrets/app.yaml --extract db.password\n  \
lockage decrypt secrets/*.yaml --output-dir /dev/shm/plain\n  \
lockage decrypt --recursive secrets --in-place\n  \
lockage decrypt --input-type dotenv < app.enc.env > /dev/shm/app.env")]
pub(crate) struct Decrypt {
    /// The files; stdin if they are left out or `-`.
    files: Vec<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    several: Several,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    layout: Layout,
    /// Write only the value at this path: `db.hosts[0]` or `["db"]["hosts"][0]`.
    #[arg(long, value_name = "KEY", conflicts_with_all = ["in_place", "output_dir"])]
    extract: Option<KeyPath>,
    /// Decrypt although the file as a whole may not be what its author wrote.
    #[arg(long)]
    ignore_mac: bool,
    #[command(flatten)]
    opening: Opening,
}

impl Decrypt {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.opening.chosen(context)?;
        if self.several.applies(context, &self.files, &self.destination) {
            return self.all(context);
        }
        let source = Source::of(self.files.first().map(PathBuf::as_path));
        let (format, output) = self.types.formats(&source)?;
        if format != output && self.extract.is_some() {
            return Err(Failed::new(Class::Usage, "one value has no type of its own")
                .hint("leave `--output-type` out; `lockage get --json` says what kind of value it is"));
        }
        let sink = self.destination.open(context, &source)?;
        let mut input = source.read(context)?;
        // The ciphertext is kept a second time only where it has to be compared before it is replaced.
        let known = if sink.replaces_input() { input.to_vec() } else { Vec::new() };
        let write = |text: &[u8]| sink.write(text, &known, Content::Plaintext);
        let file = Sealed::parse(context, &source, format, std::mem::take(&mut *input))?;
        let comments = file.file.document().outline().comments.len();
        let emitted = |tree: &OwnedTree| {
            warn_of_comments(context, comments, output);
            let name = source.path(self.types.filename_override.as_deref());
            emit(output, tree, None, self.layout.options(context, name, output)).map_err(SopsError::from)
        };
        if self.ignore_mac {
            let plain = file.decrypt_unverified()?;
            if let Some(distrust) = plain.distrust() {
                report::say(&format!("lockage: warning: {distrust}"));
            }
            let failed = |error| file.failed(error);
            match &self.extract {
                None if format == output => write(plain.text())?,
                None => write(&plain.tree(&file.file).and_then(|tree| emitted(&tree)).map_err(failed)?)?,
                Some(path) => {
                    let value = value_in(format, plain.text(), path).map_err(failed)?;
                    write(&value.ok_or_else(|| no_value(&source, path))?)?;
                }
            }
            return Ok(0);
        }
        let opened = file.decrypt()?;
        let failed = |error| opened.failed(error);
        match &self.extract {
            None => {
                warn_of_clear_comments(context, &source, opened.file.stale_comments());
                match format == output {
                    true => write(opened.file.text())?,
                    false => write(&opened.file.tree().and_then(|tree| emitted(&tree)).map_err(failed)?)?,
                }
            }
            Some(path) => {
                let value = opened.file.get(path).map_err(failed)?;
                let value = value.ok_or_else(|| no_value(&source, path))?;
                write(value.text.expose_secret().as_bytes())?;
            }
        }
        Ok(0)
    }
}

impl Decrypt {
    /// Several files.
    fn all(self, context: &Context) -> Result<u8, Failed> {
        if self.extract.is_some() {
            return Err(Failed::new(Class::Usage, "one value is taken from one file"));
        }
        let input = self.types.of_several()?;
        let (files, place) = self.several.files(context, &self.files, &self.destination)?;
        let files = SealedBatch::load(context, &files, input, &place)?;
        files.replace(context, &files.every(), Content::Plaintext, None, |index, sealed, save| {
            if self.ignore_mac {
                let plain = sealed.decrypt_unverified()?;
                if let Some(distrust) = plain.distrust() {
                    report::say(&format!("lockage: warning: {}: {distrust}", files.input(index).display()));
                }
                return save(plain.text());
            }
            let opened = sealed.decrypt()?;
            warn_of_clear_comments(context, &Source::File(files.input(index).to_owned()), opened.file.stale_comments());
            save(opened.file.text())
        })?;
        files.batch.report(context, "decrypt", "decrypted")
    }
}

/// SOPS reads comments that should be encrypted and are not, and so do we; nobody should rely on them.
fn warn_of_clear_comments(context: &Context, source: &Source, lines: &[usize]) {
    if let (Some(line), false) = (lines.first(), context.quiet) {
        let count = lines.len();
        let said = format!("{count} comment(s) should be encrypted and are not, the first in line {line}");
        report::say(&format!("lockage: warning: {}", in_file(source, Failed::new(Class::No, said)).message));
    }
}

fn value_in(format: Format, text: &[u8], path: &KeyPath) -> Result<Option<Zeroizing<Vec<u8>>>, SopsError> {
    let document = Document::parse(format, text.to_vec())?;
    let Some(id) = document.find(path) else { return Ok(None) };
    Ok(Some(Zeroizing::new(document.scalar(id)?.canonical.into_owned())))
}

/// There is nothing at that path, or no single value.
pub(super) fn no_value(source: &Source, path: &KeyPath) -> Failed {
    in_file(source, Failed::new(Class::No, format!("there is no value at `{path}`")))
        .hint("a path names one value: `db.password`, `hosts[0]`, `[\"a.b\"]`")
}
