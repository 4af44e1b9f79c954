//! What is done to each input, by the name of the parser.

use lockage::cipher::{DataKey, ValueCipher};
use lockage::document::{Dialect, Document, Edits, EmitOptions, Format, Kind, LeafId, Node, Replacement, emit};
use lockage::sops::{EncryptedFile, RuleSet};

const FORMATS: [Format; 6] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Toml, Format::Binary];
const TOKEN: &[u8] = b"ENC[AES256_GCM,data:6eVb,iv:AAAA,tag:AAAA,type:str]";

/// The parsers, each with what feeds it.
pub(super) const TARGETS: [&str; 14] = [
    "yaml", "json", "dotenv", "ini", "toml", "compose", "docker", "shell", "node", "systemd", "binary", "token",
    "metadata", "rules",
];

/// The format of a target that is one.
pub(super) fn format(target: &str) -> Format {
    Dialect::of_word(target).map(Format::Dialect).or_else(|| Format::of_word(target)).unwrap()
}

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
        target => document(format(target), input),
    }
}

fn document(format: Format, input: &[u8]) {
    let strict = Document::parse(format, input.to_vec());
    let lenient = Document::parse_as_sops(format, input.to_vec());
    let list =
        strict.as_ref().is_ok_and(|document| document.outline().nodes.first() != Some(&Node::Open { list: false }));
    let announced = input.windows(7).any(|word| word == b"dialect");
    assert!(strict.is_err() || lenient.is_ok() || list || announced, "only we in our own name take this");
    for document in strict.into_iter().chain(lenient) {
        let mut edits = Edits::new();
        for index in 0..document.outline().leaves.len() {
            let id = LeafId(u32::try_from(index).unwrap());
            if document.scalar(id).is_ok() {
                edits.leaf(id, &Replacement::Token(TOKEN));
            }
        }
        let _ = document.apply(&edits);
        let mut edits = Edits::new();
        let ours = matches!(format, Format::Toml | Format::Dialect(_));
        for index in 0..document.outline().leaves.len() * usize::from(ours) {
            edits.opened(LeafId(u32::try_from(index).unwrap()), Kind::Str, &input[..input.len().min(40)]);
        }
        let _ = document.apply(&edits);
        let _ = document.expanded();
        // SOPS takes no list at the top, so that none is ever converted.
        if document.outline().nodes.first() == Some(&Node::Open { list: true }) {
            continue;
        }
        let Ok(tree) = document.tree(&Edits::new()) else { continue };
        for output in FORMATS {
            let _ = emit(output, &tree, None, EmitOptions::default());
        }
    }
}
