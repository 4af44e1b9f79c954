//! The behaviours that the functional tests of `sops` name, each as a scenario of our own.

use super::twins::{Did, Line, RECIPIENT, STRANGER, Twins};

const RULES: &str = "creation_rules:\n  - age: age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw\n";

fn twins(files: &[(&str, &str)]) -> Option<Twins> {
    let mut all = vec![(".sops.yaml", RULES)];
    all.extend(files);
    Twins::new(&all)
}

fn line<'l>(args: &'l [&'l str]) -> Line<'l> {
    Line { args, ..Line::default() }
}

fn out(did: &Did) -> String {
    String::from_utf8_lossy(&did.stdout).into_owned()
}

/// Each line must succeed; the last one's data.
fn last(twins: &Twins, lines: &[Line<'_>]) -> String {
    let (_, did) = twins.ours(lines);
    for (did, line) in did.iter().zip(lines) {
        assert_eq!(did.code, 0, "{:?}: {}", line.args, did.stderr);
    }
    out(did.last().unwrap())
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn encrypt_json_and_yaml_files() {
    let Some(twins) = twins(&[("x.json", "{\"foo\": 2, \"bar\": \"baz\"}"), ("x.yaml", "foo: 2\nbar: baz\n")]) else {
        return;
    };
    let value = json(&last(&twins, &[line(&["encrypt", "x.json"])]));
    assert!(value.get("sops").is_some());
    for key in ["foo", "bar"] {
        assert!(value[key].as_str().unwrap().starts_with("ENC["), "{key}");
    }
    let text = last(&twins, &[line(&["encrypt", "x.yaml"])]);
    assert!(text.contains("foo: ENC[") && text.contains("bar: ENC[") && text.contains("\nsops:\n"));
}

#[test]
fn encrypt_and_decrypt_from_stdin() {
    let Some(twins) = twins(&[("e.x.yaml", "foo: 2\n")]) else { return };
    let args = ["encrypt", "--filename-override", "test_encrypt.yaml", "--output-type", "json"];
    let value = json(&last(&twins, &[Line { args: &args, input: "foo: 2\nbar: baz\n", env: &[] }]));
    assert!(value["foo"].as_str().unwrap().contains("type:int") && value.get("sops").is_some());
    let (folder, _) = twins.ours(&[]);
    let input = std::fs::read_to_string(folder.join("e.x.yaml")).unwrap();
    let args = ["decrypt", "--input-type", "yaml", "--output-type", "yaml"];
    assert_eq!(last(&twins, &[Line { args: &args, input: &input, env: &[] }]), "foo: 2\n");
}

#[test]
fn ini_values_are_texts() {
    let yaml = "the_section:\n  int: 123\n  float: 1.23\n  bool: true\n  date: 2025-01-02\n  timestamp: 2025-01-02 03:04:05\n  utc_timestamp: 2025-01-02T03:04:05Z\n  tz_timestamp: 2025-01-02T03:04:05+01:00\n";
    let Some(twins) = twins(&[("e.x.yaml", yaml)]) else { return };
    let differ = twins.differences(&[line(&["decrypt", "--output-type", "ini", "e.x.yaml"])], true);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(
        last(&twins, &[line(&["decrypt", "--output-type", "ini", "e.x.yaml"])])
            .contains("date          = 2025-01-02T00:00:00Z\n")
    );
}

#[test]
fn set_in_json() {
    let Some(twins) = twins(&[("x.json", "{\"a\": 2, \"b\": \"ba\"}"), ("v", "{\"cc\": \"ccc\"}")]) else { return };
    let encrypt = line(&["encrypt", "-i", "x.json"]);
    let decrypt = line(&["decrypt", "x.json"]);
    let value = json(&last(
        &twins,
        &[encrypt.clone(), line(&["set", "x.json", "[\"a\"]", "{\"aa\": \"aaa\"}"]), decrypt.clone()],
    ));
    assert_eq!(value["a"]["aa"], "aaa");
    for set in [
        line(&["set", "x.json", "[\"c\"]", "{\"cc\": \"ccc\"}"]),
        line(&["set", "--value-file", "x.json", "[\"c\"]", "v"]),
        Line { args: &["set", "--value-stdin", "x.json", "[\"c\"]"], input: "{\"cc\": \"ccc\"}", env: &[] },
    ] {
        let value = json(&last(&twins, &[encrypt.clone(), set, decrypt.clone()]));
        assert_eq!((&value["c"]["cc"], &value["a"]), (&"ccc".into(), &2.into()));
    }
}

#[test]
fn set_idempotently() {
    let Some(twins) = twins(&[("x.json", "{\"a\": 2, \"b\": \"ba\"}")]) else { return };
    let args = ["set", "--output-type", "yaml", "x.json", "[\"b\"]", "\"ba\""];
    let decrypt = line(&["decrypt", "--input-type", "yaml", "--output-type", "yaml", "x.json"]);
    let (folder, did) = twins.ours(&[line(&["encrypt", "-i", "x.json"]), line(&args), decrypt]);
    assert!(did.iter().all(|did| did.code == 0), "{did:?}");
    assert!(std::fs::read_to_string(folder.join("x.json")).unwrap().starts_with("a: "));
    assert_eq!(out(&did[2]), "a: 2\nb: ba\n");
    let (folder, _) = twins.ours(&[line(&["encrypt", "-i", "x.json"])]);
    let before = std::fs::read(folder.join("x.json")).unwrap();
    let args = ["set", "--output-type", "yaml", "--idempotent", "x.json", "[\"b\"]", "\"ba\""];
    let did = twins.s.command(twins.s.root().join("bin/sops")).args(args).current_dir(&folder).output().unwrap();
    assert!(did.status.success() && std::fs::read(folder.join("x.json")).unwrap() == before);
}

#[test]
fn set_in_yaml_and_in_the_old_form() {
    let Some(twins) = twins(&[("x.yaml", "a: 2\nb: ba\n")]) else { return };
    let encrypt = line(&["encrypt", "-i", "x.yaml"]);
    let decrypt = line(&["decrypt", "x.yaml"]);
    for (index, value, wanted) in [
        ("[\"a\"]", "{\"aa\": \"aaa\"}", "a:\n    aa: aaa\nb: ba\n"),
        ("[\"c\"]", "{\"cc\": \"ccc\"}", "a: 2\nb: ba\nc:\n    cc: ccc\n"),
        ("[\"a\"]", "\"aaa\"", "a: aaa\nb: ba\n"),
    ] {
        assert_eq!(last(&twins, &[encrypt.clone(), line(&["set", "x.yaml", index, value]), decrypt.clone()]), wanted);
    }
    let (folder, did) = twins.ours(&[
        line(&["-e", "-i", "x.yaml"]),
        line(&["--set", "[\"a\"] \"aaa\"", "-i", "x.yaml"]),
        line(&["-d", "-i", "x.yaml"]),
    ]);
    assert!(did.iter().all(|did| did.code == 0), "{did:?}");
    assert_eq!(std::fs::read_to_string(folder.join("x.yaml")).unwrap(), "a: aaa\nb: ba\n");
}

#[test]
fn times_come_back_with_their_zone() {
    let yaml = "a: 2024-01-01\nb: 2006-01-02T15:04:05+07:06\n";
    let Some(twins) = twins(&[("e.x.yaml", yaml)]) else { return };
    assert_eq!(
        last(&twins, &[line(&["decrypt", "e.x.yaml"])]),
        "a: 2024-01-01T00:00:00Z\nb: 2006-01-02T15:04:05+07:06\n"
    );
}

#[test]
fn unset_in_json_and_yaml() {
    let Some(twins) =
        twins(&[("x.json", "{\"a\": 2, \"b\": \"ba\", \"c\": [1, 2]}"), ("x.yaml", "a: 2\nb: ba\nc: [1, 2]\n")])
    else {
        return;
    };
    for name in ["x.json", "x.yaml"] {
        let args: [&[&str]; 6] = [
            &["encrypt", "-i", name],
            &["unset", name, "[\"a\"]"],
            &["unset", "--idempotent", name, "[\"a\"]"],
            &["unset", name, "[\"c\"][1]"],
            &["unset", "--idempotent", name, "[\"c\"][1]"],
            &["decrypt", "--output-type", "json", name],
        ];
        let lines = args.map(line);
        let value = json(&last(&twins, &lines));
        assert_eq!(value, json("{\"b\": \"ba\", \"c\": [1]}"), "{name}");
        let (_, did) = twins.ours(&[line(&["encrypt", "-i", name]), line(&["unset", name, "[\"zz\"]"])]);
        assert_eq!((did[1].code, did[1].stderr.as_str()), (1, "Key not found: zz\n"));
    }
}

#[test]
fn a_file_without_a_code() {
    let Some(twins) = twins(&[("e.x.yaml", "foo: 2\n")]) else { return };
    let (folder, _) = twins.ours(&[]);
    let text = std::fs::read_to_string(folder.join("e.x.yaml")).unwrap();
    let text: String = text.lines().filter(|line| !line.contains(" mac:")).map(|line| format!("{line}\n")).collect();
    let decrypt = |more: &'static [&'static str]| {
        let args: Vec<&str> = ["decrypt", "--input-type", "yaml", "--output-type", "yaml"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        twins.ours(&[Line { args: &args, input: &text, env: &[] }]).1.remove(0)
    };
    assert_eq!(decrypt(&[]).code, 51);
    let did = decrypt(&["--ignore-mac"]);
    assert_eq!((did.code, out(&did).as_str()), (0, "foo: 2\n"));
}

#[test]
fn comments_are_encrypted() {
    let yaml = "# first comment\nfoo: 1\nlist:\n    # second comment\n    - a\n";
    let Some(twins) = twins(&[("x.yaml", yaml)]) else { return };
    let text = last(&twins, &[line(&["encrypt", "x.yaml"])]);
    assert!(!text.contains("first comment") && !text.contains("second comment"), "{text}");
    assert_eq!(last(&twins, &[line(&["encrypt", "-i", "x.yaml"]), line(&["decrypt", "x.yaml"])]), yaml);
}

#[test]
fn comments_of_old_files_stay_in_clear() {
    let Some(twins) = twins(&[("e.x.yaml", "# old comment\nfoo: 1\n")]) else { return };
    let (folder, _) = twins.ours(&[]);
    let text = std::fs::read_to_string(folder.join("e.x.yaml")).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    let args = ["decrypt", "--input-type", "yaml", "--output-type", "yaml"];
    let input = format!("# old comment\n{rest}");
    let did = twins.ours(&[Line { args: &args, input: &input, env: &[] }]).1.remove(0);
    assert_eq!((did.code, out(&did).as_str()), (0, "# old comment\nfoo: 1\n"), "{}", did.stderr);
}

#[test]
fn two_groups_take_two_keys() {
    let rules = format!("creation_rules:\n  - key_groups:\n      - age: [{RECIPIENT}]\n      - age: [{RECIPIENT}]\n");
    let missing = format!("creation_rules:\n  - key_groups:\n      - age: [{RECIPIENT}]\n      - age: [{STRANGER}]\n");
    let Some(twins) = Twins::new(&[("two", rules.as_str()), ("missing", &missing), ("x.yaml", "a: secret\n")]) else {
        return;
    };
    let lines = [line(&["--config", "two", "encrypt", "-i", "x.yaml"]), line(&["decrypt", "x.yaml"])];
    assert_eq!(last(&twins, &lines), "a: secret\n");
    let lines = [line(&["--config", "missing", "encrypt", "-i", "x.yaml"]), line(&["decrypt", "x.yaml"])];
    let (_, did) = twins.ours(&lines);
    assert!(did[0].code == 0 && did[1].code == 128, "{did:?}");
    let differ = twins.differences(&lines, true);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn a_file_for_several_keys_takes_one() {
    let rules = format!("creation_rules:\n  - age: {STRANGER},{RECIPIENT}\n");
    let Some(twins) = Twins::new(&[("rules", rules.as_str()), ("x.yaml", "a: secret\n")]) else { return };
    let lines = [line(&["--config", "rules", "encrypt", "-i", "x.yaml"]), line(&["decrypt", "x.yaml"])];
    assert_eq!(last(&twins, &lines), "a: secret\n");
}

#[test]
fn nobody_to_encrypt_for() {
    let Some(twins) = Twins::new(&[
        ("no_keygroups", "creation_rules:\n  - path_regex: .*\n"),
        ("zero_keygroups", "creation_rules:\n  - key_groups: []\n"),
        ("empty_keygroup", "creation_rules:\n  - key_groups:\n      - {}\n"),
        ("x.yaml", "a: 1\n"),
    ]) else {
        return;
    };
    for rules in ["no_keygroups", "zero_keygroups", "empty_keygroup"] {
        let (_, did) = twins.ours(&[line(&["--config", rules, "encrypt", "x.yaml"])]);
        let said = "Could not generate data key: [empty key group provided]\n";
        assert_eq!((did[0].code, did[0].stderr.as_str()), (1, said), "{rules}");
    }
}

#[test]
fn extract_a_text() {
    let Some(twins) = twins(&[("e.x.yaml", "multiline: |\n    multi\n    line\n")]) else { return };
    let text = last(&twins, &[line(&["decrypt", "--extract", "[\"multiline\"]", "e.x.yaml"])]);
    assert_eq!(text, "multi\nline\n");
}

#[test]
fn binary_there_and_back() {
    let Some(twins) = twins(&[("x.binary", "\"\"{}this_is_binary_data")]) else { return };
    let lines = [line(&["encrypt", "-i", "x.binary"]), line(&["decrypt", "x.binary"])];
    assert_eq!(last(&twins, &lines), "\"\"{}this_is_binary_data");
}

#[test]
fn output_goes_to_a_file() {
    let Some(twins) = twins(&[("x.yaml", "a: 1\n")]) else { return };
    let (folder, did) = twins.ours(&[line(&["encrypt", "--output", "made", "x.yaml"])]);
    assert!(did[0].code == 0 && did[0].stdout.is_empty());
    assert!(std::fs::metadata(folder.join("made")).unwrap().len() > 0);
}

#[test]
fn prepared_files_are_read() {
    let plain = [
        ("e.x.yaml", "foo: bar\nlist:\n    - 1\n    - true\n"),
        ("e.x.json", "{\n\t\"foo\": \"bar\"\n}\n"),
        ("e.x.env", "foo = bar\n"),
        ("e.x.ini", "[s]\nfoo = bar\n"),
    ];
    let Some(twins) = twins(&plain) else { return };
    for (name, content) in plain {
        assert_eq!(last(&twins, &[line(&["decrypt", name])]), content, "{name}");
    }
}

#[test]
fn encrypted_files_can_be_encrypted_as_binary() {
    let Some(twins) = twins(&[("e.x.bin", "data\n")]) else { return };
    let lines =
        [line(&["encrypt", "-i", "e.x.bin"]), line(&["decrypt", "-i", "e.x.bin"]), line(&["decrypt", "e.x.bin"])];
    assert_eq!(last(&twins, &lines), "data\n");
}

#[test]
fn links_are_followed_and_names_are_kept() {
    let Some(twins) = twins(&[("e.x.yaml", "a: 1\n")]) else { return };
    let (folder, _) = twins.ours(&[]);
    std::os::unix::fs::symlink("e.x.yaml", folder.join("link.yaml")).unwrap();
    std::fs::hard_link(folder.join("e.x.yaml"), folder.join("second.yaml")).unwrap();
    let run = |args: &[&str]| {
        let link = twins.s.root().join("bin/sops");
        let out = twins.s.command(link).args(args).current_dir(&folder).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    };
    run(&["set", "link.yaml", "[\"a\"]", "\"v\""]);
    assert!(std::fs::symlink_metadata(folder.join("link.yaml")).unwrap().is_symlink());
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert_eq!(read("e.x.yaml"), read("second.yaml"));
    run(&["decrypt", "-i", "second.yaml"]);
    assert_eq!(read("link.yaml"), b"a: v\n");
}
