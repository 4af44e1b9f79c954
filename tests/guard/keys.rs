//! Private keys, wherever they are.

use crate::lab::{Lab, rules};

/// The published test identity; of all keys, it is one that may stand here.
const IDENTITY: &str = crate::common::scenario::IDENTITY;

fn identity_line() -> &'static str {
    IDENTITY.lines().find(|line| !line.starts_with('#')).unwrap()
}

fn pem() -> String {
    let body = "MC4CAQAwBQYDK2VwBCIEIJx8sQ9vR2bT7kLmN4pW1zXcVbGhY6uEoI3aSdFgHjKl";
    format!("{0}BEGIN PRIVATE KEY-----\n{body}\n{0}END PRIVATE KEY-----\n", "-----")
}

#[test]
fn a_key_in_any_file_is_blocked() {
    let mut lab = Lab::with_rules(&rules());
    for (name, text) in [
        ("keys.txt", IDENTITY.to_owned()),
        ("src/a.rs", format!("const KEY: &str = \"{}\";\n", identity_line())),
        ("id_ed25519", pem()),
        ("a.json", format!("{{\"key\": {:?}}}", pem())),
        ("secrets/.gitignore", pem()),
    ] {
        lab.stage(name, text).blocked_only("private-key", name);
        lab.scenario.git(["rm", "-q", "-f", "--cached", name]);
    }
    std::os::unix::fs::symlink(identity_line(), lab.scenario.repo().join("link")).unwrap();
    lab.scenario.git(["add", "link"]);
    lab.blocked_only("private-key", "a link's target");
}

#[test]
fn only_the_allowed_key_passes() {
    let mut lab = Lab::with_rules(&rules());
    lab.stage("keys.txt", IDENTITY);
    let said = lab.ask(&["guard"]);
    assert!(!said.stderr.contains(identity_line()), "the key is printed");
    let value = said.stderr.split("value: ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let entry = |path: &str| {
        format!(
            "guard:\n  allow:\n    - rule: private-key\n      value: {value}\n      path: {path}\n      why: published\n"
        )
    };
    lab.stage(".lockage.yaml", entry("\"*.txt\"")).passes("allowed by its hash");
    lab.stage("other/keys.txt", IDENTITY).blocked_only("private-key", "another path");
    lab.stage(".lockage.yaml", entry("\"**/*.txt\"")).passes("a wider pattern");
    lab.stage("keys.txt", format!("{IDENTITY}{}", pem())).blocked_only("private-key", "another key beside it");
    assert_eq!(lab.guard().json["reports"][0]["allowed"], 2);
}
