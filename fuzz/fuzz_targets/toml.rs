#![no_main]

use libfuzzer_sys::fuzz_target;
use lockage::document::{Document, Edits, Format, Kind, LeafId, Replacement};

fuzz_target!(|text: &[u8]| {
    let Ok(document) = Document::parse(Format::Toml, text.to_vec()) else { return };
    let mut edits = Edits::new();
    for index in 0..document.outline().leaves.len() as u32 {
        if document.scalar(LeafId(index)).is_ok() {
            edits.leaf(LeafId(index), &Replacement::Token(b"ENC[x]"));
        }
    }
    let encrypted = document.apply(&edits).map(|text| text.to_vec()).expect("a token stands everywhere");
    let encrypted = Document::parse(Format::Toml, encrypted).expect("what was written is read");
    let mut edits = Edits::new();
    for index in 0..encrypted.outline().leaves.len() as u32 {
        edits.opened(LeafId(index), Kind::Str, b"\r\n'\"\\");
    }
    let _ = encrypted.apply(&edits);
});
