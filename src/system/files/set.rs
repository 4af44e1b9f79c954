//! Several files that change together: all of them, or none.
//!
//! No file system renames a set at once. So every new file is written and flushed beside its target before the first
//! rename, and a journal in `room` lets whoever comes after a kill finish what was begun.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::process::{Resource, getrlimit, setrlimit};

use super::journal::Journal;
use super::successor::{wipe, wipe_left_behind};
use super::{FileError, Known, Mode, Target, flush_folder, folder_of};
use crate::system::at_once::at_once;

/// Files flushed or read again at once: the file system writes their journal entries together.
const AT_ONCE: usize = 64;
/// Descriptors that a command needs beside those of its files.
const SPARE: u64 = 128;

/// What stands for a content that was read, so that it need not be kept: SHA-256.
pub type Digest = [u8; 32];

/// The digest of a content.
#[must_use]
pub fn digest(content: &[u8]) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, content).as_ref());
    digest
}

/// What a machine that dies may take with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: every file is on the disk before it takes its place.
    Nothing,
    /// New files, where no other one is replaced: who asked for them still has what they were made from.
    NewFiles,
}

/// A set under way; dropped before [`Set::commit`] it leaves nothing behind.
#[derive(Debug)]
pub struct Set<'t> {
    targets: &'t [&'t Target],
    /// What was read of each, where it is the target that was read.
    known: Vec<OnceLock<Digest>>,
    /// Until it is put away, or left to the next command.
    journal: Option<Journal>,
}

/// Allows this process to hold so many files at once.
///
/// # Errors
/// What it may hold at most.
pub fn allow_open(files: usize) -> Result<(), u64> {
    let needed = files as u64 + SPARE;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(most) = limit.maximum.filter(|most| *most < needed) {
        return Err(most.saturating_sub(SPARE));
    }
    limit.current = Some(needed);
    setrlimit(Resource::Nofile, limit).map_err(|_| limit.current.unwrap_or(0))
}

impl<'t> Set<'t> {
    /// Begins to change these files; the journal lies in `room`, a folder that [`super::roll`] is asked about.
    ///
    /// # Errors
    /// [`FileError::Write`].
    pub fn begin(room: &Path, targets: &'t [&'t Target], loss: Loss) -> Result<Self, FileError> {
        for folder in folders(targets) {
            wipe_left_behind(&folder);
        }
        let lasting = loss == Loss::Nothing || targets.iter().any(|target| target.exists());
        let journal = Journal::write(room, targets, lasting);
        let journal = journal.map_err(|source| FileError::Write { path: room.to_owned(), source })?;
        Ok(Self { targets, known: targets.iter().map(|_| OnceLock::new()).collect(), journal: Some(journal) })
    }

    /// Writes what shall come in the place of the target of this number, which still must hold what is `known` of it; from
    /// many threads, in any order, once for each target.
    ///
    /// # Errors
    /// [`FileError`]; the file is as it was.
    pub fn write(&self, number: usize, content: &[u8], known: Option<Digest>, mode: Mode) -> Result<(), FileError> {
        let (Some(target), Some(successor)) = (self.targets.get(number), self.successor(number)) else { return Ok(()) };
        if let (Some(known), Some(cell)) = (known, self.known.get(number)) {
            let _ = cell.set(known);
        }
        let old = target.unchanged(None)?;
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(successor);
        let file = made.map_err(|source| FileError::Write { path: target.shown.clone(), source })?;
        target.fill(&file, old.as_ref(), content, mode)?;
        #[cfg(target_os = "linux")]
        if self.is_lasting() {
            // Linux begins to write what is not wanted in memory any more: there is less to wait for in the end.
            let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        }
        Ok(())
    }

    /// Gives all files what was written for them; durably, if one replaces another.
    ///
    /// # Errors
    /// [`FileError::Changed`] if one is not what was read; then no file is changed, as after every error but
    /// [`FileError::NotFlushed`] and [`FileError::Unfinished`].
    pub fn commit(mut self) -> Result<(), FileError> {
        let (numbers, lasting): (Vec<usize>, _) = ((0..self.targets.len()).collect(), self.is_lasting());
        self.each(&numbers, |target, successor, known| {
            if lasting {
                let flushed = File::open(successor).and_then(|file| file.sync_all());
                flushed.map_err(|source| FileError::Write { path: target.shown.clone(), source })?;
            }
            let known = known.map(|known| move |now: &[u8]| digest(now) == known);
            target.unchanged(known.as_ref().map(|known| known as Known<'_>)).map(drop)
        })?;
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.advance().map_err(|source| self.not_written(source))?;
        for (done, target) in self.targets.iter().enumerate() {
            let Some(successor) = self.successor(done) else { continue };
            if let Err(source) = std::fs::rename(&successor, &target.place) {
                let (path, all) = (target.shown.clone(), self.targets.len());
                return Err(FileError::Unfinished { path, done, all, source });
            }
        }
        let folders: Vec<PathBuf> = folders(self.targets).into_iter().filter(|_| lasting).collect();
        for (folder, flushed) in folders.iter().zip(at_once(&folders, AT_ONCE, |folder| flush_folder(folder))) {
            flushed.map_err(|source| FileError::NotFlushed { path: folder.clone(), source })?;
        }
        // Every file is in its place: a journal that cannot be put away finds nothing to do.
        if let Some(Err(error)) = self.journal.take().map(Journal::close) {
            tracing::warn!("the journal of the set cannot be removed: {error}");
        }
        Ok(())
    }

    fn each(
        &self,
        numbers: &[usize],
        work: impl Fn(&Target, &Path, Option<Digest>) -> Result<(), FileError> + Sync,
    ) -> Result<(), FileError> {
        let work = |number: &usize| match (self.targets.get(*number), self.successor(*number)) {
            (Some(target), Some(successor)) => {
                work(target, &successor, self.known.get(*number).and_then(|known| known.get().copied()))
            }
            _ => Ok(()),
        };
        // Where nothing is waited for, threads would only be started.
        at_once(numbers, if self.is_lasting() { AT_ONCE } else { 1 }, work).into_iter().collect()
    }

    fn is_lasting(&self) -> bool {
        self.journal.as_ref().is_none_or(Journal::is_lasting)
    }

    fn successor(&self, number: usize) -> Option<PathBuf> {
        Some(self.journal.as_ref()?.entries.get(number)?.successor())
    }

    fn not_written(&self, source: io::Error) -> FileError {
        let path = self.targets.first().map(|target| target.shown.clone());
        FileError::Write { path: path.unwrap_or_default(), source }
    }
}

impl Drop for Set<'_> {
    fn drop(&mut self) {
        let Some(journal) = self.journal.take() else { return };
        // A set that is half renamed is for the next command, which has the journal.
        if journal.has_advanced() {
            return;
        }
        for entry in &journal.entries {
            wipe(&entry.successor());
        }
        let _ = journal.close();
    }
}

fn folders(targets: &[&Target]) -> BTreeSet<PathBuf> {
    targets.iter().map(|target| folder_of(&target.place).to_owned()).collect()
}

#[cfg(test)]
mod tests;
