//! Values of `.sops.yaml` of another type than belongs there: what the real one makes of them, ours makes of them.

use lockage::keys::published::RECIPIENT;
use lockage::sops::RuleSet;

use super::twins::{Line, Twins};

/// Rules, and whether `RuleSet::parse`, which looks at every rule, takes them, too.
const RULES: [(&str, bool); 35] = [
    ("- age: 5", false),
    ("- age: true", false),
    ("- age: {a: b}", false),
    ("- age: [null]", false),
    ("- age: [MINE, [MINE]]", false),
    ("- age: [MINE, 1.5]", false),
    ("- age: MINE\n  pgp: [2]", false),
    ("- age: MINE\n  gcp_kms: 5", false),
    ("- age: MINE\n  hckms: [null]", true),
    ("- age: MINE\n  hckms: x", false),
    ("- age: '5'", false),
    // What is wrong in a rule that is not reached goes unnoticed.
    ("- age: MINE\n- age: 5", false),
    ("- path_regex: other\n  age: [null]\n- age: MINE", false),
    ("- age: MINE\n- path_regex: '['\n  key_groups: 5", false),
    // Nothing is no entry.
    ("- null\n- age: MINE", true),
    ("- age: MINE\n- null", true),
    ("- key_groups: [null, {age: [MINE, null]}]", true),
    ("- key_groups: [{merge: [null, {age: [MINE]}]}]", true),
    // Numbers.
    ("- age: MINE\n  shamir_threshold: '2'", false),
    ("- age: MINE\n  shamir_threshold: true", false),
    ("- age: MINE\n  shamir_threshold: [2]", false),
    ("- age: MINE\n  shamir_threshold: 99999999999999999999", false),
    ("- shamir_threshold: 2.5\n  key_groups: [{age: [MINE]}, {age: [THEIRS]}]", false),
    ("- shamir_threshold: 0x2\n  key_groups: [{age: [MINE]}, {age: [THEIRS]}]", true),
    ("- shamir_threshold: 1e0\n  key_groups: [{age: [MINE]}, {age: [THEIRS]}]", false),
    ("- shamir_threshold: -1\n  key_groups: [{age: [MINE]}, {age: [THEIRS]}]", false),
    ("- path_regex: other\n  shamir_threshold: -1\n- age: MINE", false),
    // Truth.
    ("- age: MINE\n  mac_only_encrypted: yes", true),
    ("- age: MINE\n  mac_only_encrypted: 'On'", true),
    ("- age: MINE\n  mac_only_encrypted: n", true),
    ("- age: MINE\n  mac_only_encrypted: 'true'", false),
    ("- age: MINE\n  mac_only_encrypted: 1", false),
    // Texts.
    ("- age: MINE\n  encrypted_regex: 5", true),
    ("- age: MINE\n  encrypted_suffix: true", true),
    ("- age: MINE\n  encrypted_regex: [a]", false),
];

/// Somebody else.
const OTHER: &str = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg";

#[test]
fn values_of_other_types_are_taken_as_the_real_one_takes_them() {
    let configs = RULES.map(|(rules, _)| {
        let rules = rules.replace("MINE", RECIPIENT).replace("THEIRS", OTHER).replace('\n', "\n  ");
        format!("creation_rules:\n  {rules}\n")
    });
    let names: Vec<String> = (0..configs.len()).map(|number| format!("rules{number}.yaml")).collect();
    let mut files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(configs.iter().map(String::as_str)).collect();
    files.push(("p.yaml", "a5: one\nb_true: two\n"));
    let Some(twins) = Twins::new(&files) else { return };
    let (mut differ, mut taken) = (Vec::new(), 0);
    for ((name, config), (rules, strict)) in names.iter().zip(&configs).zip(RULES) {
        let line = Line { args: &["--config", name, "encrypt", "p.yaml"], ..Line::default() };
        let (_, did) = twins.theirs(std::slice::from_ref(&line));
        taken += usize::from(did[0].code == 0);
        differ.extend(twins.differences(&[line], false).into_iter().map(|text| format!("{rules}\n{text}")));
        assert_eq!(RuleSet::parse(config, ".sops.yaml").is_ok(), strict, "{rules}");
    }
    assert!(differ.is_empty(), "{}", differ.join("\n\n"));
    assert!((12..30).contains(&taken), "{taken} are taken");
}
