//! Consent outside the rehearsal, where nothing else is in the way: own keys, own clone, platforms that answer.

use std::process::Stdio;

use lockage::sandbox::{Stack, requests};

use super::clone::writes;
use super::team::Team;

const PROMOTE: &str = "promote review/pr-1 staging";

#[test]
fn a_missing_answer_is_refused_and_never_waited_for() {
    let team = Team::new(Stack::Slug);
    let member = team.clone("one");
    member.want("team-pr-1", Stack::Slug, "first");
    let start = team.world.facts().expect("facts");
    for line in [PROMOTE, "promote review/pr-1 staging --json", "promote review/pr-1 staging --non-interactive"] {
        let ran = member.run(line);
        assert_eq!(ran.code, 2, "{line}: {}\n{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("nobody can be asked here: Apply this to staging?"), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("--yes"), "it says which flag answers: {}", ran.stderr);
    }
    // An open pipe that says nothing is nobody, too.
    let mut command = member.command(PROMOTE);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let silent = child.stdin.take().expect("a pipe");
    let out = child.wait_with_output().expect("it ends");
    drop(silent);
    assert_eq!(out.status.code(), Some(2), "{}", String::from_utf8_lossy(&out.stderr));

    let ran = member.run("promote review/pr-1 staging --yes=prod");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("names another stage than `staging`"), "{}", ran.stderr);
    assert_eq!(writes(&requests(team.world.dir()).expect("the log")), [""; 0], "nothing was sent");
    assert_eq!(team.world.facts().expect("facts"), start);
    assert!(!member.path.join(".git/lockage/journal/team.staging.journal").exists());
    assert_eq!(team.git(&team.remote(), &["for-each-ref", "refs/lockage"]), "", "nothing was locked or recorded");

    let ran = member.run(&format!("{PROMOTE} --yes"));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(writes(&requests(team.world.dir()).expect("the log")).len(), 3, "config, release, record");
    for line in [format!("{PROMOTE} --yes"), PROMOTE.to_owned()] {
        let ran = member.run(&line);
        assert_eq!(ran.code, 0, "nothing to do needs no answer: {}", ran.stderr);
        assert!(ran.stdout.contains("nothing to do"), "{}", ran.stdout);
    }
    let ran = member.run("rollback staging");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("nobody can be asked here"), "{}", ran.stderr);
    let ran = member.run("rollback staging --yes");
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn the_key_is_sent_to_no_foreign_host() {
    let mut team = Team::new(Stack::Slug);
    team.scenario.set_env("HEROKU_HOST", "https://heroku.com.example.org");
    let member = team.clone("one");
    let ran = member.run("plan review/pr-1 staging");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("the API key is not sent there"), "{}", ran.stderr);
}
