//! `lockage check --rules`.

use std::path::{Path, PathBuf};

use super::Findings;
use crate::cipher::token;
use crate::cli::secrets::rules::{NAME, shown};
use crate::cli::secrets::walk;
use crate::cli::{Context, Failed};
use crate::error::Class;
use crate::sops::{KnownFile, Metadata, Problem, lint_rules, read_as_named};
use crate::system::files;

/// The name that people give to it and SOPS does not read.
const MISNAMED: &str = ".sops.yml";

/// Checks every rules file among and below `paths`, and the nearest one above them.
pub(super) fn check(context: &Context, paths: &[PathBuf]) -> Result<Findings, Failed> {
    let mut findings = Findings::default();
    let mut found: Vec<PathBuf> = Vec::new();
    match &context.config {
        Some(config) => found.push(context.path(config)),
        None => {
            let named = |path: &PathBuf| path.file_name().is_some_and(|name| name == NAME || name == MISNAMED);
            found.extend(walk::files(context, paths)?.into_iter().filter(named));
            for path in paths {
                found.extend(above(&context.path(path).components().collect::<PathBuf>()));
            }
        }
    }
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Err(Failed::new(Class::Usage, format!("there is no `{NAME}` here")).hint(format!(
            "write one: `creation_rules: [{{age: age1…}}]` in `{NAME}`; `--config FILE` checks one of another name"
        )));
    }
    for path in found {
        let shown_path = shown(context, &path);
        findings.judged += 1;
        if path.file_name().is_some_and(|name| name == MISNAMED) && context.config.is_none() {
            findings.add(&shown_path, [misnamed()]);
        }
        let text = files::read(&path)?;
        let problems = match std::str::from_utf8(&text) {
            Ok(text) => lint_rules(text, &known(context, &path)?),
            Err(_) => vec![Problem {
                check: "unreadable-rules",
                line: 1,
                column: 1,
                message: "it is no UTF-8 text".into(),
                mend: "write it as UTF-8".into(),
            }],
        };
        findings.add(&shown_path, problems);
    }
    Ok(findings)
}

fn misnamed() -> Problem {
    Problem {
        check: "misnamed-rules",
        line: 1,
        column: 1,
        message: format!("SOPS does not read `{MISNAMED}`: no file is encrypted by these rules"),
        mend: format!("rename it to `{NAME}`"),
    }
}

/// The nearest rules file above a path, up to the root of its repository.
fn above(path: &Path) -> Option<PathBuf> {
    let mut folder = if path.is_dir() { Some(path) } else { path.parent() };
    while let Some(here) = folder {
        for name in [NAME, MISNAMED] {
            let file = here.join(name);
            if file.is_file() {
                return Some(file);
            }
        }
        if here.join(".git").exists() {
            return None;
        }
        folder = here.parent();
    }
    None
}

/// The files below the folder of the rules, as far as they belong to these rules and not to nearer ones.
fn known(context: &Context, rules: &Path) -> Result<Vec<KnownFile>, Failed> {
    let folder = rules.parent().unwrap_or(Path::new("/"));
    let mut found = Vec::new();
    for file in walk::files(context, &[folder.to_owned()])? {
        let Ok(relative) = file.strip_prefix(folder) else { continue };
        let nested =
            relative.ancestors().skip(1).any(|inner| inner != Path::new("") && folder.join(inner).join(NAME).is_file());
        if nested || file == rules {
            continue;
        }
        let path = relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
        found.push(KnownFile { recipients: recipients(&file), path });
    }
    Ok(found)
}

/// Who can open a file; `None` if it is not encrypted, or cannot be read.
fn recipients(file: &Path) -> Option<Vec<crate::keys::Recipient>> {
    let text = files::read(file).ok()?;
    memchr::memmem::find(&text, token::PREFIX)?;
    let document = read_as_named(&file.to_string_lossy(), text.to_vec()).ok()?;
    let metadata = Metadata::from_tree(&document.metadata()?.tree).ok()?;
    Some(metadata.recipients().cloned().collect())
}
