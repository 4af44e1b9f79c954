//! Files that are odd, hostile or broken: the verdict is that of the real `sops`, and what is refused stays as it was.

use super::twins::{Line, RECIPIENT, Twins};
use crate::common::scenario::Scenario;

/// Deeper than any reader of this world follows.
const BOTTOMLESS: usize = 20_000;

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(bytes).collect()
}

fn nested(open: &str, close: &str, depth: usize) -> Vec<u8> {
    format!("{}1{}", open.repeat(depth), close.repeat(depth)).into_bytes()
}

/// Nine lists of nine aliases each, eight times over.
fn bomb() -> Vec<u8> {
    let list = |item: &str| [item; 9].join(",");
    let mut text = format!("a: &a [{}]\n", list("x"));
    for (above, name) in "abcdefg".chars().zip("bcdefgh".chars()) {
        text += &format!("{name}: &{name} [{}]\n", list(&format!("*{above}")));
    }
    text.into_bytes()
}

/// Every odd file, by a name that says what is odd; no real program may disagree about one.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let texts: &[(&'static str, &[u8])] = &[
        ("nul.yaml", b"a: x\0y\n"),
        ("nul.json", b"{\"a\":\"x\0y\"}"),
        ("nul-escaped.json", b"{\"a\":\"x\\u0000y\"}"),
        ("nul.env", b"A=x\0y\n"),
        ("nul.ini", b"[s]\na=x\0y\n"),
        ("not-utf8.yaml", b"a: \xff\xfe\n"),
        ("not-utf8.json", b"{\"a\":\"\xff\"}"),
        ("not-utf8.env", b"A=\xff\n"),
        ("not-utf8.ini", b"[s]\na=\xff\n"),
        ("mark.yaml", b"\xef\xbb\xbfa: 1\n"),
        ("mark.json", b"\xef\xbb\xbf{\"a\":1}"),
        ("mark.env", b"\xef\xbb\xbfA=1\n"),
        ("mark.ini", b"\xef\xbb\xbf[s]\na=1\n"),
        ("empty.yaml", b""),
        ("empty.json", b""),
        ("empty.env", b""),
        ("empty.ini", b""),
        ("empty.bin", b""),
        ("line.yaml", b"\n"),
        ("comment.yaml", b"# only\n"),
        ("start.yaml", b"---\n"),
        ("scalar.yaml", b"hello\n"),
        ("list.yaml", b"- a\n"),
        ("list.json", b"[1]"),
        ("number.json", b"1"),
        ("null.yaml", b"null\n"),
        ("null.json", b"null"),
        ("twice.yaml", b"a: 1\na: 2\n"),
        ("twice.json", b"{\"a\":1,\"a\":2}"),
        ("twice.ini", b"[s]\na=1\na=2\n"),
        ("sections.ini", b"[s]\na=1\n[s]\nb=2\n"),
        ("open.ini", b"a=1\n[\n"),
        ("flag.ini", b"[s]\nkey\n"),
        ("word.env", b"JUSTAKEY\n"),
        ("self.yaml", b"a: &a [*a]\n"),
        ("tab.yaml", b"a:\n\tb: 1\n"),
        ("keys.yaml", b"1: a\ntrue: b\nnull: c\n1.5: d\n"),
        ("key.yaml", b"? [a, b]\n: c\n"),
        ("sops.yaml", b"sops: 1\na: 2\n"),
        ("metadata.yaml", b"sops:\n  mac: x\na: 2\n"),
        ("documents.yaml", b"a: 1\n---\nb: 2\n"),
        ("returns.yaml", b"a: 1\r\nb: \"x\"\r\n"),
        ("returns.env", b"A=1\r\nB=2\r\n"),
        ("returns.ini", b"[s]\r\na=1\r\n"),
        ("large.json", b"{\"a\":123456789012345678901234567890,\"b\":1e400,\"c\":-0,\"d\":1.0}"),
        ("large.yaml", b"a: .inf\nb: .nan\nc: 9223372036854775808\nd: 18446744073709551616\n"),
    ];
    let mut files: Vec<_> = texts.iter().map(|(name, text)| (*name, text.to_vec())).collect();
    files.push(("wide-little.yaml", utf16("a: é𝄞\nb: 1\n", u16::to_le_bytes)));
    files.push(("wide-big.yaml", utf16("a: é𝄞\nb: 1\n", u16::to_be_bytes)));
    files.push(("wide.json", utf16("{\"a\":1}", u16::to_le_bytes)));
    files.push(("deep.json", nested("{\"a\":", "}", 2_000)));
    files.push(("deep.yaml", [b"a: ".to_vec(), nested("[", "]", 2_000), b"\n".to_vec()].concat()));
    files.push(("bottomless.yaml", [b"a: ".to_vec(), nested("[", "]", BOTTOMLESS), b"\n".to_vec()].concat()));
    files.push(("bomb.yaml", bomb()));
    files
}

#[test]
fn the_verdict_is_that_of_sops() {
    let files = files();
    let Some(twins) = Twins::new(&files) else { return };
    let mut differ = Vec::new();
    for (name, _) in &files {
        // As another type, because we keep the layout of the same one.
        let other = if name.ends_with(".json") { "yaml" } else { "json" };
        let lines = [
            Line { args: &["encrypt", "-i", "--age", RECIPIENT, name], ..Line::default() },
            Line { args: &["decrypt", "--output-type", other, name], ..Line::default() },
        ];
        let ((_, theirs), (_, ours)) = (twins.theirs(&lines), twins.ours(&lines));
        for (theirs, ours) in theirs.iter().zip(&ours) {
            if (ours.code, &ours.stdout) != (theirs.code, &theirs.stdout) {
                differ.push(format!("{name}: ours {ours:?}\n  theirs {theirs:?}"));
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn a_loop_of_links_cannot_be_read() {
    let Some(twins) = Twins::new(&[("x.yaml", "a: 1\n")]) else { return };
    let start = twins.s.root().join("start");
    std::os::unix::fs::symlink("loop.yaml", start.join("loop.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere.yaml", start.join("dangling.yaml")).unwrap();
    std::fs::create_dir(start.join("folder.yaml")).unwrap();
    for name in ["loop.yaml", "dangling.yaml", "folder.yaml", "missing.yaml"] {
        for verb in ["encrypt", "decrypt", "edit", "filestatus"] {
            let lines = [Line { args: &[verb, name], ..Line::default() }];
            let ((_, theirs), (_, ours)) = (twins.theirs(&lines), twins.ours(&lines));
            assert_eq!(ours[0].code, theirs[0].code, "{verb} {name}: {}\n{}", ours[0].stderr, theirs[0].stderr);
        }
    }
}

#[test]
fn in_our_own_name_what_is_refused_is_named_and_stays() {
    let mut refused = 0;
    let mut s = Scenario::new();
    for (name, text) in files() {
        s.write(name, &text);
        let ran = s.run(["encrypt", "-i", "--age", RECIPIENT, name]);
        if ran.code == 0 {
            continue;
        }
        refused += 1;
        assert_eq!(ran.code, 2, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
        assert_eq!(std::fs::read(s.repo().join(name)).unwrap(), text, "{name}");
    }
    assert!(refused > 20, "{refused}");
}
