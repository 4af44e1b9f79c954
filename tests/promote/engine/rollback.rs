//! The way back by command: the ledger's last promotion undone, from any clone.

use lockage::error::Outcome;
use lockage::promote::{Act, PromoteError, Purpose, StageName, Task};

use super::fixture::{Fixture, run};

fn law(fixture: &Fixture) {
    let start = fixture.world.facts();
    let plan = fixture.plan().unwrap();
    let report = fixture.apply(&plan).unwrap();
    assert_eq!(report.outcome, Outcome::Applied);
    assert_eq!(report.checks.len(), 3);
    let stage = StageName::plain("staging");
    let back = run(fixture.engine().plan_rollback("pangeo-forge", &stage)).unwrap();
    assert_eq!(back.purpose, Purpose::Rollback { entry: report.entry.unwrap() });
    assert!(!back.to_json().unwrap().contains("CANARY"));
    let report = fixture.apply(&back).unwrap();
    assert_eq!(report.outcome, Outcome::Applied);
    assert_eq!(fixture.world.facts(), start);
    let entries = fixture.engine().ledger.entries("pangeo-forge", &stage, 10).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].entry.plan.ledger.as_deref(), Some(entries[1].commit.as_str()));
}

#[test]
fn a_rollback_brings_the_start_back() {
    law(&Fixture::new().with_known_origin());
}

#[test]
fn a_rollback_of_values_of_unknown_origin_is_the_platforms_own() {
    let fixture = Fixture::new();
    law(&fixture);
    assert!(fixture.world.get().log.iter().any(|line| line == "app back to v1"), "{:?}", fixture.world.get().log);
}

#[test]
fn a_failed_promotion_says_why_and_is_in_the_ledger() {
    let fixture = Fixture::new().with_known_origin();
    let plan = fixture.plan().unwrap();
    fixture.world.get().spoil = Some(1);
    let report = fixture.apply(&plan).unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack);
    let failure = report.failure.unwrap();
    assert_eq!(failure.why, "app build: the release command failed");
    let entries = fixture.engine().ledger.entries("pangeo-forge", &StageName::plain("staging"), 10).unwrap();
    assert_eq!(entries[0].entry.why.as_deref(), Some("app build: the release command failed"));
    // The build goes back first, then one write of the configuration.
    assert_eq!(fixture.world.get().log, ["app config", "app build", "app build", "app config"]);
    let error = run(fixture.engine().plan_rollback("pangeo-forge", &StageName::plain("staging"))).unwrap_err();
    assert!(matches!(error, PromoteError::NothingToRollBack { .. }), "{error}");
}

#[test]
fn a_way_back_that_fails_too_is_partial_and_goes_on_next_time() {
    let fixture = Fixture::new().with_known_origin();
    let start = fixture.world.facts();
    let plan = fixture.plan().unwrap();
    {
        let mut inner = fixture.world.get();
        inner.spoil = Some(1);
        inner.refuse = Some(2);
    }
    let error = fixture.apply(&plan).unwrap_err();
    use lockage::error::Failure as _;
    assert_eq!((error.outcome(), error.class().code()), (Some(Outcome::Partial), 4), "{error}");
    let report = fixture.resume().unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert_eq!(fixture.world.facts(), start);
}

#[test]
fn what_was_sent_is_what_the_ledger_has() {
    let fixture = Fixture::new();
    let plan = fixture.plan().unwrap();
    fixture.apply(&plan).unwrap();
    let entries = fixture.engine().ledger.entries("pangeo-forge", &StageName::plain("staging"), 1).unwrap();
    let Task::Write(write) = &entries[0].entry.plan.steps[4].task else { panic!() };
    let Act::Change(change) = &write.act else { panic!() };
    assert_eq!(change.after.facts().count(), 0, "the name that the platform gave is recorded");
}
