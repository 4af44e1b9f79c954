//! Documents by the million, ours in this process and SOPS's own code at the end of a pipe: values, types, comments,
//! order and what is said of the authentication code, both ways.
//!
//! `LOCKAGE_DOCUMENTS=1000000 LOCKAGE_SEED=1 cargo test --release --test secrets million -- --nocapture` is the run by
//! hand; each processor has a peer of its own. A failure names its number: `LOCKAGE_DOCUMENTS=1 LOCKAGE_SEED=NUMBER`
//! makes that document alone.

mod peer;
mod tampering;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use lockage::document::{Document, Format, Visit};
use lockage::keys::KeyServices;
use lockage::keys::published::RECIPIENT;
use lockage::sops::{EncryptedFile, Encryption, Flavour, RuleSet, SopsError};

use self::peer::Peer;
use crate::common;
use crate::conversion::{differential::ini, encrypted};
use crate::differential::{RULES, same, shown, walked};
use crate::generate::{self, Seed};
use crate::support::keyring;

/// Documents in CI.
const DOCUMENTS: u64 = 1_500;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[test]
fn both_programs_agree_on_every_document() {
    let Some(program) = common::peer("sops-oracle") else { return };
    let (first, count) = (number("LOCKAGE_SEED", 0), number("LOCKAGE_DOCUMENTS", DOCUMENTS));
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&program, &next, first + count))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut tally = Tally::new();
    for (what, count) in tallies.into_iter().flatten() {
        *tally.entry(what).or_default() += count;
    }
    eprintln!("from {first}: {tally:?}");
    let compared = tally.get("compared").copied().unwrap_or_default();
    assert!(count < 100 || compared * 10 >= count * 7, "only {compared} of {count} compared");
}

type Tally = BTreeMap<&'static str, u64>;

fn work(program: &Path, next: &AtomicU64, end: u64) -> Tally {
    let (mut peer, keys, mut tally) = (Peer::start(program), keyring(), Tally::new());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return tally;
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| compare(&mut peer, &keys, number)));
        match outcome {
            Ok(seen) => seen.into_iter().for_each(|what| *tally.entry(what).or_default() += 1),
            Err(panic) => {
                eprintln!("LOCKAGE_SEED={number} LOCKAGE_DOCUMENTS=1 shows this document alone");
                next.store(end, Ordering::Relaxed);
                std::panic::resume_unwind(panic);
            }
        }
    }
}

fn document(seed: &mut Seed) -> (Format, String) {
    match seed.below(8) {
        0..=3 => (Format::Yaml, generate::yaml(seed)),
        4 | 5 => (Format::Json, generate::json(seed)),
        6 => (Format::Dotenv, generate::dotenv(seed)),
        _ => (Format::Ini, ini(seed)),
    }
}

fn open(keys: &KeyServices, format: Format, file: &[u8]) -> Result<Vec<u8>, SopsError> {
    Ok(EncryptedFile::parse_as_sops(format, file.to_vec())?.decrypt(keys)?.text().to_vec())
}

/// One document: what was seen of it.
fn compare(peer: &mut Peer, keys: &KeyServices, number: u64) -> Vec<&'static str> {
    let mut seed = Seed::new(number);
    let (format, text) = document(&mut seed);
    // An empty comment in a list becomes an item of SOPS's own file, and none of ours.
    if format == Format::Yaml && text.lines().any(|line| line.trim_end().ends_with('#')) {
        return vec!["with an empty comment"];
    }
    let flat = matches!(format, Format::Dotenv | Format::Ini);
    let rule = if flat { "" } else { RULES[seed.below(RULES.len())] };
    let shown = || format!("number {number}, {format:?}, rule {rule:?}:\n{text}");
    let rules = RuleSet::parse(&format!("creation_rules:\n  - age: {RECIPIENT}\n    {rule}\n"), "rules").unwrap();
    let how = Encryption { flavour: Flavour::Sops, ..Encryption::of_rule(rules.rule_for("x").unwrap()) };

    let theirs = peer.encrypt(format, rule, text.as_bytes());
    let (theirs, ours) = match (theirs, encrypted(format, format, text.as_bytes(), &how)) {
        (Ok(theirs), Ok(ours)) => (theirs, ours),
        (Err(_), Err(_)) => return vec!["refused by both"],
        (Ok(_), Err(error)) => panic!("we refuse: {error}\n{}", shown()),
        (Err(complaint), Ok(_)) => panic!("sops refuses: {complaint}\n{}", shown()),
    };
    let mut seen = Vec::new();
    // A text that would mean something else with a line break at its end is written anew, as SOPS does: its writer makes an
    // integer of `5.` and of `-0.0`, the latter in a file that does not open again.
    let kept = format != Format::Yaml || text.ends_with('\n');
    let back = match open(keys, format, &ours) {
        Err(_) if !kept && peer.decrypt(format, &theirs).is_err() => return vec!["not opened by sops again"],
        back => back.unwrap_or_else(|error| panic!("ours by us: {error}\n{}", shown())),
    };
    let (found, wanted) = (walked_as_sops(format, &back, kept), walked_as_sops(format, text.as_bytes(), kept));
    same(&found, &wanted, &format!("ours by us, {}", shown()));
    match (peer.decrypt(format, &ours), peer.decrypt(format, &theirs)) {
        (Ok(from_ours), Ok(from_theirs)) => {
            let label = || format!("ours by sops, {}", shown());
            same(&walked(format, &from_ours, false), &walked(format, &from_theirs, false), &label());
            if format != Format::Ini {
                // Its writer loses some, at the end of a list above nothing.
                let known = comments(format, text.as_bytes());
                let strange = comments(format, &from_ours).into_iter().find(|comment| !known.contains(comment));
                assert_eq!(strange, None, "{}", label());
            }
            let by_us =
                open(keys, format, &theirs).unwrap_or_else(|error| panic!("theirs by us: {error}\n{}", shown()));
            let label = || format!("theirs by us, {}", shown());
            same(&walked(format, &by_us, false), &walked(format, &from_theirs, false), &label());
            same(&comments(format, &by_us), &comments(format, &from_theirs), &label());
            seen.push("compared");
        }
        // It writes files that it cannot open: `-0.0` in clear, an encrypted comment in a list under a comment rule.
        (_, Err(_)) => seen.push("not opened by sops again"),
        (Err(complaint), _) => panic!("sops cannot open ours: {complaint}\n{}", shown()),
    }
    // Where it cannot open its own file it has nothing to say of a change.
    let judged = if seen == ["compared"] { [&ours, &theirs].to_vec() } else { Vec::new() };
    for file in judged {
        let Some(changed) = tampering::tampered(&mut seed, file) else { continue };
        let (by_sops, by_us) = (peer.decrypt(format, &changed), open(keys, format, &changed));
        let verdicts = format!("sops says {:?}, we say {:?}", by_sops.as_ref().err(), by_us.as_ref().err());
        let file = String::from_utf8_lossy(&changed);
        assert_eq!(by_sops.is_ok(), by_us.is_ok(), "{verdicts}\n{}\n{file}", shown());
        seen.push(if by_us.is_ok() { "change not noticed by either" } else { "change noticed by both" });
    }
    seen
}

/// Everything in its order, read as SOPS reads it; where the text was not kept numbers are of one kind.
fn walked_as_sops(format: Format, text: &[u8], kept: bool) -> Vec<String> {
    let document = Document::parse_as_sops(format, text.to_vec()).unwrap();
    let mut seen = Vec::new();
    document
        .walk(|visit| {
            match visit {
                Visit::Leaf { id, path } => {
                    seen.push(shown(path, &document.scalar(id)?, kept));
                }
                Visit::Comment { id, path } => {
                    let text = String::from_utf8_lossy(document.comment(id)).into_owned();
                    seen.push(format!("{} # {text:?}", path.associated_data()));
                }
                _ => {}
            }
            Ok::<(), lockage::document::SyntaxError>(())
        })
        .unwrap();
    seen
}

/// The comments by their text, in the order of that: SOPS's writer moves them.
fn comments(format: Format, text: &[u8]) -> Vec<String> {
    let document = Document::parse_as_sops(format, text.to_vec()).unwrap();
    let ids = (0..).map(lockage::document::CommentId).take(document.outline().comments.len());
    let text = |id| String::from_utf8_lossy(document.comment(id)).trim().to_owned();
    let mut found: Vec<String> = ids.map(text).filter(|text| !text.is_empty()).collect();
    found.sort();
    found
}
