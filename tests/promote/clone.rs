//! A fresh depth-1 clone of this very repository, as a new user has it: no identity, no remote worth the name.

use std::process::Command;

use super::common::canary;
use super::common::scenario::{Ran, Scenario};

pub struct Clone {
    pub scenario: Scenario,
}

impl Clone {
    /// Clones this repository's HEAD into the scenario's folder.
    pub fn new() -> Self {
        let mut scenario = Scenario::new();
        let (root, repo) = (scenario.root().to_owned(), scenario.repo());
        std::fs::remove_dir_all(&repo).expect("the empty repository goes");
        let source = format!("file://{}", env!("CARGO_MANIFEST_DIR"));
        let done = Command::new("git")
            .args(["clone", "-q", "--depth", "1", &source])
            .arg(&repo)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .current_dir(root)
            .status()
            .expect("git runs");
        assert!(done.success(), "the clone is made");
        // The test sources name the marker; they are no leak.
        scenario.plaintext = canary::search(&scenario.repo());
        scenario.unset_env("SOPS_AGE_KEY_FILE");
        Self { scenario }
    }

    /// Runs the binary in the clone.
    pub fn run(&self, line: &str) -> Ran {
        self.scenario.run(line.split_whitespace())
    }

    /// Runs the binary, which has to end well.
    pub fn succeed(&self, line: &str) -> Ran {
        let ran = self.run(line);
        assert_eq!(ran.code, 0, "`{line}`: {}\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// `git status --porcelain`, which has to stay empty.
    pub fn changes(&self) -> String {
        self.scenario.git(["status", "--porcelain"])
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let _ = self.scenario.lockage().args(["sandbox", "reset"]).output();
    }
}
