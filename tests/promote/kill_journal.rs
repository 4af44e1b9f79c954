//! Death by SIGKILL after each line of the journal, those behind the last request among them, and the resume after it.
//!
//! Nothing in the binary helps: the journal is watched, and the process killed when the line is there. Sometimes it has
//! written the next one by then; what counts is what the journal has afterwards, and it is tried until each line was the
//! last one once.

use std::collections::BTreeSet;
use std::path::Path;

use lockage::sandbox::{FaultKind, World, requests};

use super::clone::{Clone, PROMOTE, fault_on, ledger_has, since};
use super::kill::{comparable, makers};

/// How often each line is tried for.
const TRIES: usize = 12;
/// The parts into which the lines are split, one test each, so that they run side by side.
const PARTS: usize = 3;

fn lines(journal: &Path) -> usize {
    std::fs::read(journal).map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count())
}

/// Starts a promotion and kills it when its journal has `wanted` lines. How many it has then; 0 when it had ended.
fn killed_at(clone: &Clone, journal: &Path, wanted: usize) -> usize {
    let mut child = clone.start(PROMOTE);
    while lines(journal) < wanted && child.try_wait().expect("the child").is_none() {}
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    lines(journal)
}

/// The lines that a promotion's whole journal has.
fn all_lines(clone: &Clone) -> usize {
    lines(&clone.world_dir().join("journal/pangeo-forge.staging.ended"))
}

/// Dies with each of these lines as the last one, in a new world each time that `prepare` got ready; `check` gets the
/// world, what it had been asked before, and the line.
fn at_each(
    clone: &Clone,
    mut missing: BTreeSet<usize>,
    prepare: impl Fn(&World),
    check: impl Fn(&World, usize, usize),
) {
    for attempt in 0..missing.len() * TRIES {
        let Some(wanted) = missing.iter().nth(attempt % missing.len().max(1)).copied() else { break };
        let world = clone.world();
        let before = requests(world.dir()).expect("the log").len();
        prepare(&world);
        let reached = killed_at(clone, &world.dir().join("journal/pangeo-forge.staging.journal"), wanted);
        if missing.remove(&reached) {
            check(&world, before, reached);
        }
        clone.reset();
    }
    assert!(missing.is_empty(), "never the last line: {missing:?}");
}

fn part(number: usize) {
    let clone = Clone::new();
    let (all, last, goal) = {
        let world = clone.world();
        let before = requests(world.dir()).expect("the log").len();
        clone.succeed(PROMOTE);
        let goal = (makers(&since(&world, before)), comparable(&world));
        let all = all_lines(&clone);
        clone.reset();
        ((1..=all).filter(|line| line % PARTS == number).collect(), all, goal)
    };
    assert!(last > 20, "{last} lines");
    at_each(
        &clone,
        all,
        |_| (),
        |world, before, line| {
            let what = format!("killed with line {line} of {last} as the last");
            let ran = clone.run(PROMOTE);
            assert_eq!(ran.code, 0, "{what}: {}\n{}", ran.stdout, ran.stderr);
            // With the last line everything is done.
            let says = if line == last { "nothing to do" } else { "resumed from the journal" };
            assert!(ran.stdout.contains(says), "{what}: {}", ran.stdout);
            assert_eq!(clone.journal(), None, "{what}: the journal is put away");
            assert_eq!(makers(&since(world, before)), goal.0, "{what}: each request was processed once");
            assert_eq!(comparable(world), goal.1, "{what}: the world is the plan's");
            ledger_has(world, 1);
        },
    );
}

#[test]
fn a_death_after_any_line_is_resumed_first_third() {
    part(0);
}

#[test]
fn a_death_after_any_line_is_resumed_second_third() {
    part(1);
}

#[test]
fn a_death_after_any_line_is_resumed_last_third() {
    part(2);
}

#[test]
fn a_death_after_any_line_of_the_way_back_goes_on_undoing() {
    let clone = Clone::new();
    let refuse = |world: &World| world.add_fault(&fault_on("UPDATE", "*", FaultKind::DnsRefused)).expect("a fault");
    let (turned, last, sent) = {
        let world = clone.world();
        refuse(&world);
        clone.exit(4, PROMOTE);
        let journal = std::fs::read_to_string(clone.world_dir().join("journal/pangeo-forge.staging.ended"));
        let journal = journal.expect("the journal");
        let turned = journal.lines().position(|line| line.contains(r#"{"turned":"#)).expect("it turned") + 1;
        let sent = makers(&since(&world, 0)).len();
        clone.reset();
        (turned, journal.lines().count(), sent)
    };
    assert!(last > turned + 8, "{turned} of {last} lines");
    let start = std::cell::RefCell::new(serde_json::Value::Null);
    let prepare = |world: &World| {
        *start.borrow_mut() = world.facts().expect("facts");
        refuse(world);
    };
    at_each(&clone, (turned..last).collect(), prepare, |world, before, line| {
        let what = format!("killed with line {line} of {last} as the last, turned at {turned}");
        let ran = clone.exit(4, PROMOTE);
        assert!(ran.stderr.contains("outcome: rolledback"), "{what}: {}", ran.stderr);
        assert_eq!(clone.journal(), None, "{what}");
        assert_eq!(makers(&since(world, before)).len(), sent, "{what}: each request was processed once");
        assert_eq!(world.facts().expect("facts"), *start.borrow(), "{what}: the world is as it was");
        ledger_has(world, 1);
    });
}
