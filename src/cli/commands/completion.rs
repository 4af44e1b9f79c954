//! `lockage completion`.

use crate::cli::{Context, Failed, args, report};

/// Write a shell's completion script to stdout.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lockage completion bash > ~/.local/share/bash-completion/completions/lockage")]
pub(crate) struct Completion {
    /// The shell.
    shell: clap_complete::Shell,
}

impl Completion {
    pub(crate) fn run(self, _context: &Context) -> Result<u8, Failed> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut args::command(), "lockage", &mut script);
        report::data(&script)?;
        Ok(0)
    }
}
