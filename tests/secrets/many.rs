//! Commands over many files: one run, one unlocking, all or nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::common::scenario::{IDENTITY, Ran, Scenario};
use crate::common::small_disk::SmallDisk;

pub const OURS: &str = "age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw";
pub const STRANGER: &str = "age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj";
pub const NAMES: [&str; 4] = ["secrets/a.yaml", "secrets/b.json", "secrets/deep/c.env", "secrets/deep/d.yaml"];

fn rules(recipients: &str) -> String {
    format!("creation_rules:\n  - path_regex: ^secrets/\n    age: {recipients}\n")
}

pub fn plain(name: &str) -> String {
    match name.rsplit('.').next() {
        Some("json") => "{\n\t\"password\": \"CANARY-heron\"\n}\n".to_owned(),
        Some("env") => "# of c\nPASSWORD=CANARY-heron\n".to_owned(),
        _ => format!("# of {name}\npassword: \"CANARY-heron\"\n"),
    }
}

/// A repository with four encrypted files in two folders, and rules that now name somebody more.
pub fn scenario() -> Scenario {
    let mut s = Scenario::new().file(".sops.yaml", rules(OURS));
    for name in NAMES {
        s.write(name, plain(name));
    }
    let ran = s.run(["-q", "encrypt", "-i", NAMES[0], NAMES[1], NAMES[2], NAMES[3]]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    s.plaintext.clear();
    s.write(".sops.yaml", rules(&format!("{OURS},{STRANGER}")));
    s
}

/// The files' contents now.
pub fn contents(s: &Scenario) -> Vec<String> {
    NAMES.iter().map(|name| s.read(name)).collect()
}

/// Whatever lies in the work tree beside the files, and in the folder of the journals.
pub fn leftovers(s: &Scenario) -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["secrets", "secrets/deep", ".git/lockage/sets"] {
        let entries = fs::read_dir(s.repo().join(folder)).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let extra = |name: &String| folder.starts_with(".git") || name.starts_with(".lockage");
        found.extend(names.filter(extra).map(|name| format!("{folder}/{name}")));
    }
    found
}

fn files(ran: &Ran) -> Vec<String> {
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let files = said["files"].as_array().expect("files");
    files.iter().map(|file| file["file"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn many_files_go_there_and_back_in_place() {
    let mut s = scenario();
    let before = contents(&s);
    let ran = s.run(["--json", "rotate", "-i", "--recursive", "secrets"]);
    assert_eq!((ran.code, files(&ran)), (0, NAMES.map(str::to_owned).to_vec()), "{}", ran.stderr);
    assert!(contents(&s).iter().zip(&before).all(|(now, before)| now != before));
    s.plaintext.extend(NAMES.map(|name| s.repo().join(name)));
    let ran = s.run(["decrypt", "-i", "-r", "."]);
    assert!(ran.code == 0 && ran.stderr.contains("decrypted 4 file(s)"), "{}", ran.stderr);
    for name in NAMES {
        assert_eq!(s.read(name), plain(name));
        let mode = fs::metadata(s.repo().join(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let ran = s.run(["encrypt", "-i", "-r", "."]);
    assert!(ran.code == 0 && ran.stderr.contains("encrypted 4 file(s)"), "{}", ran.stderr);
    let ran = s.run(["--json", "encrypt", "-i", "-r", "."]);
    assert!(ran.code == 0 && files(&ran).is_empty(), "what is encrypted is left alone: {}", ran.stderr);
    s.plaintext.clear();
    s.listen();
    assert!(contents(&s).iter().all(|text| text.contains(STRANGER)));
    assert_eq!(leftovers(&s), [""; 0]);
}

#[test]
fn an_output_folder_has_the_files_under_their_paths() {
    let mut s = scenario();
    let before = contents(&s);
    let out = s.root().join("out");
    s.plaintext.extend(NAMES.map(|name| out.join(name)));
    let folder = out.display().to_string();
    let ran = s.run(["decrypt", "--output-dir", &folder, NAMES[0], NAMES[3], NAMES[0]]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for name in [NAMES[0], NAMES[3]] {
        assert_eq!(fs::read_to_string(out.join(name)).expect("a file"), plain(name));
    }
    assert!(!out.join(NAMES[1]).exists());
    assert_eq!(contents(&s), before);
    // Its own place is no other one, and what has no place below the current folder has none below another.
    let ran = s.run(["decrypt", "--output-dir", ".", NAMES[0]]);
    assert!(ran.code == 2 && ran.stderr.contains("its own output"), "{}", ran.stderr);
    let ran = s.run(["-C", "secrets/deep", "decrypt", "--output-dir", &folder, "../a.yaml"]);
    assert!(ran.code == 2 && ran.stderr.contains("not below"), "{}", ran.stderr);
    for wrong in
        [&["decrypt", NAMES[0], NAMES[1]][..], &["decrypt", "-i", "secrets"], &["decrypt", "-i", "-", NAMES[0]]]
    {
        let ran = s.run(wrong);
        assert!(ran.code == 2 && ran.stderr.contains("hint"), "{wrong:?}: {}", ran.stderr);
    }
    assert_eq!(contents(&s), before);
}

#[test]
fn one_file_that_fails_leaves_all_as_they_were() {
    let mut s = scenario();
    let broken = s.read(NAMES[2]).replace("PASSWORD=ENC[AES256_GCM,data:", "PASSWORD=ENC[AES256_GCM,data:AAAA");
    s.write(NAMES[2], &broken);
    let before = contents(&s);
    for command in [&["decrypt", "-i"][..], &["rotate", "-i"], &["encrypt", "-i"]] {
        let ran = s.run(command.iter().chain(&NAMES));
        assert!(ran.code != 0 && ran.stderr.contains("outcome: unchanged"), "{command:?}: {}", ran.stderr);
        assert_eq!(contents(&s), before, "{command:?}");
        assert_eq!(leftovers(&s), [""; 0], "{command:?}");
    }
    let ran = s.run(["decrypt", "--output-dir", "../out", "-r", "."]);
    assert!(ran.code == 3 && ran.stderr.contains(NAMES[2]), "{}", ran.stderr);
    assert!(!s.root().join("out").exists(), "not even the folder is left");
}

#[test]
fn an_identity_is_asked_for_once() {
    let mut s = scenario();
    let count = s.root().join("count");
    let script = s.root().join("identity.sh");
    fs::write(&script, format!("#!/bin/sh\necho x >> {}\ncat <<'E'\n{IDENTITY}\nE\n", count.display()))
        .expect("a script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    s.unset_env("SOPS_AGE_KEY_FILE");
    s.set_env("SOPS_AGE_KEY_CMD", script.display().to_string());
    let ran = s.run(["rotate", "-i", "-r", "."]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(fs::read_to_string(&count).expect("it ran"), "x\n");
}

#[test]
fn a_full_disk_changes_no_file() {
    let mut s = scenario();
    let before = contents(&s);
    let Some(disk) = SmallDisk::new(s.repo().join("secrets/deep"), "64k") else { return };
    s.write(NAMES[2], &before[2]);
    s.write(NAMES[3], &before[3]);
    for pages in [0, 1] {
        disk.leave(pages);
        for command in
            [&["rotate", "-i", "-r", "."][..], &["updatekeys", "-y", "-r", "."], &["decrypt", "-i", "-r", "."]]
        {
            let ran = s.run(command);
            assert!(ran.code == 4 && ran.stderr.contains("outcome: unchanged"), "{pages} {command:?}: {}", ran.stderr);
            assert_eq!(contents(&s), before, "{command:?}");
            assert_eq!(leftovers(&s), [""; 0], "{command:?}");
        }
    }
    disk.leave(8);
    let ran = s.run(["updatekeys", "-y", "-r", "."]);
    assert!(ran.code == 0 && contents(&s).iter().all(|text| text.contains(STRANGER)), "{}", ran.stderr);
}

#[test]
fn a_limit_on_open_files_is_raised_or_told() {
    let s = scenario();
    let before = contents(&s);
    let lockage = env!("CARGO_BIN_EXE_lockage");
    let line = |limits: &str| format!("ulimit {limits} && exec {lockage} rotate -i -r .");
    let ran = s.finish(s.command("sh").args(["-c", &line("-Sn 64")]), b"");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = s.finish(s.command("sh").args(["-c", &line("-n 64")]), b"");
    assert!(ran.code == 2 && ran.stderr.contains("ulimit"), "{}", ran.stderr);
    assert_ne!(contents(&s), before);
}
