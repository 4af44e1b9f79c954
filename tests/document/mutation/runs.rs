//! Mutated texts by a seed, and the ones that once made trouble.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::targets::{TARGETS, format, run};
use crate::emit::generate as texts;
use crate::yaml::generate::Random;

/// Inputs for each parser in CI; `LOCKAGE_MUTATIONS` asks for more.
const INPUTS: u64 = 3_000;
const SEED: u64 = 0x0F12_2E55;

/// Bytes and runs of bytes at which parsers break.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\xFF",
    b"\xC2",
    b"\xE2\x80",
    b"\xED\xA0\x80",
    b"\xF4\x90\x80\x80",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\r",
    b"\r\n",
    b"\xE2\x80\xA8",
    b"\"",
    b"\"\"\"",
    b"'",
    b"`",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"[",
    b"]",
    b"{",
    b"}",
    b"&a ",
    b"*a",
    b"<<: *a\n",
    b"!!binary ",
    b"|9+\n",
    b"? ",
    b": ",
    b"- ",
    b"#",
    b";",
    b"=",
    b",",
    b"\t",
    b"---\n",
    b"...\n",
    b"%YAML 1.1\n",
    b"ENC[",
    b"sops:\n",
    b"sops_mac=",
    b"sops_dotenv_dialect=shell\n",
    b"[sops]\n",
    b"[[sops.age]]\n",
    b"[a.b]\n",
    b"'''",
    b"__list_99999999999999999999",
    b"__map_",
    b"type:",
    b"1e999999999",
    b"-",
    b"0x",
    b"(?:",
    b"{1000}",
];

const TOKEN: &[u8] = b"ENC[AES256_GCM,data:6eVb0KuE,iv:mZwt4hZv8qI/8fbN3j7HwoTXgDbkFYwtPEHiyx7XEuA=,tag:IU4j9mMVX5DVEyy0ufLYPQ==,type:str]";
const RULES: &str = "creation_rules:\n  - path_regex: ^secrets/(prod|dev)\\.yaml$\n    encrypted_regex: '^[a-z]{2,5}\\d+$'\n    age: age1x, age1y\n  - key_groups:\n      - merge: [{pgp: [A]}]\n        kms: [{arn: a, context: {k: v}}]\n    shamir_threshold: 2\nstores: {yaml: {indent: 2}}\n";

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// A text that the parser takes, or nearly.
pub(super) fn seedling(random: &mut Random, target: &str) -> Vec<u8> {
    match target {
        "token" => TOKEN.to_vec(),
        "metadata" => include_bytes!("../../vectors/golden.enc.yaml").to_vec(),
        "rules" => RULES.as_bytes().to_vec(),
        target => texts::text(random, format(target)),
    }
}

pub(super) fn mutated(random: &mut Random, mut text: Vec<u8>) -> Vec<u8> {
    for _ in 0..random.below(6) {
        let at = random.below(text.len() + 1);
        let to = (at + random.below(9)).min(text.len());
        match random.below(6) {
            0 => drop(text.drain(at..to)),
            1 => {
                let copy = text[at..to].to_vec();
                let copies = copy.repeat(1 + random.below(40));
                text.splice(at..at, copies);
            }
            2 if at < text.len() => text[at] = random.below(256) as u8,
            3 => text.truncate(at),
            _ => {
                let piece: &[u8] = random.pick(PIECES);
                text.splice(at..at, piece.iter().copied());
            }
        }
    }
    text
}

fn survives(target: &str, input: &[u8], named: &str) {
    let outcome = catch_unwind(AssertUnwindSafe(|| run(target, input)));
    assert!(
        outcome.is_ok(),
        "{target} panics over {named}; keep it in tests/vectors/mutation: {:?}",
        input.escape_ascii().to_string()
    );
}

#[test]
fn no_parser_panics() {
    let seed = number("LOCKAGE_MUTATION_SEED", SEED);
    for target in TARGETS {
        let mut random = Random::new(seed);
        for count in 0..number("LOCKAGE_MUTATIONS", INPUTS) {
            let text = seedling(&mut random, target);
            let input = mutated(&mut random, text);
            survives(target, &input, &format!("input {count} of seed {seed:#x}"));
        }
    }
}

/// Files named `PARSER-what-it-is`, each found by a run or by hand.
#[test]
fn what_once_made_trouble_stays_harmless() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/mutation");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let target = name.split('-').next().unwrap();
        assert!(TARGETS.contains(&target), "{name} names no parser");
        survives(target, &std::fs::read(&path).unwrap(), &name);
        count += 1;
    }
    assert!(count >= 10, "only {count} files");
}
