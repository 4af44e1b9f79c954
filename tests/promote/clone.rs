//! A fresh depth-1 clone of this very repository, as a new user has it: no identity, no remote worth the name.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lockage::sandbox::{Fault, FaultKind, LoggedRequest, World, requests};
use serde_json::Value;

use super::common::canary;
use super::common::scenario::{Ran, Scenario};

/// The main job.
pub const PROMOTE: &str = "promote review staging --sandbox";

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

    /// A clone whose world is served and begins with an older staging.
    pub fn with_world() -> Self {
        let clone = Self::new();
        clone.world();
        clone
    }

    /// Runs the binary in the clone.
    pub fn run(&self, line: &str) -> Ran {
        self.scenario.run(line.split_whitespace())
    }

    /// Runs the binary, which has to end well.
    pub fn succeed(&self, line: &str) -> Ran {
        self.exit(0, line)
    }

    /// Runs the binary, which has to end with this code.
    pub fn exit(&self, code: i32, line: &str) -> Ran {
        let ran = self.run(line);
        assert_eq!(ran.code, code, "`{line}`: {}\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// Runs the binary with `--json`: its exit code and its document.
    pub fn json(&self, line: &str) -> (i32, Value) {
        let ran = self.run(&format!("{line} --json"));
        let document = serde_json::from_str(&ran.stdout);
        (
            ran.code,
            document.unwrap_or_else(|_| panic!("`{line}` gives one JSON document: {}{}", ran.stdout, ran.stderr)),
        )
    }

    /// `git status --porcelain`, which has to stay empty.
    pub fn changes(&self) -> String {
        self.scenario.git(["status", "--porcelain"])
    }

    /// The directory of the clone's world, there or not.
    pub fn world_dir(&self) -> PathBuf {
        let out = self.scenario.lockage().args(["sandbox", "status", "--json"]).output().expect("it runs");
        let status: Value = serde_json::from_slice(&out.stdout).expect("JSON");
        status["directory"].as_str().expect("a directory").into()
    }

    /// The served world, started where it is not.
    pub fn world(&self) -> World {
        let dir = self.world_dir();
        if let Some(world) = World::find(&dir).expect("the world is asked") {
            return world;
        }
        self.quietly("status --sandbox --pipeline pangeo-forge");
        World::find(&dir).expect("the world is asked").expect("it is served")
    }

    /// Removes the world with its ledger and journal.
    pub fn reset(&self) {
        self.quietly("sandbox reset");
    }

    /// Runs the binary as part of a preparation, which the canary does not have to hear.
    fn quietly(&self, line: &str) {
        let out = self.scenario.lockage().args(line.split_whitespace()).output().expect("it runs");
        assert!(out.status.success(), "`{line}`: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// Starts the binary and gives it back running, its words thrown away.
    pub fn start(&self, line: &str) -> std::process::Child {
        let mut command = self.scenario.lockage();
        command.args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it starts")
    }

    /// Waits for servers that are on their way out: what they have open still takes room on the disk.
    pub fn settle(&self) {
        let lives = |server: &Server| {
            let world = World::find(&server.world).ok().flatten();
            world.is_some_and(|world| world.endpoint().pid == server.process)
        };
        while servers(self.scenario.root()).iter().any(|server| !lives(server)) {
            std::thread::yield_now();
        }
    }

    /// The journal that stands unfinished.
    pub fn journal(&self) -> Option<String> {
        std::fs::read_to_string(self.world_dir().join("journal/pangeo-forge.staging.journal")).ok()
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let _ = self.scenario.lockage().args(["sandbox", "reset"]).output();
    }
}

/// A process that serves a world, or did until just now.
struct Server {
    process: u32,
    world: PathBuf,
}

/// The servers of worlds below a folder.
fn servers(below: &Path) -> Vec<Server> {
    let processes = std::fs::read_dir("/proc").expect("the processes").flatten();
    let server = |entry: std::fs::DirEntry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
        let world = line.split_once("\0sandbox\0serve\0")?.1.split('\0').nth(2)?;
        Some(Server { process, world: world.into() })
    };
    processes.filter_map(server).filter(|server| server.world.starts_with(below)).collect()
}

/// The chain of the world's ledger is whole, and has this many entries.
pub fn ledger_has(world: &World, entries: usize) {
    let git = |words: &[&str]| {
        let out = Command::new("git").arg("--git-dir").arg(world.dir().join("ledger.git")).args(words).output();
        let out = out.expect("git runs");
        assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    assert_eq!(git(&["fsck", "--full", "--strict", "--no-dangling", "--no-progress"]), "");
    assert_eq!(git(&["rev-list", "--count", "refs/lockage/ledger/pangeo-forge/staging"]).trim(), entries.to_string());
    assert_eq!(git(&["for-each-ref", "refs/lockage/lock"]), "");
}

/// The requests that change something, in order.
pub fn writes(requests: &[LoggedRequest]) -> Vec<String> {
    let asks = |request: &&LoggedRequest| matches!(request.method.as_str(), "GET" | "QUERY");
    requests.iter().filter(|request| !asks(request)).map(shown).collect()
}

/// What a world has been asked since the request with this number.
pub fn since(world: &World, number: usize) -> Vec<LoggedRequest> {
    requests(world.dir()).expect("the log").split_off(number)
}

/// Method and path, the name of an upload left out: each has its own.
pub fn shown(request: &LoggedRequest) -> String {
    let path = if request.path.starts_with("/uploads/") { "/uploads/*" } else { &request.path };
    format!("{} {path}", request.method)
}

/// A fault on any request.
pub fn fault(kind: FaultKind) -> Fault {
    Fault { method: None, path: "*".to_owned(), skip: 0, times: 1, kind }
}

/// A fault on requests of this method and path.
pub fn fault_on(method: &str, path: &str, kind: FaultKind) -> Fault {
    Fault { method: Some(method.to_owned()), path: path.to_owned(), ..fault(kind) }
}

/// An error as answer.
pub fn status(status: u16, id: &str) -> FaultKind {
    FaultKind::Status { status, id: id.to_owned(), message: String::new(), retry_after: None, html: false }
}
