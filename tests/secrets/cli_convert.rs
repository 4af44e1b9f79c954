//! Another type than the input's in our own name, what the rules say of its layout, and limits on inputs.

use crate::common::peer;
use crate::common::scenario::Scenario;
use crate::many::OURS;

const PLAIN: &str = "# top\ndb:\n    password: CANARY-heron\n    ports:\n        - 1\n        - 2\n";

fn scenario(stores: &str) -> Scenario {
    let rules = format!("{stores}creation_rules:\n  - age: {OURS}\n");
    let mut s = Scenario::new().file(".sops.yaml", rules).file("a.yaml", PLAIN);
    assert_eq!(s.run(["-q", "encrypt", "-i", "a.yaml"]).code, 0);
    s.plaintext.clear();
    s
}

#[test]
fn a_type_is_written_as_sops_writes_it() {
    let Some(sops) = peer("sops") else { return };
    for stores in ["", "stores: {json: {indent: 1}, json_binary: {indent: 3}, yaml: {indent: 2}}\n"] {
        let s = scenario(stores);
        for output in ["json", "ini", "dotenv"] {
            let ours = s.run_for_plaintext(["-q", "decrypt", "--output-type", output, "a.yaml"]);
            let theirs = s.finish(s.command(&sops).args(["decrypt", "--output-type", output, "a.yaml"]), b"");
            assert_eq!((ours.code == 0, &ours.stdout), (theirs.code == 0, &theirs.stdout), "{output}: {}", ours.stderr);
        }
        let ours = s.run_for_plaintext(["decrypt", "--output-type", "json", "--indent", "5", "a.yaml"]);
        let arguments = ["--indent", "5", "decrypt", "--output-type", "json", "a.yaml"];
        assert_eq!(ours.stdout, s.finish(s.command(&sops).args(arguments), b"").stdout);
        assert!(ours.stderr.contains("1 comment(s) have no place in json"), "{}", ours.stderr);
        // What we encrypt as another type the real program opens.
        let arguments = ["-q", "encrypt", "--filename-override", "b.yaml", "--output-type", "json"];
        let made = s.run_with_input(arguments, PLAIN.as_bytes());
        assert_eq!(made.code, 0, "{}", made.stderr);
        let arguments = ["decrypt", "--input-type", "json", "--output-type", "json"];
        let opened = s.finish(s.command(&sops).args(arguments), made.stdout.as_bytes());
        assert!(opened.stdout.contains("CANARY-heron"), "{}", opened.stderr);
        let second = made.stdout.lines().nth(1).unwrap_or_default();
        assert!(second.starts_with(if stores.is_empty() { "\t\"" } else { " \"" }), "{second:?}");
        let arguments = ["-q", "encrypt", "--filename-override", "b.bin"];
        let made = s.run_with_input(arguments, PLAIN.as_bytes());
        let second = made.stdout.lines().nth(1).unwrap_or_default();
        assert!(second.starts_with(if stores.is_empty() { "\t\"" } else { "   \"" }), "{second:?}");
    }
}

#[test]
fn called_as_sops_the_layout_of_the_rules_counts() {
    let Some(sops) = peer("sops") else { return };
    let s = scenario("stores: {json: {indent: 1}}\n");
    let link = s.root().join("sops");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lockage"), &link).unwrap();
    for leading in [&[][..], &["--indent", "4"]] {
        let arguments = [leading, &["decrypt", "--output-type", "json", "a.yaml"]].concat();
        let ours = s.finish(s.command(&link).args(&arguments), b"");
        let theirs = s.finish(s.command(&sops).args(&arguments), b"");
        assert_eq!((ours.code, ours.stdout), (theirs.code, theirs.stdout), "{leading:?}: {}", ours.stderr);
    }
}

#[test]
fn a_selector_that_is_none_is_followed_as_sops_does_and_told() {
    let Some(sops) = peer("sops") else { return };
    let mut s = scenario("").file("b.yaml", "plain: text\n");
    let link = s.root().join("sops");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lockage"), &link).unwrap();
    let arguments = ["encrypt", "--encrypted-regex", "[", "b.yaml"];
    let ours = s.finish(s.command(&link).args(arguments), b"");
    let theirs = s.finish(s.command(&sops).args(arguments), b"");
    assert_eq!((ours.code, theirs.code), (0, 0), "{}", ours.stderr);
    assert!(ours.stdout.starts_with("plain: text\n") && theirs.stdout.starts_with("plain: text\n"));
    assert!(ours.stderr.contains("matches nothing"), "{}", ours.stderr);
    s.write(".sops.yaml", format!("creation_rules:\n  - age: {OURS}\n    encrypted_regex: '['\n"));
    let ours = s.finish(s.command(&link).args(["encrypt", "b.yaml"]), b"");
    assert!(ours.code == 0 && ours.stderr.contains("matches nothing"), "{}", ours.stderr);
    let ran = s.run(["encrypt", "b.yaml"]);
    assert!(ran.code == 2 && ran.stderr.contains(".sops.yaml:2"), "{}", ran.stderr);
}

#[test]
fn a_larger_input_is_refused_before_it_is_read() {
    let s = scenario("");
    std::fs::write(s.repo().join("big.yaml"), vec![b'#'; 2000]).unwrap();
    for arguments in [&["encrypt", "big.yaml"][..], &["encrypt", "-i", "big.yaml", "a.yaml"]] {
        let ran = s.run([&["--max-size", "1K"], arguments].concat());
        assert!(ran.code == 2 && ran.stderr.contains("larger than 1024 bytes"), "{}", ran.stderr);
    }
    let arguments = ["--max-size", "1000", "encrypt", "--filename-override", "b.yaml"];
    let ran = s.run_with_input(arguments, &[b'#'; 2000]);
    assert!(ran.code == 2 && ran.stderr.contains("larger than 1000 bytes"), "{}", ran.stderr);
    let ran = s.run_for_plaintext(["decrypt", "--max-size", "1G", "a.yaml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, PLAIN));
    assert_eq!(s.run(["--max-size", "much", "decrypt", "a.yaml"]).code, 2);
}
