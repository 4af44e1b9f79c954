//! Repositories in forms that libgit2 does not read: git itself reads them for the guard.

use crate::common::scenario::Scenario;
use crate::lab::{FORMATS, Lab, encrypted, rules};

/// Clear and encrypted files are told from each other here as anywhere.
fn judges(lab: &mut Lab, what: &str) {
    for format in FORMATS {
        lab.stage(&format.path(), format.plain).blocked("clear-value", what);
        lab.stage(&format.path(), encrypted(format)).passes(what);
    }
    lab.stage(".sops.yaml", rules().replace("^secrets/", "^nowhere/")).blocked_only("loosened-rule", what);
    lab.scenario.git(["reset", "-q", "--hard"]);
}

#[test]
fn a_split_index() {
    let Some(mut lab) = Lab::new() else { return };
    lab.scenario.git(["config", "core.splitIndex", "true"]);
    lab.scenario.git(["update-index", "--split-index"]);
    assert!(
        std::fs::read_dir(lab.scenario.repo().join(".git"))
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with("sharedindex.") })
    );
    judges(&mut lab, "a split index");
    lab.scenario.write("secrets/promised.yaml", "a: blue-house-42\n");
    lab.scenario.git(["add", "-N", "secrets/promised.yaml"]);
    lab.passes("`git add -N` stages nothing");
}

#[test]
fn a_sparse_index() {
    let Some(mut lab) = Lab::new() else { return };
    for at in 0..20 {
        lab.stage(&format!("far/{at}/secrets.yaml"), "harmless: yes\n");
    }
    lab.scenario.commit("far away");
    lab.scenario.git(["sparse-checkout", "set", "--cone", "--sparse-index", "secrets"]);
    let listed = lab.scenario.git(["ls-files", "--sparse"]);
    assert!(listed.lines().any(|line| line == "far/"), "{listed}");
    judges(&mut lab, "a sparse index");
    let said = lab.ask(&["guard", "--all", "--json"]);
    assert_eq!((said.code, said.json["judged"].as_u64()), (0, Some(24)), "folders that are not here count, too");
}

#[test]
fn an_unfinished_merge_under_a_split_index() {
    let Some(mut lab) = Lab::new() else { return };
    lab.scenario.git(["checkout", "-q", "-b", "other"]);
    lab.stage("notes", "there\n");
    lab.scenario.commit("there");
    lab.scenario.git(["checkout", "-q", "main"]);
    lab.stage("notes", "here\n");
    lab.scenario.commit("here");
    lab.scenario.git(["update-index", "--split-index"]);
    let merged = lab.scenario.command("git").args(["merge", "other"]).output().unwrap();
    assert!(!merged.status.success());
    lab.passes("a conflict elsewhere");
    lab.stage("notes", "both\n")
        .stage("secrets/app.yaml", FORMATS[0].plain)
        .blocked("clear-value", "beside a conflict");
}

#[test]
fn a_repository_of_sha256() {
    let mut lab = Lab { scenario: Scenario::new() };
    std::fs::remove_dir_all(lab.scenario.repo().join(".git")).unwrap();
    lab.scenario.git(["init", "-q", "-b", "main", "--object-format=sha256"]);
    lab.stage(".sops.yaml", rules());
    for format in FORMATS {
        lab.stage(&format.path(), format.plain).blocked("clear-value", "before the first commit");
    }
    let Some(_) = crate::common::peer("sops") else { return };
    for format in FORMATS {
        lab.stage(&format.path(), encrypted(format));
    }
    let start = lab.scenario.commit("secrets");
    assert_eq!(start.len(), 64);
    judges(&mut lab, "SHA-256");
    lab.stage("secrets/a\n\"b\t.yaml", FORMATS[0].plain).blocked("clear-value", "an odd name");
    let leaked = lab.scenario.commit("leak");
    lab.scenario.git(["rm", "-q", "-r", "secrets"]);
    lab.scenario.commit("mend");
    let said = lab.ask(&["guard", "--json", "--range", &format!("{start}..HEAD")]);
    assert_eq!((said.code, said.json["reports"][0]["commit"].as_str()), (1, Some(leaked.as_str())), "{}", said.stderr);
    assert_eq!(lab.ask(&["guard", "--range", "HEAD~1..HEAD"]).code, 0);
    assert_eq!(lab.ask(&["guard", "--range", "nowhere..HEAD"]).code, 2);

    // What a push sends is the object, not its replacement.
    lab.stage("secrets/app.yaml", FORMATS[0].plain);
    let clear = lab.scenario.git(["rev-parse", ":secrets/app.yaml"]);
    let harmless = lab.scenario.git(["rev-parse", &format!("{start}:secrets/app.yaml")]);
    lab.scenario.git(["replace", &clear, &harmless]);
    lab.blocked("clear-value", "a replaced object");
    lab.scenario.git(["rm", "-q", "-r", "-f", "secrets"]);

    lab.scenario.write(".gitignore", "ignored/\nbuilt.*\n");
    for name in ["ignored/a.yaml", "secrets/built.yaml", "secrets/seen.yaml"] {
        lab.scenario.write(name, "a: blue-house-42\n");
    }
    let said = lab.ask(&["check", "--json"]);
    let files: Vec<_> = said.json["findings"].as_array().unwrap().iter().map(|found| found["file"].clone()).collect();
    assert_eq!(files, ["secrets/seen.yaml"], "{}", said.stderr);

    let out = lab.scenario.lockage().args(["hooks", "install"]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    lab.stage("secrets/app.yaml", FORMATS[0].plain);
    let commit = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org", "commit", "-m", "leak"];
    let out = lab.scenario.command("git").args(commit).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && said.contains("clear-value"), "{said}");
}

#[test]
fn a_broken_index_lets_nothing_through() {
    let Some(mut lab) = Lab::new() else { return };
    lab.stage("secrets/app.yaml", FORMATS[0].plain);
    std::fs::write(lab.scenario.repo().join(".git/index"), "DIRC nonsense").unwrap();
    assert_eq!(lab.ask(&["guard"]).code, 3);
    lab.scenario.set_env("PATH", "/nowhere");
    let said = lab.ask(&["guard"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
}
