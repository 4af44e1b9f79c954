//! Where the guard has to work: before the first commit, in work trees, shallow clones, partial commits, ranges.

use crate::common::scenario::Scenario;
use crate::lab::{FORMATS, Lab, PASSWORD, encrypt_as, encrypted, rules};

#[test]
fn before_the_first_commit() {
    let scenario = Scenario::new();
    let mut lab = Lab { scenario };
    lab.stage(".sops.yaml", rules());
    for format in FORMATS {
        lab.stage(&format.path(), format.plain).blocked("clear-value", format.ending);
        let Some(text) = encrypt_as(&format.path(), format.plain, &[]) else { return };
        lab.stage(&format.path(), text).passes(format.ending);
    }
}

#[test]
fn in_a_linked_work_tree_and_in_a_shallow_clone() {
    let Some(lab) = Lab::new() else { return };
    let root = lab.scenario.root().display().to_string();
    lab.scenario.git(["worktree", "add", "-q", "../linked", "-b", "linked"]);
    lab.scenario.git(["clone", "-q", "--depth", "1", &format!("file://{root}/repo"), "../shallow"]);
    for folder in ["linked", "shallow"] {
        let folder = lab.scenario.root().join(folder);
        let guard = |folder: &std::path::Path| {
            let out = lab.scenario.lockage().current_dir(folder).args(["guard"]).output().unwrap();
            out.status.code()
        };
        assert_eq!(guard(&folder), Some(0));
        std::fs::write(folder.join("secrets/app.yaml"), FORMATS[0].plain).unwrap();
        lab.scenario.git(["-C", folder.to_str().unwrap(), "add", "-A"]);
        assert_eq!((guard(&folder), guard(&folder.join("secrets"))), (Some(1), Some(1)), "{}", folder.display());
    }
    lab.passes("the first work tree is another index");
}

#[test]
fn every_tracked_file() {
    let mut lab = Lab::with_rules("creation_rules: []\n");
    lab.stage("secrets/app.yaml", FORMATS[0].plain);
    lab.scenario.commit("in clear");
    lab.stage(".sops.yaml", rules());
    lab.scenario.commit("rules");
    lab.passes("nothing is staged");
    let said = lab.ask(&["guard", "--all", "--json"]);
    assert_eq!((said.code, said.checks()), (1, vec!["clear-value".to_owned()]), "{}", said.stderr);
}

#[test]
fn each_commit_of_a_range() {
    let Some(mut lab) = Lab::new() else { return };
    let start = lab.scenario.git(["rev-parse", "HEAD"]);
    let yaml = FORMATS[0];
    lab.stage(&yaml.path(), yaml.plain);
    let leaked = lab.scenario.commit("leak");
    lab.stage(&yaml.path(), encrypted(yaml));
    lab.scenario.commit("mend");
    lab.passes("nothing is staged");
    let said = lab.ask(&["guard", "--json", "--range", &format!("{start}..HEAD")]);
    assert_eq!(said.code, 1);
    assert_eq!(said.json["reports"][0]["commit"], leaked.as_str(), "what was mended later is still in history");
    assert_eq!(lab.ask(&["guard", "--range", "HEAD~1..HEAD"]).code, 0);
    assert_eq!(lab.ask(&["guard", "--range", "HEAD"]).code, 1, "nothing was pushed yet");
    assert_eq!(lab.ask(&["guard", "--range", "nowhere..HEAD"]).code, 2);
}

#[test]
fn an_index_that_git_names() {
    let Some(mut lab) = Lab::new() else { return };
    let index = lab.scenario.root().join("other-index").display().to_string();
    lab.scenario.write("secrets/new.yaml", "a: blue-house-42\n");
    lab.scenario.set_env("GIT_INDEX_FILE", &index);
    lab.scenario.git(["read-tree", "HEAD"]);
    lab.scenario.git(["add", "secrets/new.yaml"]);
    lab.blocked_only("clear-value", "the other index");
    lab.scenario.unset_env("GIT_INDEX_FILE");
    lab.passes("the usual index");
}

#[test]
fn a_promised_file_is_none_yet() {
    let Some(mut lab) = Lab::new() else { return };
    lab.scenario.write("secrets/new.yaml", format!("a: {PASSWORD}\n"));
    lab.scenario.git(["add", "-N", "secrets/new.yaml"]);
    lab.passes("`git add -N` stages nothing");
}

#[test]
fn outside_of_a_repository() {
    let lab = Lab::with_rules(&rules());
    let out = lab.scenario.lockage().args(["-C", "/", "guard"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn this_repository_passes_its_own_guard() {
    let root = env!("CARGO_MANIFEST_DIR");
    let scenario = Scenario::new();
    let mut git = scenario.command("git");
    if !git.args(["-C", root, "rev-parse"]).output().unwrap().status.success() {
        return;
    }
    let out = scenario.lockage().args(["-C", root, "guard", "--all"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
}
