//! A line for each flag of each command.

use super::twins::{Line, RECIPIENT, STRANGER, Twins};

const YAML: &str = "a: 1\nb:\n    - x\n    - z\nc: CANARY-heron\nd_unencrypted: 1.5\n# note\ne: true\n";
const RULES: &str = "creation_rules:\n  - path_regex: three\n    key_groups:\n      - age: [age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw]\n      - age: [age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj]\n    shamir_threshold: 2\n  - age: age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw,age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj\n";

fn twins() -> Option<Twins> {
    let mut twins = Twins::new(&[
        ("p.yaml", YAML),
        ("p.txt", "a: 1\n"),
        ("e.yaml", YAML),
        ("e.json", "{\n\t\"a\": 1,\n\t\"b\": {\n\t\t\"c\": [\n\t\t\t1,\n\t\t\t2\n\t\t]\n\t}\n}\n"),
        ("e.env", "A=1\nB=x\\ny\n"),
        ("e.ini", "[s]\na = 1\n"),
        ("e.bin", "any CANARY-heron\n"),
        ("value.json", "{\"x\": [1, 2]}"),
        ("rules.yaml", RULES),
    ])?;
    twins.s.plaintext.clear();
    Some(twins)
}

fn check(rows: &[Line<'_>]) {
    let Some(twins) = twins() else { return };
    let mut differ = Vec::new();
    for row in rows {
        differ.extend(twins.differences(std::slice::from_ref(row), true));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

fn lines<'l>(rows: &[&'l [&'l str]]) -> Vec<Line<'l>> {
    rows.iter().map(|args| Line { args, ..Line::default() }).collect()
}

#[test]
fn encrypt() {
    let mut rows = lines(&[
        &["encrypt", "--age", RECIPIENT, "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "-i", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "--in-place", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "p.yaml", "-i"],
        &["encrypt", "-a", RECIPIENT, "--output", "out.yaml", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "--input-type", "yaml", "p.txt"],
        &["encrypt", "-a", RECIPIENT, "--output-type", "json", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "--input-type", "yaml", "--output-type", "yaml", "p.txt"],
        &["encrypt", "-a", RECIPIENT, "--filename-override", "x.yaml", "p.txt"],
        &["encrypt", "-a", RECIPIENT, "p.txt"],
        &["encrypt", "-a", RECIPIENT, "--unencrypted-suffix", "c", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "--encrypted-suffix", "c", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "--unencrypted-regex", "^[ab]$", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "--encrypted-regex", "^[ab]$", "p.yaml"],
        &["--mac-only-encrypted", "encrypt", "-a", RECIPIENT, "p.yaml"],
        &["--config", "rules.yaml", "encrypt", "p.yaml"],
        &["--config", "rules.yaml", "encrypt", "--shamir-secret-sharing-threshold", "3", "p.yaml"],
        &["--config", "rules.yaml", "encrypt", "--filename-override", "three.yaml", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "--shamir-secret-sharing-threshold", "3", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "e.bin"],
        &["encrypt", "-a", RECIPIENT, "--enable-local-keyservice=false", "p.yaml"],
        &["encrypt", "-a", RECIPIENT, "--enable-local-keyservice", "p.yaml"],
        &["-e", "-a", RECIPIENT, "p.yaml"],
        &["-e", "-i", "-a", RECIPIENT, "p.yaml"],
        &["--encrypt", "--output", "out", "-a", RECIPIENT, "p.yaml"],
        &["-e", "-a", RECIPIENT, "--unencrypted-comment-regex", "note", "p.yaml"],
        &["-e", "-a", RECIPIENT, "--encrypted-comment-regex", "note", "p.yaml"],
        &["--encrypted-comment-regex", "note", "encrypt", "-a", RECIPIENT, "p.yaml"],
    ]);
    rows.extend([
        Line { args: &["encrypt", "--filename-override", "x.yaml", "-a", RECIPIENT], input: YAML, env: &[] },
        Line { args: &["encrypt", "p.yaml"], env: &[("SOPS_AGE_RECIPIENTS", RECIPIENT)], input: "" },
        Line {
            args: &["--config", "rules.yaml", "encrypt", "p.yaml"],
            env: &[("SOPS_AGE_RECIPIENTS", RECIPIENT)],
            input: "",
        },
        Line { args: &["encrypt", "p.yaml"], env: &[("SOPS_CONFIG", "rules.yaml")], input: "" },
    ]);
    check(&rows);
}

#[test]
fn decrypt() {
    let mut rows = lines(&[
        &["decrypt", "e.yaml"],
        &["decrypt", "e.json"],
        &["decrypt", "e.env"],
        &["decrypt", "e.ini"],
        &["decrypt", "e.bin"],
        &["decrypt", "-i", "e.yaml"],
        &["decrypt", "--in-place", "e.json"],
        &["-d", "-i", "e.env"],
        &["--decrypt", "e.yaml"],
        &["decrypt", "--extract", "[\"c\"]", "e.yaml"],
        &["decrypt", "--extract", "[\"a\"]", "e.yaml"],
        &["decrypt", "--extract", "[\"b\"]", "e.yaml"],
        &["decrypt", "--extract", "[\"b\"][1]", "e.yaml"],
        &["decrypt", "--extract", "[\"b\"]", "e.json"],
        &["decrypt", "--extract", "[\"b\"][\"c\"]", "e.json"],
        &["decrypt", "--extract", "[\"B\"]", "e.env"],
        &["decrypt", "--extract", "[\"s\"][\"a\"]", "e.ini"],
        &["decrypt", "--extract", "[\"s\"]", "e.ini"],
        &["decrypt", "--extract", "[\"data\"]", "e.bin"],
        &["decrypt", "--extract", "", "e.yaml"],
        &["-d", "--extract", "[\"c\"]", "e.yaml"],
        &["decrypt", "--input-type", "yaml", "e.yaml"],
        &["decrypt", "--output-type", "json", "e.yaml"],
        &["decrypt", "--output-type", "yaml", "e.json"],
        &["decrypt", "--output-type", "dotenv", "e.env"],
        &["decrypt", "--output-type", "json", "e.env"],
        &["decrypt", "--output-type", "dotenv", "e.yaml"],
        &["decrypt", "--output-type", "yaml", "e.ini"],
        &["decrypt", "--output-type", "json", "e.bin"],
        &["decrypt", "--output-type", "binary", "e.bin"],
        &["decrypt", "--output-type", "nonsense", "e.yaml"],
        &["--indent", "2", "decrypt", "--output-type", "json", "e.yaml"],
        &["--indent", "2", "decrypt", "--output-type", "yaml", "e.json"],
        &["decrypt", "--ignore-mac", "e.yaml"],
        &["decrypt", "--decryption-order", "pgp,age", "e.yaml"],
        &["decrypt", "--decryption-order", "age,age", "e.yaml"],
        &["decrypt", "--enable-local-keyservice=false", "e.yaml"],
        &["decrypt", "--filename-override", "x.yaml", "e.yaml"],
        &["decrypt", "--filename-override", "x.json", "e.yaml"],
    ]);
    rows.push(Line { args: &["decrypt"], input: "{}", env: &[] });
    check(&rows);
    // New plaintext files are for their owner alone, which is more than SOPS does.
    let Some(twins) = twins() else { return };
    let line = |args| Line { args, ..Line::default() };
    let (folder, did) = twins.ours(&[line(&["decrypt", "--output", "out", "e.yaml"])]);
    assert_eq!(did[0].code, 0, "{}", did[0].stderr);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(folder.join("out")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(folder.join("out")).unwrap(), YAML);
}

#[test]
fn set_and_unset() {
    let mut rows = lines(&[
        &["set", "e.yaml", "[\"a\"]", "2"],
        &["set", "e.yaml", "[\"a\"]", "\"two\""],
        &["set", "e.yaml", "[\"a\"]", "null"],
        &["set", "e.yaml", "[\"a\"]", "true"],
        &["set", "e.yaml", "[\"a\"]", "12345678901234567890"],
        &["set", "e.yaml", "[\"a\"]", "{\"x\": {\"y\": [1, \"z\", 2.5]}}"],
        &["set", "e.yaml", "[\"new\"]", "\"v\""],
        &["set", "e.yaml", "[\"new\"][\"deep\"][0]", "\"v\""],
        &["set", "e.yaml", "[\"b\"][0]", "\"v\""],
        &["set", "e.yaml", "[\"b\"][2]", "\"v\""],
        &["set", "e.yaml", "[\"b\"][9]", "\"v\""],
        &["set", "e.yaml", "[\"b\"]", "\"v\""],
        &["set", "e.yaml", "[\"c\"][\"under\"]", "\"v\""],
        &["set", "e.yaml", "[\"c\"][0]", "\"v\""],
        &["set", "e.yaml", "[0]", "\"v\""],
        &["set", "e.yaml", "[\"d_unencrypted\"]", "2.5"],
        &["set", "e.yaml", "[\"a\"]", "-5"],
        &["set", "e.json", "[\"b\"][\"c\"][1]", "{\"k\": 1}"],
        &["set", "e.json", "[\"n\"]", "{}"],
        &["set", "e.env", "[\"A\"]", "\"2\""],
        &["set", "e.env", "[\"N\"]", "\"v\""],
        &["set", "e.env", "[\"sops\"]", "\"v\""],
        &["set", "e.env", "[\"sops_N\"]", "\"v\""],
        &["set", "e.env", "[\"sops_N\"][\"a\"]", "\"v\""],
        &["set", "e.yaml", "[\"sops_N\"]", "\"v\""],
        &["set", "e.env", "[\"A\"]", "2"],
        &["set", "e.ini", "[\"s\"][\"a\"]", "\"2\""],
        &["set", "e.ini", "[\"s\"][\"n\"]", "\"v\""],
        &["set", "e.ini", "[\"t\"][\"n\"]", "\"v\""],
        &["set", "e.bin", "[\"data\"]", "\"v\""],
        &["set", "--idempotent", "e.yaml", "[\"c\"]", "\"CANARY-heron\""],
        &["set", "--value-file", "e.yaml", "[\"a\"]", "value.json"],
        &["set", "--output-type", "json", "e.yaml", "[\"a\"]", "\"v\""],
        &["set", "--output-type", "yaml", "e.json", "[\"a\"]", "\"v\""],
        &["set", "--input-type", "yaml", "e.yaml", "[\"a\"]", "\"v\""],
        &["set", "--ignore-mac", "e.yaml", "[\"a\"]", "\"v\""],
        &["set", "e.yaml", "--idempotent", "[\"a\"]", "1"],
        &["--set", "[\"a\"] \"v\"", "e.yaml"],
        &["--set", "[\"b\"][0] \"v\"", "-i", "e.yaml"],
        &["unset", "e.yaml", "[\"a\"]"],
        &["unset", "e.yaml", "[\"b\"]"],
        &["unset", "e.yaml", "[\"b\"][0]"],
        &["unset", "e.yaml", "[\"e\"]"],
        &["unset", "e.json", "[\"b\"][\"c\"]"],
        &["unset", "e.json", "[\"b\"]"],
        &["unset", "e.env", "[\"A\"]"],
        &["unset", "e.ini", "[\"s\"][\"a\"]"],
        &["unset", "--idempotent", "e.yaml", "[\"zz\"]"],
        &["unset", "--idempotent", "e.yaml", "[\"b\"][7]"],
        &["unset", "--output-type", "json", "e.yaml", "[\"a\"]"],
    ]);
    rows.push(Line { args: &["set", "--value-stdin", "e.yaml", "[\"a\"]"], input: "{\"k\": \"v\"}", env: &[] });
    check(&rows);
}

#[test]
fn keys_of_a_file() {
    let mut rows = lines(&[
        &["rotate", "e.yaml"],
        &["rotate", "-i", "e.yaml"],
        &["rotate", "--output", "out.yaml", "e.yaml"],
        &["rotate", "-i", "--add-age", STRANGER, "e.yaml"],
        &["rotate", "-i", "--add-age", STRANGER, "--rm-age", STRANGER, "e.yaml"],
        &["rotate", "-i", "--rm-age", STRANGER, "e.yaml"],
        &["rotate", "-i", "--output-type", "json", "e.yaml"],
        &["-r", "e.json"],
        &["-r", "-i", "e.env"],
        &["-r", "-i", "--add-age", STRANGER, "e.ini"],
        &["rotate", "-i", "e.bin"],
        &["groups", "add", "--file", "e.yaml", "--age", STRANGER, "-i"],
        &["groups", "add", "--file", "e.yaml", "--age", RECIPIENT],
        &["groups", "add", "-f", "e.yaml", "--age", STRANGER, "--age", RECIPIENT, "-i"],
        &["groups", "add", "-f", "e.yaml", "--age", RECIPIENT, "--shamir-secret-sharing-threshold", "2", "-i"],
        &["--config", "rules.yaml", "updatekeys", "--yes", "e.yaml"],
        &["--config", "rules.yaml", "updatekeys", "-y", "e.yaml", "e.json"],
        &["--config", "rules.yaml", "updatekeys", "-y", "e.yaml", "p.yaml"],
        &["--config", "rules.yaml", "updatekeys", "-y", "--input-type", "yaml", "e.yaml"],
        &["filestatus", "e.yaml"],
        &["filestatus", "p.yaml"],
        &["filestatus", "e.bin"],
        &["filestatus", "--input-type", "json", "e.bin"],
    ]);
    for answer in ["y\n", "n\n", "what\nn\n", ""] {
        rows.push(Line { args: &["--config", "rules.yaml", "updatekeys", "e.yaml"], input: answer, env: &[] });
    }
    check(&rows);
    let Some(twins) = twins() else { return };
    let line = |args| Line { args, ..Line::default() };
    let add: &[&str] = &["groups", "add", "-f", "e.yaml", "--age", RECIPIENT, "-i"];
    let mut differ = Vec::new();
    for then in [
        &["groups", "delete", "-f", "e.yaml", "-i", "0"][..],
        &["groups", "delete", "-f", "e.yaml", "1"],
        &["groups", "delete", "-f", "e.yaml", "-i", "--shamir-secret-sharing-threshold", "1", "1"],
        &["decrypt", "e.yaml"],
        &["set", "e.yaml", "[\"a\"]", "\"v\""],
        &["rotate", "-i", "e.yaml"],
    ] {
        differ.extend(twins.differences(&[line(add), line(then)], true));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn completion() {
    let Some(twins) = twins() else { return };
    for (before, wanted) in [
        (&[][..], "encrypt"),
        (&["enc"], "decrypt"),
        (&["groups"], "add"),
        (&["groups", "a"], "delete"),
        (&["encrypt", "--in"], "--in-place"),
        (&["groups", "add", "--"], "--file"),
        (&["-"], "-d"),
    ] {
        let args: Vec<&str> = before.iter().copied().chain(["--generate-bash-completion"]).collect();
        let line = Line { args: &args, ..Line::default() };
        let sorted = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            words.sort();
            words.dedup();
            words
        };
        let (theirs, ours) = (twins.theirs(std::slice::from_ref(&line)).1, twins.ours(std::slice::from_ref(&line)).1);
        assert_eq!(sorted(&ours[0].stdout), sorted(&theirs[0].stdout), "{before:?}");
        assert!(sorted(&ours[0].stdout).iter().any(|word| word == wanted), "{before:?}");
    }
    for shell in ["bash", "zsh"] {
        let (_, did) = twins.ours(&[Line { args: &["completion", shell], ..Line::default() }]);
        assert!(did[0].code == 0 && did[0].stdout.ends_with(b"sops\n"));
    }
}
