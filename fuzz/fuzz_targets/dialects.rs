#![no_main]

use libfuzzer_sys::fuzz_target;
use lockage::document::{Dialect, Document, Edits, Format, LeafId, Replacement};

fuzz_target!(|input: &[u8]| {
    // The first byte picks the dialect.
    let Some((first, text)) = input.split_first() else { return };
    let format = Format::Dialect(Dialect::ALL[usize::from(*first) % 5]);
    let Ok(document) = Document::parse(format, text.to_vec()) else { return };
    let mut edits = Edits::new();
    for index in 0..document.outline().leaves.len() as u32 {
        let _ = document.scalar(LeafId(index));
        edits.leaf(LeafId(index), &Replacement::Token(b"ENC[x]"));
    }
    let encrypted = document.apply(&edits).map(|text| text.to_vec()).expect("a token stands everywhere");
    let encrypted = Document::parse(format, encrypted).expect("what was written is read");
    assert_eq!(encrypted.outline().leaves.len(), document.outline().leaves.len());
});
