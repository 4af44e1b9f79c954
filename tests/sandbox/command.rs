//! `lockage sandbox`, by the real binary.

use lockage::sandbox::{SandboxError, Stack, World};
use serde_json::Value;

use crate::common::scenario::Scenario;
use crate::common::world::serve;
use crate::world::demo;

fn status(scenario: &Scenario) -> Value {
    let ran = scenario.run(["sandbox", "status", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_world_is_looked_at_and_removed() {
    let scenario = Scenario::new();
    let none = status(&scenario);
    assert_eq!((&none["schema"], &none["exists"]), (&"lockage.sandbox-status/1".into(), &false.into()));
    let dir = std::path::PathBuf::from(none["directory"].as_str().unwrap());
    assert!(
        dir.starts_with(scenario.root().canonicalize().unwrap().join("state/lockage/sandbox")),
        "{}",
        dir.display()
    );
    assert!(scenario.run(["sandbox", "status"]).stdout.starts_with("none yet"));

    World::open_or_start::<SandboxError>(&dir, jiff::Timestamp::now(), || Ok(demo(Stack::Container)), serve).unwrap();
    let served = status(&scenario);
    assert_eq!((&served["exists"], &served["served"]), (&true.into(), &true.into()));
    assert_eq!(served["world"]["apps"]["demo"]["commit"], "a".repeat(40));
    let ran = scenario.run(["sandbox", "status"]);
    assert!(ran.stdout.contains("demo: aaaaaaaa"), "{}", ran.stdout);
    // From a folder inside the repository, and from a worktree of it, it is the same world.
    std::fs::create_dir(scenario.repo().join("inner")).unwrap();
    let ran = scenario.run(["-C", "inner", "sandbox", "status", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["directory"], served["directory"]);

    let ran = scenario.run(["sandbox", "reset"]);
    assert_eq!((ran.code, ran.stderr.trim()), (0, "the sandbox's world is removed"));
    assert!(!dir.exists());
    let ran = scenario.run(["sandbox", "reset"]);
    assert_eq!((ran.code, ran.stderr.trim()), (0, "there is no world to remove"));
}

#[test]
fn a_second_server_of_a_world_and_one_of_none_are_refused() {
    let scenario = Scenario::new();
    let dir = scenario.root().join("world");
    let again = || scenario.run(["sandbox", "serve", "--world", dir.to_str().unwrap()]);
    let ran = again();
    assert!(ran.code == 2 && ran.stderr.contains("holds no world"), "{}", ran.stderr);
    World::open_or_start::<SandboxError>(&dir, jiff::Timestamp::now(), || Ok(demo(Stack::Slug)), serve).unwrap();
    let ran = again();
    assert!(ran.code == 4 && ran.stderr.contains("is served by another process"), "{}", ran.stderr);
    assert!(World::reset(&dir).unwrap());
}

#[test]
fn without_a_repository_or_a_folder_there_is_no_world() {
    let mut scenario = Scenario::new();
    let ran = scenario.run(["-C", "..", "sandbox", "status"]);
    assert!(ran.code == 2 && ran.stderr.contains("is in no git repository"), "{}", ran.stderr);
    scenario.unset_env("HOME");
    scenario.unset_env("XDG_STATE_HOME");
    let ran = scenario.run(["sandbox", "reset"]);
    assert!(ran.code == 2 && ran.stderr.contains("XDG_STATE_HOME"), "{}", ran.stderr);
}
