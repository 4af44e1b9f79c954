//! `lockage check`.

mod files;
mod rules;

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::sops::Problem;

/// Say without a key whether encrypted files are whole, or whether the rules mean what they say.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs no key and changes nothing. Folders are searched for files that are encrypted or that a creation \
rule wants encrypted; what git ignores is left out. Exit codes: 0 nothing found; 1 findings; 2 a path is not there.\n\n\
Examples:\n  lockage check                    every file below this folder\n  lockage check secrets/app.yaml   one file\n  \
lockage check --rules            every `.sops.yaml` below this folder, and the one above it"
)]
pub(crate) struct Check {
    /// Files and folders; this folder if none is named.
    paths: Vec<PathBuf>,
    /// Check the rules instead of the files: what SOPS reads silently in another way than their author meant.
    #[arg(long)]
    rules: bool,
}

/// A problem and the file that has it.
#[derive(Debug, Serialize)]
struct Finding {
    file: String,
    #[serde(flatten)]
    problem: Problem,
}

/// What was looked at, and what was found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    found: usize,
    judged: usize,
    findings: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, file: &str, problems: impl IntoIterator<Item = Problem>) {
        self.findings.extend(problems.into_iter().map(|problem| Finding { file: file.to_owned(), problem }));
    }
}

impl Check {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let paths = if self.paths.is_empty() { vec![PathBuf::from(".")] } else { self.paths };
        let mut findings = if self.rules { rules::check(context, &paths)? } else { files::check(context, &paths)? };
        findings.findings.sort_by(|a, b| {
            let key = |finding: &Finding| (finding.file.clone(), finding.problem.line, finding.problem.column);
            key(a).cmp(&key(b))
        });
        findings.found = findings.findings.len();
        if context.json {
            report::json("lockage.check/1", &findings)?;
        }
        for Finding { file, problem: Problem { check, line, column, message, mend } } in &findings.findings {
            report::say(&format!("{file}:{line}:{column}: {check}: {message}"));
            report::say(&format!("  hint: {mend}"));
        }
        if !context.quiet {
            let (found, judged) = (findings.found, findings.judged);
            let plural = |number: usize| if number == 1 { "" } else { "s" };
            report::say(&format!("lockage: {found} finding{} in {judged} file{}", plural(found), plural(judged)));
        }
        Ok(if findings.found > 0 { Class::No.code() } else { 0 })
    }
}
