//! What is printed: data on stdout, words on stderr.

use std::io::Write as _;
use std::process::ExitCode;

use super::failure::Failed;
use crate::error::Class;

/// Writes data to stdout; a closed pipe is no error of ours.
pub(crate) fn data(bytes: &[u8]) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failed::new(Class::World, format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes one JSON document: `body` with `schema` (`lockage.<what>/<version>`) as its first entry.
pub(crate) fn json(schema: &str, body: &impl serde::Serialize) -> Result<(), Failed> {
    let mut document = serde_json::Map::new();
    document.insert("schema".into(), schema.into());
    match serde_json::to_value(body) {
        Ok(serde_json::Value::Object(entries)) => document.extend(entries),
        Ok(other) => drop(document.insert("value".into(), other)),
        Err(error) => return Err(Failed::new(Class::Bug, format!("the report is not JSON: {error}"))),
    }
    let mut text = serde_json::Value::Object(document).to_string();
    text.push('\n');
    data(text.as_bytes())
}

/// Says one line on stderr.
pub(crate) fn say(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Prints a failure and gives its exit code.
pub(crate) fn failed(failed: &Failed, json_wanted: bool) -> ExitCode {
    failure(failed);
    if json_wanted {
        let body = serde_json::json!({
            "error": {
                "class": failed.class.word(),
                "message": failed.message,
                "causes": failed.causes,
                "hints": failed.hints,
                "outcome": failed.outcome,
            }
        });
        let _ = json("lockage.error/1", &body);
    }
    ExitCode::from(failed.class.code())
}

/// Says a failure on stderr.
pub(crate) fn failure(failed: &Failed) {
    say(&format!("lockage: {}", failed.message));
    for cause in &failed.causes {
        say(&format!("  caused by: {cause}"));
    }
    if let Some(outcome) = failed.outcome {
        let word = serde_json::to_value(outcome).ok().and_then(|value| value.as_str().map(str::to_owned));
        say(&format!("  outcome: {}", word.unwrap_or_default()));
    }
    for hint in &failed.hints {
        say(&format!("  hint: {hint}"));
    }
}

/// Prints what the grammar says of a command line: help and version are data, the rest is usage.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(Class::Usage.code()) } else { ExitCode::SUCCESS }
}
