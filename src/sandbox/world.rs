//! A world as its users see it: found, started, asked, removed.

use std::fs::{DirBuilder, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::error::SandboxError;
use super::fault::Fault;
use super::server::serving_lock;
use super::start::StartWorld;

/// The line by which a serving process says that everything listens.
const READY: &str = "ready";
/// The file in a world that a spawned server's standard error should go to.
const SERVER_LOG: &str = "serve.log";
/// How long the server may take for an administrative answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A served world.
#[derive(Debug)]
pub struct World {
    dir: PathBuf,
    endpoint: Endpoint,
}

impl World {
    /// Finds the served world of `dir`; where there is none, begins it with what `start` gives; where nobody serves it,
    /// starts a process by `spawn`, whose standard output must be a pipe and whose standard error should go to
    /// `serve.log` in the directory. Of two callers at once one starts it.
    ///
    /// # Errors
    /// When the directory cannot be used or the process does not come up; and what `start` fails with.
    pub fn open_or_start<E: From<SandboxError>>(
        dir: &Path,
        now: Timestamp,
        start: impl FnOnce() -> Result<StartWorld, E>,
        spawn: impl FnOnce(&Path) -> std::io::Result<Child>,
    ) -> Result<Self, E> {
        let _starting = lock_beside(dir)?;
        if let Some(world) = Self::find(dir)? {
            return Ok(world);
        }
        if !Self::exists(dir) {
            create(dir, start()?, now)?;
        }
        let mut child = spawn(dir).map_err(|source| SandboxError::NotStarted { reason: source.to_string() })?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        if line.trim_end() != READY {
            let _ = child.kill();
            let _ = child.wait();
            let told = Some(line.trim_end().to_owned()).filter(|line| !line.is_empty());
            let reason = told.or_else(|| last_words(dir)).unwrap_or_else(|| "it ended before it was ready".to_owned());
            return Err(SandboxError::NotStarted { reason }.into());
        }
        Ok(Self::find(dir)?.ok_or(SandboxError::NotStarted { reason: "it does not answer".to_owned() })?)
    }

    /// Whether `dir` holds a world, served or not.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        dir.join("snapshot.json").exists()
    }

    /// The world of `dir`, if a process serves it.
    ///
    /// # Errors
    /// When its endpoint file is damaged.
    pub fn find(dir: &Path) -> Result<Option<Self>, SandboxError> {
        if !dir.join("serving.lock").exists() || serving_lock(dir)?.try_lock().is_ok() {
            return Ok(None);
        }
        let Some(endpoint) = Endpoint::read(dir)? else { return Ok(None) };
        let world = Self { dir: dir.to_owned(), endpoint };
        let health = match world.ask("GET", "/_admin/health", None) {
            Err(SandboxError::Dying { .. }) => {
                // It was killed and still holds its lock for the moment it takes to end.
                serving_lock(dir)?.lock().map_err(|source| SandboxError::file(dir, source))?;
                return Ok(None);
            }
            health => health?,
        };
        Ok((health.get("world").and_then(Value::as_str) == Some(&world.endpoint.world)).then_some(world))
    }

    /// Begins a world in `dir` without serving it.
    ///
    /// # Errors
    /// When there is one already, or the directory cannot be used.
    pub fn create(dir: &Path, start: StartWorld, now: Timestamp) -> Result<(), SandboxError> {
        let _starting = lock_beside(dir)?;
        if Self::exists(dir) {
            let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(SandboxError::file(dir, source));
        }
        create(dir, start, now)
    }

    /// Stops the server of `dir` and removes the world with everything else in the directory. Whether there was one.
    ///
    /// # Errors
    /// When the server does not stop or the directory cannot be removed.
    pub fn reset(dir: &Path) -> Result<bool, SandboxError> {
        if !dir.exists() {
            return Ok(false);
        }
        let _starting = lock_beside(dir)?;
        if let Some(world) = Self::find(dir)? {
            world.ask("POST", "/_admin/stop", None)?;
            // The lock is free when the process has ended.
            serving_lock(dir)?.lock().map_err(|source| SandboxError::file(dir, source))?;
        }
        std::fs::remove_dir_all(dir).map_err(|source| SandboxError::file(dir, source))?;
        Ok(true)
    }

    /// Where its server listens.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Gives the app a succeeded release of this commit, where it does not serve it already.
    ///
    /// # Errors
    /// When there is no such app or no answer.
    pub fn set_head(&self, app: &str, commit: &str) -> Result<(), SandboxError> {
        self.ask("POST", "/_admin/heads", Some(json!({ "app": app, "commit": commit }))).map(drop)
    }

    /// Lets something go wrong.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn add_fault(&self, fault: &Fault) -> Result<(), SandboxError> {
        self.ask("POST", "/_admin/faults", Some(json!(fault))).map(drop)
    }

    /// The faults that still wait.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn faults(&self) -> Result<Vec<Fault>, SandboxError> {
        let waiting = self.ask("GET", "/_admin/faults", None)?;
        serde_json::from_value(waiting).map_err(|_| self.silent())
    }

    /// Takes back all faults.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn clear_faults(&self) -> Result<(), SandboxError> {
        self.ask("DELETE", "/_admin/faults", None).map(drop)
    }

    /// What is true in the world, without ids, versions and times; values are told apart, not shown. Equal facts are an
    /// equal world.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn facts(&self) -> Result<Value, SandboxError> {
        self.ask("GET", "/_admin/world", None)
    }

    /// One request to the server's own paths, over a connection of its own.
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, SandboxError> {
        let address = self.endpoint.heroku_url.trim_start_matches("http://");
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let exchange = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let length = body.len();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n"
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(self.endpoint.administration_header().as_bytes())?;
            stream.write_all(b"\r\n")?;
            stream.write_all(body.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = exchange().map_err(|error| match error.kind() {
            // What times out may live; what breaks or refuses a connection does not.
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => self.silent(),
            _ => SandboxError::Dying { address: self.endpoint.heroku_url.clone() },
        })?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| self.silent())?;
        let status: u16 = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| self.silent())?;
        if status >= 300 {
            return Err(SandboxError::Refused { request: format!("{method} {path}"), status });
        }
        if body.is_empty() { Ok(Value::Null) } else { serde_json::from_str(body).map_err(|_| self.silent()) }
    }

    fn silent(&self) -> SandboxError {
        SandboxError::NoAnswer { address: self.endpoint.heroku_url.clone() }
    }
}

/// The last line that a server wrote where its words go.
fn last_words(dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(dir.join(SERVER_LOG)).ok()?;
    text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.trim_start_matches("lockage: ").to_owned())
}

/// Begins a world. The snapshot is written last: a start that was killed has none and begins again.
fn create(dir: &Path, start: StartWorld, now: Timestamp) -> Result<(), SandboxError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|source| SandboxError::file(dir, source))?;
    start.create(dir, now)
}

/// The lock that starters and removers take turns by; it outlives the world it stands beside.
fn lock_beside(dir: &Path) -> Result<File, SandboxError> {
    let parent = dir.parent().unwrap_or(dir);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)
        .map_err(|source| SandboxError::file(parent, source))?;
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let path = dir.with_file_name(name);
    let fail = |source| SandboxError::file(&path, source);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(fail)?;
    file.lock().map_err(fail)?;
    Ok(file)
}
