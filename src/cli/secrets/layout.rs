//! How a text is laid out that is written anew, because its type is another one.

use std::path::Path;

use super::rules::{Rules, Search};
use crate::cli::{Context, report};
use crate::document::{EmitOptions, Format};

/// The flag of a command that converts.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Layout {
    /// Columns of one level where another type is written, -1 for a tab in JSON; else what `stores` in `.sops.yaml` says.
    #[arg(long, value_name = "COLUMNS", allow_negative_numbers = true)]
    indent: Option<i64>,
}

impl Layout {
    /// The settings for a file of that name: those of the flag, or of its rules; rules that cannot be read say nothing.
    pub(crate) fn options(self, context: &Context, name: Option<&Path>, output: Format) -> EmitOptions {
        let ruled = || {
            let rules = Rules::find(context, name?, Search::OfFile).ok().flatten()?;
            rules.set.stores().indent(output)
        };
        EmitOptions { indent: self.indent.or_else(ruled) }
    }
}

/// Says so when comments have no place in what is written.
pub(crate) fn warn_of_comments(context: &Context, comments: usize, output: Format) {
    if comments > 0 && matches!(output, Format::Json | Format::Binary) && !context.quiet {
        report::say(&format!("lockage: warning: {comments} comment(s) have no place in {}", output.word()));
    }
}
