//! Commands that run something: `exec-env`, `exec-file` and `edit`.

use std::os::unix::fs::PermissionsExt as _;

use super::twins::{Line, RECIPIENT, STRANGER, Twins};

const FLAT: &str = "a: 1\nn: null\nf: 1.5\nu: \"x y\"\nt: true\nm: |-\n    multi\n    line\n";

fn twins() -> Option<Twins> {
    let mut twins = Twins::new(&[
        ("e.yaml", FLAT),
        ("e.env", "A=1\nB=x\\ny\n"),
        ("e.nested.yaml", "a:\n    b: 1\n"),
        ("e.equals.yaml", "a=b: 1\n"),
        ("e.list.json", "{\n\t\"a\": [\n\t\t1\n\t]\n}\n"),
        ("p.yaml", "a: 1\n"),
        ("rules.yaml", &format!("creation_rules:\n  - age: {RECIPIENT}\n")),
    ])?;
    twins.s.plaintext.clear();
    for (name, text) in [
        ("same", "exit 0"),
        ("change", "sed -i 's/x y/z/' \"$1\""),
        ("add", "echo 'new: v' >> \"$1\""),
        ("fail", "exit 3"),
        ("break", "printf 'a: [' > \"$1\""),
        ("look", "cat \"$1\" > looked; stat -c %a \"$1\" >> looked; basename \"$1\" >> looked"),
        ("empty", ": > \"$1\""),
    ] {
        let path = twins.s.root().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    Some(twins)
}

fn line<'l>(args: &'l [&'l str]) -> Line<'l> {
    Line { args, ..Line::default() }
}

#[test]
fn values_in_the_environment() {
    let Some(twins) = twins() else { return };
    let rows: &[&[&str]] = &[
        &["exec-env", "e.yaml", "echo \"$a|$n|$f|$u|$t|$m\""],
        &["exec-env", "e.env", "echo \"$A|$B\"; exit 7"],
        &["exec-env", "e.yaml", "exit 7"],
        &["exec-env", "e.yaml", "kill -9 $$"],
        &["exec-env", "e.yaml", "cat; echo $HOME"],
        &["exec-env", "--pristine", "e.env", "env | grep -v '^_=' | sort"],
        &["exec-env", "--same-process", "e.env", "echo $A; exit 3"],
        &["exec-env", "e.nested.yaml", "true"],
        &["exec-env", "e.list.json", "true"],
        &["exec-env", "e.equals.yaml", "true"],
        &["exec-env", "p.yaml", "true"],
        &["exec-env", "e.env", "no-such-program-at-all"],
        &["exec-env", "--decryption-order", "pgp", "e.env", "true"],
        &["exec-env", "--enable-local-keyservice=false", "e.env", "true"],
    ];
    let mut differ = Vec::new();
    for args in rows {
        differ.extend(twins.differences(&[Line { args, input: "typed", env: &[] }], true));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn values_in_a_file() {
    let Some(twins) = twins() else { return };
    let rows: &[&[&str]] = &[
        &["exec-file", "e.yaml", "cat {}"],
        &["exec-file", "--no-fifo", "e.yaml", "cat {} {}"],
        &["exec-file", "--output-type", "json", "e.yaml", "cat {}"],
        &["exec-file", "--input-type", "yaml", "--output-type", "dotenv", "e.equals.yaml", "cat {}"],
        &["exec-file", "e.yaml", "exit 9"],
        &["exec-file", "e.yaml", "true"],
        &["exec-file", "--no-fifo", "--filename", "foo.bar", "e.yaml", "basename {}; stat -c %a {}"],
        &["exec-file", "--filename", "foo.bar", "e.yaml", "basename {}; stat -c %F {}; cat {} > /dev/null"],
        &["exec-file", "e.yaml", "stat -c %a {} $(dirname {})"],
        &["exec-file", "--no-fifo", "--filename", "a/b", "e.yaml", "true"],
        &["exec-file", "--filename", "/tmp/x", "e.yaml", "true"],
    ];
    let mut differ = Vec::new();
    for args in rows {
        differ.extend(twins.differences(&[line(args)], true));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn the_file_goes_with_the_command() {
    let Some(twins) = twins() else { return };
    for args in [&["exec-file", "--no-fifo", "e.yaml", "echo {}"][..], &["exec-file", "e.yaml", "echo {}"]] {
        let (_, did) = twins.ours(&[line(args)]);
        let path = String::from_utf8(did[0].stdout.clone()).unwrap();
        assert!(did[0].code == 0 && !std::path::Path::new(path.trim()).exists(), "{path}");
    }
    let (folder, did) = twins.ours(&[
        line(&["exec-env", "--background", "e.env", "echo $A > made.part; mv made.part made"]),
        line(&["exec-env", "e.env", "until [ -e made ]; do :; done; cat made"]),
    ]);
    assert!(did[0].code == 0 && did[0].stderr.contains("--background option is deprecated"), "{}", did[0].stderr);
    assert_eq!(did[1].stdout, b"1\n");
    drop(folder);
}

#[test]
fn another_user() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: needs root");
        return;
    }
    let Some(twins) = twins() else { return };
    let rows: &[&[&str]] = &[
        &["exec-env", "--user", "nobody", "e.env", "id -u; id -g; echo $HOME $USER $LOGNAME $A"],
        &["exec-env", "--user", "no-such-user", "e.env", "true"],
    ];
    let mut differ = Vec::new();
    for args in rows {
        differ.extend(twins.differences(&[line(args)], true));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    let (_, did) = twins.ours(&[line(&["exec-file", "--no-fifo", "--user", "nobody", "e.env", "id -u; cat {}"])]);
    assert!(did[0].code == 0 && did[0].stdout.ends_with(b"A=1\nB=x\\ny\n"), "{did:?}");
}

#[test]
fn editors() {
    let Some(twins) = twins() else { return };
    let path = |name: &str| twins.s.root().join(name).display().to_string();
    let mut differ = Vec::new();
    let (same, change, add, fail, look) = (path("same"), path("change"), path("add"), path("fail"), path("look"));
    let rows: Vec<(&str, &[&str])> = vec![
        (&same, &["edit", "e.yaml"]),
        (&same, &["e.yaml"]),
        (&same, &["edit", "new.yaml"]),
        (&change, &["edit", "e.yaml"]),
        (&change, &["e.yaml"]),
        (&add, &["edit", "e.yaml"]),
        (&add, &["edit", "--ignore-mac", "e.yaml"]),
        (&change, &["edit", "--output-type", "json", "e.yaml"]),
        (&add, &["edit", "-a", RECIPIENT, "made.yaml"]),
        (&add, &["--config", "rules.yaml", "edit", "made.yaml"]),
        (&add, &["--config", "rules.yaml", "made.yaml"]),
        (&add, &["edit", "made.yaml"]),
        (&add, &["e.yaml", "-d"]),
        (&fail, &["edit", "e.yaml"]),
        (&look, &["edit", "e.yaml"]),
        ("/nonexistent/editor", &["edit", "e.yaml"]),
        ("a 'b", &["edit", "e.yaml"]),
        (&change, &["edit", "--decryption-order", "pgp,age", "e.yaml"]),
        (&change, &["edit", "--enable-local-keyservice=false", "e.yaml"]),
        (&same, &["edit", "-a", RECIPIENT, "-a", STRANGER, "p.yaml"]),
    ];
    for (editor, args) in rows {
        let created = args.last().is_some_and(|name| name.starts_with("made"));
        let env = [("EDITOR", editor)];
        let row = [Line { args, env: &env, ..Line::default() }];
        if created {
            // The example that a new file begins with is in our own words.
            let (theirs, ours) = (twins.theirs(&row).1, twins.ours(&row).1);
            if theirs[0].code != ours[0].code {
                differ.push(format!("{args:?}: {theirs:?} {ours:?}"));
            }
        } else {
            differ.extend(twins.differences(&row, true));
        }
        let variables = [("SOPS_EDITOR", editor), ("EDITOR", "false"), ("VISUAL", "false")];
        differ.extend(
            (!created)
                .then(|| twins.differences(&[Line { args, env: &variables, ..Line::default() }], false))
                .into_iter()
                .flatten(),
        );
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn an_editor_that_breaks_the_file_is_started_no_more_than_it_is_asked_for() {
    let Some(twins) = twins() else { return };
    let editor = twins.s.root().join("break").display().to_string();
    let env = [("EDITOR", editor.as_str())];
    let (folder, did) = twins.ours(&[Line { args: &["edit", "e.yaml"], env: &env, input: "\n" }]);
    assert_eq!(did[0].code, 1, "{}", did[0].stderr);
    assert_eq!(did[0].stderr.matches("Press enter").count(), 2, "{}", did[0].stderr);
    assert!(did[0].stderr.contains("encrypted for the same keys"), "{}", did[0].stderr);
    assert!(std::fs::read_to_string(folder.join("e.yaml")).unwrap().contains("ENC["));
}

#[test]
fn what_is_edited_below_the_metadata_counts() {
    let Some(twins) = twins() else { return };
    let editor = twins.s.root().join("change").display().to_string();
    let env = [("EDITOR", editor.as_str())];
    let lines = [
        Line { args: &["edit", "-s", "e.yaml"], env: &env, ..Line::default() },
        line(&["decrypt", "--extract", "[\"u\"]", "e.yaml"]),
    ];
    let (_, did) = twins.ours(&lines);
    assert!(did[0].code == 0 && did[1].stdout == b"z", "{did:?}");
}
