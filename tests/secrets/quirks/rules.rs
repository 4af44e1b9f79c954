//! Quirks of `.sops.yaml`.
//!
//! *Source*: the SOPS format, sections 8.2, 8.3 and 13.

use lockage::document::Format;
use lockage::keys::published::RECIPIENT;
use lockage::sops::{Encryption, RuleSet, SopsError};

use crate::support::{Sops, encrypt_with};

/// What the real program makes of `text` under these rules.
fn theirs(sops: &Sops, rules: &str, text: &str) -> Result<String, (i32, String)> {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rules.yaml");
    std::fs::write(&config, rules.replace("RECIPIENT", RECIPIENT)).unwrap();
    let config = config.display().to_string();
    let arguments = ["--config", &config, "encrypt", "--filename-override", "secrets/app.yaml"];
    sops.run(&arguments, text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// What we make of it.
fn ours(rules: &str, text: &str) -> Result<String, SopsError> {
    let set = RuleSet::parse(&rules.replace("RECIPIENT", RECIPIENT), ".sops.yaml")?;
    let rule = set.rule_for("secrets/app.yaml").expect("a rule");
    encrypt_with(Format::Yaml, text.as_bytes(), &Encryption::of_rule(rule))
        .map(|bytes| String::from_utf8(bytes).unwrap())
}

/// The lines above the block, each as encrypted or not.
fn shape(file: &str) -> Vec<bool> {
    file.lines().take_while(|line| !line.starts_with("sops:")).map(|line| line.contains("ENC[")).collect()
}

#[test]
fn both_pick_the_same_values() {
    let text = "# about a\na: one\nb_secret: two\nc:\n    d: three # note\n    e_unencrypted: four\nf: [1, x]\n";
    let Some(sops) = Sops::find() else { return };
    for selector in [
        "",
        "encrypted_suffix: _secret",
        "unencrypted_suffix: _secret",
        "encrypted_regex: ^(c|f)$",
        "unencrypted_regex: ^d",
        "encrypted_comment_regex: about",
        "unencrypted_comment_regex: note",
        "encrypted_suffix: ''",
    ] {
        let rules = format!("creation_rules:\n  - path_regex: secrets/\n    age: RECIPIENT\n    {selector}\n");
        let (ours, theirs) = (ours(&rules, text).unwrap(), theirs(&sops, &rules, text).unwrap());
        let (ours, theirs) = (shape(&ours), shape(&theirs));
        let count = |shape: &[bool]| shape.iter().filter(|encrypted| **encrypted).count();
        // SOPS writes a flow list as lines of its own.
        if ours.len() == theirs.len() {
            assert_eq!(ours, theirs, "{selector}");
        }
        assert_eq!(count(&ours) > 0, count(&theirs) > 0, "{selector}");
    }
}

/// 15, and its like: what SOPS ignores we refuse, in every selector that is an expression.
#[test]
fn invalid_selectors_are_refused_where_sops_ignores_them() {
    let text = "a: CANARY-heron\n";
    for (selector, clear) in [
        ("encrypted_regex: '['", true),
        ("unencrypted_regex: '['", false),
        ("encrypted_comment_regex: '['", true),
        ("unencrypted_comment_regex: '['", false),
    ] {
        let rules = format!("creation_rules:\n  - age: RECIPIENT\n    {selector}\n");
        assert!(matches!(ours(&rules, text), Err(SopsError::Rules { line: 2, .. })), "{selector}");
        let problems = lockage::sops::lint_rules(&rules.replace("RECIPIENT", RECIPIENT), &[]);
        assert_eq!((problems[0].check, problems[0].line), ("invalid-regex", 3), "{problems:?}");
        assert_eq!(problems[0].message.contains("in clear"), clear, "{problems:?}");
        if let Some(sops) = Sops::find() {
            let theirs = theirs(&sops, &rules, text).unwrap();
            assert_eq!(theirs.contains("CANARY"), clear, "{selector}");
        }
    }
}

/// 8.3: SOPS stops at an invalid `path_regex` only where it reaches it; we stop always.
#[test]
fn an_invalid_path_is_refused_even_where_it_is_not_reached() {
    let rules =
        "creation_rules:\n  - path_regex: secrets/\n    age: RECIPIENT\n  - path_regex: '('\n    age: RECIPIENT\n";
    assert!(matches!(ours(rules, "a: 1\n"), Err(SopsError::Rules { line: 4, .. })));
    let Some(sops) = Sops::find() else { return };
    theirs(&sops, rules, "a: 1\n").unwrap();
    let first = rules.replacen("secrets/", "elsewhere/", 1);
    assert_eq!(theirs(&sops, &first, "a: 1\n").unwrap_err().0, 1);
}

/// 8.2 and 8.3: unknown keys are ignored by both, and said by the linter; so is all but the first document.
#[test]
fn unknown_keys_are_ignored_and_said() {
    let rules = "creation_rules:\n  - path_regx: elsewhere/\n    age: RECIPIENT\n---\nnonsense: [\n";
    assert!(ours(rules, "a: one\n").unwrap().contains("a: ENC["));
    let problems = lockage::sops::lint_rules(&rules.replace("RECIPIENT", RECIPIENT), &[]);
    assert_eq!(problems.iter().map(|problem| problem.check).collect::<Vec<_>>(), ["unknown-key"]);
    if let Some(sops) = Sops::find() {
        assert!(theirs(&sops, &rules.replace("nonsense: [", "nonsense: {}"), "a: one\n").unwrap().contains("a: ENC["));
    }
}

/// 8.3: a rule without keys makes one empty group, two selectors are refused, `key_groups` puts the rule's keys aside.
#[test]
fn what_both_refuse() {
    for (rules, code) in [
        ("creation_rules:\n  - path_regex: secrets/\n", 1),
        ("creation_rules:\n  - age: RECIPIENT\n    encrypted_regex: a\n    encrypted_suffix: b\n", 1),
        ("creation_rules:\n  - age: RECIPIENT\n    key_groups: [{age: []}]\n", 1),
    ] {
        assert!(ours(rules, "a: one\n").is_err(), "{rules}");
        if let Some(sops) = Sops::find() {
            assert_eq!(theirs(&sops, rules, "a: one\n").unwrap_err().0, code, "{rules}");
        }
        assert!(!lockage::sops::lint_rules(&rules.replace("RECIPIENT", RECIPIENT), &[]).is_empty(), "{rules}");
    }
}

/// 4: two groups silently split the key, and a threshold of one is refused.
#[test]
fn groups_split_the_key() {
    let groups = "creation_rules:\n  - key_groups:\n      - age: [RECIPIENT]\n      - age: [RECIPIENT]\n";
    let file = ours(groups, "a: one\n").unwrap();
    assert!(file.contains("shamir_threshold: 2"), "{file}");
    let one = format!("{groups}    shamir_threshold: 1\n");
    assert!(ours(&one, "a: one\n").is_err());
    let Some(sops) = Sops::find() else { return };
    assert!(theirs(&sops, groups, "a: one\n").unwrap().contains("shamir_threshold: 2"));
    sops.decrypt(Format::Yaml, file.as_bytes()).unwrap();
    assert!(theirs(&sops, &one, "a: one\n").is_err());
}
