//! The files that both programs work on, made anew for each run of the benches.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;

use super::measure::Command;

pub struct Fixtures {
    root: tempfile::TempDir,
    /// Whom everything is encrypted for: the published key would be told of at every use.
    recipient: String,
    pub small_encrypted: PathBuf,
    pub large_plain: PathBuf,
    pub large_encrypted: PathBuf,
    /// The same with a comment before every group.
    pub commented_plain: PathBuf,
    pub commented_encrypted: PathBuf,
    /// 3,000 committed files, 20 of them changed and staged; half of those encrypted.
    pub repository: PathBuf,
}

impl Fixtures {
    pub fn make(sops: &Path) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        let identity = Identity::generate();
        let recipient = identity.to_public().to_string();
        fs::write(at("identity.txt"), identity.to_string().expose_secret()).expect("the identity");
        fs::write(at(".sops.yaml"), format!("creation_rules:\n  - age: {recipient}\n")).expect("the rules");
        fs::write(at("small.yaml"), leaves(1, 10)).expect("a file");
        let large = leaves(1_000, 100);
        fs::write(at("commented.yaml"), large.replace("group", "# Who asks for these.\ngroup")).expect("a file");
        fs::write(at("large.yaml"), large).expect("a file");
        let fixtures = Self {
            small_encrypted: at("small.enc.yaml"),
            large_plain: at("large.yaml"),
            large_encrypted: at("large.enc.yaml"),
            commented_plain: at("commented.yaml"),
            commented_encrypted: at("commented.enc.yaml"),
            repository: at("repository"),
            root,
            recipient,
        };
        fixtures.encrypt(sops, &fixtures.root.path().join("small.yaml"), &fixtures.small_encrypted);
        fixtures.encrypt(sops, &fixtures.large_plain, &fixtures.large_encrypted);
        fixtures.encrypt(sops, &fixtures.commented_plain, &fixtures.commented_encrypted);
        fixtures.fill_repository();
        fixtures
    }

    /// One command of either program on one file; without a name the program has but one.
    pub fn command(&self, program: &Path, command: &str, file: &Path, extra: &[&str]) -> Command {
        let identity = self.root.path().join("identity.txt").display().to_string();
        let mut line = Command::new(program).env("SOPS_AGE_KEY_FILE", identity).inside(self.root.path());
        if !command.is_empty() {
            line = line.arg(command);
        }
        for argument in extra {
            line = line.arg(*argument);
        }
        line.arg(file.display().to_string())
    }

    /// A file with so many groups of a hundred leaves, and its encrypted form.
    pub fn pair(&self, program: &Path, groups: usize) -> (PathBuf, PathBuf) {
        let (plain, encrypted) = (self.root.path().join("curve.yaml"), self.root.path().join("curve.enc.yaml"));
        fs::write(&plain, leaves(groups, 100)).expect("a file");
        self.encrypt(program, &plain, &encrypted);
        (plain, encrypted)
    }

    /// A copy of a program, as who installs it has one: what a linker leaves lies in memory page by page, and starts later.
    pub fn install(&self, program: &Path, name: &str) -> PathBuf {
        let copy = self.root.path().join("bin").join(name);
        fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
        fs::copy(program, &copy).expect("a copy");
        copy
    }

    /// A link named `sops` to our own program, which then answers as `sops` does.
    pub fn link(&self, lockage: &Path) -> PathBuf {
        let link = self.root.path().join("sops");
        std::os::unix::fs::symlink(lockage, &link).expect("a link");
        link
    }

    fn encrypt(&self, sops: &Path, plain: &Path, encrypted: &Path) {
        let out = std::process::Command::new(sops)
            .args(["encrypt", "--output"])
            .args([encrypted, plain])
            .current_dir(self.root.path())
            .stderr(std::process::Stdio::null())
            .status()
            .expect("sops runs");
        assert!(out.success(), "sops encrypts {}", plain.display());
    }

    fn fill_repository(&self) {
        let repository = &self.repository;
        let encrypted = fs::read_to_string(&self.small_encrypted).expect("a file");
        fs::create_dir_all(repository.join("secrets")).expect("a folder");
        let rules = format!("creation_rules:\n  - path_regex: ^secrets/\n    age: {}\n", self.recipient);
        fs::write(repository.join(".sops.yaml"), rules).expect("the rules");
        for index in 0..3_000 {
            let folder = repository.join(format!("src/part{}", index / 50));
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join(format!("file{index}.txt")), format!("line one\nline {index}\n")).expect("a file");
        }
        for index in 0..10 {
            fs::write(repository.join(format!("secrets/s{index}.yaml")), &encrypted).expect("a file");
        }
        git(repository, &["init", "-q"]);
        git(repository, &["add", "-A"]);
        git(repository, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "start"]);
        for index in 0..10 {
            let changed = format!("{encrypted}\n");
            fs::write(repository.join(format!("secrets/s{index}.yaml")), changed).expect("a file");
            fs::write(repository.join(format!("src/part0/file{index}.txt")), "changed\n").expect("a file");
        }
        git(repository, &["add", "-A"]);
    }
}

/// A leaf's value.
pub fn value(group: usize, leaf: usize) -> String {
    format!("value {group} {leaf}")
}

fn leaves(groups: usize, each: usize) -> String {
    let mut text = String::new();
    for group in 0..groups {
        let _ = writeln!(text, "group{group}:");
        for leaf in 0..each {
            let _ = writeln!(text, "    key{leaf}: {}", value(group, leaf));
        }
    }
    text
}

fn git(repository: &Path, arguments: &[&str]) {
    let done = std::process::Command::new("git").args(arguments).current_dir(repository).status().expect("git runs");
    assert!(done.success(), "git {arguments:?}");
}
