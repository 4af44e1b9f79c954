//! Death by SIGKILL during each request of a promotion, before and after it was processed, and the resume after it.
//!
//! Deaths after each line of the journal are in `kill_journal.rs`.

use lockage::sandbox::{FaultKind, World, requests};

use super::clone::{Clone, PROMOTE, fault, fault_on, since, writes};

/// The parts into which the positions are split, one test each, so that they run side by side.
const PARTS: usize = 3;

/// Kills a promotion in the request that `hang` stops. Whether it came to that request.
fn killed(clone: &Clone, world: &World, hang: lockage::sandbox::Fault) -> bool {
    let before = requests(world.dir()).expect("the log").len();
    world.add_fault(&hang).expect("a fault");
    let mut child = clone.start(PROMOTE);
    let stopped = loop {
        let unanswered = |request: &lockage::sandbox::LoggedRequest| request.status.is_none();
        if since(world, before).iter().any(unanswered) {
            break true;
        }
        if child.try_wait().expect("the child").is_some() {
            break since(world, before).iter().any(unanswered);
        }
        std::thread::yield_now();
    };
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    world.clear_faults().expect("no faults");
    stopped
}

/// What a clean promotion sends, and the facts that it ends with.
fn clean(clone: &Clone) -> (Vec<lockage::sandbox::LoggedRequest>, serde_json::Value) {
    let world = clone.world();
    let before = requests(world.dir()).expect("the log").len();
    clone.succeed(PROMOTE);
    let all = since(&world, before);
    let facts = comparable(&world);
    clone.reset();
    (all, facts)
}

/// The facts of a world, without what each world draws anew.
pub(super) fn comparable(world: &World) -> serde_json::Value {
    let mut facts = world.facts().expect("facts");
    let app = &mut facts["apps"]["pangeo-forge-api-staging"];
    let names: Vec<String> = app["config"].as_object().expect("config").keys().cloned().collect();
    app["config"] = names.into();
    for domain in app["domains"].as_array_mut().expect("domains") {
        domain["cname"].take();
    }
    serde_json::json!({ "staging": app.clone(), "records": facts["zones"]["pangeo-forge.org"].as_array().map(Vec::len) })
}

/// The requests that make something, in order. A source that was only asked for or only uploaded makes nothing: it may be
/// asked for again.
pub(super) fn makers(sent: &[lockage::sandbox::LoggedRequest]) -> Vec<String> {
    only_makers(writes(sent))
}

fn only_makers(mut sent: Vec<String>) -> Vec<String> {
    sent.retain(|request| !request.contains("/uploads/") && !request.ends_with("/sources"));
    sent
}

/// Dies in one request, resumes, and holds the whole to a clean run.
fn dies_in(clone: &Clone, hang: lockage::sandbox::Fault, goal: &(Vec<String>, serde_json::Value), what: &str) -> bool {
    let world = clone.world();
    let before = requests(world.dir()).expect("the log").len();
    if !killed(clone, &world, hang.clone()) {
        clone.reset();
        return false;
    }
    let journal = clone.journal().is_some();
    let ran = clone.run(PROMOTE);
    assert_eq!(ran.code, 0, "{what}: {}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout.contains("resumed from the journal"), journal, "{what}: {}", ran.stdout);
    assert_eq!(clone.journal(), None, "{what}: the journal is put away");
    let mut sent = since(&world, before);
    if matches!(hang.kind, FaultKind::HangBefore) {
        // It arrived and was not processed.
        sent.retain(|request| request.status.is_some());
    }
    assert_eq!(
        makers(&sent),
        only_makers(goal.0.clone()),
        "{what}: each request that makes something was processed once"
    );
    assert_eq!(comparable(&world), goal.1, "{what}: the world is the plan's");
    clone.reset();
    true
}

fn part(number: usize) {
    let clone = Clone::new();
    let (all, facts) = clean(&clone);
    let goal = (writes(&all), facts);
    let mut reached = 0;
    for position in (0..all.len()).filter(|position| position % PARTS == number) {
        let mut hang = fault(FaultKind::HangBefore);
        hang.skip = u32::try_from(position).expect("a small number");
        let what = format!("killed before request {position} was processed");
        reached += usize::from(dies_in(&clone, hang, &goal, &what));
    }
    let positions = all.len() / PARTS;
    // How often a state is asked for while it is waited for differs from run to run.
    assert!(reached * 10 >= positions * 8, "{reached} of {positions} positions were reached");
}

#[test]
fn a_death_in_any_request_is_resumed_first_third() {
    part(0);
}

#[test]
fn a_death_in_any_request_is_resumed_second_third() {
    part(1);
}

#[test]
fn a_death_in_any_request_is_resumed_last_third() {
    part(2);
}

#[test]
fn a_death_after_a_write_was_processed_sends_it_no_second_time() {
    let clone = Clone::new();
    let (all, facts) = clean(&clone);
    let goal = (writes(&all), facts);
    for write in &goal.0 {
        let (method, path) = write.split_once(' ').expect("a method and a path");
        let hang = fault_on(method, path, FaultKind::HangAfter);
        assert!(dies_in(&clone, hang, &goal, &format!("killed after `{write}`")), "`{write}` was reached");
    }
}

#[test]
fn a_resume_needs_no_pipeline_file() {
    for kind in [FaultKind::HangBefore, FaultKind::HangAfter] {
        let clone = Clone::with_world();
        let world = clone.world();
        assert!(killed(&clone, &world, fault_on("POST", "/apps/*/builds", kind)));
        for file in std::fs::read_dir(clone.scenario.repo().join("pipelines")).expect("pipelines").flatten() {
            std::fs::remove_file(file.path()).expect("a pipeline file");
        }
        let ran = clone.succeed("apply staging --sandbox");
        assert!(ran.stdout.contains("resumed from the journal"), "{}", ran.stdout);
        assert_eq!(clone.journal(), None);
    }
}

#[test]
fn a_death_on_the_way_back_is_resumed_and_goes_on_undoing() {
    let clone = Clone::new();
    let app = "/apps/pangeo-forge-api-staging";
    for (method, path) in [("DELETE", "/acm"), ("DELETE", "/domains/*"), ("POST", "/releases")] {
        for kind in [FaultKind::HangBefore, FaultKind::HangAfter] {
            let what = format!("{kind:?} in {method} {path}");
            let world = clone.world();
            let (start, before) = (world.facts().expect("facts"), requests(world.dir()).expect("the log").len());
            world.add_fault(&fault_on("UPDATE", "*", FaultKind::DnsRefused)).expect("a fault");
            assert!(killed(&clone, &world, fault_on(method, &format!("{app}{path}"), kind.clone())), "{what}");
            let ran = clone.exit(4, PROMOTE);
            assert!(ran.stderr.contains("outcome: rolledback"), "{what}: {}", ran.stderr);
            assert_eq!(world.facts().expect("facts"), start, "{what}: the world is as it was");
            assert_eq!(clone.journal(), None, "{what}");
            let releases = since(&world, before).into_iter().filter(|request| {
                // What hung before its work was done made nothing.
                let made = request.status.is_some() || matches!(kind, FaultKind::HangAfter);
                made && request.method == "POST" && request.path == format!("{app}/releases")
            });
            assert_eq!(releases.count(), 1, "{what}: one release undoes it");
            clone.reset();
        }
    }
}

#[test]
fn two_promotions_of_a_stage_do_not_run_at_once() {
    let clone = Clone::new();
    let world = clone.world();
    world.add_fault(&fault_on("POST", "*/builds", FaultKind::HangBefore)).expect("a fault");
    let mut first = clone.start(PROMOTE);
    while !since(&world, 0).iter().any(|request| request.status.is_none()) {
        assert!(first.try_wait().expect("the child").is_none(), "it is stopped in its build");
        std::thread::yield_now();
    }
    let ran = clone.exit(1, PROMOTE);
    assert!(ran.stderr.contains("is running now"), "{}", ran.stderr);
    let status = clone.succeed("status --sandbox --pipeline pangeo-forge");
    assert!(status.stdout.contains("a promotion is running now"), "{}", status.stdout);
    first.kill().expect("it is killed");
    first.wait().expect("it ends");
    clone.succeed(PROMOTE);
}
