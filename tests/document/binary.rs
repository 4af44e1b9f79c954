//! Binary files.

use lockage::document::{Edits, Format, Kind, LeafId, MetadataEdit, Replacement};
use proptest::prelude::*;

use super::laws::{metadata, parse};

const TOKEN: &[u8] = b"ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]";

fn encrypted(content: &[u8]) -> Vec<u8> {
    let mut edits = Edits::new();
    if !content.is_empty() {
        edits.leaf(LeafId(0), &Replacement::Token(TOKEN));
    }
    edits.metadata = MetadataEdit::Set(metadata());
    parse(Format::Binary, content).apply(&edits).unwrap().to_vec()
}

#[test]
fn the_encrypted_form_is_sops_s() {
    for content in [&b"\x00\xff any"[..], b""] {
        let text = encrypted(content);
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let data = json["data"].as_str().unwrap();
        assert_eq!(data.as_bytes(), if content.is_empty() { b"" } else { TOKEN });
        assert_eq!(json["sops"]["age"][0]["recipient"], "age1x");
        assert!(text.starts_with(b"{\n\t\"data\": \"") && text.ends_with(b"\n\t}\n}\n"));
        assert_eq!(json.as_object().unwrap().len(), 2);
    }
}

#[test]
fn an_object_without_data_is_no_binary_file() {
    let mut edits = Edits::new();
    edits.metadata = MetadataEdit::Remove;
    for text in [&br#"{"sops": {}}"#[..], br#"{"data": 1, "sops": {}}"#, br#"{"data": "", "x": 1, "sops": {}}"#] {
        let error = parse(Format::Binary, text).apply(&edits).unwrap_err().to_string();
        assert!(error.contains("one string `data`"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_come_back(content in proptest::collection::vec(any::<u8>(), 0..64)) {
        let document = parse(Format::Binary, &encrypted(&content));
        let mut edits = Edits::new();
        edits.leaf(LeafId(0), &Replacement::Value { kind: Kind::Str, bytes: &content });
        edits.metadata = MetadataEdit::Remove;
        prop_assert_eq!(&document.apply(&edits).unwrap()[..], &content[..]);
    }
}
