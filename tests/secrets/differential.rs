//! The same documents through both programs, in both directions: values, types, comments, order.
//!
//! `LOCKAGE_DIFFERENTIAL=5000` looks at more of them.

use lockage::document::{Document, Format, Kind, Path, Scalar, Visit};
use lockage::keys::published::RECIPIENT;
use lockage::sops::{Encryption, Flavour, RuleSet, SopsError};

use crate::generate::{self, Seed};
use crate::support::{Sops, decrypt, encrypt_with};

const DOCUMENTS: u64 = 150;

/// What a rule may say beside its key.
pub const RULES: [&str; 9] = [
    "",
    "",
    "unencrypted_suffix: ted0",
    "encrypted_suffix: ret1",
    "unencrypted_regex: ^(data|db)",
    "encrypted_regex: '^\\w+\\d$'",
    "mac_only_encrypted: true\n    encrypted_regex: pass|key|\\bdb",
    "unencrypted_comment_regex: plain",
    "encrypted_comment_regex: sops:enc",
];

fn count() -> u64 {
    std::env::var("LOCKAGE_DIFFERENTIAL").ok().and_then(|text| text.parse().ok()).unwrap_or(DOCUMENTS)
}

/// Everything that the walk meets: values with path and type, comments with their container.
///
/// Not `exact`, for what `sops` has printed: it prints the number 1000.0 as 1000 and -0.0 as -0,
/// and moves comments.
pub fn walked(format: Format, text: &[u8], exact: bool) -> Vec<String> {
    let document = Document::parse(format, text.to_vec()).unwrap_or_else(|error| {
        panic!("{error}:\n{}", String::from_utf8_lossy(text));
    });
    let mut seen = Vec::new();
    let walk: Result<(), SopsError> = document.walk(|visit| {
        match visit {
            Visit::Leaf { id, path } => {
                seen.push(shown(path, &document.scalar(id)?, exact));
            }
            Visit::Comment { id, path } if exact => {
                let text = String::from_utf8_lossy(document.comment(id)).into_owned();
                seen.push(format!("{} # {text:?}", path.associated_data()));
            }
            _ => {}
        }
        Ok(())
    });
    walk.unwrap();
    seen
}

/// A value with its path. Not `exact`, all numbers are of one type, and -0 is 0.
pub fn shown(path: &Path<'_>, scalar: &Scalar<'_>, exact: bool) -> String {
    let number = !exact && matches!(scalar.kind, Kind::Int | Kind::Float);
    let kind = if number { "Number".to_owned() } else { format!("{:?}", scalar.kind) };
    let canonical = String::from_utf8_lossy(&scalar.canonical);
    let canonical = if number && canonical == "-0" { "0" } else { &canonical };
    format!("{} {kind} {canonical:?}", path.to_key_path())
}

pub fn same(found: &[String], wanted: &[String], shown: &str) {
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert_eq!(found, wanted, "entry {index}, {shown}");
    }
    assert_eq!(found.len(), wanted.len(), "{shown}");
}

fn both_ways(format: Format, make: impl Fn(&mut Seed) -> String) {
    let Some(sops) = Sops::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rules.yaml");
    let (mut compared, mut refused, mut unopened) = (0, 0, 0);
    for number in 0..count() {
        let mut seed = Seed::new(number);
        let rule = if format == Format::Dotenv { "" } else { RULES[seed.below(RULES.len())] };
        let rules = format!("creation_rules:\n  - age: {RECIPIENT}\n    {rule}\n");
        std::fs::write(&config, &rules).unwrap();
        let text = make(&mut seed);
        let shown = format!("number {number}, rule {rule:?}:\n{text}");

        let theirs = sops.run(
            &[
                "--config",
                config.to_str().unwrap(),
                "encrypt",
                "--filename-override",
                "x",
                "--input-type",
                format.word(),
                "--output-type",
                format.word(),
            ],
            text.as_bytes(),
        );
        let rules = RuleSet::parse(&rules, "rules.yaml").unwrap();
        let encryption = Encryption { flavour: Flavour::Sops, ..Encryption::of_rule(rules.rule_for("x").unwrap()) };
        let ours = encrypt_with(format, text.as_bytes(), &encryption);
        let (theirs, ours) = match (theirs, ours) {
            (Ok(theirs), Ok(ours)) => (theirs, ours),
            (Err(_), Err(_)) => {
                refused += 1;
                continue;
            }
            (Ok(_), Err(error)) => panic!("we refuse: {error}\n{shown}"),
            (Err((code, complaint)), Ok(_)) => panic!("sops refuses: {code} {complaint}\n{shown}"),
        };
        assert!(!String::from_utf8_lossy(&ours).contains("CANARY-heron") || !rule.is_empty(), "{shown}");

        let back = decrypt(format, &ours).unwrap_or_else(|error| panic!("ours by us: {error}\n{shown}"));
        let comments = walked(format, text.as_bytes(), true);
        same(&walked(format, &back, true), &comments, &format!("ours by us, {shown}"));

        match (sops.decrypt(format, &ours), sops.decrypt(format, &theirs)) {
            (Ok(from_ours), Ok(from_theirs)) => {
                let (from_ours, from_theirs) = (walked(format, &from_ours, false), walked(format, &from_theirs, false));
                same(&from_ours, &from_theirs, &format!("ours by sops, {shown}"));
                compared += 1;
            }
            // It writes files that it cannot open: `-0.0` in clear, an encrypted comment in a list under a comment rule.
            (_, Err(_)) => unopened += 1,
            (Err((code, complaint)), _) => panic!("sops cannot open ours: {code} {complaint}\n{shown}"),
        }

        if let Ok(wanted) = sops.decrypt(format, &theirs) {
            let from_theirs = decrypt(format, &theirs).unwrap_or_else(|error| panic!("theirs by us: {error}\n{shown}"));
            let (from_theirs, wanted) = (walked(format, &from_theirs, false), walked(format, &wanted, false));
            same(&from_theirs, &wanted, &format!("theirs by us, {shown}"));
        }
    }
    eprintln!(
        "{}: {compared} compared, {refused} refused by both, {unopened} that sops cannot open again",
        format.word()
    );
    assert!(compared * 10 >= count() * 7, "only {compared} compared");
}

#[test]
fn json_both_ways() {
    both_ways(Format::Json, generate::json);
}

#[test]
fn dotenv_both_ways() {
    both_ways(Format::Dotenv, generate::dotenv);
}

#[test]
fn yaml_both_ways() {
    both_ways(Format::Yaml, generate::yaml);
}
