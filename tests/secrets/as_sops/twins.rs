//! Two folders with the same files: the real `sops` works in one, ours in the other.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::peer;
use crate::common::scenario::Scenario;

/// The recipient whose identity every scenario has.
pub const RECIPIENT: &str = "age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw";
/// One whose identity nobody has.
pub const STRANGER: &str = "age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj";

/// What a command did.
#[derive(Debug)]
pub struct Did {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

/// One command line, and what stands around it.
#[derive(Clone, Debug, Default)]
pub struct Line<'l> {
    pub args: &'l [&'l str],
    pub input: &'l str,
    pub env: &'l [(&'l str, &'l str)],
}

/// The two folders.
pub struct Twins {
    pub s: Scenario,
    pub real: PathBuf,
    link: PathBuf,
    start: PathBuf,
}

impl Twins {
    /// Folders with these files; those whose name begins with `e.` or holds `/e.` are encrypted by the real `sops`.
    pub fn new(files: &[(&str, impl AsRef<[u8]>)]) -> Option<Self> {
        let real = peer("sops")?;
        let s = Scenario::new().memory_of_its_own();
        let start = s.root().join("start");
        std::fs::create_dir(&start).unwrap();
        for (name, content) in files {
            let path = start.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
        }
        for (name, _) in files.iter().filter(|(name, _)| name.starts_with("e.")) {
            let out = s.command(&real).current_dir(&start).args(["encrypt", "-i", "--age", RECIPIENT, name]).output();
            let out = out.unwrap();
            assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        }
        let link = s.root().join("bin/sops");
        std::fs::create_dir(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lockage"), &link).unwrap();
        Some(Self { s, real, link, start })
    }

    /// A fresh copy of the start.
    fn copy(&self, name: &str) -> PathBuf {
        let place = self.s.root().join("twin").join(name);
        let _ = std::fs::remove_dir_all(&place);
        std::fs::create_dir_all(&place).unwrap();
        let copied = Command::new("cp").arg("-a").arg(format!("{}/.", self.start.display())).arg(&place).status();
        assert!(copied.unwrap().success());
        place
    }

    fn run_in(&self, program: &Path, folder: &Path, line: &Line<'_>) -> Did {
        let mut command = self.s.command(program);
        command.args(line.args).current_dir(folder).envs(line.env.iter().copied());
        command.env_remove("NO_COLOR").env("SOPS_DISABLE_VERSION_CHECK", "true").envs(line.env.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(line.input.as_bytes());
        let out = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        Did { code: out.status.code().unwrap_or(-1), stdout: out.stdout, stderr }
    }

    /// Runs lines with ours alone, in a fresh folder.
    pub fn ours(&self, lines: &[Line<'_>]) -> (PathBuf, Vec<Did>) {
        let folder = self.copy("ours");
        let did = lines.iter().map(|line| self.run_in(&self.link, &folder, line)).collect();
        (folder, did)
    }

    /// Runs lines with the real one alone, in a fresh folder.
    pub fn theirs(&self, lines: &[Line<'_>]) -> (PathBuf, Vec<Did>) {
        let folder = self.copy("theirs");
        let did = lines.iter().map(|line| self.run_in(&self.real, &folder, line)).collect();
        (folder, did)
    }

    /// Runs the same lines with both; what differs, in words.
    pub fn differences(&self, lines: &[Line<'_>], words: bool) -> Vec<String> {
        let (their_folder, theirs) = self.theirs(lines);
        let (our_folder, ours) = self.ours(lines);
        let mut differ = Vec::new();
        for ((theirs, ours), line) in theirs.iter().zip(&ours).zip(lines) {
            let shown = format!("{:?} {:?}", line.env, line.args);
            if ours.code != theirs.code {
                differ.push(format!(
                    "{shown}: exit {} instead of {}\n  ours: {}\n  theirs: {}",
                    ours.code, theirs.code, ours.stderr, theirs.stderr
                ));
                continue;
            }
            // Help and usage are in our own words.
            let usage = theirs.stdout.starts_with(b"NAME:")
                || theirs.stdout.starts_with(b"Incorrect Usage")
                || theirs.stdout.starts_with(b"Cannot use two forms");
            let (mine, real) = (self.normal(&ours.stdout), self.normal(&theirs.stdout));
            if !usage && mine != real {
                differ.push(format!("{shown}: stdout\n  ours: {mine}\n  theirs: {real}"));
            }
            let (mine, real) = (lead(&ours.stderr), lead(&theirs.stderr));
            if words && mine != real {
                differ.push(format!("{shown}: stderr\n  ours: {}\n  theirs: {}", ours.stderr, theirs.stderr));
            }
        }
        let (theirs, ours) = (self.state(&their_folder), self.state(&our_folder));
        for (name, real) in &theirs {
            let mine = ours.get(name);
            if mine != Some(real) {
                differ
                    .push(format!("{:?}: `{name}`\n  ours: {mine:?}\n  theirs: {real:?}", lines.last().unwrap().args));
            }
        }
        for name in ours.keys().filter(|name| !theirs.contains_key(*name)) {
            differ.push(format!("{:?}: `{name}` is only ours", lines.last().unwrap().args));
        }
        differ
    }

    /// Every file: its permissions, and its content; of an encrypted one what the real `sops` makes of it.
    fn state(&self, folder: &Path) -> BTreeMap<String, (u32, String)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
                let content = std::fs::read(&path).unwrap();
                let mut shown = self.normal(&content);
                if String::from_utf8_lossy(&content).contains("ENC[AES256_GCM") {
                    let opened =
                        self.run_in(&self.real, folder, &Line { args: &["decrypt", &name], ..Line::default() });
                    shown = format!("{} {} {}", opened.code, self.normal(&opened.stdout), recipients(&content));
                }
                found.insert(name, (mode, shown));
            }
        }
        found
    }

    /// What is the same in both runs: tokens, dates and armors stand for themselves, and so do the folders.
    fn normal(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let base = self.s.root().join("twin").display().to_string();
        let text = text.replace(&format!("{base}/ours"), "DIR").replace(&format!("{base}/theirs"), "DIR");
        let mut out = String::new();
        let mut armor = false;
        for line in text.split_inclusive('\n') {
            let begins = line.contains("-----BEGIN AGE");
            if begins && line.contains("-----END AGE") {
                let start = line.find("-----BEGIN AGE").unwrap();
                let end = line.rfind("-----END AGE").unwrap();
                out.push_str(&format!("{}ARMOR{}", &line[..start], &line[end..]));
                continue;
            }
            armor |= begins;
            if !armor {
                out.push_str(line);
            }
            if line.contains("-----END AGE") {
                armor = false;
                out.push_str("ARMOR\n");
            }
        }
        let wrapped = regex::Regex::new(r#"(enc"?: "?)[A-Za-z0-9+/_:=-]{20,}"#).unwrap();
        let out = wrapped.replace_all(&out, "${1}WRAPPED");
        let token = regex::Regex::new(r"ENC\[AES256_GCM,[^\]]*type:([a-z]+)\]").unwrap();
        let date = regex::Regex::new(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
        date.replace_all(&token.replace_all(&out, "TOKEN $1"), "DATE").into_owned()
    }
}

/// For whom a file is encrypted, and what else its metadata says.
fn recipients(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let word = regex::Regex::new(r"age1[a-z0-9]{20,}").unwrap();
    let field = regex::Regex::new(
        r#"(shamir_threshold|[a-z_]*_suffix|[a-z_]*_regex|mac_only_encrypted|version)["' :=]+([^\s",]+)"#,
    )
    .unwrap();
    let mut found: Vec<String> = word.find_iter(&text).map(|found| found.as_str().to_owned()).collect();
    found.extend(field.captures_iter(&text).map(|found| format!("{}={}", &found[1], &found[2])));
    // The default, which SOPS writes into binary files that it rewrites, and only then.
    found.retain(|field| field != "unencrypted_suffix=_unencrypted");
    found.join(" ")
}

/// The first words, up to the details that each says in its own way.
pub fn lead(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line = match line.find("level=") {
        Some(at) => &line[at..],
        None => line,
    };
    // A log of another kind begins with the moment.
    let line = if line.starts_with("20") { line.get(20..).unwrap_or_default() } else { line };
    line.split([':', ',', '.', '/']).next().unwrap_or_default().trim().to_owned()
}
