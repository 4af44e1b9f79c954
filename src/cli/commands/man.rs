//! `lockage man`.

use std::path::PathBuf;

use crate::cli::{Context, Failed, args, report};
use crate::error::Class;

/// Write the manual: one page to stdout, or all pages into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  lockage man | man -l -\n  lockage man --into ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// The command whose page is wanted, as words: `sandbox reset`.
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write one page for every command into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    into: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let failed =
            |error: std::io::Error| Failed::new(Class::World, format!("the manual cannot be written: {error}"));
        let mut grammar = args::command();
        grammar.build();
        if let Some(folder) = self.into {
            clap_mangen::generate_to(grammar, context.path(&folder)).map_err(failed)?;
            return Ok(0);
        }
        let mut wanted = &grammar;
        for word in &self.command {
            let found = wanted.get_subcommands().find(|command| command.get_name() == word);
            wanted = found.ok_or_else(|| Failed::new(Class::Usage, format!("there is no command `{word}`")))?;
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(wanted.clone()).render(&mut page).map_err(failed)?;
        report::data(&page)?;
        Ok(0)
    }
}
