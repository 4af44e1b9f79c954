//! What is done to each input, by the name of the parser.

use lockage::cipher::{DataKey, ValueCipher};
use lockage::document::{Document, Edits, EmitOptions, Format, LeafId, Replacement, emit};
use lockage::sops::{EncryptedFile, RuleSet};

const FORMATS: [Format; 5] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary];
const TOKEN: &[u8] = b"ENC[AES256_GCM,data:6eVb,iv:AAAA,tag:AAAA,type:str]";

/// The parsers, each with what feeds it.
pub(super) const TARGETS: [&str; 8] = ["yaml", "json", "dotenv", "ini", "binary", "token", "metadata", "rules"];

/// Runs a parser over `input` and everything that takes what it gives.
pub(super) fn run(target: &str, input: &[u8]) {
    match target {
        "token" => {
            let key = DataKey::generate().unwrap();
            let mut cipher = ValueCipher::new(&key);
            let _ = cipher.decrypt(input, "a:", &mut zeroize::Zeroizing::default());
        }
        "metadata" => {
            for format in FORMATS {
                let _ = EncryptedFile::parse(format, input.to_vec());
                let _ = EncryptedFile::parse_as_sops(format, input.to_vec());
            }
        }
        "rules" => {
            let text = String::from_utf8_lossy(input);
            let _ = RuleSet::parse_for(&text, "rules", Some("secrets/prod.yaml"));
            let _ = RuleSet::parse(&text, "rules");
        }
        format => document(Format::of_word(format).unwrap(), input),
    }
}

fn document(format: Format, input: &[u8]) {
    let strict = Document::parse(format, input.to_vec());
    let lenient = Document::parse_as_sops(format, input.to_vec());
    assert!(strict.is_err() || lenient.is_ok(), "only we in our own name take this");
    for document in strict.into_iter().chain(lenient) {
        let mut edits = Edits::new();
        for index in 0..document.outline().leaves.len() {
            let id = LeafId(u32::try_from(index).unwrap());
            if document.scalar(id).is_ok() {
                edits.leaf(id, &Replacement::Token(TOKEN));
            }
        }
        let _ = document.apply(&edits);
        let _ = document.expanded();
        let Ok(tree) = document.tree(&Edits::new()) else { continue };
        for output in FORMATS {
            let _ = emit(output, &tree, None, EmitOptions::default());
        }
    }
}
