//! A file whose text is of another type than its name says: what makes it, and what opens it.

use std::os::unix::fs::PermissionsExt as _;

use super::twins::{Line, RECIPIENT, STRANGER, Twins};

const FILES: [(&str, &str); 4] = [
    (
        ".sops.yaml",
        "creation_rules:\n  - age: age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw,age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj\n",
    ),
    ("e.yaml", "a: old CANARY-heron\n# c\nb: [1, x]\nc_unencrypted: 1.5\n"),
    ("p.yaml", "a: old CANARY-heron\nb: [1, 2.50, x]\nc_unencrypted: 1.5\n"),
    ("e.env", "a=old CANARY-heron\n"),
];

fn line<'l>(args: &'l [&'l str]) -> Line<'l> {
    Line { args, ..Line::default() }
}

/// An editor that prints what it is shown, and changes a word of it.
fn editor(twins: &Twins) -> String {
    let path = twins.s.root().join("show");
    std::fs::write(&path, "#!/bin/sh\ncat \"$1\"\nsed -i s/old/new/ \"$1\"\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn yaml_is_edited_as_json_under_its_old_name() {
    let Some(twins) = Twins::new(&FILES) else { return };
    let editor = editor(&twins);
    let env = [("EDITOR", editor.as_str())];
    let mut differ = Vec::new();
    for args in [
        &["edit", "--output-type", "json", "e.yaml"][..],
        &["--output-type", "json", "e.yaml"],
        &["--indent", "2", "edit", "--output-type", "json", "e.yaml"],
    ] {
        let lines = [Line { args, env: &env, ..Line::default() }, line(&["decrypt", "e.yaml"])];
        differ.extend(twins.differences(&lines, true));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    // What is edited under the metadata, SOPS discards; here it counts.
    let shown = ["edit", "-s", "--output-type", "json", "e.yaml"];
    let (_, did) = twins.ours(&[Line { args: &shown, env: &env, ..Line::default() }, line(&["decrypt", "e.yaml"])]);
    assert!(did[0].code == 0 && did[1].stdout.starts_with(b"a: new CANARY"), "{did:?}");
}

/// Of every other pair SOPS shows one type, reads the other, and starts the editor again for ever.
#[test]
fn what_could_not_be_read_back_is_not_edited() {
    let Some(twins) = Twins::new(&FILES) else { return };
    let editor = editor(&twins);
    let env = [("EDITOR", editor.as_str())];
    for (output, name) in
        [("dotenv", "e.yaml"), ("ini", "e.yaml"), ("binary", "e.yaml"), ("json", "e.env"), ("yaml", "e.env")]
    {
        let args = ["edit", "--output-type", output, name];
        let (folder, did) = twins.ours(&[Line { args: &args, env: &env, ..Line::default() }]);
        assert_eq!(did[0].code, 4, "{args:?}: {did:?}");
        assert!(did[0].stderr.starts_with("Could not marshal tree: what is shown as"), "{}", did[0].stderr);
        assert!(did[0].stdout.is_empty(), "an editor was started");
        assert!(
            std::fs::read(folder.join(name)).unwrap()
                == std::fs::read(twins.s.root().join("start").join(name)).unwrap()
        );
    }
    let args = ["edit", "--output-type", "binary", "e.yaml"];
    assert_eq!(twins.theirs(&[Line { args: &args, env: &env, ..Line::default() }]).1[0].code, 4);
}

#[test]
fn json_under_a_name_of_yaml_is_opened_and_changed() {
    let Some(twins) = Twins::new(&FILES) else { return };
    let editor = editor(&twins);
    let env = [("EDITOR", editor.as_str())];
    let make = line(&["encrypt", "-i", "-a", RECIPIENT, "--output-type", "json", "p.yaml"]);
    let mut differ = Vec::new();
    for args in [
        &["decrypt", "p.yaml"][..],
        &["decrypt", "--extract", "[\"b\"][1]", "p.yaml"],
        &["decrypt", "--output-type", "json", "p.yaml"],
        &["filestatus", "p.yaml"],
        &["set", "p.yaml", "[\"b\"][0]", "7"],
        &["unset", "p.yaml", "[\"a\"]"],
        &["rotate", "-i", "p.yaml"],
        &["edit", "p.yaml"],
        &["updatekeys", "-y", "p.yaml"],
        &["groups", "add", "-i", "-f", "p.yaml", "-a", STRANGER],
        &["exec-env", "p.yaml", "echo $a"],
    ] {
        let lines = [make.clone(), Line { args, env: &env, ..Line::default() }, line(&["decrypt", "p.yaml"])];
        differ.extend(twins.differences(&lines, true));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
