//! `encrypt`, `decrypt`, `get` and `set` as commands.

use std::os::unix::fs::PermissionsExt as _;

use crate::common::peer;
use crate::common::scenario::Scenario;

pub(crate) const RULES: &str =
    "creation_rules:\n  - age: age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw\n";

/// One file of each format, none of which the real `sops` would give back as it is.
pub(crate) const FILES: &[(&str, &[u8])] = &[
    ("a.yaml", b"# top\n\ndb:\n  password: 'CANARY-heron'   # why\n  port: 0005.50\nlist: [ 1.50, TRUE, ~ ]\n"),
    ("a.json", b"{\"db\": {\"password\": \"CANARY-heron\", \"port\": 1e3},\n \"list\": [1, null, \"\"]}"),
    ("a.env", b"# top\n\nPASSWORD=CANARY-heron\nMULTI=a\\nb\r\nEMPTY="),
    ("a.ini", b"; top\n[db]\npassword   = \"CANARY-heron\"\n\n\nport=5\n"),
    ("a.bin", b"\x00\xff CANARY-heron"),
];

fn scenario() -> Scenario {
    Scenario::new().file(".sops.yaml", RULES)
}

#[test]
fn what_goes_in_comes_out() {
    for (name, content) in FILES {
        let mut s = scenario().file(name, content);
        let path = s.repo().join(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        s.plaintext.clear();
        let ran = s.finish(s.lockage().args(["encrypt", "-i", name]), b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("published test key"), "{}", ran.stderr);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        let again = s.run(["encrypt", "-i", name]);
        assert_eq!(again.code, 2, "{}", again.stderr);
        assert!(again.stderr.contains("encrypted already"), "{}", again.stderr);

        let out = s.lockage().args(["-q", "decrypt", name]).output().unwrap();
        assert_eq!((out.status.code(), &out.stdout[..]), (Some(0), *content), "{name}");
    }
}

#[test]
fn plaintext_outputs_are_for_their_owner_alone() {
    let (name, content) = FILES[0];
    let mut s = scenario().file(name, content);
    assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
    s.plaintext.push(s.repo().join("plain"));
    assert_eq!(s.run(["-q", "decrypt", name, "-o", "plain"]).code, 0);
    assert_eq!(s.run(["-q", "decrypt", "-i", name]).code, 0);
    for path in ["plain", name] {
        let found = std::fs::metadata(s.repo().join(path)).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o600, "{path}");
        assert_eq!(std::fs::read(s.repo().join(path)).unwrap(), content, "{path}");
    }
}

#[test]
fn the_real_sops_reads_ours_and_we_read_its() {
    let Some(sops) = peer("sops") else { return };
    for (name, content) in FILES {
        let s = scenario().file(name, content);
        let ours = s.run(["-q", "encrypt", name, "-o", &format!("ours-{name}")]);
        assert_eq!(ours.code, 0, "{}", ours.stderr);
        let theirs = s.command(&sops).args(["encrypt", "--output", &format!("theirs-{name}"), name]).output().unwrap();
        assert!(theirs.status.success(), "{}", String::from_utf8_lossy(&theirs.stderr));
        let by_sops = |file: &str| s.command(&sops).args(["decrypt", file]).output().unwrap();
        let by_us = |file: &str| s.lockage().args(["-q", "decrypt", file]).output().unwrap();
        let (ours, theirs) = (format!("ours-{name}"), format!("theirs-{name}"));
        let out = by_sops(&ours);
        assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        // The same values whoever wrote the file and whoever reads it.
        assert_eq!(out.stdout, by_sops(&theirs).stdout, "{name}");
        assert!(by_us(&theirs).status.success());
        assert_eq!(by_us(&ours).stdout, *content);
    }
}

#[test]
fn get_prints_the_value_alone() {
    let (name, content) = FILES[1];
    let s = scenario().file(name, content);
    assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
    let get = |args: &[&str]| s.run_for_plaintext(["-q", "get", name].iter().chain(args));
    assert_eq!(get(&["db.password"]).stdout, "CANARY-heron");
    assert_eq!(get(&["[\"list\"][0]"]).stdout, "1");
    let json = get(&["--json", "db.port"]).stdout;
    let wanted = "{\"schema\":\"lockage.value/1\",\"file\":\"a.json\",\"key\":\"db.port\",\"kind\":\"float\",\"value\":\"1000\"}\n";
    assert_eq!(json, wanted);
    for path in ["db", "nothing", "list[7]"] {
        let ran = get(&[path]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.starts_with(&format!("lockage: `a.json`: there is no value at `{path}`")), "{}", ran.stderr);
    }
    let json = get(&["--json", "nothing"]);
    assert!(json.stdout.starts_with("{\"schema\":\"lockage.error/1\",\"error\":{\"class\":\"no\""), "{}", json.stdout);
    assert_eq!(get(&["a..b"]).code, 2);
}

#[test]
fn set_changes_three_lines() {
    let (name, content) = FILES[0];
    let s = scenario().file(name, content);
    assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
    s.commit("one");
    let before = s.read(name);
    let ran = s.run_with_input(["-q", "set", name, "db.password"], b"CANARY-heron two\n");
    assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.as_str()), (0, "", ""));
    let after = s.read(name);
    let changed = before.lines().zip(after.lines()).filter(|(old, new)| old != new).count();
    assert!(changed <= 3 && before.lines().count() == after.lines().count(), "{changed} lines");
    assert_eq!(s.run_for_plaintext(["-q", "get", name, "db.password"]).stdout, "CANARY-heron two");

    // The same value again is no change, to the byte and the second.
    let ran = s.run_with_input(["--json", "-q", "set", name, "db.password"], b"CANARY-heron two");
    assert_eq!(
        ran.stdout,
        "{\"schema\":\"lockage.set/1\",\"file\":\"a.yaml\",\"key\":\"db.password\",\"kind\":\"str\",\"changed\":false}\n"
    );
    assert_eq!(s.read(name), after);
}

#[test]
fn set_takes_values_of_every_kind_from_every_place() {
    for (name, content) in &FILES[..3] {
        let mut s = scenario().file(name, content);
        assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
        s.write("pem", "CANARY-heron\nline two\n");
        let ran = s.run(["-q", "set", name, "NEW", "--from-file", "pem"]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert_eq!(s.run_for_plaintext(["-q", "get", name, "NEW"]).stdout, "CANARY-heron\nline two\n");
        for (kind, value, wanted) in [
            ("int", "5\n", "5"),
            ("bool", "true", "true"),
            ("float", "1.50", "1.5"),
            ("json", "\"a\\u0062\"", "ab"),
            ("null", "", ""),
            ("str", "", ""),
        ] {
            let key = format!("K{kind}");
            if kind == "null" && *name == "a.env" {
                let ran = s.run(["-q", "set", name, &key, "--type", kind]);
                assert!(ran.code == 2 && ran.stderr.contains("every value is a text"), "{}", ran.stderr);
                continue;
            }
            let ran = s.run_with_input(["-q", "set", name, &key, "--type", kind], value.as_bytes());
            assert_eq!(ran.code, 0, "{name} {kind}: {}", ran.stderr);
            let read = s.run_for_plaintext(["-q", "get", name, &key]);
            assert_eq!((read.code, read.stdout.as_str()), (0, wanted), "{name} {kind}: {}", read.stderr);
        }
        if let Some(sops) = peer("sops") {
            let out = s.command(sops).args(["decrypt", name]).output().unwrap();
            assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        }
    }
}

#[test]
fn set_makes_parents_and_takes_collections() {
    for (name, content) in &FILES[..2] {
        let s = scenario().file(name, content);
        assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
        let ran = s.run_with_input(["-q", "set", name, "new.deep[0].key"], b"CANARY-heron");
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert_eq!(s.run_for_plaintext(["-q", "get", name, "new.deep[0].key"]).stdout, "CANARY-heron");
        let value = b"{\"user\": \"CANARY-heron\", \"ports\": [1, 2.50, {\"on\": true}]}";
        let ran = s.run_with_input(["set", name, "db", "--type", "json", "--json"], value);
        assert!(ran.code == 0 && ran.stdout.contains("\"kind\":\"map\",\"changed\":true"), "{name}: {}", ran.stderr);
        assert!(!s.read(name).contains("CANARY"));
        let ran = s.run_with_input(["set", name, "db", "--type", "json", "--json"], value);
        assert!(ran.stdout.contains("\"changed\":false"), "{}", ran.stdout);
        if let Some(sops) = peer("sops") {
            let out =
                s.command(sops).args(["decrypt", "--output-type", "json", "--extract", "[\"db\"]", name]).output();
            let out = String::from_utf8(out.unwrap().stdout).unwrap();
            let out: String = out.split_whitespace().collect();
            assert_eq!(out, "{\"user\":\"CANARY-heron\",\"ports\":[1,2.5,{\"on\":true}]}", "{name}");
        }
    }
}

#[test]
fn set_refuses_without_saying_the_value() {
    let (name, content) = FILES[1];
    let s = scenario().file(name, content);
    assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
    let before = s.read(name);
    for (args, input, word) in [
        (&["db.port", "--type", "int"][..], "CANARY-heron", "is no integer"),
        (&["db.port", "--type", "json"], "{\"CANARY-heron\": 1", "is not JSON"),
        (&["db.port", "--type", "json"], "\"CANARY-heron", "is not JSON"),
        (&["db.port.below"], "CANARY-heron", "a single value stands there"),
        (&["list.key"], "CANARY-heron", "a list has positions"),
        (&["list[9]"], "CANARY-heron", "at its end"),
        (&["sops"], "CANARY-heron", "reserved"),
    ] {
        let ran = s.run_with_input(["-q", "set", name].iter().chain(args), input.as_bytes());
        assert!(ran.code == 2 && ran.stderr.contains(word), "{args:?}: {} {}", ran.code, ran.stderr);
    }
    assert_eq!(s.read(name), before);
    let warned = s.run(["set", name, "db.port", "by-argv"]);
    assert!(warned.code == 0 && warned.stderr.contains("seen by other users"), "{}", warned.stderr);
}

#[test]
fn careless_use_is_caught() {
    let (name, content) = FILES[0];
    let mut s = scenario().file(name, content);
    s.plaintext.push(s.repo().join("second.yaml"));
    let usage = |args: &[&str], word: &str| {
        let ran = s.run(args);
        assert!(ran.code == 2 && ran.stderr.contains(word), "{args:?}: {} {}", ran.code, ran.stderr);
    };
    usage(&["encrypt", "-i"], "nothing says what type stdin is");
    usage(&["encrypt", "-i", "--input-type", "yaml"], "by which rule");
    usage(&["rotate", "--output-type", "json", name], "does not write it as json");
    usage(&["encrypt", "missing.yaml"], "does not exist");
    usage(&["decrypt", "."], "`.` is a folder");
    let ran = s.run(["decrypt", name]);
    assert!(ran.code == 3 && ran.stderr.contains("not encrypted"), "{}", ran.stderr);
    // The shell has opened the file for output already.
    let before = s.read(name);
    let own = std::fs::OpenOptions::new().append(true).open(s.repo().join(name)).unwrap();
    let status = s.lockage().args(["encrypt", name]).stdout(own).stderr(std::process::Stdio::null()).status();
    assert_eq!((status.unwrap().code(), s.read(name)), (Some(2), before));
    std::fs::hard_link(s.repo().join(name), s.repo().join("second.yaml")).unwrap();
    usage(&["encrypt", "-i", name], "hard links");
}

#[test]
fn rules_are_found_from_the_file_upwards() {
    let (name, content) = FILES[0];
    let s = Scenario::new()
        .file("sub/.sops.yaml", RULES.replace("- age", "- path_regex: ^in/\n    age"))
        .file(&format!("sub/in/{name}"), content)
        .file(&format!("sub/out/{name}"), content);
    assert_eq!(s.run(["-q", "encrypt", "-i", &format!("sub/in/{name}")]).code, 0);
    let ran = s.run(["-q", "encrypt", "-i", &format!("sub/out/{name}")]);
    let said = "lockage: no rule of `sub/.sops.yaml` is for `out/a.yaml`\n";
    assert!(ran.code == 2 && ran.stderr.starts_with(said), "{}", ran.stderr);
    let recipient = "age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw";
    assert_eq!(s.run(["-q", "encrypt", "-i", "--age", recipient, &format!("sub/out/{name}")]).code, 0);
    let stdin = ["-q", "encrypt", "--filename-override", "sub/in/new.yaml"];
    let ran = s.run_with_input(stdin, content);
    assert!(ran.code == 0 && ran.stdout.contains("sops:"), "{}", ran.stderr);
}

#[test]
fn identities_come_from_every_place() {
    let (name, content) = FILES[0];
    let mut s = scenario().file(name, content);
    assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
    let identity = s.root().join("identity.txt");
    let text = std::fs::read_to_string(&identity).unwrap();
    s.unset_env("SOPS_AGE_KEY_FILE");
    let ran = s.run(["-q", "get", name, "db.port"]);
    assert!(ran.code == 3 && ran.stderr.contains("no age identity was found"), "{}", ran.stderr);
    let secret = text.lines().find(|line| line.starts_with("AGE-SECRET")).unwrap().to_owned();
    for (variable, value) in [
        ("SOPS_AGE_KEY", format!("  {secret} ")),
        ("SOPS_AGE_KEY_CMD", format!("sh -c 'test -n \"$SOPS_AGE_RECIPIENT\" && cat \"$0\"' '{}'", identity.display())),
    ] {
        s.set_env(variable, value);
        let ran = s.run(["-q", "get", name, "db.port"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "5.5"), "{variable}: {}", ran.stderr);
        s.unset_env(variable);
    }
    s.set_env("SOPS_AGE_KEY_CMD", "false");
    let ran = s.run(["-q", "get", name, "db.port"]);
    assert!(ran.code == 3 && ran.stderr.contains("`false` (SOPS_AGE_KEY_CMD) failed"), "{}", ran.stderr);
    let default = s.root().join("config/sops/age");
    std::fs::create_dir_all(&default).unwrap();
    std::fs::write(default.join("keys.txt"), text).unwrap();
    assert_eq!(s.run(["-q", "get", name, "db.port"]).code, 0);
}

/// A small memory file system, which root can mount.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mut mount = std::process::Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=64k", "small"]).arg(&at).output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self(at));
        }
        assert!(std::env::var_os("CI").is_none(), "a full disk needs root and `mount`");
        eprintln!("SKIPPED: a full disk needs root and `mount`");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_leaves_the_old_file_and_nothing_else() {
    let s = scenario();
    let Some(disk) = SmallDisk::mount(s.repo().join("small")) else { return };
    let file = disk.0.join("a.json");
    std::fs::write(&file, format!("{{\"a\": \"CANARY-heron\", \"b\": \"{}\"}}", "x".repeat(20_000))).unwrap();
    assert_eq!(s.run(["-q", "encrypt", "-i", "small/a.json"]).code, 0);
    let before = std::fs::read(&file).unwrap();
    let ran = s.run_with_input(["set", "small/a.json", "a"], "y".repeat(20_000).as_bytes());
    assert!(ran.code == 4 && ran.stderr.contains("cannot be written; it is unchanged"), "{}", ran.stderr);
    assert!(ran.stderr.contains("outcome: unchanged"), "{}", ran.stderr);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert_eq!(std::fs::read_dir(&disk.0).unwrap().count(), 1);
}
