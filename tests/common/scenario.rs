//! A world for one test: a folder with a home, a repository and a clean environment, and the real binary in it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::canary;

/// The published test identity, whose secret half is public on purpose.
pub const IDENTITY: &str = include_str!("../../secrets/published-test-key.txt");

/// One test's folder, environment and repository.
pub struct Scenario {
    root: tempfile::TempDir,
    environment: Vec<(String, String)>,
    /// Files that may hold the marker: the plaintext the test itself wrote or asked for.
    pub plaintext: Vec<PathBuf>,
    memory: Option<tempfile::TempDir>,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; 128 + the signal when a signal ended it.
    pub code: i32,
    /// stdout.
    pub stdout: String,
    /// stderr.
    pub stderr: String,
}

impl Scenario {
    /// An empty repository with the published test identity at hand.
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("lockage-scenario-").tempdir().expect("a temporary folder");
        for folder in ["repo", "home", "state", "tmp", "config"] {
            fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        let path = |part: &str| root.path().join(part).display().to_string();
        let environment = [
            ("HOME", path("home")),
            ("XDG_STATE_HOME", path("state")),
            ("XDG_CONFIG_HOME", path("config")),
            ("TMPDIR", path("tmp")),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("NO_COLOR", "1".into()),
            ("SOPS_AGE_KEY_FILE", path("identity.txt")),
        ];
        fs::write(root.path().join("identity.txt"), IDENTITY).expect("the identity");
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let scenario = Self { root, environment, plaintext: Vec::new(), memory: None };
        scenario.git(["init", "-q", "-b", "main"]);
        scenario
    }

    /// With a memory folder that tests beside this one do not look into; for commands that show plaintext to others.
    pub fn memory_of_its_own(mut self) -> Self {
        let memory = new_memory();
        self.set_env("XDG_RUNTIME_DIR", memory.path().display().to_string());
        self.memory = Some(memory);
        self
    }

    /// The memory folder of its own.
    pub fn memory(&self) -> &Path {
        self.memory.as_ref().expect("it has one").path()
    }

    /// The folder that holds everything of this test.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The repository's work tree.
    pub fn repo(&self) -> PathBuf {
        self.root.path().join("repo")
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_env(name, value);
        self
    }

    /// Sets a variable of the environment.
    pub fn set_env(&mut self, name: &str, value: impl Into<String>) {
        self.unset_env(name);
        self.environment.push((name.to_owned(), value.into()));
    }

    /// Removes a variable of the environment.
    pub fn unset_env(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// Writes a file of the repository. One that holds the marker counts as plaintext the user has there.
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(path, content);
        self
    }

    /// Writes a file of the repository.
    pub fn write(&mut self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, content.as_ref()).expect("a file");
        if canary::sings(content.as_ref()) && !self.plaintext.contains(&path) {
            self.plaintext.push(path);
        }
    }

    /// Reads a file of the repository.
    pub fn read(&self, path: &str) -> String {
        String::from_utf8(fs::read(self.repo().join(path)).expect("a file")).expect("text")
    }

    /// Runs git in the repository and gives its stdout.
    pub fn git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false"];
        let out = self.command("git").args(identity).args(args).output().expect("git runs");
        assert!(out.status.success(), "git failed: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim_end().to_owned()
    }

    /// Stages everything and commits it.
    pub fn commit(&self, message: &str) -> String {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--no-verify", "--allow-empty", "-m", message]);
        self.git(["rev-parse", "HEAD"])
    }

    /// A command in the repository with this test's environment only.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.repo()).env_clear().stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The real binary, ready for arguments.
    pub fn lockage(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_lockage"))
    }

    /// Runs the real binary; neither its words nor anything it left behind may hold the marker.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        let ran = self.finish(self.lockage().args(args), b"");
        assert!(!canary::sings(ran.stdout.as_bytes()), "plaintext on stdout: {}", ran.stdout);
        ran
    }

    /// Runs the real binary where plaintext on stdout is what was asked for (`decrypt`, `get`).
    pub fn run_for_plaintext<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.finish(self.lockage().args(args), b"")
    }

    /// Runs the real binary with `input` on stdin; plaintext on stdout is allowed.
    pub fn run_with_input<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, input: &[u8]) -> Ran {
        self.finish(self.lockage().args(args), input)
    }

    /// Runs any command of this scenario to its end and holds what it left to the canary.
    pub fn finish(&self, command: &mut Command, input: &[u8]) -> Ran {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let out = child.wait_with_output().expect("the command ends");
        feeder.join().expect("the feeder ends");
        let code = out.status.code().unwrap_or_else(|| {
            use std::os::unix::process::ExitStatusExt as _;
            128 + out.status.signal().unwrap_or_default()
        });
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let ran = Ran { code, stdout: text(out.stdout), stderr: text(out.stderr) };
        assert!(!canary::sings(ran.stderr.as_bytes()), "plaintext on stderr: {}", ran.stderr);
        self.listen();
        ran
    }

    /// Fails if anything of this test holds the marker that may not.
    pub fn listen(&self) {
        let mut found = canary::search(self.root());
        match &self.memory {
            Some(memory) => found.extend(canary::search(memory.path())),
            None => found.extend(memory_folders().into_iter().flat_map(|folder| canary::search(&folder))),
        }
        found.retain(|path| !self.plaintext.contains(path));
        assert!(found.is_empty(), "plaintext was left in {found:?}");
    }
}

/// A new memory folder, which lockage takes for its own where `XDG_RUNTIME_DIR` names it.
pub fn new_memory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("desk-").tempdir_in("/dev/shm").expect("a memory folder")
}

/// What lockage leaves on the memory file system while it runs; nothing may be there after it.
fn memory_folders() -> Vec<PathBuf> {
    let entries = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let mine = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("lockage"));
    mine.map(|entry| entry.path()).collect()
}
