//! A file that somebody else changes while a command is at it stays as they made it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::cli_files::RULES;
use crate::common::scenario::{IDENTITY, Scenario};

const NAMES: [&str; 3] = ["a.yaml", "b.yaml", "one/c.yaml"];

fn encrypted() -> Scenario {
    let mut s = Scenario::new().file(".sops.yaml", RULES);
    for name in NAMES {
        s.write(name, "a: CANARY-heron\n");
        assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
    }
    s
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_kept() {
    let mut s = encrypted();
    let before = NAMES.map(|name| s.read(name));
    // The identity is asked for when the files were read: its command is the one who changes them.
    let script = s.root().join("identity.sh");
    s.unset_env("SOPS_AGE_KEY_FILE");
    s.set_env("SOPS_AGE_KEY_CMD", script.display().to_string());
    for (command, theirs) in [
        (&["set", "a.yaml", "a"][..], 0),
        (&["unset", "a.yaml", "a"], 0),
        (&["decrypt", "-i", "a.yaml"], 0),
        (&["rotate", "-i", "a.yaml"], 0),
        (&["rotate", "-i", "-r", "one"], 2),
        (&["decrypt", "-i", "-r", "one"], 2),
        (&["rotate", "-i", "a.yaml", "b.yaml"], 1),
        (&["decrypt", "-i", "a.yaml", "b.yaml"], 1),
        (&["updatekeys", "-y", "a.yaml", "b.yaml"], 0),
    ] {
        let place = s.repo().join(NAMES[theirs]);
        let text = format!("#!/bin/sh\necho '# theirs' >> '{}'\ncat <<'E'\n{IDENTITY}\nE\n", place.display());
        fs::write(&script, text).expect("a script");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
        let ran = s.run_with_input(command, b"CANARY-heron two");
        let now = NAMES.map(|name| s.read(name));
        let changed = now[theirs] == format!("{}# theirs\n", before[theirs]);
        assert!(changed, "{command:?}: {}", ran.stderr);
        let told = ran.stderr.contains("was changed by somebody else");
        // Where nothing was to be done nothing was to be refused.
        let idle = command[0] == "updatekeys" && ran.code == 0;
        assert!(idle || ran.code == 1 && told, "{command:?}: {} {}", ran.code, ran.stderr);
        for (at, name) in NAMES.iter().enumerate() {
            assert!(at == theirs || now[at] == before[at], "{command:?} changed {name}");
            fs::write(s.repo().join(name), &before[at]).expect("a file");
        }
    }
}

#[test]
fn the_published_key_is_named_wherever_it_opens_a_file() {
    let s = encrypted();
    for (command, words) in [
        (&["get", "a.yaml", "a"][..], "published test key"),
        (&["rotate", "-i", "a.yaml"], "published test key"),
        (&["rotate", "-i", "-r", "."], "3 file(s) open with the published test key"),
    ] {
        let ran = s.run_for_plaintext(command);
        assert!(ran.code == 0 && ran.stderr.contains(words), "{command:?}: {}", ran.stderr);
    }
}
