//! The real `sops` and ours with the same variables, over the same files.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::common::peer;
use crate::common::scenario::IDENTITY;
use crate::kms::lab::Lab;

/// The recipient of [`IDENTITY`].
pub const RECIPIENT: &str = "age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw";
/// Somebody else, and their identity.
pub const OTHER: &str = "age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj";
pub const OTHERS_IDENTITY: &str = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0";

/// What a command did.
#[derive(Debug)]
pub struct Did {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Both programs in one home.
pub struct Pair {
    pub lab: Lab,
    pub theirs: PathBuf,
    pub ours: PathBuf,
}

impl Pair {
    /// A home with these files, encrypted by the real `sops`.
    pub fn new(lab: Lab, files: &[(&str, &str)]) -> Option<Self> {
        let theirs = peer("sops")?;
        let ours = lab.home().join("bin/sops");
        std::fs::create_dir(ours.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lockage"), &ours).unwrap();
        let identity = lab.file("identity.txt", IDENTITY);
        let lab = lab.env("SOPS_AGE_KEY_FILE", identity.display().to_string());
        let pair = Self { lab: lab.env("SOPS_DISABLE_VERSION_CHECK", "true"), theirs, ours };
        for (name, content) in files {
            pair.lab.file(name, content);
            let did = pair.run(&pair.theirs, &["encrypt", "-i", "--age", RECIPIENT, name], "");
            assert_eq!(did.code, 0, "{name}: {}", did.stderr);
        }
        Some(pair)
    }

    /// Writes the rules.
    pub fn rules(&self, text: &str) {
        self.lab.file(".sops.yaml", text);
    }

    pub fn run(&self, program: &Path, arguments: &[&str], input: &str) -> Did {
        self.run_with(program, arguments, input, &[])
    }

    pub fn run_with(&self, program: &Path, arguments: &[&str], input: &str, env: &[(&str, &str)]) -> Did {
        let mut command = self.lab.command(program);
        command.args(arguments).envs(env.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let out = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Did { code: out.status.code().unwrap_or(-1), stdout: text(out.stdout), stderr: text(out.stderr) }
    }

    /// What the real `sops` makes of an encrypted text, for somebody who has only the other identity.
    pub fn opened_by_other(&self, name: &str, text: &str) -> Did {
        self.lab.file(&format!("there/{name}"), text);
        let env = [("SOPS_AGE_KEY", OTHERS_IDENTITY), ("SOPS_AGE_KEY_FILE", "")];
        self.run_with(&self.theirs, &["decrypt", &format!("there/{name}")], "", &env)
    }
}
