//! What a new user does first: one command, then the same again.

use std::path::Path;

use super::clone::Clone;
use super::common::peer;

#[test]
fn the_first_command_promotes_and_the_second_finds_nothing_to_do() {
    let clone = Clone::new();
    let first = clone.succeed("promote review staging --sandbox");
    let screen: Vec<&str> = first.stdout.lines().collect();
    assert!(screen.len() <= 24, "the summary is one screen:\n{}", first.stdout);
    assert!(screen.iter().all(|line| line.chars().count() <= 80), "80 columns:\n{}", first.stdout);
    for word in [
        "staging",
        "AWS_SECRET_ACCESS_KEY",
        "api-staging.pangeo-forge.org",
        "certificate",
        "ledger",
        "lockage rollback staging",
    ] {
        assert!(first.stdout.contains(word), "the summary says `{word}`:\n{}", first.stdout);
    }
    assert!(!first.stdout.contains("known after apply"), "what was made is known:\n{}", first.stdout);
    assert!(first.stderr.contains("--sandbox"), "it says that it answers for the user:\n{}", first.stderr);

    let second = clone.succeed("promote review staging --sandbox");
    assert!(second.stdout.contains("nothing to do"), "{}", second.stdout);
    assert_eq!(clone.changes(), "");
    assert_eq!(clone.scenario.git(["for-each-ref", "refs/lockage"]), "", "the clone's refs stay as they were");
}

#[test]
fn json_gives_the_same_facts() {
    let clone = Clone::new();
    let ran = clone.succeed("promote review staging --sandbox --json");
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("one JSON document");
    assert!(report["schema"].as_str().is_some_and(|schema| schema.starts_with("lockage.promote/")), "{report}");
    let again = clone.succeed("promote review staging --sandbox --json");
    let again: serde_json::Value = serde_json::from_str(&again.stdout).expect("one JSON document");
    assert_eq!(again["outcome"], "unchanged", "{again}");
}

#[test]
fn status_log_and_rollback_follow_a_promotion() {
    let clone = Clone::new();
    clone.succeed("promote review staging --sandbox");
    let status = clone.succeed("status --sandbox");
    assert_eq!(status.stderr, "");
    assert!(status.stdout.contains("staging"), "{}", status.stdout);
    let log = clone.succeed("log staging --sandbox");
    assert!(log.stdout.contains("promote"), "{}", log.stdout);
    clone.succeed("rollback staging --sandbox");
    let log = clone.succeed("log staging --sandbox");
    assert!(log.stdout.contains("roll staging back"), "{}", log.stdout);
    let plan = clone.succeed("plan review staging --sandbox");
    assert!(plan.stdout.contains("AWS_SECRET_ACCESS_KEY"), "after a rollback there is work again:\n{}", plan.stdout);
}

#[test]
fn what_staging_runs_goes_on_to_prod() {
    let clone = Clone::new();
    clone.succeed("promote review/pr-80 staging --sandbox");
    let ambiguous = clone.exit(2, "promote staging prod --sandbox");
    assert!(ambiguous.stderr.contains("`--pipeline pangeo-forge`"), "{}", ambiguous.stderr);
    let ran = clone.succeed("promote staging prod --sandbox --pipeline pangeo-forge");
    assert!(ran.stdout.contains("api.pangeo-forge.org"), "{}", ran.stdout);
    let apps = clone.world().facts().expect("facts")["apps"].clone();
    assert_eq!(apps["pangeo-forge-api-prod"]["commit"], apps["pangeo-forge-api-staging"]["commit"]);
    assert_eq!(apps["pangeo-forge-api-prod"]["commit"], clone.scenario.git(["rev-parse", "HEAD"]));
}

/// Somebody without rights, without an account and without a git identity.
const NOBODY: u32 = 65534;

/// Gives a folder with everything in it to `NOBODY`.
fn give_away(folder: &Path) {
    let owner = Some(NOBODY);
    std::os::unix::fs::lchown(folder, owner, owner).expect("root may");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type().expect("its type").is_dir() {
            true => give_away(&entry.path()),
            false => std::os::unix::fs::lchown(entry.path(), owner, owner).expect("root may"),
        }
    }
}

#[test]
fn another_user_than_root_without_identity_and_remote_does_the_same() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: needs root, to become another user");
        return;
    }
    let Some(setpriv) = peer("setpriv") else { return };
    let clone = Clone::new();
    clone.scenario.git(["remote", "remove", "origin"]);
    assert_eq!(clone.scenario.git(["rev-list", "--count", "HEAD"]), "1", "a depth of 1");
    // Where this binary lies that user may have no way to.
    let binary = clone.scenario.root().join("lockage");
    std::fs::copy(env!("CARGO_BIN_EXE_lockage"), &binary).expect("a copy");
    give_away(clone.scenario.root());
    let run = |words: &[&str]| {
        let mut command = clone.scenario.command(&setpriv);
        let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
        command.args([user.as_str(), group.as_str(), "--clear-groups", "--no-new-privs"]).args(words);
        clone.scenario.finish(&mut command, b"")
    };
    let lockage = binary.to_str().expect("a path");
    let promote = [lockage, "promote", "review", "staging", "--sandbox"];
    let first = run(&promote);
    assert_eq!(first.code, 0, "{}\n{}", first.stdout, first.stderr);
    assert!(first.stdout.contains("applied"), "{}", first.stdout);
    let second = run(&promote);
    assert_eq!(second.code, 0, "{}\n{}", second.stdout, second.stderr);
    assert!(second.stdout.contains("nothing to do"), "{}", second.stdout);
    assert_eq!(run(&["git", "status", "--porcelain"]).stdout, "", "the work tree stays clean");
    let reset = run(&[lockage, "sandbox", "reset"]);
    assert_eq!(reset.code, 0, "{}", reset.stderr);
}
