//! `lockage updatekeys`.

use std::path::{Path, PathBuf};

use crate::cli::secrets::identities::Identities;
use crate::cli::secrets::in_file;
use crate::cli::secrets::input::{InputType, Source};
use crate::cli::secrets::rules::{Rules, Search};
use crate::cli::secrets::services::Services;
use crate::cli::{Context, Failed, report, terminal};
use crate::error::Class;
use crate::keys::KeyServices;
use crate::sops::{EncryptedFile, KeyChanges, complete};
use crate::system::files::{Mode, Target};

/// Make the keys of files those of their rules in `.sops.yaml`; no value is touched.
///
/// Who is removed could read the values until now: change them, and renew the data key with `lockage rotate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  lockage updatekeys secrets/*.yaml\n  lockage updatekeys --dry-run secrets/*.yaml")]
pub(crate) struct Updatekeys {
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
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

/// One file with keys to be changed.
struct Pending {
    path: PathBuf,
    target: Target,
    input: zeroize::Zeroizing<Vec<u8>>,
    file: EncryptedFile,
    groups: Vec<crate::sops::RuleGroup>,
    changes: KeyChanges,
    keys: KeyServices,
}

impl Updatekeys {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.services.chosen(context)?;
        let mut pending = Vec::new();
        for path in &self.files {
            pending.extend(self.look(context, path)?);
        }
        if context.json {
            let files: Vec<_> = pending.iter().map(|file| json(&file.path, &file.changes)).collect();
            let body = serde_json::json!({"files": files, "changed": !self.dry_run && !files.is_empty()});
            if self.dry_run || self.yes {
                report::json("lockage.updatekeys/1", &body)?;
            }
        } else {
            for file in &pending {
                say(context, &described(&file.path, &file.changes));
            }
        }
        if pending.is_empty() {
            say(context, &format!("{} file(s) are up to date", self.files.len()));
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
        // Everything is wrapped before the first file is written.
        let mut texts = Vec::new();
        for file in &pending {
            let text = file.file.update_keys(&file.groups, &file.keys, context.now());
            texts.push(text.map_err(|error| in_file(&Source::File(file.path.clone()), error))?);
        }
        for (file, text) in pending.iter().zip(texts) {
            file.target.replace(&text, Some(&file.input), Mode::KeptOr(0o644))?;
        }
        say(context, &format!("changed the keys of {} file(s)", pending.len()));
        Ok(0)
    }

    fn look(&self, context: &Context, path: &Path) -> Result<Option<Pending>, Failed> {
        let source = Source::File(path.to_owned());
        let rules = Rules::find(context, path, Search::OfFile)?
            .ok_or_else(|| Failed::new(Class::Usage, format!("there is no `.sops.yaml` for `{}`", path.display())))?;
        let rule = rules.rule_for(context, path).ok_or_else(|| {
            let shown = crate::cli::secrets::rules::shown(context, &rules.path);
            Failed::new(Class::Usage, format!("no rule of `{shown}` is for `{}`", rules.subject(context, path)))
        })?;
        let target = Target::hold(&context.path(path))?;
        let input = target.read()?;
        let format = self.input.format(Some(path))?;
        let file = EncryptedFile::parse(format, input.to_vec()).map_err(|error| in_file(&source, error))?;
        let keys = Identities::of_user(context, file.metadata()).keys(context);
        let groups = complete(&rule.groups, &keys).map_err(|error| in_file(&source, error))?;
        let changes = file.key_changes(&groups);
        if changes.is_empty() {
            return Ok(None);
        }
        Ok(Some(Pending { path: path.to_owned(), target, input, file, groups, changes, keys }))
    }
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
