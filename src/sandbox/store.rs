//! The world on disk: a snapshot and a log of what changed since, flushed before any answer leaves.
//!
//! A change is kept as the rows that differ, found by comparing the state with what was written last. So no handler has
//! to say what it changed, and none can forget to. A last line without its end is the mark of a process killed while it
//! wrote: its request was never answered, and the line is dropped.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::SandboxError;
use super::state::State;

/// Lines after which a start folds the log into the snapshot.
const FOLD_AFTER: usize = 200;

/// The open log of one world.
pub(super) struct Store {
    log: File,
    path: PathBuf,
    /// Bytes of the log that hold whole lines.
    length: u64,
    written: Value,
}

impl Store {
    /// Writes the first snapshot of a world.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(super) fn create(dir: &Path, state: &State) -> Result<(), SandboxError> {
        write_private(&dir.join("snapshot.json"), to_value(state).to_string().as_bytes())
    }

    /// Reads the snapshot, replays the log over it, and opens the log for more.
    ///
    /// # Errors
    /// When either cannot be read or is not what this program wrote.
    pub(super) fn open(dir: &Path) -> Result<(Self, State), SandboxError> {
        let snapshot = dir.join("snapshot.json");
        let path = dir.join("log.jsonl");
        let bytes = std::fs::read(&snapshot).map_err(|source| SandboxError::file(&snapshot, source))?;
        let mut written: Value =
            serde_json::from_slice(&bytes).map_err(|_| SandboxError::Damaged { path: snapshot.clone() })?;
        let mut log = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| SandboxError::file(&path, source))?;
        let mut text = String::new();
        log.read_to_string(&mut text).map_err(|source| SandboxError::file(&path, source))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        for line in text[..whole].lines() {
            let change = serde_json::from_str(line).map_err(|_| SandboxError::Damaged { path: path.clone() })?;
            replay(&mut written, change);
        }
        let mut length = whole as u64;
        log.set_len(length).map_err(|source| SandboxError::file(&path, source))?;
        let state: State =
            serde_json::from_value(written.clone()).map_err(|_| SandboxError::Damaged { path: path.clone() })?;
        if text[..whole].lines().count() > FOLD_AFTER {
            // A crash between the two leaves a log that says again what the snapshot says: rows are set, not added to.
            write_private(&snapshot, written.to_string().as_bytes())?;
            length = 0;
            log.set_len(length).map_err(|source| SandboxError::file(&path, source))?;
        }
        Ok((Self { log, path, length, written }, state))
    }

    /// Makes the state durable; writes nothing where nothing differs.
    ///
    /// # Errors
    /// When the disk does not take it: then nothing may be answered.
    pub(super) fn keep(&mut self, state: &State) -> Result<(), SandboxError> {
        let now = to_value(state);
        let change = difference(&self.written, &now);
        if change.is_empty() {
            return Ok(());
        }
        let mut line = Value::Object(change).to_string();
        line.push('\n');
        if let Err(source) = self.log.write_all(line.as_bytes()).and_then(|()| self.log.sync_data()) {
            // Half a line, from a full disk, must not grow into the next one.
            let _ = self.log.set_len(self.length);
            return Err(SandboxError::file(&self.path, source));
        }
        self.length += line.len() as u64;
        self.written = now;
        Ok(())
    }
}

fn to_value(state: &State) -> Value {
    // A state is maps with text keys and plain values: nothing in it can fail to become JSON.
    serde_json::to_value(state).unwrap_or_default()
}

/// The rows of each table that differ; `null` stands for a row that is gone, which no row is.
fn difference(old: &Value, new: &Value) -> Map<String, Value> {
    let mut change = Map::new();
    for (table, rows) in new.as_object().into_iter().flatten() {
        let (Some(rows), before) = (rows.as_object(), old.get(table)) else { continue };
        let mut changed = Map::new();
        for (key, row) in rows {
            if before.and_then(|before| before.get(key)) != Some(row) {
                changed.insert(key.clone(), row.clone());
            }
        }
        for key in before.and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            if !rows.contains_key(key) {
                changed.insert(key.clone(), Value::Null);
            }
        }
        if !changed.is_empty() {
            change.insert(table.clone(), Value::Object(changed));
        }
    }
    change
}

fn replay(state: &mut Value, change: Map<String, Value>) {
    for (table, rows) in change {
        let Some(tables) = state.as_object_mut() else { return };
        let kept = tables.entry(table).or_insert_with(|| Value::Object(Map::new()));
        let (Some(kept), Value::Object(rows)) = (kept.as_object_mut(), rows) else { continue };
        for (key, row) in rows {
            if row.is_null() {
                kept.remove(&key);
            } else {
                kept.insert(key, row);
            }
        }
    }
}

/// Writes a file for its owner only: whole, flushed, and under its name at once.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    let fail = |source| SandboxError::file(path, source);
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir).map_err(fail)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::state::Zone;

    fn zone(serial: u32) -> Zone {
        Zone { name: "example.org.".into(), serial, sets: std::collections::BTreeMap::default(), behind: None }
    }

    #[test]
    fn rows_come_back_changed_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let mut state = State::default();
        state.zones.insert("a".into(), zone(1));
        state.zones.insert("b".into(), zone(1));
        Store::create(dir.path(), &state).unwrap();
        let (mut store, _) = Store::open(dir.path()).unwrap();
        state.zones.remove("a");
        state.zones.insert("b".into(), zone(2));
        store.keep(&state).unwrap();
        let (_, again) = Store::open(dir.path()).unwrap();
        assert_eq!(again.zones.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(again.zones["b"].serial, 2);
    }

    #[test]
    fn a_line_cut_by_a_kill_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let mut state = State::default();
        Store::create(dir.path(), &state).unwrap();
        let (mut store, _) = Store::open(dir.path()).unwrap();
        state.zones.insert("a".into(), zone(1));
        store.keep(&state).unwrap();
        store.log.write_all(b"{\"zones\":{\"a\":nu").unwrap();
        let (mut store, again) = Store::open(dir.path()).unwrap();
        assert_eq!(again.zones["a"].serial, 1);
        state.zones.insert("a".into(), zone(3));
        store.keep(&state).unwrap();
        assert_eq!(Store::open(dir.path()).unwrap().1.zones["a"].serial, 3);
    }
}
