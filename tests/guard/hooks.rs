//! The hooks, run by git itself.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::lab::{FORMATS, Lab, PASSWORD, encrypt_as, encrypted};

fn install(lab: &Lab) -> (i32, String) {
    let out = lab.scenario.lockage().args(["hooks", "install"]).output().unwrap();
    (out.status.code().unwrap(), String::from_utf8_lossy(&out.stderr).into_owned())
}

fn git(lab: &Lab, args: &[&str]) -> (bool, String) {
    let mut command: Command = lab.scenario.command("git");
    let out = command.args(["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]).args(args).output().unwrap();
    (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
}

#[test]
fn git_refuses_the_commit() {
    let Some(mut lab) = Lab::new() else { return };
    assert_eq!(install(&lab).0, 0);
    assert!(install(&lab).1.contains("is there already"));
    let yaml = FORMATS[0];
    lab.stage(&yaml.path(), yaml.plain);
    // The work tree is encrypted again: only what is staged tells.
    lab.scenario.write(&yaml.path(), encrypted(yaml));
    let (committed, said) = git(&lab, &["commit", "-m", "leak"]);
    assert!(!committed && said.contains("clear-value") && !said.contains(PASSWORD), "{said}");

    lab.scenario.write(&yaml.path(), yaml.plain);
    for args in [&["commit", "-am", "leak"][..], &["commit", "-m", "leak", "--", "secrets/app.yaml"]] {
        lab.scenario.git(["reset", "-q"]);
        let (committed, said) = git(&lab, args);
        assert!(!committed && said.contains("clear-value"), "{args:?}: {said}");
    }
    lab.stage(&yaml.path(), encrypt_as(&yaml.path(), "a: blue-house-42\n", &[]).unwrap());
    assert!(git(&lab, &["commit", "-qm", "new secrets"]).0);
}

#[test]
fn git_refuses_the_merge_and_the_push() {
    let Some(mut lab) = Lab::new() else { return };
    let yaml = FORMATS[0];
    let remote = lab.scenario.root().join("remote.git").display().to_string();
    lab.scenario.git(["init", "-q", "--bare", &remote]);
    lab.scenario.git(["remote", "add", "origin", &remote]);
    assert_eq!(install(&lab).0, 0);
    assert!(git(&lab, &["push", "-q", "origin", "main"]).0);

    lab.scenario.git(["checkout", "-q", "-b", "leaky"]);
    lab.stage(&yaml.path(), yaml.plain);
    lab.scenario.commit("leak");
    let (pushed, said) = git(&lab, &["push", "-q", "origin", "leaky"]);
    assert!(!pushed && said.contains("clear-value") && said.contains("commit "), "{said}");
    lab.scenario.git(["checkout", "-q", "main"]);
    lab.stage("README", "x\n");
    lab.scenario.commit("else");
    let (merged, said) = git(&lab, &["merge", "--no-edit", "leaky"]);
    assert!(!merged && said.contains("clear-value"), "{said}");
    lab.scenario.git(["merge", "--abort"]);
    assert!(git(&lab, &["push", "-q", "origin", "main"]).0);
}

#[test]
fn git_refuses_the_commit_in_a_linked_work_tree_and_from_a_folder() {
    let Some(lab) = Lab::new() else { return };
    assert_eq!(install(&lab).0, 0);
    lab.scenario.git(["worktree", "add", "-q", "../linked", "-b", "linked"]);
    let linked = lab.scenario.root().join("linked");
    std::fs::write(linked.join("secrets/new.yaml"), FORMATS[0].plain).unwrap();
    let linked = linked.display().to_string();
    lab.scenario.git(["-C", &linked, "add", "-A"]);
    for folder in [linked.clone(), format!("{linked}/secrets")] {
        let (committed, said) = git(&lab, &["-C", &folder, "commit", "-m", "leak"]);
        assert!(!committed && said.contains("secrets/new.yaml:"), "{said}");
    }
    assert!(git(&lab, &["commit", "-q", "--allow-empty", "-m", "the first work tree is another index"]).0);
}

#[test]
fn a_foreign_hook_stays() {
    let Some(lab) = Lab::new() else { return };
    let hook = lab.scenario.repo().join(".git/hooks/pre-push");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nmake test\n").unwrap();
    let (code, said) = install(&lab);
    assert!(code == 2 && said.contains("somebody else") && said.contains("lockage guard --pre-push"), "{said}");
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nmake test\n");
    assert!(!hook.with_file_name("pre-commit").exists(), "all or none");
}

#[test]
fn hooks_go_where_git_looks_for_them() {
    let Some(mut lab) = Lab::new() else { return };
    lab.scenario.git(["config", "core.hooksPath", ".githooks"]);
    assert_eq!(install(&lab).0, 0);
    let hook = lab.scenario.repo().join(".githooks/pre-commit");
    assert_eq!(std::fs::metadata(&hook).unwrap().permissions().mode() & 0o777, 0o755);
    lab.stage("secrets/app.yaml", FORMATS[0].plain);
    assert!(!git(&lab, &["commit", "-m", "leak"]).0);

    lab.scenario.git(["config", "--unset", "core.hooksPath"]);
    lab.scenario.git(["config", "--global", "core.hooksPath", "/nowhere"]);
    let (code, said) = install(&lab);
    assert!(code == 2 && said.contains("core.hooksPath"), "{said}");
}

#[test]
fn a_missing_binary_refuses_the_commit() {
    let Some(mut lab) = Lab::new() else { return };
    assert_eq!(install(&lab).0, 0);
    lab.scenario.git(["config", "lockage.binary", "/nowhere/lockage"]);
    lab.stage("README", "x\n");
    let (committed, said) = git(&lab, &["commit", "-m", "harmless"]);
    assert!(!committed && said.contains("was not judged and is refused"), "{said}");
}

#[test]
fn the_stubs_in_the_repository_are_the_installed_ones() {
    let Some(lab) = Lab::new() else { return };
    assert_eq!(install(&lab).0, 0);
    for name in ["pre-commit", "pre-merge-commit", "pre-push"] {
        let stub = std::fs::read(format!("{}/hooks/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert_eq!(std::fs::read(lab.scenario.repo().join(".git/hooks").join(name)).unwrap(), stub);
    }
}
