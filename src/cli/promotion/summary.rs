//! The end of a promotion on one screen of 80 by 24.

use std::fmt::Write as _;

use crate::cli::{Context, Failed, report};
use crate::error::Outcome;
use crate::promote::{Act, Purpose, Report, State, Task, Way};

use super::show::{duration, fit, headline};

/// Lines of a screen that the summary may fill.
const SCREEN: usize = 23;

/// Prints what a promotion came to, as words or as JSON, and gives the exit code.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn print(context: &Context, report: &Report, rehearsal: bool) -> Result<u8, Failed> {
    if context.json {
        report::json("lockage.promote/1", report)?;
    } else {
        report::data(text(report, rehearsal).as_bytes())?;
    }
    let Some(cause) = &report.failure else { return Ok(0) };
    report::say(&format!("lockage: {}", cause.why));
    let outcome = match report.outcome {
        Outcome::RolledBack => "rolledback: everything that was applied is undone",
        Outcome::Partial => "partial: some steps hold, others do not",
        Outcome::Unknown => "unknown: a request was sent and its fate is not known",
        Outcome::Unchanged => "unchanged",
        Outcome::Applied => "applied",
    };
    report::say(&format!("  outcome: {outcome}"));
    for hint in &cause.hints {
        report::say(&format!("  hint: {hint}"));
    }
    Ok(cause.class.code())
}

fn text(report: &Report, rehearsal: bool) -> String {
    let mut lines = vec![headline(&report.plan)];
    if report.outcome == Outcome::Unchanged && report.failure.is_none() {
        lines.push(format!("{} is as declared: nothing to do", report.plan.stage));
        return finished(lines);
    }
    if let Some(artifact) = &report.plan.artifact {
        lines.push(row("build", artifact.short()));
    }
    lines.push(row("stage", &stage_line(report)));
    for (position, step) in report.plan.steps.iter().enumerate() {
        let Task::Write(write) = &step.task else { continue };
        let took = took(report, position);
        let mut rows = write_lines(&write.act, note(report, position, "data"));
        if let Some(first) = rows.first_mut() {
            first.push_str(&took);
        }
        lines.extend(rows);
    }
    for check in &report.checks {
        lines.push(row("verified", &format!("{}: {}", check.check.subject, check.answer)));
    }
    let all = u64::try_from(report.ended.duration_since(report.began).as_millis()).unwrap_or_default();
    lines.push(row("took", &duration(std::time::Duration::from_millis(all))));
    if let Some(entry) = &report.entry {
        let shared = if report.shared { "shared through the remote" } else { "this clone only" };
        let place = format!("lockage/ledger/{}/{}", report.plan.pipeline, report.plan.stage);
        lines.push(row("ledger", &format!("{} in {place} ({shared})", entry.get(..12).unwrap_or(entry))));
    }
    if report.outcome == Outcome::Applied && !matches!(report.plan.purpose, Purpose::Rollback { .. }) {
        let flag = if rehearsal { " --sandbox" } else { "" };
        lines.push(row("undo it", &format!("lockage rollback {}{flag}", report.plan.stage)));
    }
    finished(lines)
}

fn finished(mut lines: Vec<String>) -> String {
    if lines.len() > SCREEN {
        let hidden = lines.len() - SCREEN + 1;
        let tail = lines.split_off(lines.len() - 4);
        lines.truncate(SCREEN - 5);
        lines.push(format!("  … {hidden} more; `--json` has them all"));
        lines.extend(tail);
    }
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "{}", fit(&line));
    }
    text
}

fn row(name: &str, value: &str) -> String {
    format!("  {name:<12} {value}")
}

fn stage_line(report: &Report) -> String {
    let word = match report.outcome {
        Outcome::Applied => "applied",
        Outcome::RolledBack => "FAILED, and rolled back",
        Outcome::Partial => "FAILED half-way",
        Outcome::Unknown => "FAILED, outcome unknown",
        Outcome::Unchanged => "unchanged",
    };
    let resumed = if report.resumed { ", resumed from the journal" } else { "" };
    format!("{}, {word}{resumed}", report.plan.stage)
}

fn took(report: &Report, position: usize) -> String {
    let forward = report.steps.iter().find(|step| step.step == position && step.way == Way::Forward);
    let time = forward.and_then(|step| step.milliseconds).and_then(|time| u64::try_from(time).ok());
    time.map(|time| format!("  ({})", duration(std::time::Duration::from_millis(time)))).unwrap_or_default()
}

/// What a step's receipt notes under a name.
fn note<'r>(report: &'r Report, position: usize, name: &str) -> Option<&'r str> {
    let made = report.steps.iter().find(|step| step.step == position && step.way == Way::Forward)?;
    made.receipt.as_ref()?.notes.get(name).map(String::as_str)
}

/// One line for each resource; `data`: what a record set became, once every fact is known.
fn write_lines(act: &Act, data: Option<&str>) -> Vec<String> {
    let change = match act {
        Act::Restore { target, version, .. } => return vec![row("release", &format!("{target} back to {version}"))],
        Act::Change(change) => change,
    };
    let names = |state: &State| match state {
        State::Fields(fields) => fields.keys().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(", "),
        _ => String::new(),
    };
    match (change.resource.kind.as_str(), &change.after) {
        ("config", after) => vec![row("changed keys", &names(after))],
        ("domains", after) => vec![row("domain", &names(after))],
        ("certificates", State::Fields(fields)) => {
            let word = fields.values().next().map(super::show::value).unwrap_or_default();
            vec![row("certificate", &word)]
        }
        (_, State::Build(build)) => {
            let commit = build.commit.as_deref().unwrap_or("unknown");
            vec![row("release", &format!("of build {}", commit.get(..12).unwrap_or(commit)))]
        }
        ("records", State::Records(set)) => {
            let planned: Vec<String> = set.data.iter().map(super::show::value).collect();
            let data = data.map_or_else(|| planned.join(" "), str::to_owned);
            let ttl = set.ttl;
            let name = change.resource.name.replace('/', " ");
            // A target's name alone is nearly as long as a line.
            vec![row("DNS", &format!("{name}, ttl {ttl} s ->")), row("", &data)]
        }
        ("records", _) => vec![row("DNS", &format!("{} removed", change.resource.name.replace('/', " ")))],
        (kind, after) => vec![row(kind, &names(after))],
    }
}
