//! SIGKILL at every point of writing a set of files: the next command leaves all of them old or all of them new.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::common::peer;
use crate::common::scenario::Scenario;
use crate::many::{NAMES, contents, leftovers, plain, scenario};

/// What a command asks the kernel for while it writes a set.
pub const CALLS: [&str; 7] = ["/^mkdir", "write", "fsync", "fchmod", "flock", "/^rename", "/^unlink"];
/// No command asks for one of them so often.
pub const MOST: usize = 100;

/// Runs a command that is killed when it asks for the `number`th time; whether it came to that.
pub fn killed(s: &Scenario, strace: &Path, call: &str, number: usize, command: &[&str]) -> bool {
    let inject = format!("inject={call}:signal=KILL:when={number}");
    let mut traced = s.command(strace);
    traced.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]);
    traced.arg(env!("CARGO_BIN_EXE_lockage")).args(command).stdout(Stdio::null()).stderr(Stdio::null());
    !traced.status().expect("strace runs").success()
}

fn put(s: &Scenario, contents: &[String]) {
    for (name, content) in NAMES.iter().zip(contents) {
        fs::write(s.repo().join(name), content).expect("a file");
    }
}

/// The tracer, where it may trace.
pub fn strace(s: &Scenario) -> Option<PathBuf> {
    let strace = peer("strace")?;
    if s.command(&strace).args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        return Some(strace);
    }
    eprintln!("SKIPPED: needs the right to trace");
    None
}

/// Kills `command` at every point and lets `next` find what is left. How often nothing and how often all had changed.
fn table(s: &Scenario, command: &[&str], next: &[&str], is_new: impl Fn(&str, &str) -> bool) -> Option<(usize, usize)> {
    let strace = strace(s)?;
    let before = contents(s);
    let (mut back, mut forward) = (0, 0);
    for call in CALLS {
        for number in 1..MOST {
            put(s, &before);
            if !killed(s, &strace, call, number, command) {
                break;
            }
            let ran = s.finish(s.lockage().args(next), b"");
            let now = contents(s);
            let new = NAMES.iter().zip(&now).filter(|(name, now)| is_new(name, now)).count();
            let old = now.iter().zip(&before).filter(|(now, before)| now == before).count();
            assert!(
                (new, old) == (4, 0) || (new, old) == (0, 4),
                "{call} {number}: {new} new, {old} old: {}",
                ran.stderr
            );
            assert_eq!(leftovers(s), [""; 0], "{call} {number}: {}", ran.stderr);
            back += usize::from(new == 0);
            forward += usize::from(new > 0);
        }
    }
    put(s, &before);
    Some((back, forward))
}

#[test]
fn new_keys_are_in_all_files_or_in_none() {
    let s = scenario();
    s.commit("start");
    let command = [&["updatekeys", "-y"][..], &NAMES].concat();
    let is_new = |_: &str, now: &str| now.contains(crate::many::STRANGER);
    // The guard is a next command, too, and what it judges is whole.
    if let Some((back, forward)) = table(&s, &command, &["guard"], is_new) {
        assert!(back > 10 && forward > 4, "{back} back, {forward} forward");
    }
}

#[test]
fn plaintext_of_a_killed_command_is_wiped_or_in_its_place() {
    let mut s = scenario();
    s.plaintext.extend(NAMES.map(|name| s.repo().join(name)));
    let command = [&["decrypt", "-i"][..], &NAMES].concat();
    if let Some((back, forward)) = table(&s, &command, &["man"], |name, now| now == plain(name)) {
        assert!(back > 10 && forward > 4, "{back} back, {forward} forward");
    }
}

#[test]
fn until_it_is_finished_guard_and_status_refuse() {
    let s = scenario();
    let before = contents(&s);
    let folder = s.repo().join(".git/lockage/sets");
    fs::create_dir_all(&folder).expect("a folder");
    let places: Vec<_> = NAMES.iter().map(|name| s.repo().join(name).display().to_string()).collect();
    let entries = (0_u32..).zip(&places).map(|(number, place)| {
        let successor = format!(".lockage-set-00-{number}");
        serde_json::json!({"file": place, "successor": successor, "before": null})
    });
    let path = folder.join("00.renaming");
    fs::write(&path, serde_json::to_string(&entries.collect::<Vec<_>>()).expect("JSON")).expect("a journal");
    let journal = fs::File::open(&path).expect("the journal");
    journal.lock().expect("a lock");
    for command in ["guard", "status"] {
        let ran = s.run([command]);
        assert!(ran.code == 1 && ran.stderr.contains("secrets/a.yaml"), "{command}: {}", ran.stderr);
    }
    // Others say so and go on.
    let ran = s.run(["filestatus", NAMES[0]]);
    assert!(ran.code == 0 && ran.stderr.contains("warning"), "{}", ran.stderr);
    drop(journal);
    // Nobody is at it any more; the files are not what they were when it was written, so they stay.
    fs::write(s.repo().join("secrets/.lockage-set-00-0"), "CANARY-heron").expect("a file");
    let ran = s.run(["guard"]);
    assert!(ran.code == 1 && ran.stderr.contains("somebody else changed"), "{}", ran.stderr);
    assert_eq!((contents(&s), leftovers(&s)), (before, Vec::new()));
    assert_eq!(s.run(["guard"]).code, 0);
}

#[test]
fn what_a_killed_command_left_beside_its_output_is_wiped_by_the_next() {
    let s = scenario();
    let left = s.repo().join("secrets/.lockage-0123456789abcdef");
    fs::write(&left, "CANARY-heron").expect("a file");
    let alive = s.repo().join("secrets/.lockage-fedcba9876543210");
    let held = fs::File::create(&alive).expect("a file");
    held.lock().expect("a lock");
    fs::write(s.repo().join("secrets/.lockage-notes"), "mine").expect("a file");
    let ran = s.run(["rotate", "-i", NAMES[0]]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!left.exists() && alive.exists() && s.repo().join("secrets/.lockage-notes").exists());
}
