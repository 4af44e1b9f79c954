//! The verbs of SOPS in our own name: what changes keys, takes values out, and runs commands.

use crate::cli_files::{FILES, RULES};
use crate::common::scenario::Scenario;

const STRANGER: &str = "age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj";

/// A scenario with the encrypted files of all formats.
fn scenario() -> Scenario {
    let mut s = Scenario::new().file(".sops.yaml", RULES);
    for (name, content) in FILES {
        s.write(name, content);
        assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
    }
    s.plaintext.clear();
    s
}

#[test]
fn unset_is_content_when_nothing_is_there() {
    let s = scenario();
    for name in ["a.yaml", "a.json"] {
        let ran = s.run(["--json", "unset", name, "db.port"]);
        assert!(ran.code == 0 && ran.stdout.contains("\"changed\":true"), "{}", ran.stderr);
        let before = s.read(name);
        let ran = s.run(["unset", name, "db.port"]);
        assert!(ran.code == 0 && ran.stderr.contains("unchanged"), "{}", ran.stderr);
        assert_eq!(s.read(name), before);
        assert_eq!(s.run(["-q", "get", name, "db.port"]).code, 1);
        assert_eq!(s.run_for_plaintext(["-q", "get", name, "db.password"]).stdout, "CANARY-heron");
    }
}

#[test]
fn filestatus_needs_no_key() {
    let mut s = scenario();
    s.unset_env("SOPS_AGE_KEY_FILE");
    let ran = s.run(["--json", "filestatus", "a.env"]);
    let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&found["encrypted"], found["recipients"].as_array().unwrap().len()), (&true.into(), 1));
    assert!(s.run(["filestatus", ".sops.yaml"]).stdout.contains("not encrypted"));
}

#[test]
fn keys_change_and_the_plaintext_stays() {
    let s = scenario();
    for (name, content) in FILES {
        let ran = s.run(["-q", "rotate", "-i", "--add", STRANGER, name]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert!(s.read(name).contains(STRANGER));
        // The rule does not know the stranger.
        let ran = s.run(["updatekeys", "--dry-run", name]);
        assert!(ran.code == 0 && ran.stderr.contains(&format!("- {STRANGER}")), "{}", ran.stderr);
        let ran = s.run(["updatekeys", name]);
        assert!(ran.code == 2 && ran.stderr.contains("nobody can be asked"), "{}", ran.stderr);
        assert_eq!(s.run(["updatekeys", "-y", name]).code, 0);
        assert!(!s.read(name).contains(STRANGER));
        let before = s.read(name);
        let ran = s.run(["updatekeys", name]);
        assert!(ran.code == 0 && ran.stderr.contains("up to date"), "{}", ran.stderr);
        assert_eq!(s.read(name), before);
        let out = s.lockage().args(["-q", "decrypt", name]).output().unwrap();
        assert_eq!(&out.stdout[..], *content, "{name}");
    }
    let ran = s.run(["-q", "groups", "add", "-i", "a.yaml", "--recipient", STRANGER, "--threshold", "2"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(s.run(["-q", "get", "a.yaml", "db.port"]).code, 3);
    let ran = s.run(["-q", "rotate", "-i", "--remove", "nonsense", "a.json"]);
    assert!(ran.code == 2 && ran.stderr.contains("a kind other than age"), "{}", ran.stderr);
}

#[test]
fn commands_get_values_and_none_of_our_keys() {
    let mut s = scenario().memory_of_its_own();
    s.write("flat.yaml", "PASSWORD: CANARY-heron\nPORT: 5\n");
    assert_eq!(s.run(["-q", "encrypt", "-i", "flat.yaml"]).code, 0);
    s.plaintext.clear();
    let ran = s.run_for_plaintext([
        "-q",
        "exec-env",
        "flat.yaml",
        "--",
        "sh",
        "-c",
        "echo $PASSWORD $PORT [$SOPS_AGE_KEY_FILE]",
    ]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "CANARY-heron 5 []\n"));
    let ran = s.run_for_plaintext(["-q", "exec-env", "flat.yaml", "--shell", "echo $PORT; exit 7"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (7, "5\n"));
    for more in [&[][..], &["--fifo"]] {
        let args = ["-q", "exec-file", "flat.yaml"].iter().chain(more).chain(&["--", "cat", "{}"]);
        let ran = s.run_for_plaintext(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "PASSWORD: CANARY-heron\nPORT: 5\n"), "{}", ran.stderr);
    }
    let ran = s.run(["-q", "exec-env", "a.yaml", "--", "true"]);
    assert!(ran.code == 2 && ran.stderr.contains("no single value"), "{}", ran.stderr);
    let ran = s.run(["-q", "exec-env", "flat.yaml", "--", "echo hi"]);
    assert!(ran.code == 2 && ran.stderr.contains("--shell"), "{}", ran.stderr);
}
