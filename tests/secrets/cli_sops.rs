//! Called as `sops`, side by side with the real one: exit codes, data, and the words that scripts look for.

use std::process::Command;

use crate::cli_files::{FILES, RULES};
use crate::common::peer;
use crate::common::scenario::Scenario;

/// A scenario with every file encrypted by the real `sops` beside its plaintext, and a link named `sops`.
fn scenario() -> Option<(Scenario, std::path::PathBuf, std::path::PathBuf)> {
    let real = peer("sops")?;
    let mut s = Scenario::new().file(".sops.yaml", RULES).file("empty.yaml", "").file("bad.yaml", "a: [\n");
    for (name, content) in FILES {
        s.write(&format!("plain/{name}"), content);
        let out = s.command(&real).args(["encrypt", &format!("plain/{name}")]).output().unwrap();
        assert!(out.status.success());
        s.write(name, out.stdout);
    }
    let link = s.root().join("bin/sops");
    std::fs::create_dir(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lockage"), &link).unwrap();
    Some((s, real, link))
}

fn ran(mut command: Command, args: &[&str]) -> (i32, Vec<u8>, String) {
    let out = command.args(args).output().unwrap();
    (out.status.code().unwrap(), out.stdout, String::from_utf8(out.stderr).unwrap())
}

#[test]
fn codes_and_first_words_are_those_of_the_real_one() {
    let Some((s, real, link)) = scenario() else { return };
    let tampered = s.read("a.yaml").replacen("password: ENC[AES256_GCM,data:", "password: ENC[AES256_GCM,data:AAAA", 1);
    let no_mac: String =
        s.read("a.yaml").lines().filter(|line| !line.starts_with("    mac:")).map(|line| format!("{line}\n")).collect();
    let dated = s.read("a.yaml").replacen("lastmodified: \"2", "lastmodified: \"1", 1);
    let emptied: String = s
        .read("a.yaml")
        .lines()
        .map(|line| if line.contains("password:") { "    password: \"\"\n".into() } else { format!("{line}\n") })
        .collect();
    let bare: String = s
        .read("a.yaml")
        .lines()
        .map(|line| if line.contains("port:") { "    port: 5\n".into() } else { format!("{line}\n") })
        .collect();
    for (name, text) in
        [("t.yaml", tampered), ("m.yaml", no_mac), ("l.yaml", dated), ("e.yaml", emptied), ("n.yaml", bare)]
    {
        std::fs::write(s.repo().join(name), text).unwrap();
    }
    let cases: &[&[&str]] = &[
        &[],
        &["-d"],
        &["encrypt", "missing.yaml"],
        &["decrypt", "missing.yaml"],
        &["-e", "missing.yaml"],
        &["-d", "missing.yaml"],
        &["encrypt", "-i", "--output", "x", "plain/a.yaml"],
        &["encrypt", "-i"],
        &["encrypt"],
        &["decrypt", "-i"],
        &["decrypt"],
        &["encrypt", "a.yaml"],
        &["encrypt", "a.env"],
        &["-e", "a.json"],
        &["decrypt", "plain/a.yaml"],
        &["decrypt", "plain/a.env"],
        &["decrypt", "plain/a.json"],
        &["-x", "a.yaml"],
        &["-di", "a.yaml"],
        &["decrypt", "-di", "a.yaml"],
        &["decrypt", "--ignore-mac=maybe", "a.yaml"],
        &["encrypt", "--age"],
        &["encrypt", "bad.yaml"],
        &["decrypt", "bad.yaml"],
        &["encrypt", "empty.yaml"],
        &["decrypt", "empty.yaml"],
        &["decrypt", "t.yaml"],
        &["decrypt", "m.yaml"],
        &["decrypt", "l.yaml"],
        &["decrypt", "e.yaml"],
        &["decrypt", "n.yaml"],
        &["decrypt", "--extract", "[c]", "a.yaml"],
        &["decrypt", "--extract", "c", "a.yaml"],
        &["decrypt", "--extract", "[\"zz\"]", "a.yaml"],
        &["decrypt", "--extract", "[\"list\"][7]", "a.yaml"],
        &["--config", "missing", "decrypt", "a.yaml"],
        &["--config", "missing", "encrypt", "plain/a.yaml"],
        &["--config", "empty.yaml", "encrypt", "plain/a.yaml"],
        &["encrypt", "--age", "foo", "plain/a.yaml"],
        &["encrypt", "--encrypted-regex", "x", "--unencrypted-suffix", "y", "plain/a.yaml"],
        &["encrypt", "--output", "/nonexistent/x", "plain/a.yaml"],
        &["decrypt", "."],
    ];
    let mut differ = Vec::new();
    for args in cases {
        let theirs = ran(s.command(&real), args);
        let ours = ran(s.command(&link), args);
        if ours.0 != theirs.0 || lead(&ours.2) != lead(&theirs.2) {
            differ.push(format!("{args:?}: {} {} instead of {} {}", ours.0, ours.2, theirs.0, theirs.2));
        }
        assert!(!ours.2.contains("CANARY"), "{args:?}");
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// The first words, up to the details that each says in its own way.
fn lead(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    let line = line.strip_prefix("Error: ").unwrap_or(line);
    line.split([':', '=', ',', '.']).next().unwrap_or_default()
}

#[test]
fn data_on_stdout_is_that_of_the_real_one() {
    let Some((s, real, link)) = scenario() else { return };
    // These texts are as `sops` itself writes them, so that lossless and its own are the same.
    for (name, content) in [
        ("b.yaml", "# top\na: 1.5\nb:\n    - x\n    - true\nc: \"null\"\nd: 2024-01-02T03:04:05Z\n"),
        ("b.json", "{\n\t\"a\": 1.5,\n\t\"b\": [\n\t\t\"x\",\n\t\ttrue\n\t],\n\t\"c\": null\n}\n"),
        ("b.env", "# top\nA=1\nB=x\\ny\n"),
        ("b.bin", "any\n"),
    ] {
        std::fs::write(s.repo().join(name), content).unwrap();
        for (from, to) in [(&real, &link), (&link, &real)] {
            for command in [["encrypt", "decrypt"], ["-e", "-d"]] {
                let (code, text, stderr) = ran(s.command(from), &[command[0], name]);
                assert_eq!((code, stderr.as_str()), (0, ""), "{name}");
                let file = format!("made-{name}");
                std::fs::write(s.repo().join(&file), text).unwrap();
                let opened = ran(s.command(to), &[command[1], &file]);
                assert_eq!(
                    (opened.0, String::from_utf8_lossy(&opened.1).as_ref()),
                    (0, content),
                    "{name}: {}",
                    opened.2
                );
            }
        }
        for path in ["[\"a\"]", "[\"b\"][0]", "[\"b\"][1]", "[\"c\"]", "[\"d\"]", "[\"A\"]", "[\"data\"]"] {
            let args = ["decrypt", "--extract", path, &format!("made-{name}")];
            let (theirs, ours) = (ran(s.command(&real), &args), ran(s.command(&link), &args));
            assert_eq!((ours.0, &ours.1), (theirs.0, &theirs.1), "{args:?}: {}", ours.2);
        }
    }
}

#[test]
fn nobody_s_key_ends_with_128() {
    let Some((mut s, real, link)) = scenario() else { return };
    s.unset_env("SOPS_AGE_KEY_FILE");
    let (theirs, ours) = (ran(s.command(&real), &["decrypt", "a.yaml"]), ran(s.command(&link), &["decrypt", "a.yaml"]));
    assert_eq!((ours.0, theirs.0), (128, 128));
    let frame = |text: &str| text.lines().filter(|line| !line.contains("| ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(frame(&ours.2), frame(&theirs.2));
}

#[test]
fn version_and_what_is_not_answered() {
    let Some((s, _, link)) = scenario() else { return };
    let (code, out, _) = ran(s.command(&link), &["--version"]);
    assert!(code == 0 && out.starts_with(b"sops 3.13.3"));
    for args in [&["rotate", "-i", "a.yaml"][..], &["a.yaml"], &["-r", "a.yaml"], &["exec-env", "a.yaml", "true"]] {
        let (code, out, stderr) = ran(s.command(&link), args);
        assert!(code == 1 && out.is_empty() && stderr.contains("does not answer"), "{args:?}: {stderr}");
    }
    let (code, _, stderr) = ran(s.command(&link), &["decrypt", "--output-type", "json", "a.yaml"]);
    assert!(code == 1 && stderr.contains("does not convert yet"), "{stderr}");
}
