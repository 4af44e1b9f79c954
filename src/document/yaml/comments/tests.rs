//! The golden cases of attribution.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::super::event::EventKind;
use super::super::token::{Container, Scan, TokenKind};
use super::super::{chars, parser, scanner, text};

/// The document and the path of every collection, by the token that begins it.
fn paths(source: &[u8], scan: &Scan) -> HashMap<u32, (usize, Vec<Value>)> {
    struct Frame {
        list: bool,
        path: Vec<Value>,
        items: usize,
        key: Option<Value>,
    }
    let events = parser::parse(source, &scan.tokens).unwrap();
    let mut found = HashMap::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut document = 0;
    for event in &events {
        if event.kind == EventKind::Document {
            document += 1;
            continue;
        }
        if event.kind == EventKind::End {
            frames.pop();
        }
        let is_key = frames.last().is_some_and(|frame| !frame.list && frame.key.is_none());
        if event.kind != EventKind::End && is_key {
            let token = scan.tokens[event.token as usize];
            let key = String::from_utf8(text::text(&source[token.range()], token.kind, 0).into_owned()).unwrap();
            frames.last_mut().unwrap().key = Some(Value::from(key));
            continue;
        }
        if matches!(event.kind, EventKind::Mapping | EventKind::Sequence) {
            let mut path = frames.last().map_or_else(Vec::new, |frame| frame.path.clone());
            if let Some(frame) = frames.last() {
                path.push(frame.key.clone().unwrap_or_else(|| Value::from(frame.items)));
            }
            found.insert(event.token, (document - 1, path.clone()));
            frames.push(Frame { list: event.kind == EventKind::Sequence, path, items: 0, key: None });
            continue;
        }
        if let Some(frame) = frames.last_mut() {
            frame.items += 1;
            frame.key = None;
        }
    }
    found
}

#[test]
fn every_golden_case() {
    let cases =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/yaml-comments.jsonl")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in cases.lines() {
        count += 1;
        let case: Value = serde_json::from_str(line).unwrap();
        let source = case["yaml"].as_str().unwrap().as_bytes();
        let scan = scanner::scan(source, chars::check(source).unwrap()).unwrap();
        let containers = paths(source, &scan);
        let places = super::attribute(source, &scan);
        let found: BTreeSet<String> = scan
            .comments
            .iter()
            .zip(&places)
            .map(|(comment, place)| {
                let text = std::str::from_utf8(&source[comment.start as usize..comment.end as usize]).unwrap();
                if place.dropped {
                    return json!([comment.start, text, "dropped"]).to_string();
                }
                let (document, path) = match place.container {
                    Container::Root(document) => (document as usize, Vec::new()),
                    Container::Token(token) => containers[&token].clone(),
                };
                json!([comment.start, text, path, place.index, place.inline, document]).to_string()
            })
            .collect();
        let expected: BTreeSet<String> = case["comments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|comment| {
                let text = comment["text"].as_str().unwrap();
                if comment["dropped"] == true {
                    return json!([comment["start"], text, "dropped"]).to_string();
                }
                json!([
                    comment["start"],
                    text,
                    comment["container"],
                    comment["before_index"],
                    comment["inline"],
                    comment["document"]
                ])
                .to_string()
            })
            .collect();
        // What an alias repeats is listed there once more.
        let aliases = scan.tokens.iter().any(|token| token.kind == TokenKind::Alias);
        if found != expected && !(aliases && found.is_subset(&expected)) {
            wrong.push(format!(
                "{} {}\n{}\n  expected {expected:?}\n  found    {found:?}",
                case["id"], case["class"], case["yaml"]
            ));
        }
    }
    assert_eq!(count, 1477);
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
}
