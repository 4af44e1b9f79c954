//! `lockage decrypt`.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::cli::secrets::in_file;
use crate::cli::secrets::input::{Source, Types};
use crate::cli::secrets::opening::Sealed;
use crate::cli::secrets::output::{Content, Destination};
use crate::cli::secrets::services::Opening;
use crate::cli::{Context, Failed, report};
use crate::document::{Document, Format, KeyPath};
use crate::error::Class;
use crate::sops::SopsError;

/// Decrypt a file; it comes out as it went in, byte for byte.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage decrypt secrets/app.yaml\n  \
lockage decrypt secrets/app.yaml --extract db.password\n  \
lockage decrypt --input-type dotenv < app.enc.env > /dev/shm/app.env")]
pub(crate) struct Decrypt {
    /// The file; stdin if it is left out or `-`.
    file: Option<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    types: Types,
    /// Write only the value at this path: `db.hosts[0]` or `["db"]["hosts"][0]`.
    #[arg(long, value_name = "KEY", conflicts_with = "in_place")]
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
        let source = Source::of(self.file.as_deref());
        let format = self.types.format(&source)?;
        let sink = self.destination.open(context, &source)?;
        let mut input = source.read(context)?;
        // The ciphertext is kept a second time only where it has to be compared before it is replaced.
        let known = if sink.replaces_input() { input.to_vec() } else { Vec::new() };
        let file = Sealed::parse(context, &source, format, std::mem::take(&mut *input))?;
        if self.ignore_mac {
            let plain = file.decrypt_unverified()?;
            if let Some(distrust) = plain.distrust() {
                report::say(&format!("lockage: warning: {distrust}"));
            }
            match &self.extract {
                None => sink.write(plain.text(), &known, Content::Plaintext)?,
                Some(path) => {
                    let value = value_in(format, plain.text(), path).map_err(|error| file.failed(error))?;
                    sink.write(&value.ok_or_else(|| no_value(&source, path))?, &known, Content::Plaintext)?;
                }
            }
            return Ok(0);
        }
        let opened = file.decrypt()?;
        match &self.extract {
            None => {
                warn_of_clear_comments(context, &source, opened.file.stale_comments());
                sink.write(opened.file.text(), &known, Content::Plaintext)?;
            }
            Some(path) => {
                let value = opened.file.get(path).map_err(|error| opened.failed(error))?;
                let value = value.ok_or_else(|| no_value(&source, path))?;
                sink.write(value.text.expose_secret().as_bytes(), &known, Content::Plaintext)?;
            }
        }
        Ok(0)
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
