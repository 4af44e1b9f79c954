//! What a platform may answer besides yes: the exit code, the words, and nothing changed or a journal that resumes.

use lockage::sandbox::{FaultKind, requests};

use super::clone::{Clone, PROMOTE, fault_on, since, status, writes};

const STAGING: &str = "/apps/pangeo-forge-api-staging";

fn slow_down(retry_after: Option<u32>) -> FaultKind {
    FaultKind::Status { status: 429, id: "rate_limit".into(), message: "no".into(), retry_after, html: false }
}

#[test]
fn a_refused_question_changes_nothing() {
    let clone = Clone::new();
    let world = clone.world();
    let start = world.facts().expect("facts");
    for (code, id) in
        [(401, "unauthorized"), (403, "forbidden"), (404, "not_found"), (409, "conflict"), (422, "invalid_params")]
    {
        let before = requests(world.dir()).expect("the log").len();
        let mut fault = fault_on("GET", STAGING, status(code, id));
        fault.times = 50;
        world.add_fault(&fault).expect("a fault");
        for line in [PROMOTE, "plan review staging --sandbox"] {
            let ran = clone.exit(4, line);
            assert!(ran.stderr.contains(&format!("answers {code} `{id}`")), "{}", ran.stderr);
            assert!(!ran.stderr.contains("caused by"), "it says it once: {}", ran.stderr);
            assert!(ran.stderr.contains("hint:") || code == 422, "{code} says what to do: {}", ran.stderr);
        }
        world.clear_faults().expect("no faults");
        assert_eq!(writes(&since(&world, before)), [""; 0], "{code}: nothing was sent");
    }
    assert_eq!(world.facts().expect("facts"), start);
    assert_eq!(clone.journal(), None);
}

#[test]
fn a_busy_platform_is_waited_for() {
    let clone = Clone::new();
    let world = clone.world();
    let before = requests(world.dir()).expect("the log").len();
    for kind in [slow_down(None), slow_down(Some(0)), status(503, ""), FaultKind::ResetBefore, FaultKind::ResetAfter] {
        world.add_fault(&fault_on("GET", STAGING, kind)).expect("a fault");
    }
    world.add_fault(&fault_on("PATCH", "*/config-vars", slow_down(Some(0)))).expect("a fault");
    clone.succeed(PROMOTE);
    assert!(world.faults().expect("faults").is_empty(), "each happened");
    let patched = since(&world, before).into_iter().filter(|request| request.method == "PATCH");
    assert_eq!(patched.filter(|request| request.status.as_deref() == Some("200")).count(), 1);
}

#[test]
fn a_wait_that_is_too_long_is_reported() {
    let clone = Clone::new();
    let world = clone.world();
    world.add_fault(&fault_on("GET", STAGING, slow_down(Some(3600)))).expect("a fault");
    let ran = clone.exit(4, PROMOTE);
    assert!(ran.stderr.contains("3600 s"), "{}", ran.stderr);
    clone.succeed(PROMOTE);
}

#[test]
fn an_unanswered_write_is_looked_for_and_not_sent_again() {
    let clone = Clone::new();
    for write in [("PATCH", "*/config-vars"), ("POST", "*/builds"), ("POST", "*/domains"), ("POST", "*/acm")] {
        let world = clone.world();
        let before = requests(world.dir()).expect("the log").len();
        world.add_fault(&fault_on(write.0, write.1, FaultKind::ResetAfter)).expect("a fault");
        clone.succeed(PROMOTE);
        let same = |sent: &&String| sent.starts_with(write.0) && sent.ends_with(&write.1[1..]);
        assert_eq!(writes(&since(&world, before)).iter().filter(same).count(), 1, "{write:?} was sent once");
        clone.reset();
    }
}

#[test]
fn a_write_that_met_a_broken_server_is_sent_again() {
    let clone = Clone::new();
    for kind in [FaultKind::ResetBefore, status(500, ""), status(503, "")] {
        let world = clone.world();
        world.add_fault(&fault_on("PATCH", "*/config-vars", kind)).expect("a fault");
        clone.succeed(PROMOTE);
        clone.reset();
    }
}

#[test]
fn a_platform_that_goes_away_half_way_leaves_a_journal_that_resumes() {
    let clone = Clone::new();
    let world = clone.world();
    let before = requests(world.dir()).expect("the log").len();
    let mut away = fault_on("GET", &format!("{STAGING}/builds/*"), status(503, ""));
    away.times = 1000;
    world.add_fault(&away).expect("a fault");
    let ran = clone.exit(4, PROMOTE);
    assert!(ran.stderr.contains("outcome: unknown") || ran.stderr.contains("outcome: partial"), "{}", ran.stderr);
    assert!(ran.stderr.contains("resumes"), "{}", ran.stderr);
    assert!(clone.journal().is_some());
    let status = clone.succeed("status --sandbox --pipeline pangeo-forge");
    assert!(status.stdout.contains("INTERRUPTED"), "{}", status.stdout);
    world.clear_faults().expect("no faults");
    let ran = clone.succeed(PROMOTE);
    assert!(ran.stdout.contains("resumed from the journal"), "{}", ran.stdout);
    let builds = writes(&since(&world, before)).iter().filter(|sent| sent.ends_with("/builds")).count();
    assert_eq!(builds, 1);
}

#[test]
fn a_platform_that_is_away_from_the_start_is_named() {
    let clone = Clone::new();
    let world = clone.world();
    let start = world.facts().expect("facts");
    for kind in [status(503, ""), FaultKind::ResetBefore] {
        let mut away = fault_on("GET", "*", kind);
        away.times = 1000;
        world.add_fault(&away).expect("a fault");
        let ran = clone.exit(4, PROMOTE);
        assert!(ran.stderr.contains("`app`"), "it names the target: {}", ran.stderr);
        world.clear_faults().expect("no faults");
    }
    assert_eq!(world.facts().expect("facts"), start);
    assert_eq!(clone.journal(), None);
}

#[test]
fn a_name_server_that_says_nothing_is_asked_what_it_did() {
    let clone = Clone::new();
    for kind in [FaultKind::DnsSilent, FaultKind::HangAfter] {
        let world = clone.world();
        world.add_fault(&fault_on("UPDATE", "*", kind.clone())).expect("a fault");
        let ran = clone.run(PROMOTE);
        assert_eq!(ran.code, 0, "{kind:?}: {}\n{}", ran.stdout, ran.stderr);
        clone.reset();
    }
}
