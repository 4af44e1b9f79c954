//! The oracle: go-yaml itself, one process for thousands of documents.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockage::document::{Document, Format, Kind, Node, Style, SyntaxError};

/// One step of the walk through a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Open { list: bool },
    Close,
    Key { name: Vec<u8>, at: Option<(usize, usize)> },
    Leaf { kind: &'static str, canonical: Vec<u8>, at: Option<(usize, usize)> },
    Comment { text: Vec<u8>, inline: bool },
}

/// What go-yaml makes of each text: the walk, or why SOPS refuses it.
pub(super) fn ask(oracle: &Path, texts: &[Vec<u8>]) -> Vec<Result<Vec<Step>, String>> {
    let mut child = Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let frames: Vec<u8> = texts
        .iter()
        .flat_map(|text| u32::try_from(text.len()).unwrap().to_be_bytes().into_iter().chain(text.iter().copied()))
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(&frames));
    let answers: Vec<_> =
        BufReader::new(child.stdout.take().unwrap()).lines().map(|line| answer(&line.unwrap())).collect();
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success(), "the oracle fails after {} documents", answers.len());
    assert_eq!(answers.len(), texts.len());
    answers
}

fn answer(line: &str) -> Result<Vec<Step>, String> {
    let answer: serde_json::Value = serde_json::from_str(line).unwrap();
    if let Some(error) = answer["error"].as_str() {
        return Err(error.to_owned());
    }
    Ok(answer["steps"].as_array().unwrap().iter().map(step).collect())
}

fn step(step: &serde_json::Value) -> Step {
    let bytes = |index: usize| STANDARD.decode(step[index].as_str().unwrap()).unwrap();
    let at = |line: usize| {
        let number = |index: usize| usize::try_from(step[index].as_u64().unwrap()).unwrap();
        (number(line), number(line + 1))
    };
    match step[0].as_str().unwrap() {
        "open" => Step::Open { list: step[1].as_bool().unwrap() },
        "close" => Step::Close,
        "key" => Step::Key { name: bytes(1), at: Some(at(2)) },
        "leaf" => {
            let kind = ["null", "str", "int", "float", "bool", "time"];
            let kind = kind.into_iter().find(|word| step[1] == **word).unwrap();
            // A tag or an anchor moves go-yaml's position to itself.
            let at = (step[5] == true).then(|| at(3));
            Step::Leaf { kind, canonical: bytes(2), at }
        }
        "comment" => Step::Comment { text: bytes(1), inline: step[2].as_bool().unwrap() },
        other => panic!("the oracle says {other}"),
    }
}

/// Our own walk through the same text. Positions are left out where nothing stands.
pub(super) fn own(text: &[u8]) -> Result<Vec<Step>, SyntaxError> {
    let document = Document::parse(Format::Yaml, text.to_vec())?;
    let outline = document.outline();
    let positions = positions(text);
    let mut steps = Vec::with_capacity(outline.nodes.len());
    for node in &outline.nodes {
        steps.push(match *node {
            Node::Open { list } => Step::Open { list },
            Node::Close => Step::Close,
            Node::Key(id) => {
                let key = &outline.keys[id.0 as usize];
                Step::Key { name: document.key(id).as_bytes().to_vec(), at: Some(positions[key.range.start]) }
            }
            Node::Comment(id) => {
                Step::Comment { text: document.comment(id).to_vec(), inline: outline.comment(id).inline }
            }
            Node::Leaf(id) => {
                let leaf = outline.leaf(id);
                let scalar = document.scalar(id)?;
                assert_eq!(scalar.kind, leaf.kind);
                let at = (leaf.style != Style::Empty).then(|| positions[leaf.range.start]);
                Step::Leaf { kind: word(scalar.kind), canonical: scalar.canonical.into_owned(), at }
            }
        });
    }
    Ok(steps)
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Str => "str",
        Kind::Int => "int",
        Kind::Float => "float",
        Kind::Bool => "bool",
        Kind::Time => "time",
        Kind::Null => "null",
    }
}

/// Of each offset line and column as go-yaml counts them, from 1, in characters; every sort of line break counts.
fn positions(text: &[u8]) -> Vec<(usize, usize)> {
    let text = std::str::from_utf8(text).unwrap();
    let mut positions = Vec::with_capacity(text.len() + 1);
    let (mut line, mut column) = (1, 1);
    for (offset, character) in text.char_indices() {
        positions.extend(std::iter::repeat_n((line, column), character.len_utf8()));
        let crlf = character == '\r' && text[offset + 1..].starts_with('\n');
        match character {
            '\u{FEFF}' if offset == 0 => {}
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' if !crlf => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
    }
    positions.push((line, column));
    positions
}
