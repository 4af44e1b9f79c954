//! Sets that go to an output folder: all of them or none, and on the disk first where one replaces another.

use std::fs;
use std::path::Path;

use crate::common::scenario::Scenario;
use crate::many::{NAMES, contents, leftovers, plain, scenario};
use crate::many_kill::{CALLS, MOST, killed, strace};

const INTO: [&str; 5] = ["decrypt", "-r", "secrets", "--output-dir", "out"];

/// What lies in the output folder besides the files.
fn beside(s: &Scenario) -> Vec<String> {
    let mut found = leftovers(s);
    for folder in ["out/secrets", "out/secrets/deep"] {
        let entries = fs::read_dir(s.repo().join(folder)).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        found.extend(names.filter(|name| name.starts_with(".lockage")));
    }
    found
}

/// The files that a command flushed before it moved the first to its place, by their names.
fn flushed_first(s: &Scenario, strace: &Path, command: &[&str]) -> Vec<String> {
    let log = calls(s, strace, command);
    let moved = |line: &&str| line.contains("rename") && NAMES.iter().any(|name| line.contains(&format!("{name}\"")));
    let first = log.lines().position(|line| moved(&line)).expect("a file is moved to its place");
    assert_eq!(log.lines().filter(moved).count(), NAMES.len(), "{log}");
    let flushed = log.lines().take(first).filter(|line| line.contains("fsync(") && line.contains(".lockage-set-"));
    flushed.map(|line| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()).collect()
}

/// What a command asked the kernel for, as far as flushing and renaming go.
fn calls(s: &Scenario, strace: &Path, command: &[&str]) -> String {
    let log = s.root().join("calls");
    let mut traced = s.command(strace);
    traced.args(["-f", "-y", "-qq", "-e", "trace=fsync,/^rename", "-o"]).arg(&log);
    let ran = s.finish(traced.arg(env!("CARGO_BIN_EXE_lockage")).args(command), b"");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    fs::read_to_string(&log).expect("the calls")
}

/// Whether calls with these words follow one another, whatever stands between them.
fn follow(log: &str, calls: &[[&str; 2]]) -> bool {
    let mut lines = log.lines();
    calls.iter().all(|words| lines.any(|line| words.iter().all(|word| line.contains(word))))
}

#[test]
fn a_killed_command_leaves_all_new_outputs_or_none() {
    let mut s = scenario();
    let Some(strace) = strace(&s) else { return };
    let before = contents(&s);
    let out = s.repo().join("out");
    s.plaintext.extend(NAMES.map(|name| out.join(name)));
    let (mut back, mut forward) = (0, 0);
    for call in CALLS {
        for number in 1..MOST {
            let _ = fs::remove_dir_all(&out);
            if !killed(&s, &strace, call, number, &INTO) {
                break;
            }
            let ran = s.finish(s.lockage().arg("man"), b"");
            let texts = NAMES.map(|name| fs::read_to_string(out.join(name)).ok());
            let new = NAMES.iter().zip(&texts).filter(|(name, text)| **text == Some(plain(name))).count();
            let missing = texts.iter().filter(|text| text.is_none()).count();
            assert!((new, missing) == (4, 0) || (new, missing) == (0, 4), "{call} {number}: {new} new: {}", ran.stderr);
            assert_eq!(beside(&s), [""; 0], "{call} {number}: {}", ran.stderr);
            back += usize::from(new == 0);
            forward += usize::from(new > 0);
        }
    }
    assert!(back > 8 && forward > 3, "{back} back, {forward} forward");
    assert_eq!(contents(&s), before);
}

#[test]
fn what_replaces_another_file_is_on_the_disk_first_and_a_new_plaintext_need_not_be() {
    let mut s = scenario();
    let Some(strace) = strace(&s) else { return };
    let encrypted = contents(&s);
    s.plaintext.extend(NAMES.map(|name| s.repo().join("out").join(name)));
    assert_eq!(flushed_first(&s, &strace, &INTO), [""; 0]);
    // One of them is there already, so that there is something to lose.
    for name in &NAMES[1..] {
        fs::remove_file(s.repo().join("out").join(name)).expect("an output");
    }
    assert_eq!(flushed_first(&s, &strace, &INTO).len(), NAMES.len());
    // Whoever has a ciphertext may throw the plaintext away.
    fs::remove_dir_all(s.repo().join("secrets")).expect("the files");
    fs::rename(s.repo().join("out/secrets"), s.repo().join("secrets")).expect("the plaintexts");
    s.plaintext.clear();
    s.plaintext.extend(NAMES.map(|name| s.repo().join(name)));
    assert_eq!(flushed_first(&s, &strace, &["encrypt", "-r", "secrets", "--output-dir", "out"]).len(), NAMES.len());
    for (name, encrypted) in NAMES.iter().zip(encrypted) {
        fs::write(s.repo().join(name), encrypted).expect("a file");
    }
    s.plaintext.clear();
    for command in [
        &["rotate", "-i", "-r", "secrets"][..],
        &["updatekeys", "-y", "-r", "secrets"],
        &["decrypt", "-i", "-r", "secrets"],
    ] {
        assert_eq!(flushed_first(&s, &strace, command).len(), NAMES.len(), "{command:?}");
        if command[0] == "rotate" {
            continue;
        }
        s.plaintext.extend(NAMES.map(|name| s.repo().join(name)));
    }
}

#[test]
fn every_step_is_on_the_disk_before_the_next() {
    let s = scenario();
    let Some(strace) = strace(&s) else { return };
    let log = calls(&s, &strace, &["rotate", "-i", NAMES[0]]);
    let moved = format!("{}\"", NAMES[0]);
    let wanted = [["fsync(", "/.lockage-"], ["rename", moved.as_str()], ["fsync(", "/secrets>"]];
    assert!(follow(&log, &wanted), "{log}");

    let log = calls(&s, &strace, &["rotate", "-i", "-r", "secrets"]);
    let wanted = [
        ["fsync(", "lockage/sets/"],
        ["rename", ".writing\""],
        ["fsync(", "lockage/sets>"],
        ["fsync(", "/.lockage-set-"],
        ["rename", ".renaming\""],
        ["fsync(", "lockage/sets>"],
        ["rename", "/.lockage-set-"],
        ["rename", "/.lockage-set-"],
        ["rename", "/.lockage-set-"],
        ["rename", "/.lockage-set-"],
        ["fsync(", "/secrets>"],
        ["fsync(", "lockage/sets>"],
    ];
    assert!(follow(&log, &wanted), "{log}");
}
