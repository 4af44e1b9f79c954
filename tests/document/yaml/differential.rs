//! Thousands of documents, read by us and by go-yaml: the same walk, or both refuse.

use std::fmt::Write as _;

use lockage::document::{Document, Format};

use super::corpus;
use super::generate::{self, Random};
use super::oracle::{self, Step};
use crate::common;

/// Documents in CI; `LOCKAGE_YAML_DOCUMENTS` asks for more.
const DOCUMENTS: usize = 20_000;
/// Why we refuse a few texts that go-yaml takes: it loses characters or values of them.
const STRICTER: [&str; 3] = ["a second byte order mark", "a key must be UTF-8", "this is not what its tag announces"];

/// Larger files add time, not variety.
const LARGEST_FILE: usize = 32 << 10;

const SEED: u64 = 0x10C4_A6E0;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[test]
fn reads_what_go_yaml_reads() {
    let Some(go) = common::peer("yaml-oracle") else { return };
    let seed = number("LOCKAGE_YAML_SEED", SEED);
    let mut random = Random::new(seed);
    let mut left = number("LOCKAGE_YAML_DOCUMENTS", DOCUMENTS as u64) as usize;
    let (mut accepted, mut refused, mut different) = (0, 0, Vec::new());
    while left > 0 {
        let texts: Vec<Vec<u8>> = (0..left.min(4_000)).map(|_| text(&mut random)).collect();
        left -= texts.len();
        for (text, answer) in texts.iter().zip(oracle::ask(&go, &texts)) {
            match compare(text, &answer) {
                Ok(true) => accepted += 1,
                Ok(false) => refused += 1,
                Err(difference) => different.push((text.clone(), difference)),
            }
        }
    }
    different.sort_by_key(|(text, _)| text.len());
    let mut report = String::new();
    for (text, difference) in different.iter().take(12) {
        writeln!(report, "{:?}\n  {difference}", String::from_utf8_lossy(text)).unwrap();
    }
    assert!(different.is_empty(), "seed {seed:#x}: {} of {} differ\n{report}", different.len(), accepted + refused);
    assert!(accepted > refused / 8, "the generator is out of tune: {accepted} accepted, {refused} refused");
}

/// The files that others wrote, as they are and with small accidents.
#[test]
fn reads_files_of_others_as_go_yaml_reads_them() {
    let (Some(go), Some(folder)) = (common::peer("yaml-oracle"), corpus::module_cache()) else { return };
    let mut files = Vec::new();
    corpus::collect(&folder, &mut files);
    let mut random = Random::new(number("LOCKAGE_YAML_SEED", SEED));
    let mut texts = Vec::new();
    for file in corpus::sample(files) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        // The oracle knows no metadata block.
        let text = text.replace("sops", "s0ps");
        if text.len() <= LARGEST_FILE {
            texts.push(generate::mutate(&mut random, &text));
            texts.push(text.into_bytes());
        }
    }
    let answers = oracle::ask(&go, &texts);
    let mut pairs = texts.iter().zip(&answers);
    let different = pairs.find_map(|(text, answer)| Some((text, compare(text, answer).err()?)));
    if let Some((text, difference)) = different {
        panic!("{difference}\n{}", String::from_utf8_lossy(text));
    }
}

fn text(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 | 1 => generate::soup(random).into_bytes(),
        2 | 3 => generate::document(random).into_bytes(),
        _ => {
            let text = generate::document(random);
            generate::mutate(random, &text)
        }
    }
}

/// Whether both accept the text with the same walk (`true`) or both refuse it; the difference otherwise.
fn compare(text: &[u8], answer: &Result<Vec<Step>, String>) -> Result<bool, String> {
    let own = oracle::own(text);
    match (own, answer) {
        (Err(_), Err(_)) => Ok(false),
        (Err(error), Ok(_)) if STRICTER.iter().any(|why| error.to_string().ends_with(why)) => Ok(false),
        (Err(error), Ok(_)) => Err(format!("only we refuse: {error}")),
        // A list at the top is ours alone.
        (Ok(_), Err(_)) if Document::parse_as_sops(Format::Yaml, text.to_vec()).is_err() => Ok(false),
        (Ok(_), Err(error)) => Err(format!("only go-yaml refuses: {error}")),
        (Ok(own), Ok(theirs)) => {
            let (own, theirs) = (comparable(own, text), comparable(theirs.clone(), text));
            // go-yaml forgets a lone `!`, but its position stays that of the `!`.
            let places = !text.windows(2).any(|pair| pair[0] == b'!' && pair[1].is_ascii_whitespace());
            let at = own.iter().zip(&theirs).position(|(own, theirs)| !agree(own, theirs, places));
            if at.is_none() && own.len() == theirs.len() {
                return Ok(true);
            }
            let at = at.unwrap_or_else(|| own.len().min(theirs.len()));
            Err(format!("step {at}: we {:?}, go-yaml {:?}", own.get(at), theirs.get(at)))
        }
    }
}

/// Between the rare sorts of line break we place no comments at all.
fn comparable(mut steps: Vec<Step>, text: &[u8]) -> Vec<Step> {
    let text = String::from_utf8_lossy(text);
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}']) || text.contains(&" ".repeat(400)) {
        steps.retain(|step| !matches!(step, Step::Comment { .. }));
    }
    steps
}

fn agree(own: &Step, theirs: &Step, places: bool) -> bool {
    match (own, theirs) {
        (
            Step::Leaf { kind, canonical, at },
            Step::Leaf { kind: their_kind, canonical: their_canonical, at: their_at },
        ) => {
            let place = !places || at.is_none() || their_at.is_none() || at == their_at;
            kind == their_kind && canonical == their_canonical && place
        }
        // An anchor or a tag moves go-yaml's position of a key as well.
        (Step::Key { name, .. }, Step::Key { name: their_name, .. }) => name == their_name,
        _ => own == theirs,
    }
}
