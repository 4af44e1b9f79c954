//! Many files whose keys are somewhere else: values are worked on while further keys are on their way.

use std::path::Path;

use crate::common::scenario::Scenario;
use crate::common::slow_keys::{SlowKeys, Wait};
use crate::many::{NAMES, contents, leftovers, plain, scenario};

const KEY_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/secrets/published-test-key.txt");

/// A command over all files with nobody else to ask.
fn asking<'s>(service: &'s SlowKeys, command: &[&'s str]) -> Vec<&'s str> {
    let only = ["--enable-local-keyservice=false", "--keyservice", &service.uri, "-r", "secrets"];
    command.iter().copied().chain(only).collect()
}

fn service(s: &Scenario) -> SlowKeys {
    SlowKeys::start(Path::new(KEY_FILE), s.root(), Wait::Together(NAMES.len()))
}

#[test]
fn keys_are_asked_for_at_once_and_every_file_has_its_own() {
    let mut s = scenario();
    let service = service(&s);
    s.plaintext.extend(NAMES.map(|name| s.repo().join(name)));
    let ran = s.run(asking(&service, &["decrypt", "-i"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(contents(&s), NAMES.map(plain));
}

#[test]
fn one_key_that_cannot_be_had_leaves_all_files_as_they_were() {
    let mut s = scenario();
    let service = service(&s);
    for name in [NAMES[0], NAMES[3]] {
        // The first line of a wrapped key, before base64: `age-encryption.org/v1`.
        s.write(name, s.read(name).replace("YWdlLWVuY3J5cHRpb24", "YWdlLWVuY3J5cHRpb25"));
    }
    let before = contents(&s);
    for command in [&["decrypt", "-i"][..], &["rotate", "-i"], &["decrypt", "--output-dir", "out"]] {
        let ran = s.run(asking(&service, command));
        assert!(ran.code != 0 && ran.stderr.contains("2 of 4 files fail"), "{command:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(NAMES[0]) && ran.stderr.contains(NAMES[3]), "{command:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("outcome: unchanged"), "{command:?}: {}", ran.stderr);
        assert_eq!((contents(&s), leftovers(&s)), (before.clone(), Vec::new()), "{command:?}");
        assert!(!s.repo().join("out").exists(), "{command:?}");
    }
}
