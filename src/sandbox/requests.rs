//! The log of requests that tests read: what was asked, never a value.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::SandboxError;

/// One request as `requests.jsonl` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedRequest {
    /// `heroku` or `dns`.
    pub service: String,
    /// The HTTP method; `QUERY` or `UPDATE` for DNS.
    pub method: String,
    /// The path without its query; `/ns1/<name>/<type>` for DNS.
    pub path: String,
    /// The outermost names of the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The HTTP status or DNS response code; none where no answer was sent.
    pub status: Option<String>,
    /// The time, for people.
    pub at: jiff::Timestamp,
}

/// The open log.
pub(super) struct RequestLog {
    file: File,
    path: PathBuf,
    /// Bytes before the last request.
    before: u64,
    /// Bytes that hold whole lines.
    length: u64,
}

impl RequestLog {
    /// Opens the log of a world.
    pub(super) fn open(dir: &Path) -> Result<Self, SandboxError> {
        let path = log_path(dir);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(|source| SandboxError::file(&path, source))?;
        // A process killed while it wrote leaves half a line, which must not grow into the next one.
        let bytes = std::fs::read(&path).map_err(|source| SandboxError::file(&path, source))?;
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(|source| SandboxError::file(&path, source))?;
        let length = whole as u64;
        Ok(Self { file, path, before: length, length })
    }

    /// Adds a request. What may have changed something is flushed to the disk.
    pub(super) fn add(&mut self, request: &LoggedRequest) -> Result<(), SandboxError> {
        let mut line = serde_json::to_vec(request).unwrap_or_default();
        line.push(b'\n');
        let reads = matches!(request.method.as_str(), "GET" | "QUERY");
        let written = self.file.write_all(&line);
        let flushed = if reads { written } else { written.and_then(|()| self.file.sync_data()) };
        if let Err(source) = flushed {
            // Half a line, from a full disk, must not grow into the next one.
            let _ = self.file.set_len(self.length);
            return Err(SandboxError::file(&self.path, source));
        }
        self.before = self.length;
        self.length += line.len() as u64;
        Ok(())
    }

    /// Removes the last request again: what it did could not be kept.
    pub(super) fn take_back(&mut self) {
        let _ = self.file.set_len(self.before);
        self.length = self.before;
    }
}

/// The requests that the world in `dir` has been sent, in order.
///
/// # Errors
/// When the log cannot be read or is damaged.
pub fn requests(dir: &Path) -> Result<Vec<LoggedRequest>, SandboxError> {
    let path = log_path(dir);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(SandboxError::file(&path, source)),
    };
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    text[..whole]
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|_| SandboxError::Damaged { path: path.clone() }))
        .collect()
}

fn log_path(dir: &Path) -> PathBuf {
    dir.join("requests.jsonl")
}
