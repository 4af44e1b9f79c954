//! `lockage guard`.

use std::io::Read as _;
use std::path::PathBuf;

use crate::cli::secrets::identities::Identities;
use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::guard::{Extent, Finding, Report, judge};
use crate::keys::KeyServices;
use crate::repo::{Comparison, ObjectId, Place, Repository, Target};
use crate::sops::Metadata;

/// Judge what is staged: block plaintext under a creation rule, and private keys.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads the index and HEAD, never the work tree, and needs no key. Exit codes: 0 nothing found; \
1 findings; 2 the settings or the rules of `.lockage.yaml` cannot be read; 3 the repository cannot be read.\n\n\
Examples:\n  lockage guard                       before a commit (`lockage hooks install` runs it there)\n  \
lockage guard --all                 every tracked file, as CI wants it\n  \
lockage guard --range main..HEAD    each commit of a branch"
)]
pub(crate) struct Guard {
    /// Judge every tracked file, changed or not.
    #[arg(long, conflicts_with_all = ["range", "pre_push", "pre_receive"])]
    all: bool,
    /// Judge each commit of a range; a single revision means its commits that no remote-tracking branch has.
    #[arg(long, value_name = "A..B", conflicts_with_all = ["pre_push", "pre_receive"])]
    range: Option<String>,
    /// Judge each commit that a push would send, as git names them to its pre-push hook on stdin.
    #[arg(long, conflicts_with = "pre_receive")]
    pre_push: bool,
    /// Judge what a push brings to this server, as git names it to its pre-receive hook on stdin.
    #[arg(long)]
    pre_receive: bool,
    /// Open encrypted files with the keys at hand, too, and check their authentication codes.
    #[arg(long)]
    with_key: bool,
    /// List the checks and what each of them finds.
    #[arg(long, conflicts_with_all = ["all", "range", "pre_push", "pre_receive", "with_key"])]
    list: bool,
}

impl Guard {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        if self.list {
            return list(context);
        }
        let repo = Repository::open(&place(context))?;
        let keys = |metadata: &Metadata| Identities::of_user(context, metadata).keys(context);
        let judge = Judge { repo: &repo, keys: self.with_key.then_some(&keys) };
        let reports = if self.pre_push {
            judge.pushed(&stdin()?)?
        } else if self.pre_receive {
            judge.received(&stdin()?)?
        } else if let Some(range) = &self.range {
            judge.commits(range)?
        } else {
            let extent = if self.all { Extent::Tracked } else { Extent::Changed };
            vec![judge.one(&repo.staged()?, extent)?]
        };
        let found = reports.iter().any(|report| !report.findings.is_empty());
        if context.json {
            report::json("lockage.guard/1", &Document::of(&reports))?;
        }
        for report in &reports {
            say(context, report);
        }
        Ok(if found { Class::No.code() } else { 0 })
    }
}

/// Where git says it works: it starts hooks with these set, and gives a partial commit an index of its own.
fn place(context: &Context) -> Place {
    let path = |name| context.variable(name).map(|path| context.path(&PathBuf::from(path)));
    let folders = |name| context.variable(name).map(std::env::split_paths).into_iter().flatten();
    let objects = folders("GIT_OBJECT_DIRECTORY").chain(folders("GIT_ALTERNATE_OBJECT_DIRECTORIES"));
    Place {
        directory: context.directory.clone(),
        git_dir: path("GIT_DIR"),
        index_file: path("GIT_INDEX_FILE"),
        objects: objects.map(|folder| context.path(&folder)).collect(),
    }
}

/// What every judgement of one run has in common.
struct Judge<'r> {
    repo: &'r Repository,
    keys: Option<&'r (dyn Fn(&Metadata) -> KeyServices + 'r)>,
}

impl Judge<'_> {
    fn one(&self, comparison: &Comparison, extent: Extent) -> Result<Report, Failed> {
        Ok(judge(self.repo, comparison, extent, self.keys)?)
    }

    fn commits(&self, range: &str) -> Result<Vec<Report>, Failed> {
        self.each(self.repo.range(range)?)
    }

    fn each(&self, commits: Vec<ObjectId>) -> Result<Vec<Report>, Failed> {
        commits.into_iter().map(|id| self.one(&self.repo.commit(id)?, Extent::Changed)).collect()
    }

    /// One range per line of what git writes: `<local ref> <local id> <remote ref> <remote id>`; zeros mean "none".
    fn pushed(&self, lines: &str) -> Result<Vec<Report>, Failed> {
        let mut reports = Vec::new();
        for line in lines.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [_, local, _, remote] = words[..] else {
                return Err(Failed::new(Class::Usage, "stdin is not what git gives to a pre-push hook"));
            };
            if none(local) {
                continue;
            }
            let known = !none(remote) && self.repo.has_commit(remote);
            let range = if known { format!("{remote}..{local}") } else { local.to_owned() };
            reports.extend(self.commits(&range)?);
        }
        Ok(reports)
    }

    /// One reference per line of what git writes: `<old id> <new id> <reference>`. Judged is what no reference has yet;
    /// whoever pushes a tree or a file under a tag's name brings that, too.
    fn received(&self, lines: &str) -> Result<Vec<Report>, Failed> {
        let mut reports = Vec::new();
        for line in lines.lines() {
            let words: Vec<&str> = line.splitn(3, ' ').collect();
            let [_, new, reference] = words[..] else {
                return Err(Failed::new(Class::Usage, "stdin is not what git gives to a pre-receive hook"));
            };
            if none(new) {
                continue;
            }
            match self.repo.target(new)? {
                Target::Commit(tip) => reports.extend(self.each(self.repo.incoming(tip)?)?),
                Target::Tree(tree) => reports.push(self.one(&self.repo.tree(tree)?, Extent::Changed)?),
                Target::Blob(blob) => {
                    reports.push(self.one(&Comparison::of_object(reference, blob), Extent::Changed)?);
                }
            }
        }
        Ok(reports)
    }
}

/// Whether an id stands for "nothing".
fn none(id: &str) -> bool {
    id.bytes().all(|digit| digit == b'0')
}

fn stdin() -> Result<String, Failed> {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| Failed::new(Class::Usage, format!("stdin cannot be read: {error}")))?;
    Ok(text)
}

/// The report as JSON: one entry per comparison, and all findings together.
#[derive(serde::Serialize)]
struct Document<'r> {
    found: usize,
    judged: usize,
    reports: &'r [Report],
}

impl<'r> Document<'r> {
    fn of(reports: &'r [Report]) -> Self {
        let found = reports.iter().map(|report| report.findings.len()).sum();
        Self { found, judged: reports.iter().map(|report| report.judged).sum(), reports }
    }
}

/// Findings like a compiler's, then what was not judged, then the sum.
fn say(context: &Context, report: &Report) {
    if let Some(commit) = report.commit.as_ref().filter(|_| !report.findings.is_empty()) {
        report::say(&format!("commit {commit}"));
    }
    for Finding { check, file, line, column, message, mend, .. } in &report.findings {
        report::say(&format!("{file}:{line}:{column}: {check}: {message}"));
        report::say(&format!("  hint: {mend}"));
    }
    if context.quiet {
        return;
    }
    for note in &report.notes {
        report::say(&format!("{}: note: {}", note.file, note.message));
    }
    let (found, judged) = (report.findings.len(), report.judged);
    if found > 0 {
        let allowed =
            if report.allowed > 0 { format!(", {} allowed by `.lockage.yaml`", report.allowed) } else { String::new() };
        report::say(&format!("lockage: {} in {} judged{allowed}", count(found, "finding"), count(judged, "file")));
    }
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

fn list(context: &Context) -> Result<u8, Failed> {
    let checks = crate::guard::checks();
    if context.json {
        report::json("lockage.guard-checks/1", &serde_json::json!({ "checks": checks }))?;
    } else {
        let line = |check: &crate::guard::Description| format!("{:<18} {}\n", check.id, check.about);
        report::data(checks.iter().map(line).collect::<String>().as_bytes())?;
    }
    Ok(0)
}
