//! The oracle: SOPS's own stores, one process for thousands of documents.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockage::document::{Document, Edits, EmitOptions, Format, emit};

/// A document to be read as one type and written as another.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) input: Format,
    pub(super) output: Format,
    /// 0 is the type's default.
    pub(super) indent: u8,
    pub(super) text: Vec<u8>,
}

/// What SOPS's stores make of each: the text, or at which step they give up, and why.
pub(super) fn ask(oracle: &Path, cases: &[Case]) -> Vec<Result<Vec<u8>, (String, String)>> {
    let mut child = Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut frames = Vec::new();
    for Case { input, output, indent, text } in cases {
        writeln!(frames, "{} {} {indent} {}", input.word(), output.word(), text.len()).unwrap();
        frames.extend_from_slice(text);
    }
    let writer = std::thread::spawn(move || stdin.write_all(&frames));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let answers: Vec<_> = lines.map(|line| answer(&line.unwrap())).collect();
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success(), "the oracle fails after {} documents", answers.len());
    assert_eq!(answers.len(), cases.len());
    answers
}

fn answer(line: &str) -> Result<Vec<u8>, (String, String)> {
    let answer: serde_json::Value = serde_json::from_str(line).unwrap();
    match answer["text64"].as_str() {
        Some(text) => Ok(STANDARD.decode(text).unwrap()),
        None => Err((
            answer["failed"].as_str().unwrap().to_owned(),
            answer["error"].as_str().unwrap_or_default().to_owned(),
        )),
    }
}

/// What we make of it.
pub(super) fn own(case: &Case) -> Result<Vec<u8>, (String, String)> {
    let failed = |step: &str, error: String| (step.to_owned(), error);
    let document = Document::parse(case.input, case.text.clone()).map_err(|error| failed("load", error.to_string()))?;
    let tree = document.tree(&Edits::new()).map_err(|error| failed("load", error.to_string()))?;
    let indent = (case.indent > 0).then_some(i64::from(case.indent));
    emit(case.output, &tree, None, EmitOptions { indent })
        .map(|text| text.to_vec())
        .map_err(|error| failed("emit", error.to_string()))
}
