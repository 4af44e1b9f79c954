//! Generated documents from every type into every other, both ways through both programs: the same bytes.
//!
//! `LOCKAGE_DIFFERENTIAL=5000` looks at more of them.

use lockage::document::Format;
use regex::Regex;

use super::{as_sops, decrypted, encrypted};
use crate::generate::{self, Seed};
use crate::support::Sops;

const DOCUMENTS: u64 = 60;
const OUTPUTS: [Format; 4] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini];

fn count() -> u64 {
    std::env::var("LOCKAGE_DIFFERENTIAL").ok().and_then(|text| text.parse().ok()).unwrap_or(DOCUMENTS)
}

fn document(seed: &mut Seed) -> (Format, String) {
    match seed.below(4) {
        0 => (Format::Yaml, generate::yaml(seed)),
        1 => (Format::Json, generate::json(seed)),
        2 => (Format::Dotenv, generate::dotenv(seed)),
        _ => (Format::Ini, ini(seed)),
    }
}

pub(crate) fn ini(seed: &mut Seed) -> String {
    let mut text = String::new();
    for section in 0..seed.below(4) {
        if seed.one_in(3) {
            text.push_str("; a comment\n# of two lines\n");
        }
        text.push_str(&format!("[s{section}]\n"));
        for key in 0..seed.below(4) {
            if seed.one_in(3) {
                text.push_str("# about the key\n");
            }
            let value = seed.pick(&["CANARY-heron", "", "a b", "\"  q \"", "`a;b`", "\"\"\"x\ny\"\"\"", "1", "true"]);
            let name = seed.pick(&["k", "long_key", "naïve"]);
            text.push_str(&format!("{name}{key} = {value}\n"));
        }
    }
    text
}

/// A file without what is random in it: of a token its type stays, of the metadata the names.
fn masked(file: &[u8]) -> String {
    let text = String::from_utf8_lossy(file);
    let rules = [
        (r"data:[^,]*,iv:[^,]*,tag:[^,]*,", ""),
        (r"(?s)-----BEGIN AGE ENCRYPTED FILE-----.*?-----END AGE ENCRYPTED FILE-----", "AGE"),
        (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "NOW"),
    ];
    rules
        .iter()
        .fold(text.into_owned(), |text, (rule, new)| Regex::new(rule).unwrap().replace_all(&text, *new).into_owned())
}

/// Timestamps are values, too; only those of the metadata may differ, so a document may not hold one.
fn holds_time(text: &str) -> bool {
    Regex::new(r"\d{4}-\d{1,2}-\d{1,2}").unwrap().is_match(text)
}

#[test]
fn encrypts_into_the_bytes_of_sops() {
    let Some(sops) = Sops::find() else { return };
    let (mut compared, mut refused) = (0, 0);
    for number in 0..count() {
        let mut seed = Seed::new(number);
        let (input, text) = document(&mut seed);
        let output = OUTPUTS[seed.below(4)];
        if output == input || holds_time(&text) {
            continue;
        }
        let shown = format!("number {number}, {input:?} to {output:?}:\n{text}");
        let theirs = sops.run(
            &[
                "encrypt",
                "--age",
                lockage::keys::published::RECIPIENT,
                "--filename-override",
                "x",
                "--input-type",
                input.word(),
                "--output-type",
                output.word(),
            ],
            text.as_bytes(),
        );
        let ours = encrypted(input, output, text.as_bytes(), &as_sops());
        match (theirs, ours) {
            (Ok(theirs), Ok(ours)) => {
                assert_eq!(masked(&ours), masked(&theirs), "{shown}");
                let (from_ours, from_theirs) = (sops.decrypt(output, &ours), sops.decrypt(output, &theirs));
                match (from_ours, from_theirs) {
                    (Ok(from_ours), Ok(from_theirs)) => {
                        assert_eq!(
                            String::from_utf8_lossy(&from_ours),
                            String::from_utf8_lossy(&from_theirs),
                            "{shown}"
                        );
                    }
                    (Err((code, _)), Err((same, _))) if code == same => {}
                    (ours, theirs) => panic!("{ours:?}\n{theirs:?}\n{shown}"),
                }
                compared += 1;
            }
            (Err((code, complaint)), Err(error)) => {
                assert_eq!(code, i32::from(error.sops_exit_code(true)), "{error}\n{complaint}\n{shown}");
                refused += 1;
            }
            (Ok(_), Err(error)) => panic!("we refuse: {error}\n{shown}"),
            (Err((code, complaint)), Ok(_)) => panic!("sops refuses: {code} {complaint}\n{shown}"),
        }
    }
    eprintln!("{compared} compared, {refused} refused by both");
    assert!(compared * 3 > count(), "only {compared} compared");
}

#[test]
fn decrypts_into_the_bytes_of_sops() {
    let Some(sops) = Sops::find() else { return };
    let mut compared = 0;
    for number in 0..count() {
        let mut seed = Seed::new(number);
        let (input, text) = document(&mut seed);
        let shown = format!("number {number}, {input:?}:\n{text}");
        let Ok(file) = sops.encrypt(input, text.as_bytes(), &[]) else { continue };
        for output in OUTPUTS {
            match (sops.decrypt_as(input, &file, output), decrypted(input, output, &file)) {
                (Ok(theirs), Ok(ours)) => {
                    let (ours, theirs) = (String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs));
                    assert_eq!(ours, theirs, "to {output:?}, {shown}");
                    compared += 1;
                }
                (Err((code, complaint)), Err(error)) => {
                    assert_eq!(code, i32::from(error.sops_exit_code(false)), "{error}\n{complaint}\n{shown}");
                }
                (Ok(_), Err(error)) => panic!("we refuse: {error}, to {output:?}, {shown}"),
                (Err((code, complaint)), Ok(_)) => panic!("sops refuses: {code} {complaint}, to {output:?}, {shown}"),
            }
        }
    }
    assert!(compared * 2 > count(), "only {compared} compared");
}
