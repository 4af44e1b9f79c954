//! Worlds for tests: begun in a temporary folder, served by the real binary.

use std::path::{Path, PathBuf};

use lockage::sandbox::{SandboxError, Stack, StartApp, StartProcess, StartRecord, StartWorld, StartZone, World};
use lockage::secret::SecretString;

use crate::common::world::serve;

/// A value that must never be found in clear.
pub const CANARY: &str = "CANARY-heron-in-a-config-var";

/// A served world in a folder of its own; gone with it.
pub struct Served {
    pub world: World,
    _folder: tempfile::TempDir,
}

impl Served {
    /// A world that begins so.
    pub fn start(start: StartWorld) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = open(&folder.path().join("world"), start);
        Self { world, _folder: folder }
    }

    /// The same world again, after its server has ended.
    pub fn serve_again(&mut self) {
        self.world = open(&self.dir(), StartWorld::default());
    }

    /// Kills the server as nothing can be caught.
    pub fn kill(&self) {
        let pid = self.world.endpoint().pid;
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
    }

    /// One question to the second name server, whose answer does not matter.
    pub fn ask_second(&self, name: &str) {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut question = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            question.push(u8::try_from(label.len()).unwrap());
            question.extend(label.as_bytes());
        }
        question.extend([0, 0, 6, 0, 1]);
        socket.send_to(&question, self.world.endpoint().dns[1]).unwrap();
        socket.recv(&mut [0; 512]).unwrap();
    }

    pub fn dir(&self) -> PathBuf {
        self.world.dir().to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = World::reset(self.world.dir());
    }
}

fn open(dir: &Path, start: StartWorld) -> World {
    World::open_or_start::<SandboxError>(dir, jiff::Timestamp::now(), || Ok(start), serve).unwrap()
}

/// An app with a web process and a release command.
pub fn app(name: &str, stack: Stack, stage: &str, commit: &str) -> StartApp {
    let process = |kind: &str, quantity| StartProcess { kind: kind.into(), command: format!("run {kind}"), quantity };
    StartApp {
        name: name.into(),
        stack,
        pipeline: Some(("demo-pipe".into(), stage.into())),
        review: (stage == "review").then(|| ("topic".into(), 80)),
        commit: commit.into(),
        config: vec![("A".into(), SecretString::new("1".into())), ("SECRET".into(), SecretString::new(CANARY.into()))],
        processes: vec![process("web", 1), process("release", 0)],
        addons: vec!["heroku-postgresql:hobby-0".into()],
    }
}

/// The world that the vendor's client was recorded in, and a review app beside it.
pub fn demo(stack: Stack) -> StartWorld {
    StartWorld {
        email: "someone@example.org".into(),
        pipelines: vec!["demo-pipe".into()],
        apps: vec![
            app("demo-pr-80", stack, "review", &"c".repeat(40)),
            app("demo-staging", stack, "staging", &"b".repeat(40)),
            app("demo", stack, "production", &"a".repeat(40)),
        ],
        zones: vec![StartZone {
            name: "example.org".into(),
            records: vec![StartRecord {
                name: "old.example.org".into(),
                kind: "A".into(),
                ttl: 300,
                data: "192.0.2.1".into(),
            }],
        }],
    }
}
