//! Quirks of what SOPS reads and prints: we follow in what is encrypted, and keep the text where SOPS prints another.

use lockage::document::Format;

use crate::conversion::{as_sops, encrypted};
use crate::differential::walked;
use crate::support::{Sops, decrypt};

/// The plaintext, and what the real `sops` prints of the file that we make of it.
type Row = (Format, &'static str, Format, &'static str);

fn holds(rows: &[Row]) {
    for (format, plain, output, printed) in rows {
        let file = encrypted(*format, *format, plain.as_bytes(), &as_sops())
            .unwrap_or_else(|error| panic!("{plain:?}: {error}"));
        let ours = decrypt(*format, &file).unwrap_or_else(|error| panic!("{plain:?}: {error}"));
        if !plain.contains("garbage") && !plain.contains("x=2") && !plain.contains('#') && !plain.contains('*') {
            assert_eq!(walked(*format, &ours, true), walked(*format, plain.as_bytes(), true), "{plain:?}");
        }
        let Some(sops) = Sops::find() else { continue };
        let theirs = sops.decrypt_as(*format, &file, *output).unwrap_or_else(|error| panic!("{plain:?}: {error:?}"));
        assert_eq!(String::from_utf8_lossy(&theirs), *printed, "{plain:?}");
    }
}

/// Both refuse, and our words name a place.
fn refused(rows: &[(Format, &str)]) {
    for (format, plain) in rows {
        assert!(encrypted(*format, *format, plain.as_bytes(), &as_sops()).is_err(), "{plain:?}");
        let Some(sops) = Sops::find() else { continue };
        assert!(sops.encrypt(*format, plain.as_bytes(), &[]).is_err(), "{plain:?}");
    }
}

use Format::{Dotenv, Ini, Json, Yaml};

/// 16 to 22 and 24. The values are SOPS's, the spelling stays the file's where a token can hold it.
#[test]
fn numbers_times_and_texts_are_printed_in_another_spelling() {
    holds(&[
        (Yaml, "a: 1.0\n", Yaml, "a: 1\n"),
        (Yaml, "a: 1e21\n", Yaml, "a: 1e+21\n"),
        (Json, "{\"a\": 1e21}\n", Json, "{\n\t\"a\": 1e+21\n}\n"),
        (Yaml, "a: 1e21\n", Dotenv, "a=1E+21\n"),
        (Yaml, "a: 017\nb: 08\nc: 0o8\nd: 1:20\n", Yaml, "a: 15\nb: 8\nc: 0o8\nd: \"1:20\"\n"),
        (Yaml, "a: yes\ny: 1\n", Yaml, "a: \"yes\"\n\"y\": 1\n"),
        (Yaml, "a: 99999999999999999999\n", Yaml, "a: 1e+20\n"),
        (Json, "{\"a\": 9223372036854775808}\n", Json, "{\n\t\"a\": 9223372036854776000\n}\n"),
        (Yaml, "a: 2024-01-01\n", Yaml, "a: 2024-01-01T00:00:00Z\n"),
        (Yaml, "a: !Ref x\nb: !!binary aGVsbG8=\n", Yaml, "a: x\nb: hello\n"),
        (Yaml, "a: \"<<\"\nb: \"\\U0001F600\"\n", Yaml, "a: !!merge <<\nb: \"\\U0001F600\"\n"),
        (Json, "{\"a\": \"a<b\"}\n", Json, "{\n\t\"a\": \"a\\u003cb\"\n}\n"),
    ]);
}

/// 20 and 35. Both refuse what no token can hold; `sops` exits 23.
#[test]
fn what_no_token_holds_is_refused() {
    refused(&[(Yaml, "a: 9223372036854775808\n"), (Yaml, "1: a\n"), (Yaml, "a: {true: 1}\n")]);
}

/// 23. A text that `sops` prints as null. We do not follow: it stays.
#[test]
fn a_text_that_sops_loses_is_kept() {
    holds(&[(Yaml, "a: \"\\ta\\nb\"\n", Yaml, "a: null\n")]);
    let file = encrypted(Yaml, Yaml, b"a: \"\\ta\\nb\"\n", &as_sops()).unwrap();
    assert_eq!(decrypt(Yaml, &file).unwrap(), b"a: \"\\ta\\nb\"\n");
}

/// 28, 30 to 32, 37. Comments, aliases and later documents: `sops` reads from our file what it would from its own.
#[test]
fn the_layout_is_kept_where_sops_prints_another() {
    holds(&[
        (Yaml, "a: 1 # x\n", Yaml, "# x\na: 1\n"),
        (Yaml, "---\n", Yaml, "{}\n"),
        (Yaml, "b: &b {x: 1}\nc:\n  <<: *b\n", Yaml, "b:\n    x: 1\nc:\n    !!merge <<:\n        x: 1\n"),
        (Yaml, "b: 1\n---\na: 1\na: 2\n", Yaml, "b: 1\n---\na: 1\na: 2\n"),
        (Yaml, "a:   'x'\n\n\nb:\n  - 1\n", Yaml, "a: x\nb:\n    - 1\n"),
    ]);
    let plain = b"a: 1 # x\n\n\nb:   'y'\n";
    assert_eq!(decrypt(Yaml, &encrypted(Yaml, Yaml, plain, &as_sops()).unwrap()).unwrap(), plain);
}

/// 29, 30 and 32. Comments alone want a `---`, an empty file has no document, and the first one no key twice.
#[test]
fn files_without_a_document_are_refused() {
    refused(&[(Yaml, "# only comment\n"), (Yaml, ""), (Yaml, "a: 1\na: 2\n"), (Yaml, "a: 1\n---\nb: 1\nsops: x\n")]);
    holds(&[(Yaml, "---\n# only\n", Yaml, "# only\n{}\n")]);
}

/// 39 to 41. What stands behind a JSON object is dropped as SOPS drops it, in our own name refused; keys may repeat.
#[test]
fn json_with_more_than_an_object() {
    holds(&[
        (Json, "{\"a\":1} garbage", Json, "{\n\t\"a\": 1\n}\n"),
        (Json, "{\"a\":1,\"a\":2}\n", Json, "{\n\t\"a\": 1,\n\t\"a\": 2\n}\n"),
        (Yaml, "a: 1\n---\nb: 2\n", Json, "{\n\t\"a\": 1\n}\n"),
    ]);
    refused(&[(Json, "{\"a\":1")]);
    assert!(lockage::document::Document::parse(Json, b"{\"a\":1} garbage".to_vec()).is_err());
}

/// 42 to 45. Quotes and blanks are content, `\n` is a line break, and only empty lines are none: ours stay.
#[test]
fn dotenv_lines_are_taken_literally() {
    refused(&[(Dotenv, "  # x\n"), (Dotenv, " \n"), (Dotenv, "sops_x=1\n")]);
    holds(&[
        (Dotenv, "A=1\n\nB=2\n", Dotenv, "A=1\nB=2\n"),
        (Dotenv, "A=\"q\"\nB = b\n", Dotenv, "A=\"q\"\nB = b\n"),
        (Dotenv, "A=x\\ny\r\n", Dotenv, "A=x\\ny\r\n"),
        (Dotenv, "sops=1\n", Dotenv, "sops=1\n"),
    ]);
    let plain = b"A=1\n\n\nB=2\n";
    assert_eq!(decrypt(Dotenv, &encrypted(Dotenv, Dotenv, plain, &as_sops()).unwrap()).unwrap(), plain);
}

/// 46, 47, 49 and 50. The last of two keys counts, quotes protect no comment, and `DEFAULT` is always there.
#[test]
fn ini_as_its_reader_has_it() {
    holds(&[
        (Ini, "[a]\nx=1\nx=2\n[a]\ny=1\n", Ini, "[a]\nx = 2\n\n[a]\ny = 1\n"),
        (Ini, "[a]\nk = a#b\nl = \"a # b\"\n", Ini, "[a]\n; b\nk = a\n; b\"\nl = \"a\n"),
        (Ini, "[a]\nk=1\n", Yaml, "DEFAULT: {}\na:\n    k: \"1\"\n"),
        (Yaml, "s:\n  l: [1, 2]\n", Ini, "[s]\nl = [1 2]\n"),
    ]);
    let Some(sops) = Sops::find() else { return };
    let file = encrypted(Yaml, Yaml, b"s: 1\n", &as_sops()).unwrap();
    assert_eq!(sops.decrypt_as(Yaml, &file, Ini).unwrap_err().0, 4);
}

/// 48. `sops` writes a key `-` so that it cannot be opened again. We do not follow: refused.
#[test]
fn a_key_that_sops_corrupts_is_refused() {
    assert!(encrypted(Ini, Ini, b"[a]\n-=x\n", &as_sops()).is_err());
    let Some(sops) = Sops::find() else { return };
    let theirs = sops.encrypt(Ini, b"[a]\n-=x\n", &[]).unwrap();
    assert!(sops.decrypt(Ini, &theirs).is_err());
}
