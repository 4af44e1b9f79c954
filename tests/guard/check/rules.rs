//! `lockage check --rules`: each problem with its line, and rules that have none.

use crate::lab::{Lab, RECIPIENT, STRANGER, encrypt_as};

/// `check:line` of everything that is found.
fn lint(rules: &str) -> Vec<String> {
    let problems = lockage::sops::lint_rules(rules, &[]);
    problems.iter().map(|problem| format!("{}:{}", problem.check, problem.line)).collect()
}

#[track_caller]
fn finds(rules: &str, wanted: &[&str]) {
    assert_eq!(lint(&rules.replace("RECIPIENT", RECIPIENT)), wanted, "{rules}");
}

#[test]
fn rules_without_a_problem() {
    for rules in [
        "creation_rules:\n  - age: RECIPIENT\n",
        "creation_rules:\n  - path_regex: ^secrets/prod/\n    age: RECIPIENT\n  - path_regex: ^secrets/\n    age: \
         RECIPIENT\n  - pgp: AB12\n    encrypted_regex: ^(data|stringData)$\n",
        "keys:\n  - &ana RECIPIENT\n  - &ben AB12\ncreation_rules:\n  - key_groups:\n      - age: [*ana]\n        pgp: \
         [*ben]\n",
        "x-team: [a, b]\nstores:\n  yaml:\n    indent: 2\n  json_binary: {indent: -1}\ncreation_rules:\n  - kms: arn:aws:kms:x\n    \
         aws_profile: dev\n    mac_only_encrypted: true\n",
        "base: &base\n  age: [RECIPIENT]\ncreation_rules:\n  - shamir_threshold: 2\n    key_groups:\n      - merge: \
         [*base]\n      - pgp: [AB12]\n",
        "destination_rules:\n  - s3_bucket: b\n    path_regex: ^a\n    recreation_rule: {pgp: AB12}\n",
        "creation_rules:\n  - path_regex: a|b\n    pgp: A\n  - path_regex: b\n    pgp: A\n",
        "creation_rules:\n  - path_regex: ^ab?\n    pgp: A\n  - path_regex: ^a\n    pgp: A\n",
    ] {
        finds(rules, &[]);
    }
}

#[test]
fn a_regex_that_sops_ignores() {
    for (selector, regex) in [
        ("encrypted_regex", "'['"),
        ("encrypted_regex", "'^(?!public)'"),
        ("unencrypted_regex", "'*_public'"),
        ("encrypted_comment_regex", "'('"),
        ("unencrypted_comment_regex", "'a**'"),
    ] {
        let rules = format!("creation_rules:\n  - age: RECIPIENT\n    {selector}: {regex}\n");
        finds(&rules, &["invalid-regex:3"]);
        let problem = &lockage::sops::lint_rules(&rules.replace("RECIPIENT", RECIPIENT), &[])[0];
        let clear = selector.starts_with("encrypted");
        assert_eq!(problem.message.contains("writes every value in clear"), clear, "{}", problem.message);
    }
    finds(
        "creation_rules:\n  - path_regex: '*.yaml'\n    age: RECIPIENT\n  - path_regex: '('\n    age: RECIPIENT\n",
        &["invalid-regex:2", "invalid-regex:4"],
    );
    finds(
        "destination_rules:\n  - s3_bucket: a\n    recreation_rule:\n      pgp: A\n      encrypted_regex: '['\n",
        &["ignored-keys:5"],
    );
}

#[test]
fn silent_shamir() {
    let groups = "    key_groups:\n      - age: [RECIPIENT]\n      - pgp: [AB12]\n";
    finds(&format!("creation_rules:\n  - path_regex: a\n{groups}"), &["silent-shamir:3"]);
    finds(&format!("creation_rules:\n  - shamir_threshold: 0\n{groups}"), &["silent-shamir:3"]);
    finds(&format!("creation_rules:\n  - shamir_threshold: 1\n{groups}"), &["silent-shamir:2"]);
    finds(&format!("creation_rules:\n  - shamir_threshold: 3\n{groups}"), &["silent-shamir:2"]);
    finds(&format!("creation_rules:\n  - shamir_threshold: 2\n{groups}"), &[]);
    finds("creation_rules:\n  - shamir_threshold: 2\n    age: RECIPIENT\n", &["silent-shamir:2"]);
}

#[test]
fn unknown_keys_have_a_nearest_word() {
    let rules = "creation_rule:\n  - age: x\ncreation_rules:\n  - path_regx: a\n    age: RECIPIENT\n  - key_groups:\n      - \
                 agee: [RECIPIENT]\n        pgp: [A]\nstores:\n  yml: {indents: 2}\n";
    let wanted =
        ["unknown-key:1", "unknown-key:4", "unreachable:6", "unknown-key:7", "unknown-key:10", "unknown-key:10"];
    finds(rules, &wanted);
    let text = rules.replace("RECIPIENT", RECIPIENT);
    let mends: Vec<String> = lockage::sops::lint_rules(&text, &[]).into_iter().map(|problem| problem.mend).collect();
    for near in ["`creation_rules`", "`path_regex`", "`age`", "`yaml`", "`indent`"] {
        assert!(mends.iter().any(|mend| mend.contains(near)), "{near}: {mends:?}");
    }
}

#[test]
fn rules_that_nothing_reaches() {
    for earlier in
        ["", "    path_regex: ''\n", "    path_regex: .*\n", "    path_regex: secrets\n", "    path_regex: ^secrets/\n"]
    {
        let rules = format!(
            "creation_rules:\n  - age: RECIPIENT\n{earlier}  - path_regex: ^secrets/prod\n    age: RECIPIENT\n"
        );
        let line = if earlier.is_empty() { 3 } else { 4 };
        finds(&rules, &[&format!("unreachable:{line}")]);
    }
    finds("creation_rules:\n  - path_regex: ^/secrets\n    age: RECIPIENT\n", &["unreachable:2"]);
}

#[test]
fn keys_and_selectors() {
    finds("creation_rules:\n  - path_regex: a\n", &["no-recipients:2"]);
    finds("creation_rules:\n  - key_groups: [{age: []}]\n", &["no-recipients:2"]);
    finds("creation_rules:\n  - pgp: A\n    key_groups:\n      - age: [RECIPIENT]\n", &["ignored-keys:2"]);
    finds("creation_rules:\n  - age: age1nonsense\n", &["invalid-recipient:2"]);
    finds("creation_rules:\n  - pgp: A\n    encrypted_regex: a\n    unencrypted_suffix: b\n", &["two-selectors:4"]);
    finds("creation_rules:\n  - pgp: A\n    shamir_threshold: many\n", &["wrong-type:3"]);
    for (truth, expected) in
        [("yes", &[][..]), ("'off'", &[]), ("true", &[]), ("'true'", &["wrong-type:3"]), ("1", &["wrong-type:3"])]
    {
        finds(&format!("creation_rules:\n  - pgp: A\n    mac_only_encrypted: {truth}\n"), expected);
    }
    finds("creation_rules:\n", &["no-rules:1"]);
    finds("creation_rules: []\n", &["no-rules:1"]);
    finds("creation_rules:\n  - pgp: A\n    pgp: B\n", &["unreadable-rules:3"]);
    finds("creation_rules: [\n", &["unreadable-rules:1"]);
    finds("destination_rules:\n  - {}\n  - {s3_bucket: a, gcs_bucket: b}\n", &["destination:2", "destination:3"]);
}

#[test]
fn recipients_that_no_file_names_and_files_that_come_too_late() {
    let mut lab = Lab::with_rules(&format!(
        "creation_rules:\n  - path_regex: \\.yaml$\n    age: >-\n      {RECIPIENT},\n      {STRANGER}\n  - path_regex: ^secrets/\n    \
         age: {RECIPIENT}\n"
    ));
    let Some(text) = encrypt_as("secrets/app.yaml", "a: blue-house-42\n", &[]) else { return };
    lab.scenario.write("secrets/app.yaml", text);
    let said = lab.ask(&["check", "--rules", "--json"]);
    let found: Vec<String> = said.json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| format!("{}:{}", finding["check"], finding["line"]))
        .collect();
    assert_eq!((said.code, said.json["schema"].as_str()), (1, Some("lockage.check/1")), "{}", said.stderr);
    assert_eq!(found, ["\"unknown-recipient\":4", "\"unreachable\":6"], "{}", said.stderr);
    assert!(said.stderr.contains(".sops.yaml:4:") && said.stderr.contains(STRANGER), "{}", said.stderr);
}

#[test]
fn a_misnamed_file_and_none_at_all() {
    let mut lab = Lab::with_rules(&crate::lab::rules());
    assert_eq!(lab.ask(&["check", "--rules"]).code, 0);
    lab.scenario.write("apps/.sops.yml", crate::lab::rules());
    let said = lab.ask(&["check", "--rules"]);
    assert!(said.code == 1 && said.stderr.contains("apps/.sops.yml:1:1: misnamed-rules"), "{}", said.stderr);
    std::fs::remove_file(lab.scenario.repo().join(".sops.yaml")).unwrap();
    std::fs::remove_file(lab.scenario.repo().join("apps/.sops.yml")).unwrap();
    assert_eq!(lab.ask(&["check", "--rules"]).code, 2);
}
