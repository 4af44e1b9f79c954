//! `lockage updatekeys`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::cli::secrets::batch::SealedBatch;
use crate::cli::secrets::in_file;
use crate::cli::secrets::input::{InputType, Source};
use crate::cli::secrets::output::Content;
use crate::cli::secrets::rules::{RuleBook, Rules};
use crate::cli::secrets::services::Services;
use crate::cli::secrets::several::{Below, Named, Place};
use crate::cli::{Context, Failed, report, terminal};
use crate::error::Class;
use crate::sops::{KeyChanges, RuleGroup, complete};

/// Make the keys of files those of their rules in `.sops.yaml`; no value is touched. All files are changed together, or
/// none.
///
/// Who is removed could read the values until now: change them, and renew the data key with `lockage rotate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  lockage updatekeys secrets/*.yaml\n  lockage updatekeys --dry-run --recursive .")]
pub(crate) struct Updatekeys {
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    below: Below,
    #[command(flatten)]
    input: InputType,
    /// Do not ask.
    #[arg(short = 'y', long)]
    yes: bool,
    /// Show what would change, and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    services: Services,
}

impl Updatekeys {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.services.chosen(context)?;
        let named = self.below.files(context, &self.files)?;
        let mut book = RuleBook::default();
        let (mut files, mut rules) = (Vec::new(), HashMap::new());
        for named in named {
            match rule_of(context, &mut book, &named) {
                Ok(rule) => {
                    rules.insert(named.path.clone(), rule);
                    files.push(named);
                }
                Err(failed) if named.explicit => return Err(failed),
                Err(failed) => tracing::info!("{}", failed.message),
            }
        }
        let files = SealedBatch::load(context, &files, &self.input, &Place::InPlace)?;
        let pending = pending(&files, &rules)?;
        let all = files.metadata.len();
        if context.json {
            let files: Vec<_> = pending.iter().map(|one| json(files.input(one.index), &one.changes)).collect();
            let body = serde_json::json!({"files": files, "changed": !self.dry_run && !files.is_empty()});
            if self.dry_run || self.yes {
                report::json("lockage.updatekeys/1", &body)?;
            }
        } else {
            for one in &pending {
                say(context, &described(files.input(one.index), &one.changes));
            }
        }
        if pending.is_empty() {
            say(context, &format!("{all} file(s) are up to date"));
            return Ok(0);
        }
        if self.dry_run {
            return Ok(0);
        }
        let question = format!("Change the keys of {} file(s)?", pending.len());
        if !self.yes && !terminal::confirm(context, &question)? {
            say(context, "nothing was changed");
            return Ok(0);
        }
        let chosen: Vec<usize> = pending.iter().map(|one| one.index).collect();
        let groups: HashMap<usize, &[RuleGroup]> = pending.iter().map(|one| (one.index, &one.groups[..])).collect();
        let wrapped_for = pending.iter().flat_map(|one| one.groups.iter()).flat_map(|group| &group.keys);
        files.replace(context, &chosen, Content::Ciphertext, wrapped_for, |index, sealed, save| {
            let groups = groups.get(&index).copied().unwrap_or_default();
            let text = sealed.file.update_keys(groups, &sealed.access.keys, context.now());
            save(&text.map_err(|error| sealed.failed(error))?)
        })?;
        say(context, &format!("changed the keys of {} file(s)", pending.len()));
        Ok(0)
    }
}

/// One file with keys to be changed.
struct Pending {
    index: usize,
    groups: Rc<Vec<RuleGroup>>,
    changes: KeyChanges,
}

/// The rule that is for a file: its rules, and its number among them.
struct Ruled {
    rules: Rc<Rules>,
    line: usize,
    groups: Vec<RuleGroup>,
}

fn rule_of(context: &Context, book: &mut RuleBook, named: &Named) -> Result<Ruled, Failed> {
    let path = &named.path;
    let rules = book
        .find(context, path)?
        .ok_or_else(|| Failed::new(Class::Usage, format!("there is no `.sops.yaml` for `{}`", path.display())))?;
    let found = rules.rule_for(context, path).map(|rule| (rule.line, rule.groups.clone()));
    let (line, groups) = found.ok_or_else(|| {
        let shown = crate::cli::secrets::rules::shown(context, &rules.path);
        Failed::new(Class::Usage, format!("no rule of `{shown}` is for `{}`", rules.subject(context, path)))
    })?;
    Ok(Ruled { rules, line, groups })
}

/// The files whose keys are not those of their rules. What a rule leaves to a key service is asked for once.
fn pending(files: &SealedBatch, rules: &HashMap<PathBuf, Ruled>) -> Result<Vec<Pending>, Failed> {
    let mut whole: HashMap<(&Path, usize), Rc<Vec<RuleGroup>>> = HashMap::new();
    let mut pending = Vec::new();
    for (index, metadata) in files.metadata.iter().enumerate() {
        let path = files.input(index);
        let Some(Ruled { rules, line, groups }) = rules.get(path) else { continue };
        let groups = match whole.entry((rules.path.as_path(), *line)) {
            Entry::Occupied(known) => Rc::clone(known.get()),
            Entry::Vacant(place) => {
                let groups = complete(groups, &files.access.keys);
                let groups = groups.map_err(|error| in_file(&Source::File(path.to_owned()), error))?;
                Rc::clone(place.insert(Rc::new(groups)))
            }
        };
        let changes = metadata.key_changes(&groups);
        if !changes.is_empty() {
            pending.push(Pending { index, groups, changes });
        }
    }
    Ok(pending)
}

fn say(context: &Context, line: &str) {
    if !context.quiet {
        report::say(line);
    }
}

fn json(path: &Path, changes: &KeyChanges) -> serde_json::Value {
    let groups: Vec<_> = changes
        .groups
        .iter()
        .map(|group| serde_json::json!({"kept": group.common, "added": group.added, "removed": group.removed}))
        .collect();
    serde_json::json!({"file": path.display().to_string(), "groups": groups})
}

fn described(path: &Path, changes: &KeyChanges) -> String {
    let mut text = format!("{}:", path.display());
    for (number, group) in (0..).zip(&changes.groups) {
        if changes.groups.len() > 1 {
            text.push_str(&format!("\n  group {number}"));
        }
        for (mark, ids) in [("  ", &group.common), ("+ ", &group.added), ("- ", &group.removed)] {
            for id in ids {
                text.push_str(&format!("\n  {mark}{id}"));
            }
        }
    }
    text
}
