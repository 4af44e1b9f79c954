//! The canary: every fixture secret holds one marker word, and after every command nothing may hold it but what the
//! test expects to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The marker word.
pub const WORD: &str = "CANARY-heron";

/// Whether `bytes` hold the marker, as it is, or as base64 at any of the three alignments.
pub fn sings(bytes: &[u8]) -> bool {
    spellings().iter().any(|spelling| contains(bytes, spelling))
}

/// All files under `root` that hold the marker, git objects (loose and packed) among them.
pub fn search(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if path.join("objects").is_dir() && path.join("HEAD").is_file() && objects(&path) {
                    found.push(path.join("objects"));
                }
                folders.push(path);
            } else if kind.is_file() && fs::read(&path).is_ok_and(|bytes| sings(&bytes)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn objects(git_dir: &Path) -> bool {
    let all = ["cat-file", "--batch", "--batch-all-objects", "--unordered"];
    let out = Command::new("git").arg("--git-dir").arg(git_dir).args(all).output().expect("git runs");
    sings(&out.stdout)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

/// Base64 of the middle of the word at each alignment is stable whatever stands around it.
fn spellings() -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let mut all = vec![WORD.as_bytes().to_vec()];
    for lead in 0..3 {
        let padded = [&b"\0\0"[..lead], WORD.as_bytes()].concat();
        let whole = &padded[..padded.len() / 3 * 3];
        let text = base64::engine::general_purpose::STANDARD.encode(whole);
        all.push(text.as_bytes()[if lead == 0 { 0 } else { 4 }..].to_vec());
    }
    all
}

#[test]
fn the_canary_is_found_in_clear_and_in_base64() {
    use base64::Engine as _;
    for lead in ["", "a", "ab", "abc"] {
        let text = format!("{lead}{WORD} tail");
        let encoded = base64::engine::general_purpose::STANDARD.encode(&text);
        assert!(sings(text.as_bytes()) && sings(encoded.as_bytes()), "{lead:?}");
    }
    assert!(!sings(b"CANARY-her"));
}
