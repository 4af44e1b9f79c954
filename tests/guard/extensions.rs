//! Formats that SOPS does not know, judged leaf by leaf like any other.

use crate::lab::{Lab, PASSWORD, rules};

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
