//! Quirks of the command line: the same lines with both programs, side by side.

use crate::as_sops::twins::{Line, RECIPIENT, STRANGER, Twins};

fn twins() -> Option<Twins> {
    let rules = format!("creation_rules:\n  - age: {RECIPIENT}\n    shamir_threshold: 3\n");
    let mut twins = Twins::new(&[
        ("p.yaml", "a: 1\nb: CANARY-heron\n"),
        ("time.yaml", "a: 2024-01-01\nb: 2006-01-02T15:04:05+07:06"),
        ("reserved.yaml", "a: 1\n---\nsops: x\n"),
        ("e.yaml", "a: 1\nb: CANARY-heron\nc: null\nd: 1.5\nl:\n    - x\n    # note\n    - w\n    - z\n"),
        ("e.json", "{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n"),
        ("e.env", "A=1\n"),
        ("e.empty.env", ""),
        ("e.ini", "[s]\n; c\na = 1\nb = 2\n\n[t]\nc = 3\n"),
        ("rules.yaml", &rules),
    ])?;
    twins.s.plaintext.clear();
    Some(twins)
}

fn follow(rows: &[&[&str]]) {
    let Some(twins) = twins() else { return };
    let mut differ = Vec::new();
    for args in rows {
        let env: &[(&str, &str)] = &[("EDITOR", "true"), ("SOPS_EDITOR", "true")];
        differ.extend(twins.differences(&[Line { args, env, ..Line::default() }], false));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// 13, 25 to 27, 34, 38. Rotation keeps nonces of nothing that anybody could see; the rest is as with `sops`.
#[test]
fn values_and_texts() {
    follow(&[
        &["rotate", "-i", "e.yaml"],
        &["set", "e.env", "[\"A\"]", "2"],
        &["set", "e.yaml", "[\"a\"]", "[1,2]"],
        &["set", "e.yaml", "[\"a\"]", "{\"x\":[1,2]}"],
        &["set", "--idempotent", "e.yaml", "[\"a\"]", "1"],
        &["encrypt", "--age", RECIPIENT, "reserved.yaml"],
        &["--indent", "12", "decrypt", "--output-type", "yaml", "e.json"],
        &["--indent", "1", "decrypt", "--output-type", "yaml", "e.json"],
    ]);
}

/// 51, 52, 54 to 58, 60, 63, 64, 69. Which file, which flags, which type.
#[test]
fn files_and_flags() {
    follow(&[
        &["decrypt"],
        &["encrypt", "--age", RECIPIENT, "--input-type", "binary", "e.json"],
        &["set", "e.yaml", "--idempotent", "[\"a\"]", "1"],
        &["e.yaml", "-d"],
        &["-di", "e.yaml"],
        &["--output-type", "json", "decrypt", "e.yaml"],
        &["--indent", "2", "decrypt", "--output-type", "json", "e.yaml"],
        &["exec-env", "e.env", "echo \"$A\""],
        &["decrypt", "--extract", "[\"b\"]", "e.yaml"],
        &["decrypt", "--extract", "[\"a\"]", "e.yaml"],
        &["edit", "e.yaml"],
        &["edit", "-s", "e.yaml"],
        &["filestatus", "missing"],
    ]);
}

/// 59, 67, 71, 75. Whose keys count, and what of a rule is passed over.
#[test]
fn keys_and_rules() {
    follow(&[
        &["--config", "rules.yaml", "encrypt", "p.yaml"],
        &["--config", "rules.yaml", "updatekeys", "-y", "e.yaml"],
        &["encrypt", "--age", STRANGER, "--shamir-secret-sharing-threshold", "3", "p.yaml"],
    ]);
}

/// 65, 66 and 68. Where `sops` crashes or damages the file we refuse, and the file stays.
#[test]
fn crashes_are_errors() {
    let Some(twins) = twins() else { return };
    for args in [
        &["decrypt", "--extract", "[\"a\"][\"b\"]", "e.yaml"][..],
        &["groups", "add", "-f", "e.yaml", "-i"],
        &["groups", "delete", "-f", "e.yaml", "-i", "7"],
        // 68: `sops` passes this key over without a word.
        &["groups", "add", "-f", "e.yaml", "--hckms", "x", "--age", RECIPIENT, "-i"],
    ] {
        let open = Line { args: &["decrypt", "e.yaml"], ..Line::default() };
        let (_, did) = twins.ours(&[Line { args, ..Line::default() }, open]);
        assert!(
            did[0].code != 0 && did[0].code != 101 && !did[0].stderr.contains("panic"),
            "{args:?}: {}",
            did[0].stderr
        );
        assert_eq!(did[1].code, 0, "{args:?} leaves a file that does not open: {}", did[1].stderr);
    }
}

/// 62. `--pristine` over an empty file leaks the whole environment in `sops`. We do not follow.
#[test]
fn an_empty_file_gives_an_empty_environment() {
    let Some(twins) = twins() else { return };
    let line = Line { args: &["exec-env", "--pristine", "e.empty.env", "/usr/bin/env"], ..Line::default() };
    let (_, did) = twins.ours(&[Line { env: &[("LEAK", "CANARY-leak")], ..line }]);
    assert!(!String::from_utf8_lossy(&did[0].stdout).contains("CANARY-leak"), "{:?}", did[0]);
}

/// A text without a final line break gets one, as SOPS's writers end every text.
#[test]
fn texts_end_with_a_line_break() {
    let Some(twins) = twins() else { return };
    let lines = [&["encrypt", "-i", "--age", RECIPIENT, "time.yaml"][..], &["decrypt", "-i", "time.yaml"]];
    let (folder, did) = twins.ours(&lines.map(|args| Line { args, ..Line::default() }));
    assert!(did.iter().all(|did| did.code == 0), "{did:?}");
    let text = std::fs::read_to_string(folder.join("time.yaml")).unwrap();
    assert_eq!(text, "a: 2024-01-01T00:00:00Z\nb: 2006-01-02T15:04:05+07:06\n");
}

/// `set` and `unset` count the comments of a list as its items. We follow, but for a comment itself, which is refused.
#[test]
fn comments_count_as_items() {
    follow(&[
        &["set", "e.yaml", "[\"l\"][0]", "\"v\""],
        &["set", "e.yaml", "[\"l\"][2]", "\"v\""],
        &["set", "e.yaml", "[\"l\"][3]", "\"v\""],
        &["set", "e.yaml", "[\"l\"][4]", "\"v\""],
        &["unset", "e.yaml", "[\"l\"][2]"],
        &["unset", "e.yaml", "[\"l\"][3]"],
        &["set", "e.ini", "[\"s\"]", "{\"x\":\"y\",\"z\":1}"],
    ]);
    let Some(twins) = twins() else { return };
    let (_, did) = twins.ours(&[Line { args: &["unset", "e.yaml", "[\"l\"][1]"], ..Line::default() }]);
    assert!(did[0].code != 0 && did[0].stderr.contains("comment"), "{:?}", did[0]);
}
