//! What a promotion has started and finished: an append-only file, flushed before each call that it announces.
//!
//! Each line is sixteen hexadecimal digits and a JSON event. The digits are the start of a SHA-256 over the line before's
//! digest and the event, so that a line that was changed, lost or added is seen. A last line without its end was being
//! written when the process died and is dropped; everything else that is wrong is corruption.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::plan::{Plan, hex};
use super::platform::{Act, Receipt, Watermark};
use super::progress::Progress;
use super::stage_name::StageName;
use crate::error::{Class, Failure, Outcome};

/// The way a promotion goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Towards the plan.
    Forward,
    /// Back to the start.
    Back,
}

/// One line of a journal. Steps are positions in the plan, from 0; on the way back, of the step that is undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "one exists at a time")]
pub enum Event {
    /// The promotion begins; everything a resume needs.
    Began {
        /// The plan.
        plan: Box<Plan>,
        /// A name that no other run has, not even one of the same plan in another clone.
        run: String,
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// There is nothing to do in this step, or what it waits for is true.
    Passed {
        /// The step.
        step: usize,
        /// The way.
        way: Way,
    },
    /// The next thing that happens is this request.
    Announced {
        /// The step.
        step: usize,
        /// The way.
        way: Way,
        /// The request, facts filled in.
        act: Act,
        /// What the receiving side's versions were.
        since: Watermark,
    },
    /// The receiving side took the request.
    Accepted {
        /// The step.
        step: usize,
        /// The way.
        way: Way,
        /// What it called it.
        receipt: Receipt,
    },
    /// The receiving side certainly did not take the request.
    Refused {
        /// The step.
        step: usize,
        /// The way.
        way: Way,
    },
    /// What the request started has ended.
    Settled {
        /// The step.
        step: usize,
        /// The way.
        way: Way,
        /// What it made.
        receipt: Receipt,
        /// Why it ended badly, if it did.
        failed: Option<String>,
    },
    /// The state was read back and is as it shall be.
    Confirmed {
        /// The step.
        step: usize,
        /// The way.
        way: Way,
    },
    /// From here on everything is undone.
    Turned {
        /// Why.
        why: String,
        /// The class of the cause, as an exit code.
        class: u8,
    },
    /// Every check is true.
    Verified,
    /// The ledger has it.
    Recorded {
        /// The entry's commit.
        commit: String,
    },
    /// Nothing is left to do.
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be written or read.
    #[error("the journal `{}` cannot be used: {kind}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        kind: ErrorKind,
    },
    /// A line is wrong.
    #[error("the journal `{}` is corrupt at line {line}: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Another process is at work on it.
    #[error("a promotion of `{stage}` is running now")]
    Running {
        /// The stage.
        stage: StageName,
    },
    /// One was begun and has not ended.
    #[error("a promotion of `{stage}` was begun and has not ended")]
    Unfinished {
        /// The stage.
        stage: StageName,
    },
}

impl Failure for JournalError {
    fn class(&self) -> Class {
        match self {
            Self::File { .. } => Class::World,
            Self::Corrupt { .. } => Class::Untrusted,
            Self::Running { .. } | Self::Unfinished { .. } => Class::No,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::File { kind: ErrorKind::StorageFull, .. } => {
                vec!["make room on the disk, then run the same command again: it resumes".to_owned()]
            }
            Self::Corrupt { path, .. } => {
                vec![format!("compare the stage with its last ledger entry, then move `{}` away", path.display())]
            }
            Self::Unfinished { stage } => vec![format!("`lockage apply {stage}` resumes it")],
            _ => Vec::new(),
        }
    }
}

/// An open journal; no other process can have it open.
pub struct Journal {
    path: PathBuf,
    file: File,
    chain: [u8; 32],
    progress: Progress,
}

impl Journal {
    /// Begins one for a plan.
    ///
    /// # Errors
    /// [`JournalError::Unfinished`] when the stage has one that has not ended, [`JournalError::Running`] when that one is
    /// being worked on.
    pub fn begin(folder: &Path, plan: &Plan, by: &str, now: Timestamp) -> Result<Self, JournalError> {
        let path = path_of(folder, &plan.pipeline, &plan.stage);
        std::fs::create_dir_all(folder).map_err(|error| file_error(&path, &error))?;
        if Self::open(folder, &plan.pipeline, &plan.stage)?.is_some() {
            return Err(JournalError::Unfinished { stage: plan.stage.clone() });
        }
        let mut journal = Self::locked(&path, &plan.stage, OpenOptions::new().create(true).truncate(false))?;
        // Somebody may have begun between the question and the lock.
        if journal.file.metadata().map_err(|error| file_error(&path, &error))?.len() > 0 {
            return Err(JournalError::Unfinished { stage: plan.stage.clone() });
        }
        let mut run = [0; 16];
        getrandom::fill(&mut run).map_err(|_| file_error(&path, &ErrorKind::Unsupported.into()))?;
        let began = Event::Began { plan: Box::new(plan.clone()), run: hex(&run), by: by.to_owned(), at: now };
        journal.append(&began)?;
        sync_folder(folder).map_err(|error| file_error(&path, &error))?;
        Ok(journal)
    }

    /// The journal of a stage that was begun and has not ended.
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] when it makes no sense, [`JournalError::Running`] when another process works on it.
    pub fn open(folder: &Path, pipeline: &str, stage: &StageName) -> Result<Option<Self>, JournalError> {
        let path = path_of(folder, pipeline, stage);
        if !path.exists() {
            return Ok(None);
        }
        let mut journal = Self::locked(&path, stage, OpenOptions::new().create(false))?;
        let mut text = Vec::new();
        journal.file.read_to_end(&mut text).map_err(|error| file_error(&path, &error))?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        for (number, line) in text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
            journal.read_line(number + 1, line.strip_suffix(b"\n").unwrap_or(line))?;
        }
        if whole < text.len() {
            journal.file.set_len(whole as u64).map_err(|error| file_error(&path, &error))?;
            journal.file.seek(std::io::SeekFrom::End(0)).map_err(|error| file_error(&path, &error))?;
        }
        if journal.progress.plan().is_none() {
            // Killed before anything was announced: nothing happened.
            std::fs::remove_file(&path).map_err(|error| file_error(&path, &error))?;
            return Ok(None);
        }
        if journal.progress.ended().is_some() {
            journal.put_away()?;
            return Ok(None);
        }
        Ok(Some(journal))
    }

    /// The stages of which a journal was begun and has not been put away, by file name.
    ///
    /// # Errors
    /// [`JournalError::File`].
    pub fn list(folder: &Path) -> Result<Vec<String>, JournalError> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file_error(folder, &error)),
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".journal").map(str::to_owned))
            .collect();
        names.sort();
        Ok(names)
    }

    /// What has been done so far.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Appends an event and flushes it to the disk.
    ///
    /// # Errors
    /// [`JournalError::File`] when it may not be on the disk; [`JournalError::Corrupt`] when it may not follow.
    pub fn append(&mut self, event: &Event) -> Result<(), JournalError> {
        let illegal = || JournalError::Corrupt { path: self.path.clone(), line: 0, what: "the event may not follow" };
        self.progress.clone().take(event).map_err(|_| illegal())?;
        let text = serde_json::to_string(event).map_err(|_| illegal())?;
        let chain = link(&self.chain, text.as_bytes());
        let line = format!("{} {text}\n", hex(&chain[..8]));
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|error| file_error(&self.path, &error))?;
        self.chain = chain;
        self.progress.take(event).map_err(|_| illegal())
    }

    /// Puts a journal that has ended beside the running ones, over the one before.
    ///
    /// # Errors
    /// [`JournalError::File`].
    pub fn put_away(self) -> Result<(), JournalError> {
        let to = self.path.with_extension("ended");
        std::fs::rename(&self.path, &to).map_err(|error| file_error(&self.path, &error))
    }

    fn locked(path: &Path, stage: &StageName, options: &mut OpenOptions) -> Result<Self, JournalError> {
        let file = options.read(true).write(true).open(path).map_err(|error| file_error(path, &error))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(JournalError::Running { stage: stage.clone() }),
            Err(error) => return Err(file_error(path, &error.into())),
        }
        Ok(Self { path: path.to_owned(), file, chain: [0; 32], progress: Progress::default() })
    }

    fn read_line(&mut self, line: usize, bytes: &[u8]) -> Result<(), JournalError> {
        let corrupt = |what| JournalError::Corrupt { path: self.path.clone(), line, what };
        let (sum, text) = bytes.split_at_checked(16).ok_or_else(|| corrupt("it is too short"))?;
        let text = text.strip_prefix(b" ").ok_or_else(|| corrupt("it has no digest"))?;
        let chain = link(&self.chain, text);
        if sum != hex(&chain[..8]).as_bytes() {
            return Err(corrupt("its digest does not fit"));
        }
        let event: Event = serde_json::from_slice(text).map_err(|_| corrupt("it is no event"))?;
        self.progress.take(&event).map_err(|_| corrupt("it may not follow the line before"))?;
        self.chain = chain;
        Ok(())
    }
}

fn path_of(folder: &Path, pipeline: &str, stage: &StageName) -> PathBuf {
    folder.join(format!("{pipeline}.{}.journal", stage.in_file_name()))
}

fn link(before: &[u8; 32], text: &[u8]) -> [u8; 32] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(before);
    context.update(text);
    let mut chain = [0; 32];
    chain.copy_from_slice(context.finish().as_ref());
    chain
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn file_error(path: &Path, error: &std::io::Error) -> JournalError {
    JournalError::File { path: path.to_owned(), kind: error.kind() }
}
