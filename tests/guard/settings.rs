//! `.lockage.yaml`: understood whole, or refused with a place and the nearest word.

use crate::lab::{Lab, rules};

#[test]
fn settings_that_are_not_understood_stop_the_guard() {
    let mut lab = Lab::with_rules(&rules());
    let hash = format!("sha256:{}", "0".repeat(64));
    for (text, place, word) in [
        ("gaurd:\n  allow: [{rule: private-key}]\n".to_owned(), "1:1", "did you mean `guard`?"),
        ("guard:\n  alow: [{rule: private-key}]\n".to_owned(), "2:3", "did you mean `allow`?"),
        (
            format!("guard:\n  allow:\n    - rule: private-keys\n      value: {hash}\n      why: x\n"),
            "3:13",
            "did you mean `private-key`?",
        ),
        (
            format!("guard:\n  allow:\n    - rule: private-key\n      valu: {hash}\n      why: x\n"),
            "4:7",
            "did you mean `value`?",
        ),
        ("guard:\n  allow:\n    - rule: private-key\n      why: x\n".to_owned(), "3:1", "no `value`"),
        (format!("guard:\n  allow:\n    - rule: private-key\n      value: {hash}\n"), "3:1", "no `why`"),
        (
            "guard:\n  allow:\n    - rule: private-key\n      value: sha256:12\n      why: x\n".to_owned(),
            "4:14",
            "64 hexadecimal digits",
        ),
        ("guard:\n  allow: yes\n".to_owned(), "2:10", "expected `guard: {allow:"),
    ] {
        lab.stage(".lockage.yaml", &text);
        let said = lab.ask(&["guard"]);
        assert_eq!(said.code, 2, "{text}: {}", said.stderr);
        assert!(
            said.stderr.contains(&format!(".lockage.yaml:{place}")) && said.stderr.contains(word),
            "{text}: {}",
            said.stderr
        );
    }
    lab.stage(".lockage.yaml", "guard: [\n");
    assert_eq!(lab.ask(&["guard"]).code, 2);
    lab.stage(".lockage.yaml", "guard: {allow: []}\n").passes("no exceptions");
    lab.stage(".lockage.yaml", "").passes("an empty file");
}

#[test]
fn the_staged_settings_count() {
    let mut lab = Lab::with_rules(&rules());
    lab.stage(".lockage.yaml", "guard: {allow: []}\n");
    lab.scenario.write(".lockage.yaml", "nonsense: [\n");
    lab.passes("the work tree's version is not read");
}

#[test]
fn the_checks_are_listed() {
    let lab = Lab::with_rules(&rules());
    let said = lab.ask(&["guard", "--list", "--json"]);
    assert_eq!(said.json["schema"], "lockage.guard-checks/1");
    let ids: Vec<&str> =
        said.json["checks"].as_array().unwrap().iter().map(|check| check["id"].as_str().unwrap()).collect();
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guard/checks")).unwrap().count();
    assert_eq!(ids.len(), files - 1, "every file in checks/ is in the registry: {ids:?}");
}
