//! Formats that SOPS does not know, judged leaf by leaf like any other.

use std::process::{Command, Stdio};

use crate::common::peer;
use crate::lab::{Lab, PASSWORD, RECIPIENT, rules};

/// A path, the flags of its encryption, and a plaintext with the password in a value and in a comment.
const FILES: [(&str, &[&str], &str); 4] = [
    (
        "secrets/app.toml",
        &[],
        "# blue-house-42\nname_unencrypted = \"app\"\n\n[db]\npassword = 'blue-house-42'\nport = 54321\n\n[db.more]\nhosts = [\n  \"blue-house-42\", # second\n]\n[[db.list]]\n",
    ),
    (
        "secrets/app.env",
        &["--dotenv-dialect", "compose"],
        "# blue-house-42\nexport NAME_unencrypted=app\nPASSWORD='blue-house-42\nline' # why\nEMPTY=\n",
    ),
    ("secrets/app.yaml", &[], "# blue-house-42\n- password: blue-house-42\n- [54321]\n"),
    ("secrets/app.json", &[], "[\n  {\"password\": \"blue-house-42\"},\n  54321\n]\n"),
];

#[test]
fn they_pass_encrypted_and_are_blocked_where_anything_is_in_clear() {
    for (path, flags, plain) in FILES {
        let mut lab = Lab::with_rules(&rules());
        // Without the word of its dialect a file with quotes over two lines is none; blocked it is all the same.
        let check = if path.ends_with(".env") { "unreadable" } else { "clear-value" };
        lab.stage(path, plain).blocked(check, path);
        let ran = lab.scenario.lockage().args(["-q", "encrypt", "-i", path]).args(flags).output().unwrap();
        assert!(ran.status.success(), "{path}: {}", String::from_utf8_lossy(&ran.stderr));
        let file = lab.scenario.read(path);
        lab.stage(path, &file).passes(path);
        lab.scenario.commit("encrypted");

        let token = file.find("ENC[").unwrap();
        let mut tokens = Vec::new();
        let mut from = token;
        while let Some(at) = file[from..].find("ENC[") {
            let start = from + at;
            // In a flow collection the bracket of what was plain is escaped.
            let ends = ["]", "\\x5D"].map(|end| file[start..].find(end).map(|at| start + at + end.len()));
            let end = ends.into_iter().flatten().min().unwrap();
            tokens.push(start..end);
            from = end;
        }
        // The last one is the authentication code.
        for range in &tokens[..tokens.len() - 1] {
            let comment = file[range.clone()].ends_with("type:comment]");
            let mut changed = file.clone();
            changed.replace_range(range.clone(), if comment { " blue-house-42" } else { PASSWORD });
            let check = if comment { "clear-comment" } else { "clear-value" };
            lab.stage(path, changed).blocked(check, &format!("{path}: token at {}", range.start));
        }
        let other = file.replacen("\"app\"", "\"other\"", 1).replacen("=app\n", "=other\n", 1);
        if other != file {
            lab.stage(path, other).blocked("stale-mac", path);
        }
    }
}

/// What `rops` makes of a TOML text for the recipient of the lab.
fn rops(plain: &str) -> Option<String> {
    let program = peer("rops")?;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plain"), plain).unwrap();
    let ran = Command::new(program)
        .args(["encrypt", "--age", RECIPIENT, "--unencrypted-suffix", "_unencrypted", "--format", "toml"])
        .env_clear()
        .env("HOME", folder.path())
        .stdin(Stdio::from(std::fs::File::open(folder.path().join("plain")).unwrap()))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).unwrap())
}

/// `decrypt` opens it, so that nobody is told that it stands in clear or is damaged.
#[test]
fn the_empty_texts_of_rops_are_tokens() {
    let path = "secrets/app.toml";
    let Some(theirs) = rops("empty = \"\"\nother = \"\"\npassword = \"blue-house-42\"\n") else { return };
    let tokens: Vec<&str> = theirs.split('"').filter(|text| text.starts_with("ENC[AES256_GCM,data:,")).collect();
    assert_eq!(tokens.len(), 2, "{theirs}");
    let mut lab = Lab::with_rules(&rules());
    lab.stage(path, &theirs).passes(path);
    assert_eq!(lab.ask(&["check", "--json"]).code, 0);
    let ran = lab.scenario.lockage().args(["decrypt", path]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    lab.scenario.commit("encrypted");

    // Where it is cut short nobody opens it; where it stands at another key neither.
    let short = theirs.replacen(tokens[0], &tokens[0].replacen(",tag:", ",tag:A", 1), 1);
    lab.stage(path, short).blocked("clear-value", "a tag that is too long");
    let moved = theirs.replacen(tokens[0], "x", 1).replacen(tokens[1], tokens[0], 1).replacen("\"x\"", "\"\"", 1);
    lab.stage(path, moved).blocked("moved-value", "at another key");
    let header = theirs.split("[sops]").next().unwrap();
    lab.stage(path, header).blocked("metadata", "without the block");
    // Its copy in clear has one value, and that one tells.
    lab.stage(path, &theirs).scenario.commit("again");
    lab.stage("app.toml", "empty = \"\"\nother = \"\"\npassword = \"blue-house-42\"\n");
    lab.blocked("decrypted-copy", "a copy");
}
