//! Thousands of documents of every type, written as every type by us and by SOPS's stores: the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lockage::document::Format;

use super::generate;
use super::oracle::{self, Case};
use crate::common;
use crate::yaml::generate::Random;

/// Documents in CI; `LOCKAGE_EMIT_DOCUMENTS` asks for more.
const DOCUMENTS: u64 = 20_000;
const SEED: u64 = 0x0E31_7A5C;

const FORMATS: [Format; 5] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary];

/// What we refuse to read, or cannot read as SOPS does, is told by the tests of reading.
const READING: &str = "load";

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn case(random: &mut Random) -> Case {
    let input = FORMATS[random.below(5)];
    let output = FORMATS[random.below(5)];
    let indent = if random.chance(4) { 1 + random.below(12) as u8 } else { 0 };
    Case { input, output, indent, text: generate::text(random, input) }
}

/// Comments between exotic line breaks, whose places are not followed.
fn is_open_class(case: &Case) -> bool {
    let exotic = ["\u{85}", "\u{2028}", "\u{2029}"].map(str::as_bytes);
    case.input == Format::Yaml && exotic.iter().any(|line_break| memchr::memmem::find(&case.text, line_break).is_some())
}

#[test]
fn writes_what_the_stores_of_sops_write() {
    let Some(peer) = common::peer("store-oracle") else { return };
    let seed = number("LOCKAGE_EMIT_SEED", SEED);
    let mut random = Random::new(seed);
    let mut left = number("LOCKAGE_EMIT_DOCUMENTS", DOCUMENTS);
    let (mut written, mut refused, mut unread, mut different) = (BTreeMap::new(), 0, 0, Vec::new());
    while left > 0 {
        let cases: Vec<Case> = (0..left.min(4_000)).map(|_| case(&mut random)).collect();
        left -= cases.len() as u64;
        for (case, theirs) in cases.iter().zip(oracle::ask(&peer, &cases)) {
            let ours = oracle::own(case);
            match (&ours, &theirs) {
                (Err((step, _)), _) if step == READING => unread += 1,
                _ if is_open_class(case) => unread += 1,
                (_, Err((step, _))) if step != "emit" && step != "panic" => unread += 1,
                (Ok(ours), Ok(theirs)) if ours == theirs => {
                    *written.entry((case.input.word(), case.output.word())).or_insert(0) += 1;
                }
                (Err(_), Err(_)) => refused += 1,
                _ => different.push((case.clone(), ours, theirs)),
            }
        }
    }
    different.sort_by_key(|(case, ..)| case.text.len());
    let mut report = String::new();
    let show = |result: &Result<Vec<u8>, (String, String)>| match result {
        Ok(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Err(failed) => format!("{failed:?}"),
    };
    for (case, ours, theirs) in different.iter().take(12) {
        let Case { input, output, indent, text } = case;
        let text = String::from_utf8_lossy(text);
        writeln!(report, "{input:?} to {output:?} (indent {indent}): {text:?}").unwrap();
        writeln!(report, "  ours   {}\n  theirs {}", show(ours), show(theirs)).unwrap();
    }
    let total: usize = written.values().sum();
    assert!(different.is_empty(), "seed {seed:#x}: {} differ, {total} agree\n{report}", different.len());
    assert_eq!(written.len(), 22, "a pair of types is never written: {written:?}");
    assert!(total > 4 * refused && total > unread, "out of tune: {total} written, {refused} refused, {unread} unread");
}
