//! A full disk: a small tmpfs as the journal's folder, the ledger's repository, the whole state folder, a plan's folder.

use std::path::Path;

use lockage::sandbox::requests;

use super::clone::{Clone, PROMOTE, ledger_has, since, writes};
use super::kill::comparable;
use crate::common::small_disk::{SmallDisk, fill};

#[test]
fn a_full_disk_leaves_a_journal_that_resumes() {
    let clone = Clone::with_world();
    let world = clone.world();
    let start = requests(world.dir()).expect("the log").len();
    let Some(mount) = SmallDisk::new(world.dir().join("journal"), "64k") else { return };
    let ballast = mount.0.join("ballast");
    let (mut interrupted, mut ended_well) = (0, false);
    // Each round has one page of journal more.
    for pages in 0..16 {
        let _ = std::fs::remove_file(&ballast);
        fill(&ballast, 16 - pages);
        let ran = clone.run(PROMOTE);
        if ran.code == 0 {
            ended_well = true;
            break;
        }
        assert_eq!(ran.code, 4, "{pages}: {}\n{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("journal"), "{}", ran.stderr);
        assert!(ran.stderr.contains("make room on the disk"), "{}", ran.stderr);
        let touched = !writes(&since(&world, start)).is_empty();
        interrupted += usize::from(touched);
        assert!(!touched || ran.stderr.contains("outcome: "), "{}", ran.stderr);
    }
    assert!(interrupted > 0, "the disk was full half-way");
    assert!(ended_well, "with room it ends well");
    for (write, times) in [("PATCH", 1), ("/builds", 1), ("/domains", 1), ("/acm", 1), ("UPDATE", 1)] {
        let sent = writes(&since(&world, start));
        assert_eq!(sent.iter().filter(|sent| sent.contains(write)).count(), times, "{write}: {sent:?}");
    }
    let again = clone.succeed(PROMOTE);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    drop(mount);
}

/// Runs the main job again and again with one free page more each time, until it ends well. What each failed run said.
fn grow(clone: &Clone, mount: &SmallDisk, most: u64) -> Vec<String> {
    let mut said = Vec::new();
    for pages in 0..most {
        clone.settle();
        mount.leave(pages);
        let ran = clone.run(PROMOTE);
        if ran.code == 0 {
            return said;
        }
        assert_eq!(ran.code, 4, "{pages}: {}\n{}", ran.stdout, ran.stderr);
        let told = ["make room", "no room left", "No space left", "SERVFAIL"];
        assert!(told.iter().any(|words| ran.stderr.contains(words)), "{pages}: it says what is wrong: {}", ran.stderr);
        said.push(ran.stderr);
    }
    panic!("with {most} pages it does not end well: {said:#?}");
}

/// What a promotion that nothing disturbed makes of a world.
fn goal() -> serde_json::Value {
    let clone = Clone::with_world();
    clone.succeed(PROMOTE);
    comparable(&clone.world())
}

#[test]
fn a_full_ledger_is_told_and_the_next_run_with_room_records() {
    let clone = Clone::with_world();
    let world = clone.world();
    let start = requests(world.dir()).expect("the log").len();
    let Some(mount) = SmallDisk::new(world.dir().join("ledger.git"), "1m") else { return };
    let said = grow(&clone, &mount, 100);
    let unrecorded = said.iter().filter(|said| said.contains("everything is done, but the ledger does not have it"));
    assert!(unrecorded.count() > 0, "the disk was full when it was recorded: {said:#?}");
    assert!(said.iter().any(|said| said.contains("outcome: unchanged")), "and when nothing had begun: {said:#?}");
    let sent = writes(&since(&world, start));
    for write in ["PATCH", "/builds", "/domains", "/acm", "UPDATE"] {
        assert_eq!(sent.iter().filter(|sent| sent.contains(write)).count(), 1, "{write}: {sent:?}");
    }
    ledger_has(&world, 1);
    let again = clone.succeed(PROMOTE);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    drop(mount);
}

#[test]
fn a_full_state_folder_is_told_and_the_next_run_with_room_ends_well() {
    let goal = goal();
    let mut clone = Clone::new();
    let folder = clone.scenario.root().join("small");
    clone.scenario.set_env("XDG_STATE_HOME", folder.display().to_string());
    let Some(mount) = SmallDisk::new(folder, "4m") else { return };
    let said = grow(&clone, &mount, 200);
    assert!(said.len() > 5, "it was full at many places: {said:#?}");
    let world = clone.world();
    assert_eq!(comparable(&world), goal, "{said:#?}");
    ledger_has(&world, 1);
    mount.leave(100);
    let again = clone.succeed(PROMOTE);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    clone.reset();
    drop(mount);
}

#[test]
fn a_plan_that_finds_no_room_leaves_the_one_before() {
    let clone = Clone::with_world();
    let Some(mount) = SmallDisk::new(clone.scenario.root().join("plans"), "64k") else { return };
    let before = "the plan before\n";
    let (file, names) = (mount.0.join("plan.json"), |folder: &Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).expect("it").flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        names
    });
    for existing in [false, true] {
        if existing {
            mount.leave(1);
            std::fs::write(&file, before).expect("a plan");
        }
        mount.leave(0);
        let there = names(&mount.0);
        let ran = clone.exit(4, "plan review staging --sandbox -o ../plans/plan.json");
        assert!(ran.stderr.contains("plan.json"), "{}", ran.stderr);
        assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);
        assert_eq!(names(&mount.0), there, "no part of a plan is left");
        let text = std::fs::read_to_string(&file).ok();
        assert_eq!(text.as_deref(), existing.then_some(before));
    }
    mount.leave(8);
    clone.succeed("plan review staging --sandbox -o ../plans/plan.json");
    clone.succeed("apply ../plans/plan.json --sandbox");
    drop(mount);
}
