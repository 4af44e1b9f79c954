#![no_main]

use libfuzzer_sys::fuzz_target;
use lockage::document::{Document, Edits, EmitOptions, Format, emit};

fuzz_target!(|text: &[u8]| {
    for document in [
        Document::parse(Format::Json, text.to_vec()),
        Document::parse_as_sops(Format::Json, text.to_vec()),
    ] {
        let Ok(document) = document else { continue };
        let Ok(tree) = document.tree(&Edits::new()) else { continue };
        for output in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini] {
            let _ = emit(output, &tree, None, EmitOptions::default());
        }
    }
});
