//! `updatekeys` over several files: one after the other, and past those that fail.

use super::twins::{Line, RECIPIENT, STRANGER, Twins, lead};

#[test]
fn keys_are_updated_file_by_file() {
    let rules = format!(
        "creation_rules:\n  - path_regex: none\\.yaml$\n    age: {RECIPIENT}\n  - age: {RECIPIENT},{STRANGER}\n"
    );
    let Some(twins) = Twins::new(&[
        ("e.yaml", "a: CANARY-heron\n"),
        ("e.json", "{\n\t\"a\": \"CANARY-heron\"\n}\n"),
        ("e.none.yaml", "a: CANARY-heron\n"),
        ("e.env", "A=CANARY-heron\n"),
        ("p.yaml", "a: CANARY-heron\n"),
        (".sops.yaml", rules.as_str()),
    ]) else {
        return;
    };
    let mut differ = Vec::new();
    for (args, input) in [
        (&["updatekeys", "-y", "e.yaml", "missing.yaml", "p.yaml", ".", "e.none.yaml", "e.json"][..], ""),
        (&["updatekeys", "e.yaml", "e.json", "e.env"], "y\nn\n"),
        (&["updatekeys", "e.yaml", "p.yaml", "e.json"], "n\nmaybe\ny\n"),
        (&["updatekeys", "e.yaml", "e.json"], ""),
        (&["updatekeys", "-y", "e.yaml", "e.yaml"], ""),
        (&["updatekeys", "-y", "missing.yaml", "missing.json"], ""),
    ] {
        let row = [Line { args, input, env: &[] }];
        differ.extend(twins.differences(&row, false));
        // Every line of the log, in its order.
        let lines = |stderr: &str| stderr.lines().map(lead).collect::<Vec<_>>();
        let (theirs, ours) = (twins.theirs(&row).1, twins.ours(&row).1);
        if lines(&theirs[0].stderr) != lines(&ours[0].stderr) {
            differ.push(format!("{args:?}\n  ours: {}\n  theirs: {}", ours[0].stderr, theirs[0].stderr));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
