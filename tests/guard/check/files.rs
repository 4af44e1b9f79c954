//! `lockage check`: encrypted files held to their own shape and to their rules, without a key.

use crate::lab::{FORMATS, Lab, PASSWORD, RECIPIENT, STRANGER, encrypt_as, encrypted, rules, token, with_value};

/// `file:line check` of everything that is found.
fn found(lab: &Lab, args: &[&str]) -> Vec<String> {
    let said = lab.ask(&[&["check", "--json"], args].concat());
    let findings = said.json["findings"].as_array().unwrap_or_else(|| panic!("{}", said.stderr)).clone();
    assert_eq!(said.code, i32::from(!findings.is_empty()), "{}", said.stderr);
    assert_eq!(said.json["found"].as_u64(), Some(findings.len() as u64));
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|finding| format!("{}:{} {}", text(finding, "file"), finding["line"], text(finding, "check")))
        .collect()
}

/// A lab without a key at hand.
fn lab() -> Option<Lab> {
    let mut lab = Lab::new()?;
    lab.scenario.unset_env("SOPS_AGE_KEY_FILE");
    Some(lab)
}

#[test]
fn whole_files_pass() {
    let Some(mut lab) = lab() else { return };
    for name in ["secrets/app.ini", "secrets/app.txt"] {
        let plain = if name.ends_with("ini") { "[db]\npassword = blue-house-42\n" } else { "blue-house-42" };
        lab.scenario.write(name, encrypt_as(name, plain, &[]).unwrap());
    }
    assert_eq!(found(&lab, &[]), [""; 0]);
    let said = lab.ask(&["check", "--json"]);
    assert_eq!(said.json["judged"].as_u64(), Some(5), "{}", said.stderr);
    assert_eq!(lab.ask(&["check", "nowhere"]).code, 2);
}

#[test]
fn what_is_wrong_has_a_line() {
    let Some(mut lab) = lab() else { return };
    for format in FORMATS {
        let (path, good) = (format.path(), encrypted(format));
        let clear = if format.is("json") { "\"blue-house-42\"" } else { PASSWORD };
        let mac = good.lines().find(|line| line.contains("mac")).unwrap();
        let short = token(&good, "password").replacen("tag:", "tag:A", 1);
        for (text, check, what) in [
            (format.plain.to_owned(), "not-encrypted", "in clear"),
            (with_value(&good, "password", clear), "clear-value", "one value in clear"),
            (good.replacen(&token(&good, "password"), &short, 1), "damaged-token", "a damaged token"),
            (good.replace(mac, ""), "metadata", "no code"),
            (good.replace(RECIPIENT, STRANGER), "recipients", "another recipient"),
            (
                good.replace("_unencrypted\"", "_open\"")
                    .replace("suffix: _unencrypted", "suffix: _open")
                    .replace("suffix=_unencrypted", "suffix=_open"),
                "selector",
                "another selector",
            ),
        ] {
            lab.scenario.write(&path, text);
            let found = found(&lab, &[&path]);
            assert!(found.iter().any(|found| found.ends_with(&format!(" {check}"))), "{what} in {path}: {found:?}");
            assert!(found.iter().all(|found| !found.contains(":0 ")), "{found:?}");
        }
        lab.scenario.write(&path, good);
    }
    let yaml = FORMATS[0];
    let place = encrypted(yaml).lines().position(|line| line.contains("password")).unwrap() + 1;
    lab.scenario.write(&yaml.path(), with_value(&encrypted(yaml), "password", PASSWORD));
    assert_eq!(found(&lab, &[]), [format!("secrets/app.yaml:{place} clear-value")]);
    lab.scenario.write(&yaml.path(), "a: [\n");
    assert_eq!(found(&lab, &["secrets"]), ["secrets/app.yaml:2 unreadable"]);
}

#[test]
fn a_file_without_a_rule_is_held_to_itself() {
    let mut lab = Lab::with_rules("creation_rules: []\n");
    let Some(text) = encrypt_as("elsewhere.yaml", FORMATS[0].plain, &[]) else { return };
    lab.scenario.write("elsewhere.yaml", &text);
    lab.scenario.write("notes.yaml", "password: blue-house-42\n");
    lab.scenario.write("README.md", format!("A token is `{}`.\n", token(&text, "password")));
    assert_eq!(found(&lab, &[]), [""; 0]);
    lab.scenario.write("elsewhere.yaml", with_value(&text, "port", "54321"));
    assert_eq!(found(&lab, &[]), ["elsewhere.yaml:5 clear-value"]);
    lab.scenario.write("elsewhere.yaml", text.split("sops:").next().unwrap());
    assert!(found(&lab, &[])[0].ends_with(" metadata"));
    lab.scenario.write(".gitignore", "elsewhere.yaml\n");
    assert_eq!(found(&lab, &[]), [""; 0], "what git ignores is left out");
    assert_eq!(found(&lab, &["elsewhere.yaml"]).len(), 1, "unless it is named");
}

#[test]
fn a_rule_whose_files_follow_it_in_part() {
    let Some(mut lab) = lab() else { return };
    let other = encrypt_as("secrets/other.yaml", "a: blue-house-42\n", &["--age", STRANGER]).unwrap();
    lab.scenario.write("secrets/other.yaml", other);
    let found = found(&lab, &[]);
    assert_eq!(found[0], ".sops.yaml:2 mixed-recipients", "{found:?}");
    assert!(found[1..].iter().all(|found| found.starts_with("secrets/other.yaml:")), "{found:?}");
    let said = lab.ask(&["check"]);
    assert!(said.stderr.contains("1 of 4 files under this rule"), "{}", said.stderr);
}

#[test]
fn rules_that_cannot_be_read_are_said_once() {
    let Some(mut lab) = lab() else { return };
    lab.scenario.write(".sops.yaml", rules().replace("^secrets/", "("));
    assert_eq!(found(&lab, &[]), [".sops.yaml:1 unreadable-rules"]);
}
