//! Plans, progress and results for people: on stdout and stderr, no line of a summary over 80 columns.

use std::fmt::Write as _;
use std::time::Duration;

use crate::promote::{Act, Change, FactRef, Plan, Purpose, State, Task, Value, Write};

/// What a plan would do, for a person to consent to. Holds no secret value.
pub(crate) fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", headline(plan));
    for gate in &plan.gates {
        let mark = if gate.asked { "ok" } else { "--" };
        let _ = writeln!(text, "  {mark} {}: {}", gate.question, gate.answer);
    }
    for (position, step) in plan.steps.iter().enumerate() {
        match &step.task {
            Task::Write(write) => write_step(&mut text, position + 1, write),
            Task::Check(check) => {
                let _ = writeln!(
                    text,
                    "  {}. wait until {}",
                    position + 1,
                    check_words(&check.subject, check.words.iter())
                );
            }
        }
    }
    if !plan.agreeing.is_empty() {
        let agreeing: Vec<String> = plan.agreeing.iter().map(|agreement| agreement.resource.to_string()).collect();
        let _ = writeln!(text, "  as declared already: {}", agreeing.join(", "));
    }
    for check in &plan.checks {
        let _ = writeln!(text, "  then verify: {}", check_words(&check.subject, check.words.iter()));
    }
    for note in &plan.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    text
}

/// One line: what is promoted, and how much changes.
pub(crate) fn headline(plan: &Plan) -> String {
    let build =
        plan.artifact.as_ref().map_or_else(|| "no build".to_owned(), |artifact| format!("build {}", artifact.short()));
    let what = match &plan.purpose {
        Purpose::Promotion { from } => format!("promote {from} -> {}", plan.stage),
        Purpose::Equalise => format!("make {} as declared", plan.stage),
        Purpose::Rollback { entry } => format!("roll {} back before {}", plan.stage, entry.get(..12).unwrap_or(entry)),
    };
    let writes = plan.steps.iter().filter(|step| matches!(step.task, Task::Write(_))).count();
    format!("{} ({}, {build}): {writes} change{}", what, plan.pipeline, if writes == 1 { "" } else { "s" })
}

fn write_step(text: &mut String, number: usize, write: &Write) {
    match &write.act {
        Act::Change(change) => {
            let _ = writeln!(text, "  {number}. {}", change.resource);
            for line in differences(change) {
                let _ = writeln!(text, "       {line}");
            }
        }
        Act::Restore { target, version, covers } => {
            let _ = writeln!(text, "  {number}. {target}: go back to release {version}");
            for line in covers.iter().flat_map(|change| {
                let lines = differences(change);
                std::iter::once(change.resource.to_string()).chain(lines.into_iter().map(|line| format!("  {line}")))
            }) {
                let _ = writeln!(text, "       {line}");
            }
        }
    }
    if !write.effect.is_empty() {
        let _ = writeln!(text, "       makes {}", write.effect);
    }
    if matches!(write.undo, crate::promote::Undo::Irreversible) {
        let _ = writeln!(text, "       cannot be undone");
    }
}

/// The differences of one change, one a line: `+` is added, `-` removed, `~` changed.
pub(crate) fn differences(change: &Change) -> Vec<String> {
    match (&change.before, &change.after) {
        (before, State::Fields(after)) => {
            let none = std::collections::BTreeMap::new();
            let before = if let State::Fields(fields) = before { fields } else { &none };
            let rows = after.iter().map(|(name, value)| field(name, before.get(name).unwrap_or(&Value::Absent), value));
            rows.collect()
        }
        (before, after) => vec![format!("{} -> {}", state(before), state(after))],
    }
}

fn field(name: &str, before: &Value, after: &Value) -> String {
    if name.is_empty() {
        return format!("{} -> {}", value(before), value(after));
    }
    match (before, after) {
        (Value::Absent, Value::Text(word)) if word == "present" => format!("+ {name}"),
        (Value::Absent, after) => format!("+ {name}: {}", value(after)),
        (_, Value::Absent) => format!("- {name}"),
        (before, after) => format!("~ {name}: {} -> {}", value(before), value(after)),
    }
}

fn state(state: &State) -> String {
    match state {
        State::Absent => "absent".to_owned(),
        State::Fields(fields) => fields.keys().cloned().collect::<Vec<_>>().join(", "),
        State::Build(build) => {
            let commit = build.commit.as_deref().map_or("unknown", |commit| commit.get(..12).unwrap_or(commit));
            build.slug.as_ref().map_or_else(|| commit.to_owned(), |slug| format!("{commit} (slug {slug})"))
        }
        State::Records(set) => {
            let data: Vec<String> = set.data.iter().map(value).collect();
            format!("{} (ttl {})", data.join(", "), set.ttl)
        }
    }
}

/// One value, redacted: a secret is its name and version.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Absent => "absent".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Secret(reference) => {
            let version = reference.blob.get(..8).unwrap_or(&reference.blob);
            format!("<secret {}@{version}>", reference.path)
        }
        Value::Held { .. } => "<secret, unknown origin>".to_owned(),
        Value::Fact(FactRef { target, fact }) => format!("known after apply (${{{target}.{fact}}})"),
    }
}

/// One check in few words.
pub(crate) fn check_words<'a>(
    subject: &str,
    words: impl Iterator<Item = (&'a String, &'a serde_json::Value)>,
) -> String {
    let words: Vec<String> = words
        .map(|(word, value)| format!("{word} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    format!("{subject}: {}", words.join(", "))
}

/// A duration for people: `240 ms`, `3.2 s`, `4m12s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..=59 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

/// Cuts a line to what a terminal of 80 columns shows.
pub(crate) fn fit(line: &str) -> String {
    const WIDTH: usize = 80;
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(WIDTH - 1).collect();
    cut.push('…');
    cut
}
