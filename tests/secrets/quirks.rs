//! Surprising behaviour of `sops` that touches what we read and write.
//!
//! *Source*: the SOPS format, section 13; the numbers are those of its list.

mod block;
mod code;
mod line;
mod printed;
mod register;
mod rules;
mod tokens;

use lockage::document::Format;
use lockage::sops::{Encryption, EncryptionScope, Flavour, Pattern, RuleSet, Selector, SopsError};

use crate::support::{Sops, decrypt, encrypt, encrypt_with, encryption};

fn yaml(plain: &str) -> String {
    String::from_utf8(encrypt(Format::Yaml, plain.as_bytes()).unwrap()).unwrap()
}

fn selecting(field: &str, value: &str) -> Encryption {
    let selector = Selector::of_field(field, value).unwrap().unwrap();
    Encryption { scope: EncryptionScope::new(selector), ..encryption() }
}

/// Our file opens with both programs.
fn opens(format: Format, file: &[u8], plain: &str) {
    assert_eq!(String::from_utf8(decrypt(format, file).unwrap()).unwrap(), plain);
    if let Some(sops) = Sops::find() {
        let opened = sops.decrypt(format, file).unwrap_or_else(|error| panic!("{error:?}"));
        assert!(!String::from_utf8_lossy(&opened).contains("ENC["));
    }
}

#[test]
fn comments_in_lists_are_no_part_of_the_code() {
    // 3 and 4.
    for plain in ["l:\n  # c\n  - a\n", "l:\n  #\n  - a\n", "#\na: 1\n"] {
        opens(Format::Yaml, yaml(plain).as_bytes(), plain);
        if let Some(sops) = Sops::find() {
            let theirs = sops.encrypt(Format::Yaml, plain.as_bytes(), &[]).unwrap();
            assert!(decrypt(Format::Yaml, &theirs).is_ok(), "{plain}");
        }
    }
}

#[test]
fn junk_behind_a_token_is_read() {
    // 8.
    let file = yaml("a: one\n").replacen("type:str]", "type:str]junk", 1);
    opens(Format::Yaml, file.as_bytes(), "a: one\n");
}

#[test]
fn keys_are_not_hashed() {
    // 11: a renamed key in clear is not noticed, a renamed encrypted one is.
    let file = yaml("a_unencrypted: x\nb: y\n");
    assert!(decrypt(Format::Yaml, file.replace("a_unencrypted", "c_unencrypted").as_bytes()).is_ok());
    let moved = decrypt(Format::Yaml, file.replace("b: ENC", "c: ENC").as_bytes());
    assert!(matches!(moved, Err(SopsError::Value { .. })));
}

#[test]
fn an_invalid_pattern_is_refused_where_sops_writes_everything_in_clear() {
    // 15.
    assert!(matches!(Selector::of_field("encrypted_regex", "["), Err(SopsError::Pattern { .. })));
    let Some(sops) = Sops::find() else { return };
    let theirs = sops.encrypt(Format::Yaml, b"a: CANARY-heron\n", &["--encrypted-regex", "["]).unwrap();
    assert!(String::from_utf8_lossy(&theirs).contains("CANARY-heron"));
    assert!(matches!(decrypt(Format::Yaml, &theirs), Err(SopsError::Pattern { .. })));
}

#[test]
fn patterns_match_what_go_matches() {
    let Some(sops) = Sops::find() else { return };
    let keys = ["data", "mydata", "a1", "naïve", "key-1", "A_B", "٤٢", "a{,2}", "x.y", "<b>", "[", "é", "αβ", "Д", "𐌀"];
    let plain: String = keys.iter().map(|key| format!("'{key}': value\n")).collect();
    for pattern in [
        "^data$",
        "data",
        r"\d",
        r"\W",
        r"^\w+$",
        r"\bdata",
        "(?i)^a_b$",
        "a{,2}",
        r"^[[:alpha:]]+$",
        r"^[\w-]+$",
        r"\<b",
        "[<[]",
        r"^\Qx.y\E$",
        r"\x61\d",
        r"^\PL",
        r"^.$",
        r"^[^\x00-\x7f]$",
        "(?P<n>a)1",
        "a**",
        "(?=a)",
        r"\Z",
        "[b-a]",
        "a{2000}",
        r"\pN",
        r"^\p{greek}+$",
        r"^\P{^Cyrillic}$",
        r"^\p{Lower-case_ Letter}+$",
        r"^[\p{Nd}\p{Greek}]+$",
        r"\p{Any}",
        r"\p{Cs}",
        r"^\P{Surrogate}",
        r"[^\p{ASCII}\PL]",
        r"\pl",
        r"\p{}",
        r"\p{Alphabetic}",
        r"\p{Lowercase}",
        r"\p{Age=3.0}",
        r"\p{sc=Greek}",
        r"\p{Grek}",
        r"\p{isGreek}",
        r"\p{L&}",
        r"\p{Old_Italic}",
        r"[\p{Hex_Digit}]",
    ] {
        let theirs = sops.encrypt(Format::Yaml, plain.as_bytes(), &["--encrypted-regex", pattern]).unwrap();
        let theirs = String::from_utf8(theirs).unwrap();
        let theirs: Vec<bool> = theirs.lines().take(keys.len()).map(|line| line.contains(": ENC[")).collect();
        match Pattern::new(pattern) {
            Ok(ours) => {
                let ours: Vec<bool> = keys.iter().map(|key| ours.is_match(key.as_bytes())).collect();
                assert_eq!(ours, theirs, "{pattern}");
            }
            Err(_) => assert!(theirs.iter().all(|encrypted| !encrypted), "{pattern} is a pattern for sops"),
        }
    }
}

#[test]
fn marks_stay_readable_and_what_they_mark_does_not() {
    let plain = "a: 1\n# sops:enc\nb: two\nc: three # sops:enc\nd:\n  # sops:enc\n  e: {f: four}\n  g: five\n";
    let file = encrypt_with(Format::Yaml, plain.as_bytes(), &selecting("encrypted_comment_regex", "sops:enc")).unwrap();
    let text = String::from_utf8(file.clone()).unwrap();
    for (clear, word) in
        [(true, "# sops:enc\nb: ENC["), (false, "two"), (false, "three"), (false, "four"), (true, "five")]
    {
        assert_eq!(text.contains(word), clear, "{word} in\n{text}");
    }
    opens(Format::Yaml, &file, plain);

    let plain = "# public\na: one\nb: two\n# plain words\nc: three # public\nd: {e: four}\n";
    let file = encrypt_with(Format::Yaml, plain.as_bytes(), &selecting("unencrypted_comment_regex", "public")).unwrap();
    let text = String::from_utf8(file.clone()).unwrap();
    for (clear, word) in
        [(true, "one"), (false, "two"), (false, "plain words"), (true, "three # public"), (false, "four")]
    {
        assert_eq!(text.contains(word), clear, "{word} in\n{text}");
    }
    opens(Format::Yaml, &file, plain);
}

#[test]
fn a_comment_at_the_end_moves_with_the_block_and_still_opens() {
    for plain in [
        "a:\n  b:\n    x: 1\n  # c\n",
        "l:\n  - a: 1\n    # c\n",
        "a: |\n  x\n  # text\n# c\n",
        "a:\n  b: 1\n\n  # c",
        "a: 1\r\n# c\r\n",
    ] {
        opens(Format::Yaml, yaml(plain).as_bytes(), plain);
    }
}

#[test]
fn aliases_are_refused_or_copied() {
    let plain = "a: &x one\nb: *x\n";
    let error = encrypt(Format::Yaml, plain.as_bytes()).unwrap_err();
    assert!(matches!(error, SopsError::Aliases { line: 2 }), "{error:?}");
    for encryption in
        [Encryption { expand_aliases: true, ..encryption() }, Encryption { flavour: Flavour::Sops, ..encryption() }]
    {
        for plain in [plain, "a: &x {k: one}\nb: *x\nc:\n  <<: *x\n  d: 1\n", "a: &x [1, 2]\nb: *x # c\n"] {
            let file = encrypt_with(Format::Yaml, plain.as_bytes(), &encryption).unwrap();
            assert!(decrypt(Format::Yaml, &file).is_ok(), "{plain}");
            if let Some(sops) = Sops::find() {
                sops.decrypt(Format::Yaml, &file).unwrap_or_else(|error| panic!("{plain}: {error:?}"));
            }
        }
    }
    // Aliases among what stays in clear are none of our business.
    let clear = "a_unencrypted: &x one\nb_unencrypted: *x\nc: two\n";
    opens(Format::Yaml, yaml(clear).as_bytes(), clear);
    let named = "a: &x one\n*x : two\n";
    assert!(matches!(encrypt(Format::Yaml, named.as_bytes()), Err(SopsError::Aliases { line: 2 })));
    let copying = Encryption { expand_aliases: true, ..encryption() };
    let file = encrypt_with(Format::Yaml, named.as_bytes(), &copying).unwrap();
    opens(Format::Yaml, &file, "a: &x one\none : two\n");
    let leaking = encrypt(Format::Yaml, b"a: &x one\nb_unencrypted: *x\n");
    assert!(matches!(leaking, Err(SopsError::Aliases { .. })), "{leaking:?}");
}

#[test]
fn a_dropped_comment_is_refused_or_emptied() {
    let plain = "a: [ # CANARY-heron\n  1]\n";
    let error = encrypt(Format::Yaml, plain.as_bytes()).unwrap_err();
    assert_eq!(error, SopsError::DroppedComments { lines: vec![1] });
    let as_sops = Encryption { flavour: Flavour::Sops, ..encryption() };
    let file = encrypt_with(Format::Yaml, plain.as_bytes(), &as_sops).unwrap();
    assert!(!String::from_utf8(file.clone()).unwrap().contains("CANARY"));
    assert!(decrypt(Format::Yaml, &file).is_ok());
}

#[test]
fn documents_share_one_code() {
    // 33.
    let plain = "a: 1\n---\n# c\na: 2\nb: x\n";
    let file = yaml(plain);
    opens(Format::Yaml, file.as_bytes(), plain);
}

#[test]
fn binary_files_have_no_selector() {
    // 53.
    let rules = RuleSet::parse("creation_rules: [{encrypted_regex: x, mac_only_encrypted: true}]", "r").unwrap();
    let rule = rules.rule_for("x").unwrap();
    let encryption = Encryption { groups: encryption().groups, ..Encryption::of_rule(rule) };
    let file = encrypt_with(Format::Binary, b"\x00\xffCANARY-heron", &encryption).unwrap();
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(!text.contains("regex") && !text.contains("suffix") && !text.contains("mac_only"), "{text}");
    assert_eq!(decrypt(Format::Binary, &file).unwrap(), b"\x00\xffCANARY-heron");
    if let Some(sops) = Sops::find() {
        assert_eq!(sops.decrypt(Format::Binary, &file).unwrap(), b"\x00\xffCANARY-heron");
    }
}

#[test]
fn nothing_to_encrypt_stays_as_it_is() {
    let plain = "a: null\nb: ''\nc: {}\nd: []\ne:\nf: ~\n";
    let file = yaml(plain);
    assert!(file.starts_with(plain), "{file}");
    opens(Format::Yaml, file.as_bytes(), plain);
}

#[test]
fn only_encrypted_values_are_hashed_where_the_rule_says_so() {
    let encryption = Encryption { mac_only_encrypted: true, ..encryption() };
    let file = encrypt_with(Format::Yaml, b"a: 1\nb_unencrypted: 2\n", &encryption).unwrap();
    let changed = String::from_utf8(file).unwrap().replace("b_unencrypted: 2", "b_unencrypted: 3");
    opens(Format::Yaml, changed.as_bytes(), "a: 1\nb_unencrypted: 3\n");
}
