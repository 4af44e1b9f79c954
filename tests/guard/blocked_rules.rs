//! Rules that are loosened, shadowed, narrowed or broken.

use crate::lab::{FORMATS, Lab, PASSWORD, RECIPIENT, STRANGER, encrypt_as, encrypted, rules};

#[test]
fn the_same_commit_narrows_the_rule() {
    for format in FORMATS {
        let Some(mut lab) = Lab::new() else { return };
        lab.stage(".sops.yaml", rules().replace("^secrets/", "^nowhere/"));
        lab.stage(&format.path(), format.plain);
        let said = lab.guard();
        assert_eq!(said.code, 1);
        for check in ["clear-value", "loosened-rule"] {
            assert!(said.checks().contains(&check.to_owned()), "{check}: {}", said.stderr);
        }
        assert!(said.stderr.contains(&format!("`{}`", format.path())), "what is freed is named: {}", said.stderr);
    }
}

#[test]
fn loosening_takes_two_commits_and_an_exception() {
    let yaml = FORMATS[0];
    let mut lab = Lab::with_rules(&rules());
    let Some(text) = encrypt_as(&yaml.path(), yaml.plain, &[]) else { return };
    lab.stage(&yaml.path(), text);
    lab.stage("secrets/b.env", encrypt_as("secrets/b.env", "a=blue-house-42\n", &[]).unwrap());
    lab.scenario.commit("secrets");
    let narrowed = format!("creation_rules:\n  - path_regex: ^secrets/[a-z]\\.(json|env)$\n    age: {RECIPIENT}\n");
    lab.stage(".sops.yaml", &narrowed).blocked_only("loosened-rule", "the rule alone");
    let said = lab.ask(&["guard"]);
    let value = said.stderr.split("value: ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let entry = format!(
        "guard:\n  allow:\n    - rule: loosened-rule\n      value: {value}\n      path: .sops.yaml\n      why: moved away\n"
    );
    lab.stage(".lockage.yaml", entry.replace("path: .sops.yaml", "path: \"secrets/**\""));
    lab.blocked_only("loosened-rule", "an exception for other files");
    lab.stage(".lockage.yaml", &entry).passes("the rule with an exception");
    lab.stage(&yaml.path(), yaml.plain).blocked("clear-value", "HEAD's rule still counts");
    lab.scenario.git(["reset", "-q", "--", &yaml.path()]);
    lab.scenario.git(["commit", "-q", "-m", "rule"]);
    lab.stage(&yaml.path(), yaml.plain).passes("the file in the commit after");
    lab.scenario.git(["reset", "-q", "--hard"]);
    lab.stage(".sops.yaml", narrowed.replace("(json|env)", "json"))
        .blocked_only("loosened-rule", "another version of the rules");
}

#[test]
fn a_selector_in_the_rule_that_frees_a_value() {
    let Some(mut lab) = Lab::new() else { return };
    let weaker = format!("{}    encrypted_regex: ^(db|password)$\n", rules());
    lab.stage(".sops.yaml", &weaker).blocked_only("loosened-rule", "encrypted_regex");
    let mut lab = Lab::with_rules(&weaker);
    let text = encrypt_as("secrets/app.yaml", FORMATS[0].plain, &["--encrypted-regex", "^(db|password)$"]).unwrap();
    lab.stage("secrets/app.yaml", text);
    lab.scenario.commit("secrets");
    lab.stage(".sops.yaml", weaker.replace("(db|password)", "(db|password|hosts)")).passes("a stricter rule");
    lab.stage(".sops.yaml", weaker.replace("(db|password)", "(db|other)")).passes("nothing freed");
}

#[test]
fn a_rules_file_that_is_removed_or_broken() {
    for format in FORMATS {
        let Some(mut lab) = Lab::new() else { return };
        lab.scenario.git(["rm", "-q", ".sops.yaml"]);
        lab.blocked_only("loosened-rule", "removed");
        lab.stage(&format.path(), format.plain).blocked("clear-value", "removed, and the file in clear");
        for broken in [
            "creation_rules: [\n",
            "creation_rules:\n  - path_regex: '('\n",
            "creation_rules:\n  - encrypted_regex: '['\n",
        ] {
            lab.stage(".sops.yaml", broken);
            let said = lab.guard();
            assert!(said.code == 1 && said.checks().contains(&"unreadable-rules".to_owned()), "{}", said.stderr);
            assert!(said.checks().contains(&"clear-value".to_owned()), "HEAD's rule still counts: {}", said.stderr);
        }
    }
}

#[test]
fn nested_rules() {
    let Some(mut lab) = Lab::new() else { return };
    let own = format!("creation_rules:\n  - path_regex: \\.(yaml|json|env)$\n    age: {RECIPIENT}\n");
    lab.stage("apps/.sops.yaml", &own).passes("rules of its own");
    for format in FORMATS {
        let path = format!("apps/web/a.{}", format.ending);
        lab.stage(&path, format.plain).blocked_only("clear-value", &path);
        lab.stage(&path, encrypt_as(&path, format.plain, &[]).unwrap()).passes(&path);
    }
    lab.scenario.commit("apps");
    for weaker in [
        own.replace(RECIPIENT, STRANGER),
        format!("{own}    unencrypted_regex: .*\n"),
        format!("{own}    encrypted_regex: ^nothing$\n"),
    ] {
        lab.stage("secrets/.sops.yaml", &weaker);
        let said = lab.guard();
        assert_eq!((said.code, said.checks()), (1, vec!["loosened-rule".to_owned()]), "{}", said.stderr);
        assert!(said.places()[0].starts_with("secrets/.sops.yaml:2:"), "{:?}", said.places());
        lab.stage("secrets/app.yaml", FORMATS[0].plain).blocked("clear-value", "HEAD's rule still counts");
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
    lab.stage("secrets/.sops.yaml", "stores: {yaml: {indent: 2}}\n");
    lab.stage("secrets/app.yaml", FORMATS[0].plain).blocked_only("clear-value", "a nested file without rules");
}

#[test]
fn rules_behind_a_link() {
    let Some(mut lab) = Lab::new() else { return };
    lab.scenario.git(["mv", ".sops.yaml", "rules.yaml"]);
    std::os::unix::fs::symlink("rules.yaml", lab.scenario.repo().join(".sops.yaml")).unwrap();
    lab.scenario.git(["add", "-A"]);
    lab.passes("the same rules behind a link");
    lab.scenario.commit("link");
    lab.stage("secrets/new.yaml", "a: blue-house-42\n")
        .blocked_only("clear-value", "the rules are read through the link");
    lab.stage("rules.yaml", rules().replace("^secrets/", "^nowhere/"));
    lab.blocked("loosened-rule", "the link's target is loosened");
    lab.scenario.git(["rm", "-q", "-f", "--cached", "rules.yaml"]);
    lab.blocked("unreadable-rules", "a dangling link");
}

#[test]
fn a_rule_for_every_path_is_taken_at_its_word_where_sops_takes_files_apart() {
    let mut lab = Lab::with_rules(&format!("creation_rules:\n  - age: {RECIPIENT}\n"));
    lab.stage("README.md", "# read me\n").passes("no structured file");
    lab.stage("a.yaml", "a: blue-house-42\n").blocked_only("clear-value", "a structured file");
    lab.scenario.git(["rm", "-q", "-f", "--cached", "a.yaml"]);
    lab.stage(".gitignore", "target\n").passes("git's own file");
}

#[test]
fn the_files_own_metadata_frees_nothing() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let text = encrypt_as(&format.path(), format.plain, &["--unencrypted-regex", "^(db|password)$"]).unwrap();
        assert!(text.contains(PASSWORD));
        lab.stage(&format.path(), text).blocked("clear-value", format.ending);
        lab.scenario.git(["reset", "-q", "--hard"]);
        let _ = encrypted(format);
    }
}

/// What stands in it is not known, so it may be what the old rule was for.
#[test]
fn an_unreadable_file_that_is_freed() {
    let mut lab = Lab::with_rules(&rules());
    lab.stage("secrets/broken.yaml", "a: [\n");
    lab.scenario.git(["commit", "-q", "--no-verify", "-m", "broken"]);
    let narrowed = format!("creation_rules:\n  - path_regex: ^secrets/app\n    age: {RECIPIENT}\n");
    lab.stage(".sops.yaml", narrowed).blocked_only("loosened-rule", "the rule alone");
}
