//! The dialects of Compose and of `docker run --env-file`, held to the readers' own code in both directions.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use lockage::document::{Dialect, Document, Format, SyntaxError};

use super::generate;
use super::readers::{Variables, variables};
use crate::common::peer;
use crate::yaml::generate::Random;

/// What the reader makes of a text; nothing where it takes something from its own environment (a name without a value,
/// an expansion).
type Answer = Result<Option<Variables>, String>;

fn ask(oracle: &Path, dialect: Dialect, texts: &[Vec<u8>]) -> Vec<Answer> {
    let mut child = Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut frames = Vec::new();
    for text in texts {
        writeln!(frames, "{} {}", dialect.word(), text.len()).unwrap();
        frames.extend_from_slice(text);
    }
    let writer = std::thread::spawn(move || stdin.write_all(&frames));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let answers: Vec<_> = lines.map(|line| answer(&serde_json::from_str(&line.unwrap()).unwrap())).collect();
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(answers.len(), texts.len());
    answers
}

fn answer(answer: &serde_json::Value) -> Answer {
    if let Some(error) = answer["error"].as_str() {
        return Err(error.to_owned());
    }
    let values = answer["values"].as_object().into_iter().flatten();
    let values = values.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    Ok((answer["asked"] != true).then(|| values.collect()))
}

/// Whether the reader makes something of what we refuse: of a second entry behind a quote, of names out of other signs
/// than ours or of none, of bytes that are no text, and of a NUL.
fn stricter(dialect: Dialect, error: &SyntaxError) -> bool {
    let common = ["a name that readers of this dialect refuse"];
    let compose =
        ["something behind the closing quote", "expected `NAME=value`", "a value that is no UTF-8", "a NUL byte"];
    let said = error.to_string();
    common.iter().chain(compose.iter().filter(|_| dialect == Dialect::Compose)).any(|reason| said.contains(reason))
}

fn hold(dialect: Dialect) {
    let Some(oracle) = peer("dotenv-oracle") else { return };
    let mut random = Random::new(0x7777);
    let texts: Vec<Vec<u8>> = (0..12_000)
        .map(|_| generate::odd_dotenv(&mut random, dialect))
        .filter(|text| !text.contains("sops_"))
        .map(String::into_bytes)
        .collect();
    let (mut read, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for (text, answer) in texts.iter().zip(ask(&oracle, dialect, &texts)) {
        let shown = String::from_utf8_lossy(text);
        match (Document::parse(Format::Dialect(dialect), text.clone()), answer) {
            (Ok(ours), Ok(Some(theirs))) if variables(&ours) == theirs => read += theirs.len(),
            (Ok(ours), answer) => wrong.push(format!("{shown:?}\n  ours {:?}\n  theirs {answer:?}", variables(&ours))),
            (Err(error), Ok(Some(theirs))) if !stricter(dialect, &error) => {
                wrong.push(format!("{shown:?}\n  ours {error}\n  theirs {theirs:?}"));
            }
            (Err(_), _) => refused += 1,
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(read > 5_000 && refused > 500, "{read} values read, {refused} texts refused");
}

#[test]
fn compose_reads_what_we_say_it_reads() {
    hold(Dialect::Compose);
}

#[test]
fn docker_reads_what_we_say_it_reads() {
    hold(Dialect::Docker);
}
