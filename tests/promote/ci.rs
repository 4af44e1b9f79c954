//! CI of the build that moves: asked where the platform runs tests, and said where nothing was asked.

use lockage::sandbox::{FaultKind, Stack, requests};

use super::clone::{Clone, fault_on, writes};
use super::team::Team;

#[test]
fn red_tests_stop_the_plan_and_green_ones_are_shown() {
    let team = Team::new(Stack::Slug);
    let member = team.clone("one");
    let mut red = fault_on("", "team", FaultKind::TestsFail);
    red.method = None;
    team.world.add_fault(&red).expect("a fault");
    member.want("team-pr-1", Stack::Slug, "red");
    for line in ["plan review/pr-1 staging", "promote review/pr-1 staging --yes"] {
        let ran = member.run(line);
        assert_eq!(ran.code, 1, "{line}: {}\n{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("the tests of what `review/pr-1` runs are not green: test run"), "{}", ran.stderr);
        assert!(ran.stderr.contains("is `failed`"), "{}", ran.stderr);
    }
    assert_eq!(writes(&requests(team.world.dir()).expect("the log")), [""; 0], "nothing was sent");

    member.want("team-pr-1", Stack::Slug, "green");
    let ran = member.run("plan review/pr-1 staging");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let shown = ran.stdout.lines().any(|line| line.contains("ok CI: test run") && line.ends_with("succeeded"));
    assert!(shown, "{}", ran.stdout);
}

#[test]
fn the_container_stack_has_no_tests_to_ask_for() {
    let clone = Clone::with_world();
    let ran = clone.succeed("plan review staging --sandbox");
    assert!(ran.stdout.contains("CI: not checked"), "{}", ran.stdout);
    let asked = requests(clone.world().dir()).expect("the log");
    assert!(!asked.iter().any(|request| request.path.ends_with("/test-runs")), "it is not asked for");
}
