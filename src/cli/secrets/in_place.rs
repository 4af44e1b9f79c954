//! A file that is opened, changed, and written back to where it was.

use std::path::Path;

use zeroize::Zeroizing;

use super::input::{Source, Types};
use super::opening::{Opened, open};
use crate::cli::{Action, Context, Failed};
use crate::sops::SopsError;
use crate::system::files::{Mode, Target};

/// An opened file, and what it was read from, held until it is written.
pub(crate) struct InPlace {
    target: Target,
    input: Zeroizing<Vec<u8>>,
    pub(crate) opened: Opened,
}

impl InPlace {
    /// Holds, reads and opens a file.
    ///
    /// # Errors
    /// As for [`open`]; there is no such file, or somebody else changes it.
    pub(crate) fn open(context: &Context, file: &Path, types: &Types) -> Result<Self, Failed> {
        let source = Source::File(file.to_owned());
        let format = types.format(&source)?;
        let target = Target::hold(&context.path(file))?;
        let input = target.read_at_most(context.max_size)?;
        let opened = open(context, &source, format, input.to_vec())?;
        Ok(Self { target, input, opened })
    }

    /// Writes what a change has made of it; false where that is nothing.
    ///
    /// # Errors
    /// The change is none that can be made; the file cannot be written.
    pub(crate) fn keep(&self, changed: Result<Option<Vec<u8>>, SopsError>) -> Result<bool, Failed> {
        let Some(text) = changed.map_err(|error| self.opened.failed(error))? else { return Ok(false) };
        self.opened.witness.record(Action::Encrypt)?;
        self.target.replace(&text, Some(&self.input), Mode::KeptOr(0o644))?;
        Ok(true)
    }
}
