//! Every spelling of `promote review->staging`, and the file that a shell makes of one.

use std::process::Command;

use super::clone::Clone;

#[test]
fn every_spelling_plans_the_same() {
    let clone = Clone::new();
    let plan = |args: &[&str]| {
        let ran = clone.scenario.run([&["plan", "--sandbox", "--json"], args].concat());
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert!(document["steps"].as_array().is_some_and(|steps| !steps.is_empty()), "{document}");
        document["steps"].clone()
    };
    let first = plan(&["review", "staging"]);
    let spellings: [&[&str]; 7] = [
        &["review..staging"],
        &["review:staging"],
        &["review->staging"],
        &["review -> staging"],
        &["review→staging"],
        &["--from", "review", "--to", "staging"],
        &["review/pr-80", "staging"],
    ];
    for spelling in spellings {
        assert_eq!(plan(spelling), first, "{spelling:?}");
    }
}

#[test]
fn the_shells_redirect_is_caught_before_any_work() {
    let clone = Clone::new();
    let lockage = env!("CARGO_BIN_EXE_lockage");
    for line in ["promote review->staging", "promote review -> staging", "promote review=>staging"] {
        let mut shell: Command = clone.scenario.command("sh");
        let ran = clone.scenario.finish(shell.arg("-c").arg(format!("{lockage} {line} --sandbox")), b"");
        assert_eq!(ran.code, 2, "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("lockage promote review staging"), "{line}: {}", ran.stderr);
        assert_eq!(clone.scenario.read("staging"), "", "nothing is written into the stray file");
        std::fs::remove_file(clone.scenario.repo().join("staging")).expect("the stray file");
    }
    let state = std::fs::read_dir(clone.scenario.root().join("state")).expect("the folder").count();
    assert_eq!(state, 0, "no world was started");
}
