//! A line for each exit code, and for each way to get it wrong.

use super::twins::{Line, RECIPIENT, STRANGER, Twins};

const RULES: &str =
    "creation_rules:\n  - path_regex: ^p\n    age: age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw\n";

fn twins() -> Option<Twins> {
    let mut twins = Twins::new(&[
        ("p.yaml", "a: 1\nb:\n    - x\n    - z\nc: CANARY-heron\n"),
        ("p.json", "{\n\t\"a\": 1\n}\n"),
        ("p.env", "A=1\n"),
        ("other.yaml", "a: 1\n"),
        ("empty.yaml", ""),
        ("bad.yaml", "a: [\n"),
        ("bad.env", "no equals\n"),
        ("e.yaml", "a: 1\nb:\n    - x\n    - z\nc: CANARY-heron\n"),
        ("e.json", "{\n\t\"a\": 1\n}\n"),
        ("e.env", "A=1\n"),
        ("e.bin", "any\n"),
        ("rules.yaml", RULES),
        ("broken-rules.yaml", "creation_rules: 5\n"),
        ("two.yaml", "creation_rules:\n  - encrypted_regex: a\n    unencrypted_suffix: b\n    age: x\n"),
        ("no-match.yaml", "creation_rules:\n  - path_regex: zzz\n    age: x\n"),
    ])?;
    twins.s.plaintext.clear();
    Some(twins)
}

fn check(rows: &[&[&str]]) {
    let Some(twins) = twins() else { return };
    let mut differ = Vec::new();
    for args in rows {
        differ.extend(twins.differences(&[Line { args, ..Line::default() }], true));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn the_command_line_itself() {
    check(&[
        &[],
        &["--help"],
        &["-h"],
        &["help"],
        &["h"],
        &["help", "encrypt"],
        &["help", "nothing"],
        &["encrypt", "--help"],
        &["groups"],
        &["groups", "nothing"],
        &["groups", "add", "-h"],
        &["completion"],
        &["completion", "fish"],
        &["--version"],
        &["-v"],
        &["--foo"],
        &["-x", "p.yaml"],
        &["-di", "e.yaml"],
        &["decrypt", "-di", "e.yaml"],
        &["encrypt", "--foo", "p.yaml"],
        &["decrypt", "--ignore-mac=maybe", "e.yaml"],
        &["encrypt", "--age"],
        &["encrypt", "-a", "x", "--age", "y", "p.yaml"],
        &["-k", "a", "--kms", "b", "p.yaml"],
        &["--indent", "x", "decrypt", "e.yaml"],
        &["encrypt", "--shamir-secret-sharing-threshold", "x", "p.yaml"],
        &["---age", "x"],
        &["-e", "p.yaml", "-i"],
        &["-d", "e.yaml", "p.yaml"],
        &["--output-type", "json", "decrypt", "e.yaml"],
        &["decrypt", "e.yaml", "--output-type", "json"],
        &["decrypt", "--output-type=json", "e.yaml"],
        &["decrypt", "--", "e.yaml"],
    ]);
}

#[test]
fn variables_that_are_no_truth_values() {
    let Some(twins) = twins() else { return };
    let mut differ = Vec::new();
    for (name, value) in [
        ("SOPS_DISABLE_VERSION_CHECK", "maybe"),
        ("SOPS_ENABLE_LOCAL_KEYSERVICE", "maybe"),
        ("SOPS_ENABLE_LOCAL_KEYSERVICE", ""),
        ("SOPS_ENABLE_LOCAL_KEYSERVICE", "f"),
        ("SOPS_ENABLE_LOCAL_KEYSERVICE", "1"),
        ("SOPS_DECRYPTION_ORDER", "age,age"),
        ("SOPS_DECRYPTION_ORDER", "pgp,age"),
        ("SOPS_CONFIG", "missing"),
    ] {
        for args in [&["decrypt", "e.yaml"][..], &["-d", "e.yaml"], &["filestatus", "e.yaml"], &["encrypt", "p.yaml"]] {
            differ.extend(twins.differences(&[Line { args, env: &[(name, value)], ..Line::default() }], true));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn files_that_are_not_there() {
    check(&[
        &["encrypt", "missing.yaml"],
        &["decrypt", "missing.yaml"],
        &["-e", "missing.yaml"],
        &["-d", "missing.yaml"],
        &["rotate", "missing.yaml"],
        &["-r", "missing.yaml"],
        &["--add-age", STRANGER, "missing.yaml"],
        &["set", "missing.yaml", "[\"a\"]", "1"],
        &["unset", "missing.yaml", "[\"a\"]"],
        &["filestatus", "missing.yaml"],
        &["exec-env", "missing.yaml", "true"],
        &["exec-file", "missing.yaml", "true"],
        &["groups", "add", "--file", "missing.yaml", "--age", STRANGER],
        &["groups", "delete", "--file", "missing.yaml", "0"],
        &["groups", "add"],
        &["groups", "delete"],
        &["groups", "delete", "-f", "e.yaml", "x"],
        &["updatekeys", "missing.yaml"],
        &["--config", "rules.yaml", "updatekeys", "missing.yaml"],
        &["--config", "rules.yaml", "updatekeys", "."],
        &["publish", "e.yaml"],
        &["edit"],
        &["rotate"],
        &["filestatus"],
        &["set"],
        &["set", "e.yaml", "[\"a\"]"],
        &["set", "--value-stdin", "e.yaml", "[\"a\"]", "1"],
        &["unset", "e.yaml"],
        &["exec-env", "e.yaml"],
        &["exec-file", "e.yaml", "true", "more"],
        &["decrypt", "."],
        &["encrypt", "--output", "/nonexistent/x", "--age", RECIPIENT, "p.yaml"],
    ]);
}

#[test]
fn parameters_that_do_not_go_together() {
    check(&[
        &["encrypt", "-i", "--output", "x", "p.yaml"],
        &["decrypt", "-i", "--output", "x", "e.yaml"],
        &["encrypt", "-i"],
        &["decrypt", "-i"],
        &["encrypt"],
        &["encrypt", "--age", RECIPIENT, "--encrypted-regex", "x", "--unencrypted-suffix", "y", "p.yaml"],
        &["--config", "two.yaml", "encrypt", "p.yaml"],
        &["--config", "no-match.yaml", "encrypt", "p.yaml"],
        &["--config", "no-match.yaml", "encrypt", "--age", RECIPIENT, "p.yaml"],
        &["--config", "no-match.yaml", "decrypt", "e.yaml"],
        &["--config", "no-match.yaml", "-r", "e.yaml"],
        &["--config", "no-match.yaml", "rotate", "e.yaml"],
        &["--config", "no-match.yaml", "--set", "[\"a\"] 2", "e.yaml"],
        &["--config", "no-match.yaml", "set", "e.yaml", "[\"a\"]", "2"],
        &["--config", "broken-rules.yaml", "decrypt", "e.yaml"],
        &["--config", "missing", "decrypt", "e.yaml"],
        &["--config", "missing", "encrypt", "p.yaml"],
        &["encrypt", "p.yaml"],
        &["encrypt", "--age", "foo", "p.yaml"],
        &["encrypt", "--age", &format!("{RECIPIENT},"), "p.yaml"],
        &["encrypt", "--kms", "arn:x", "--encryption-context", "a", "p.yaml"],
        &["set", "--value-file", "--value-stdin", "e.yaml", "[\"a\"]", "p.json"],
        &["exec-env", "--same-process", "--background", "e.env", "true"],
    ]);
}

#[test]
fn texts_that_are_none() {
    check(&[
        &["encrypt", "--age", RECIPIENT, "bad.yaml"],
        &["encrypt", "--age", RECIPIENT, "bad.env"],
        &["encrypt", "--age", RECIPIENT, "empty.yaml"],
        &["encrypt", "--age", RECIPIENT, "e.yaml"],
        &["encrypt", "--age", RECIPIENT, "e.env"],
        &["-e", "--age", RECIPIENT, "e.json"],
        &["decrypt", "bad.yaml"],
        &["decrypt", "empty.yaml"],
        &["decrypt", "p.yaml"],
        &["decrypt", "p.env"],
        &["decrypt", "p.json"],
        &["decrypt", "--extract", "[c]", "e.yaml"],
        &["decrypt", "--extract", "c", "e.yaml"],
        &["decrypt", "--extract", "[\"zz\"]", "e.yaml"],
        &["decrypt", "--extract", "[\"b\"][7]", "e.yaml"],
        &["decrypt", "--extract", "[\"a\"][7]", "e.yaml"],
        &["set", "e.yaml", "a", "1"],
        &["set", "e.yaml", "[a]", "1"],
        &["set", "e.yaml", "[\"a\"]", "nonsense"],
        &["set", "e.yaml", "[\"a\"]", "[1, 2]"],
        &["set", "e.yaml", "[\"sops\"]", "1"],
        &["set", "e.yaml", "[\"sops\"][\"mac\"]", "\"x\""],
        &["--set", "[\"a\"]", "e.yaml"],
        &["--set", "[\"a\"] nonsense", "e.yaml"],
        &["unset", "e.yaml", "a"],
        &["unset", "e.yaml", "[\"zz\"]"],
        &["unset", "e.yaml", "[\"b\"][9]"],
        &["unset", "e.yaml", "[\"a\"][\"x\"]"],
        &["unset", "--idempotent", "e.yaml", "[\"a\"][\"x\"]"],
        &["unset", "--idempotent", "e.yaml", "[\"b\"][9]"],
        &["filestatus", "bad.yaml"],
        &["filestatus", "rules.yaml"],
        &["exec-env", "e.yaml", "true"],
        &["exec-file", "--filename", "../x", "e.yaml", "true"],
        &["exec-env", "--user", "nobody-such", "e.env", "true"],
        &["rotate", "--rm-age", RECIPIENT, "e.yaml"],
        &["groups", "add", "--file", "p.yaml", "--age", STRANGER],
    ]);
}

#[test]
fn structures_that_have_no_place() {
    check(&[&["set", "e.env", r#"["N"]["x"]"#, r#""v""#], &["set", "e.env", r#"["N"]"#, r#"{"x": 1}"#]]);
}
