//! Which creation rule a file falls under.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::recipients::Recipients;
use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::sops::{Encryption, Rule, RuleSet};
use crate::system::files;

/// The name rules are kept under.
pub(crate) const NAME: &str = ".sops.yaml";
/// How far upwards SOPS looks.
const MOST_LEVELS: usize = 100;

/// Where a search for rules begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// From the file's own folder up to the root of its repository, then from the current one.
    OfFile,
    /// From the current folder up, as SOPS does; only the rule for the file is looked at.
    OfDirectory,
}

/// A rules file.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Where it is.
    pub(crate) path: PathBuf,
    pub(crate) set: RuleSet,
}

impl Rules {
    /// Finds and reads the rules for a file, which need not exist.
    ///
    /// # Errors
    /// The file named by `--config` is missing; a rules file cannot be read.
    pub(crate) fn find(context: &Context, file: &Path, search: Search) -> Result<Option<Self>, Failed> {
        match Self::place(context, file, search) {
            Some(path) => Self::read(context, path, file, search).map(Some),
            None => Ok(None),
        }
    }

    fn place(context: &Context, file: &Path, search: Search) -> Option<PathBuf> {
        match &context.config {
            Some(config) => Some(context.path(config)),
            None => locate(context, file, search),
        }
    }

    fn read(context: &Context, path: PathBuf, file: &Path, search: Search) -> Result<Self, Failed> {
        let shown = shown(context, &path);
        let text = files::read(&path)?;
        let text =
            std::str::from_utf8(&text).map_err(|_| Failed::new(Class::Usage, format!("`{shown}` is no UTF-8 text")))?;
        let mut rules = Self { set: RuleSet::default(), path };
        rules.set = match search {
            Search::OfFile => RuleSet::parse(text, &shown)?,
            Search::OfDirectory => {
                let subject = (!file.as_os_str().is_empty()).then(|| rules.subject(context, file));
                RuleSet::parse_for(text, &shown, subject.as_deref())?
            }
        };
        Ok(rules)
    }

    /// The first rule that matches the file.
    pub(crate) fn rule_for(&self, context: &Context, file: &Path) -> Option<&Rule> {
        let subject = self.subject(context, file);
        let rule = self.set.rule_for(&subject);
        match rule {
            Some(rule) => tracing::info!("{}:{} is the rule for `{subject}`", self.path.display(), rule.line),
            None => tracing::info!("{} has no rule for `{subject}`", self.path.display()),
        }
        rule
    }

    /// The path as `path_regex` sees it: relative to the rules, or absolute where it is not below them.
    pub(crate) fn subject(&self, context: &Context, file: &Path) -> String {
        let file = clean(&context.path(file));
        let folder = clean(self.path.parent().unwrap_or(Path::new("/")));
        let subject = file.strip_prefix(&folder).unwrap_or(&file);
        subject.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
    }
}

/// The rules of many files: looked for once in a folder, read once.
#[derive(Default)]
pub(crate) struct RuleBook {
    places: HashMap<PathBuf, Option<PathBuf>>,
    read: HashMap<PathBuf, Rc<Rules>>,
}

impl RuleBook {
    /// The rules for a file, from its own folder upwards.
    ///
    /// # Errors
    /// As for [`Rules::find`].
    pub(crate) fn find(&mut self, context: &Context, file: &Path) -> Result<Option<Rc<Rules>>, Failed> {
        let folder = clean(&context.path(file)).parent().unwrap_or(Path::new("/")).to_owned();
        let place = self.places.entry(folder).or_insert_with(|| Rules::place(context, file, Search::OfFile)).clone();
        let Some(place) = place else { return Ok(None) };
        if let Some(rules) = self.read.get(&place) {
            return Ok(Some(Rc::clone(rules)));
        }
        let rules = Rc::new(Rules::read(context, place.clone(), file, Search::OfFile)?);
        self.read.insert(place, Rc::clone(&rules));
        Ok(Some(rules))
    }
}

/// A path as the user would write it from where they stand.
pub(crate) fn shown(context: &Context, path: &Path) -> String {
    path.strip_prefix(&context.directory).unwrap_or(path).display().to_string()
}

fn locate(context: &Context, file: &Path, search: Search) -> Option<PathBuf> {
    let directory = clean(&context.directory);
    if search == Search::OfFile {
        let file = clean(&context.path(file));
        let found = file.parent().and_then(|folder| upwards(folder, true));
        if found.is_some() {
            return found;
        }
    }
    upwards(&directory, search == Search::OfFile)
}

fn upwards(from: &Path, within_repository: bool) -> Option<PathBuf> {
    for folder in from.ancestors().take(MOST_LEVELS) {
        let path = folder.join(NAME);
        if path.is_file() {
            return Some(path);
        }
        let misnamed = folder.join(".sops.yml");
        if misnamed.is_file() {
            report::say(&format!("lockage: warning: `{}` is not read: its name must be `{NAME}`", misnamed.display()));
        }
        if within_repository && folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Resolves `.` and `..` by the text alone, as SOPS does; symbolic links stay.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// How a new file shall be encrypted: by its rule, and for `recipients` if any are named.
///
/// # Errors
/// No rule matches and nobody is named; a recipient is none.
pub(crate) fn encryption(
    context: &Context,
    file: Option<&Path>,
    recipients: &Recipients,
) -> Result<Encryption, Failed> {
    let rules = match file {
        Some(file) => Rules::find(context, file, Search::OfFile)?,
        None => None,
    };
    encryption_by(context, rules.as_ref(), file, recipients)
}

/// The same with rules that were found.
///
/// # Errors
/// As for [`encryption`].
pub(crate) fn encryption_by(
    context: &Context,
    rules: Option<&Rules>,
    file: Option<&Path>,
    recipients: &Recipients,
) -> Result<Encryption, Failed> {
    let rule = rules.zip(file).and_then(|(rules, file)| rules.rule_for(context, file));
    let named = recipients.group()?;
    let mut encryption = match (rule, &named) {
        (Some(rule), _) => Encryption::of_rule(rule),
        (None, Some(_)) => Encryption::default(),
        (None, None) => return Err(no_rule(context, rules, file)),
    };
    if let Some(group) = named {
        encryption.groups = vec![group];
    }
    if recipients.shamir_secret_sharing_threshold.is_some() {
        encryption.shamir_threshold = recipients.shamir_secret_sharing_threshold;
    }
    Ok(encryption)
}

fn no_rule(context: &Context, rules: Option<&Rules>, file: Option<&Path>) -> Failed {
    let named = "name a recipient instead: `--age age1…`";
    match (rules, file) {
        (Some(rules), Some(file)) => Failed::new(
            Class::Usage,
            format!("no rule of `{}` is for `{}`", shown(context, &rules.path), rules.subject(context, file)),
        )
        .hint("add a rule with a `path_regex` that matches it"),
        (_, Some(file)) => Failed::new(Class::Usage, format!("there is no `{NAME}` for `{}`", file.display()))
            .hint(format!("write one: `creation_rules: [{{age: age1…}}]` in `{NAME}`")),
        (_, None) => Failed::new(Class::Usage, "nothing says by which rule stdin is encrypted")
            .hint("`--filename-override secrets/app.yaml` chooses the rule of that name"),
    }
    .hint(named)
}
