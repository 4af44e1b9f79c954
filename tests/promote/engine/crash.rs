//! The crash table: a failure at step i, death after journal event j or during request k. After resuming, the world is the
//! plan's or the start's, and every write was sent once.

use std::collections::BTreeMap;

use lockage::error::Outcome;
use lockage::promote::{Plan, Report, StageName};

use super::fixture::{DiesAfter, Fixture, in_a_process, run};
use super::world::Facts;

/// What goes wrong, beside the death.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Refuse(usize),
    Spoil(usize),
    Lose(usize),
    Unwell,
}

fn fixture(fault: Fault, known_origin: bool) -> (Fixture, Plan) {
    let fixture = if known_origin { Fixture::new().with_known_origin() } else { Fixture::new() };
    let plan = fixture.plan().unwrap();
    let mut inner = fixture.world.get();
    match fault {
        Fault::None => {}
        Fault::Refuse(step) => inner.refuse = Some(step),
        Fault::Spoil(step) => inner.spoil = Some(step),
        Fault::Lose(step) => inner.lose = Some(step),
        Fault::Unwell => inner.unwell = true,
    }
    drop(inner);
    (fixture, plan)
}

/// Applies and resumes until it has ended.
fn to_the_end(fixture: &Fixture, plan: &Plan, dies_after: Option<usize>) -> Report {
    let observer = DiesAfter::new(dies_after.unwrap_or(usize::MAX));
    let first = in_a_process(|| run(fixture.engine().apply(plan, &observer)));
    if let Some(report) = first {
        return report.unwrap();
    }
    // The pipeline file is gone: a resume needs the journal and the plan only.
    match fixture.resume().unwrap() {
        Some(report) => report,
        // Died after the last event: only the putting away was left, and opening did it.
        None => {
            let ledger = fixture.engine().ledger;
            let entries = ledger.entries("pangeo-forge", &StageName::plain("staging"), 1).unwrap();
            let outcome = entries.first().map_or(Outcome::Unchanged, |recorded| recorded.entry.outcome);
            Report {
                outcome,
                plan: plan.clone(),
                steps: Vec::new(),
                checks: Vec::new(),
                entry: entries.first().map(|recorded| recorded.commit.clone()),
                shared: false,
                began: plan.made,
                ended: plan.made,
                resumed: true,
                failure: None,
            }
        }
    }
}

fn times(log: &[String]) -> BTreeMap<&str, usize> {
    let mut times = BTreeMap::new();
    for line in log {
        *times.entry(line.as_str()).or_default() += 1;
    }
    times
}

/// Holds one ended promotion to the law.
fn hold(fixture: &Fixture, report: &Report, start: &impl PartialEq<Facts>, goal: &Facts, what: &str) {
    let now = fixture.world.facts();
    let log = fixture.world.get().log.clone();
    let back = report.outcome == Outcome::RolledBack;
    match report.outcome {
        Outcome::Applied => assert!(now == *goal, "{what}: the world is the plan's: {log:?}"),
        Outcome::RolledBack | Outcome::Unchanged => {
            assert!(*start == now, "{what}: the world is the start's: {log:?}\n{now:#?}")
        }
        other => panic!("{what}: {other:?}"),
    }
    for (line, count) in times(&log) {
        // Forward once, and on the way back the inverse once.
        let most = if back { 2 } else { 1 };
        assert!(count <= most, "{what}: `{line}` was sent {count} times: {log:?}");
    }
    let text = String::from_utf8_lossy(&fixture.written()).into_owned();
    assert!(!text.contains("CANARY"), "{what}: the journal holds a secret");
    let entries = fixture.engine().ledger.entries("pangeo-forge", &StageName::plain("staging"), 10).unwrap();
    let expected = usize::from(report.outcome != Outcome::Unchanged);
    assert_eq!(entries.len(), expected, "{what}: one entry for each promotion that changed something");
}

fn goal(known_origin: bool) -> Facts {
    let (fixture, plan) = fixture(Fault::None, known_origin);
    assert_eq!(fixture.apply(&plan).unwrap().outcome, Outcome::Applied);
    fixture.world.facts()
}

fn faults() -> Vec<Fault> {
    let mut faults = vec![Fault::None, Fault::Unwell];
    for step in 0..5 {
        faults.extend([Fault::Refuse(step), Fault::Spoil(step), Fault::Lose(step)]);
    }
    faults
}

fn table(known_origin: bool) {
    let goal = &goal(known_origin);
    // Nearly all of the time goes into flushing files: faults need not wait for each other.
    std::thread::scope(|scope| {
        for fault in faults() {
            scope.spawn(move || deaths(fault, known_origin, goal));
        }
    });
}

/// One fault with a death after every event.
fn deaths(fault: Fault, known_origin: bool, goal: &Facts) {
    {
        let mut dies_after = 0;
        loop {
            let (fixture, plan) = fixture(fault, known_origin);
            let start = fixture.world.facts();
            let report = to_the_end(&fixture, &plan, Some(dies_after));
            let what = format!("{fault:?}, death after event {dies_after}");
            hold(&fixture, &report, &start, goal, &what);
            let expected = match fault {
                Fault::None | Fault::Lose(_) => Outcome::Applied,
                Fault::Refuse(0) => Outcome::Unchanged,
                Fault::Refuse(_) | Fault::Spoil(_) | Fault::Unwell => Outcome::RolledBack,
            };
            assert_eq!(report.outcome, expected, "{what}");
            if !report.resumed {
                // It lived to its end: every event has been a death.
                assert!(dies_after > 3, "{what}");
                break;
            }
            dies_after += 1;
        }
    }
}

#[test]
fn after_every_crash_the_world_is_the_plans_or_the_starts() {
    table(false);
}

#[test]
fn the_same_where_old_values_are_in_older_blobs() {
    table(true);
}

#[test]
fn a_death_during_a_request_sends_nothing_twice() {
    let goal = goal(false);
    for request in 0..5 {
        let (fixture, plan) = fixture(Fault::None, false);
        let start = fixture.world.facts();
        fixture.world.get().die = Some(request);
        let report = to_the_end(&fixture, &plan, None);
        assert_eq!(report.outcome, Outcome::Applied);
        assert!(report.resumed, "request {request}");
        hold(&fixture, &report, &start, &goal, &format!("death during request {request}"));
    }
}

#[test]
fn an_interrupted_promotion_stands_in_the_way_of_the_next() {
    let (fixture, plan) = fixture(Fault::None, false);
    let observer = DiesAfter::new(1);
    assert!(in_a_process(|| run(fixture.engine().apply(&plan, &observer))).is_none());
    let error = fixture.apply(&plan).unwrap_err();
    assert!(matches!(error, lockage::promote::PromoteError::Unfinished { .. }), "{error}");
    assert_eq!(fixture.resume().unwrap().unwrap().outcome, Outcome::Applied);
}
