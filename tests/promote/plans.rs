//! Plans as files: made without writing, applied while true, refused when stale or edited.

use lockage::sandbox::requests;

use super::clone::{Clone, PROMOTE, since, writes};

#[test]
fn a_plan_only_asks() {
    let clone = Clone::new();
    let world = clone.world();
    let (start, before) = (world.facts().expect("facts"), requests(world.dir()).expect("the log").len());
    for line in [
        "plan review staging --sandbox",
        "plan staging --sandbox --pipeline pangeo-forge",
        "promote review staging --dry-run --sandbox",
    ] {
        clone.succeed(line);
    }
    let asked = since(&world, before);
    assert!(
        asked.iter().any(|request| request.service == "heroku") && asked.iter().any(|request| request.service == "dns")
    );
    assert_eq!(writes(&asked), [""; 0]);
    assert_eq!(world.facts().expect("facts"), start);
    assert_eq!(clone.journal(), None);
}

#[test]
fn a_plan_is_applied_once_and_refused_when_stale() {
    let clone = Clone::new();
    clone.succeed("plan review staging --sandbox -o ../plan.json");
    let ran = clone.succeed("apply ../plan.json --sandbox");
    assert!(ran.stdout.contains("applied"), "{}", ran.stdout);
    let world = clone.world();
    let before = requests(world.dir()).expect("the log").len();
    let ran = clone.exit(1, "apply ../plan.json --sandbox");
    assert!(ran.stderr.contains("the plan is stale"), "{}", ran.stderr);
    assert_eq!(writes(&since(&world, before)), [""; 0]);
    assert_eq!(clone.journal(), None);
    assert_eq!(clone.changes(), "");
}

#[test]
fn an_edited_plan_is_refused() {
    let clone = Clone::new();
    clone.succeed("plan review staging --sandbox -o ../plan.json");
    let path = clone.scenario.root().join("plan.json");
    let text = std::fs::read_to_string(&path).expect("the plan");
    for (old, new) in [("api-staging.pangeo-forge.org", "api-staging.evil.example"), ("automatic", "manual")] {
        assert!(text.contains(old), "the plan has `{old}`");
        std::fs::write(&path, text.replace(old, new)).expect("the plan");
        let ran = clone.run("apply ../plan.json --sandbox");
        assert!([2, 3].contains(&ran.code), "{}: {}", ran.code, ran.stderr);
    }
    std::fs::write(&path, &text[..text.len() / 2]).expect("the plan");
    assert!([2, 3].contains(&clone.run("apply ../plan.json --sandbox").code));
    std::fs::write(&path, text).expect("the plan");
    clone.succeed("apply ../plan.json --sandbox");
}

#[test]
fn a_rollback_brings_back_the_start() {
    let clone = Clone::new();
    let world = clone.world();
    let start = world.facts().expect("facts");
    clone.succeed(PROMOTE);
    assert_ne!(world.facts().expect("facts"), start);
    let (_, report) = clone.json("rollback staging --sandbox");
    assert_eq!(report["outcome"], "applied", "{report}");
    assert_eq!(world.facts().expect("facts"), start);
    clone.succeed(PROMOTE);
}
