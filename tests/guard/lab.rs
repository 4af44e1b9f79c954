//! A repository with one rule and one encrypted file per format, made by the real `sops`; a change is staged, and the
//! guard is asked.

use std::collections::HashMap;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::{LazyLock, Mutex};

use crate::common::peer;
use crate::common::scenario::Scenario;

/// What a human takes for a password; no scanner finds it.
pub const PASSWORD: &str = "blue-house-42";

/// The published test recipient, which the rules name.
pub const RECIPIENT: &str = "age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw";

/// Somebody else.
pub const STRANGER: &str = "age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj";

/// The formats that every change is tried in.
pub const FORMATS: [Format; 3] = [
    Format {
        ending: "yaml",
        plain: "# note of the house\nname_unencrypted: app\ndb:\n    password: blue-house-42\n    port: 54321\n    \
                tls: true\nhosts:\n    - blue-house-42\n    - second-host\nempty: \"\"\nnothing: null\n",
    },
    Format {
        ending: "json",
        plain: "{\n\t\"name_unencrypted\": \"app\",\n\t\"db\": {\n\t\t\"password\": \"blue-house-42\",\n\t\t\"port\": \
                54321,\n\t\t\"tls\": true\n\t},\n\t\"hosts\": [\n\t\t\"blue-house-42\",\n\t\t\"second-host\"\n\t],\n\t\
                \"empty\": \"\",\n\t\"nothing\": null\n}\n",
    },
    Format {
        ending: "env",
        plain: "# note of the house\nname_unencrypted=app\npassword=blue-house-42\nport=54321\ntls=true\nempty=\n",
    },
];

/// A format: its file name's ending, and the same content in it.
#[derive(Clone, Copy)]
pub struct Format {
    pub ending: &'static str,
    pub plain: &'static str,
}

impl Format {
    /// Whether it is the one with that ending.
    pub fn is(&self, ending: &str) -> bool {
        self.ending == ending
    }

    /// The file of this format that the rule covers.
    pub fn path(&self) -> String {
        format!("secrets/app.{}", self.ending)
    }
}

/// The rule of the lab.
pub fn rules() -> String {
    format!("creation_rules:\n  - path_regex: ^secrets/\n    age: {RECIPIENT}\n")
}

static ENCRYPTED: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

/// What the real `sops` makes of `plain` under a file name, with these arguments; `None` without that peer.
pub fn encrypt_as(name: &str, plain: &str, args: &[&str]) -> Option<String> {
    encrypt_under("", name, plain, args)
}

/// The same under these rules, which then say for whom.
pub fn encrypt_under(rules: &str, name: &str, plain: &str, args: &[&str]) -> Option<String> {
    let key = format!("{rules}\0{name}\0{plain}\0{args:?}");
    if let Some(known) = ENCRYPTED.lock().unwrap().get(&key) {
        return Some(known.clone());
    }
    let sops = peer("sops")?;
    let mut all = vec!["encrypt", "--filename-override", name];
    all.extend(if args.contains(&"--age") || !rules.is_empty() { &[][..] } else { &["--age", RECIPIENT][..] });
    all.extend(args);
    let mut scenario = Scenario::new();
    if !rules.is_empty() {
        scenario.write(".sops.yaml", rules);
    }
    let mut command = scenario.command(sops);
    let child = command.args(&all).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().expect("sops starts");
    child.stdin.take().unwrap().write_all(plain.as_bytes()).expect("sops reads");
    let out = child.wait_with_output().expect("sops ends");
    assert!(out.status.success(), "sops {all:?}: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).expect("text");
    ENCRYPTED.lock().unwrap().insert(key, text.clone());
    Some(text)
}

/// The lab: a repository whose HEAD has the rule and the encrypted file of every format.
pub struct Lab {
    pub scenario: Scenario,
}

/// What the guard said.
pub struct Said {
    pub code: i32,
    pub json: serde_json::Value,
    pub stderr: String,
}

impl Lab {
    /// HEAD has the rule only.
    pub fn with_rules(rules: &str) -> Self {
        let scenario = Scenario::new().file(".sops.yaml", rules);
        scenario.commit("rules");
        Self { scenario }
    }

    /// HEAD has the rule and the encrypted files.
    pub fn new() -> Option<Self> {
        let mut lab = Self::with_rules(&rules());
        for format in FORMATS {
            let text = encrypt_as(&format.path(), format.plain, &[])?;
            lab.scenario.write(&format.path(), text);
        }
        lab.scenario.commit("secrets");
        Some(lab)
    }

    /// Writes and stages a file, past any ignore rule.
    pub fn stage(&mut self, path: &str, text: impl AsRef<[u8]>) -> &mut Self {
        self.scenario.write(path, text);
        self.scenario.git(["add", "-f", "--", path]);
        self
    }

    /// Asks the guard about what is staged.
    pub fn guard(&self) -> Said {
        self.ask(&["guard", "--json"])
    }

    /// Asks the guard; neither stream may hold the password.
    pub fn ask(&self, args: &[&str]) -> Said {
        let out = self.scenario.lockage().args(args).output().expect("the guard runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
        for stream in [&stdout, &stderr] {
            let at = stream.find(PASSWORD);
            let around = at.map(|at| stream[at.saturating_sub(300)..].chars().take(400).collect::<String>());
            assert!(around.is_none(), "the password is printed: {around:?}");
        }
        let json = serde_json::from_str(&stdout).unwrap_or_default();
        Said { code: out.status.code().unwrap_or(-1), json, stderr }
    }

    /// The staged change is blocked, by this check among others.
    #[track_caller]
    pub fn blocked(&self, check: &str, what: &str) {
        let said = self.guard();
        assert_eq!(said.code, 1, "{what}: not blocked: {}", said.stderr);
        assert!(said.checks().contains(&check.to_owned()), "{what}: no `{check}` in {}", said.stderr);
    }

    /// The staged change is blocked by this check and by no other.
    #[track_caller]
    pub fn blocked_only(&self, check: &str, what: &str) {
        let said = self.guard();
        let mut checks = said.checks();
        checks.dedup();
        assert_eq!((said.code, checks), (1, vec![check.to_owned()]), "{what}: {}", said.stderr);
    }

    /// The staged change passes without a word of complaint.
    #[track_caller]
    pub fn passes(&self, what: &str) {
        let said = self.guard();
        assert_eq!(said.code, 0, "{what}: {}", said.stderr);
    }
}

impl Said {
    /// The checks that found something, sorted.
    pub fn checks(&self) -> Vec<String> {
        let mut checks: Vec<String> = self.findings().iter().map(|finding| text(finding, "check")).collect();
        checks.sort();
        checks
    }

    /// Every finding of every report.
    pub fn findings(&self) -> Vec<serde_json::Value> {
        let reports = self.json["reports"].as_array().cloned().unwrap_or_default();
        reports.iter().flat_map(|report| report["findings"].as_array().cloned().unwrap_or_default()).collect()
    }

    /// `file:line:column` of every finding.
    pub fn places(&self) -> Vec<String> {
        let place = |finding: &serde_json::Value| {
            format!("{}:{}:{}", text(finding, "file"), finding["line"], finding["column"])
        };
        self.findings().iter().map(place).collect()
    }
}

fn text(value: &serde_json::Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The encrypted text of HEAD.
pub fn encrypted(format: Format) -> String {
    encrypt_as(&format.path(), format.plain, &[]).expect("the lab is open")
}

/// Where `key` begins a line; elsewhere it may be part of any armor or token.
fn key_at(text: &str, key: &str) -> usize {
    let begins = |at: &usize| {
        text[..*at].trim_end_matches([' ', '\t', '"', '#', '-']).chars().next_back().is_none_or(|last| last == '\n')
    };
    let found = text.match_indices(key).map(|(at, _)| at).find(begins).or_else(|| text.find(key));
    found.unwrap_or_else(|| panic!("no {key}"))
}

/// Replaces the first token behind `key`, with its quotes, by `new`.
pub fn with_value(text: &str, key: &str, new: &str) -> String {
    let at = key_at(text, key);
    let token = at + text[at..].find("ENC[").unwrap();
    let end = token + text[token..].find(']').unwrap() + 1;
    let quoted = text[..token].ends_with('"');
    let (start, end) = if quoted { (token - 1, end + 1) } else { (token, end) };
    format!("{}{new}{}", &text[..start], &text[end..])
}

/// The token behind `key`.
pub fn token(text: &str, key: &str) -> String {
    let at = key_at(text, key);
    let token = at + text[at..].find("ENC[").unwrap();
    text[token..=token + text[token..].find(']').unwrap()].to_owned()
}

/// The text without its lines that hold `part`.
pub fn without_lines(text: &str, part: &str) -> String {
    text.lines().filter(|line| !line.contains(part)).map(|line| format!("{line}\n")).collect()
}

/// Without the leaf of that key. A part of the line's rest may be part of any armor or token.
pub fn without_leaf(text: &str, key: &str) -> String {
    let is_it = |line: &str| line.trim_start().trim_start_matches('"').starts_with(key);
    text.lines().filter(|line| !is_it(line)).map(|line| format!("{line}\n")).collect()
}

/// With another value in the leaf that is in clear.
pub fn with_another_name(text: &str) -> String {
    let names = ["name_unencrypted: app", "name_unencrypted\": \"app", "name_unencrypted=app"];
    names.iter().fold(text.to_owned(), |text, name| text.replace(name, &name.replace("app", "other")))
}
