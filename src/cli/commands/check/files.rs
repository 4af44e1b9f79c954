//! Encrypted files, and those that should be.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Findings;
use crate::cipher::token;
use crate::cli::secrets::rules::{Rules, Search, shown};
use crate::cli::secrets::walk;
use crate::cli::{Context, Failed};
use crate::document::Document;
use crate::sops::{Metadata, Problem, Rule, is_governed, key_differences, read_as_named, validate};
use crate::system::files;

/// How many files a message names.
const NAMED: usize = 5;

/// Checks every file among and below `paths` that is encrypted or that a rule wants encrypted.
pub(super) fn check(context: &Context, paths: &[PathBuf]) -> Result<Findings, Failed> {
    let mut run = Run { context, findings: Findings::default(), rules: HashMap::new(), under: HashMap::new() };
    let explicit: Vec<PathBuf> = paths.iter().map(|path| context.path(path).components().collect()).collect();
    for file in walk::files(context, paths)? {
        run.file(&file, explicit.contains(&file));
    }
    run.mixed();
    Ok(run.findings)
}

/// How the encrypted files under one rule stand to it.
#[derive(Default)]
struct Under {
    as_ruled: usize,
    otherwise: Vec<String>,
}

struct Run<'c> {
    context: &'c Context,
    findings: Findings,
    /// By folder: the rules of a file in it, if they can be read.
    rules: HashMap<PathBuf, Option<Rc<Rules>>>,
    /// By rules file and line.
    under: HashMap<(String, usize), Under>,
}

impl Run<'_> {
    fn file(&mut self, file: &Path, explicit: bool) {
        let shown_file = shown(self.context, file);
        let rules = self.rules_for(file);
        let rule = rules.as_deref().and_then(|rules| governing(self.context, rules, file));
        let text = match files::read(file) {
            Ok(text) => text,
            Err(error) => {
                if explicit || rule.is_some() {
                    let mend = "make it readable; what cannot be read cannot be judged";
                    self.findings.add(&shown_file, [problem("unreadable", (1, 1), error.to_string(), mend)]);
                }
                return;
            }
        };
        let marked = memchr::memmem::find(&text, token::PREFIX).is_some();
        if !explicit && !marked && rule.is_none() {
            return;
        }
        let document = match read_as_named(&file.to_string_lossy(), text.to_vec()) {
            Ok(document) => document,
            Err(error) => {
                let empty = text.iter().all(u8::is_ascii_whitespace);
                if !empty && (explicit || rule.is_some()) {
                    let message = format!("not readable as {}: {}", error.format.word(), error.kind);
                    let at = (error.line, error.column);
                    self.findings.judged += 1;
                    self.findings.add(&shown_file, [problem("unreadable", at, message, "mend the syntax")]);
                }
                return;
            }
        };
        let place = rules.as_deref().zip(rule).map(|(rules, rule)| (shown(self.context, &rules.path), rule));
        if let Some((path, rule)) = &place {
            self.compare(&shown_file, &document, (path.clone(), rule.line), rule);
        }
        let place = place.map(|(path, rule)| (rule, format!("{path}:{}", rule.line)));
        let problems = validate(&document, place.as_ref().map(|(rule, place)| (*rule, place.as_str())));
        // A page that shows a token is no encrypted file.
        if explicit || place.is_some() || document.metadata().is_some() || !problems.is_empty() {
            self.findings.judged += 1;
        }
        self.findings.add(&shown_file, problems);
    }

    /// The rules of a file; that they cannot be read is said once.
    fn rules_for(&mut self, file: &Path) -> Option<Rc<Rules>> {
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        if let Some(known) = self.rules.get(&folder) {
            return known.clone();
        }
        let found = match Rules::find(self.context, file, Search::OfFile) {
            Ok(rules) => rules.map(Rc::new),
            Err(failed) => {
                let said = &self.findings.findings;
                if !said.iter().any(|finding| finding.problem.message == failed.message) {
                    let mend = "run `lockage check --rules`; until they can be read no file is held to them";
                    self.findings.add(".sops.yaml", [problem("unreadable-rules", (1, 1), failed.message, mend)]);
                }
                None
            }
        };
        self.rules.insert(folder, found.clone());
        found
    }

    fn compare(&mut self, file: &str, document: &Document, place: (String, usize), rule: &Rule) {
        let Some(block) = document.metadata() else { return };
        let Ok(metadata) = Metadata::from_tree(&block.tree) else { return };
        let under = self.under.entry(place).or_default();
        if key_differences(&metadata, rule).is_empty() {
            under.as_ruled += 1;
        } else {
            under.otherwise.push(file.to_owned());
        }
    }

    /// A rule whose files were brought to it in part: some people can open some of them.
    fn mixed(&mut self) {
        for ((path, line), Under { as_ruled, otherwise }) in std::mem::take(&mut self.under) {
            if as_ruled == 0 || otherwise.is_empty() {
                continue;
            }
            let mut named = otherwise.iter().take(NAMED).map(|file| format!("`{file}`")).collect::<Vec<_>>().join(", ");
            if otherwise.len() > NAMED {
                named.push_str(&format!(" and {} more", otherwise.len() - NAMED));
            }
            let (all, others) = (as_ruled + otherwise.len(), otherwise.len());
            let message =
                format!("{others} of {all} files under this rule have other recipients than it names: {named}");
            let mend = "run `sops updatekeys` on them, so that the same keys open all files of the rule";
            self.findings.add(&path, [problem("mixed-recipients", (line, 1), message, mend)]);
        }
    }
}

fn governing<'r>(context: &Context, rules: &'r Rules, file: &Path) -> Option<&'r Rule> {
    let subject = rules.subject(context, file);
    rules.set.rule_for(&subject).filter(|rule| is_governed(rule, &subject))
}

fn problem(check: &'static str, at: (usize, usize), message: String, mend: &str) -> Problem {
    Problem { check, line: at.0, column: at.1, message, mend: mend.to_owned() }
}
