//! What a set of files leaves behind when its command is killed, and what the next command makes of it.
//!
//! The journal's name says how far it came. While it ends in `writing`, no target has been touched, and what was written
//! beside them is wiped. Once it ends in `renaming`, every new file is whole and on the disk, and the rest of them take
//! their places. It names the files and holds nothing of what is in them. Its command has it locked as long as it lives.
//!
//! A set that replaces nothing need not be on the disk before its files take their places. Its journal is named after the
//! start of the machine, too: once that has started again nobody knows how much of the new files was kept.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::successor::{Successor, random, wipe};
use super::{FileError, Target, flush_folder, folder_of};

/// What the names of new files begin with; the set's own word and a number follow.
const PREFIX: &str = ".lockage-set-";
const NEW: &str = "new";
const WRITING: &str = "writing";
const RENAMING: &str = "renaming";
/// What stands before the start of the machine in a journal's name.
const OF_START: &str = "-start-";

/// The journal of a set under way.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    /// Whether its steps are on the disk before they count.
    lasting: bool,
    /// Its lock ends with it.
    _file: File,
    pub(super) entries: Vec<Entry>,
}

/// One file of a set.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    file: Name,
    successor: String,
    before: Option<Identity>,
}

/// A path; what is no UTF-8 stands there as bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Bytes(Vec<u8>),
}

/// What tells a file from its successors and from itself after a change, without a word about what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

impl From<&Metadata> for Identity {
    fn from(found: &Metadata) -> Self {
        Self { device: found.dev(), inode: found.ino(), changed: (found.ctime(), found.ctime_nsec()) }
    }
}

impl Entry {
    fn new(target: &Target, word: &str, number: usize) -> io::Result<Self> {
        let path = target.place.as_os_str();
        let before = target.held.as_ref().map(File::metadata).transpose()?;
        Ok(Self {
            file: path
                .to_str()
                .map_or_else(|| Name::Bytes(path.as_bytes().to_vec()), |text| Name::Text(text.to_owned())),
            successor: format!("{PREFIX}{word}-{number}"),
            before: before.as_ref().map(Identity::from),
        })
    }

    fn place(&self) -> PathBuf {
        match &self.file {
            Name::Text(text) => text.into(),
            Name::Bytes(bytes) => OsString::from_vec(bytes.clone()).into(),
        }
    }

    /// Where the new file is; always beside its target, whatever a journal says.
    pub(super) fn successor(&self) -> PathBuf {
        let name = Path::new(&self.successor).file_name().unwrap_or(OsStr::new(PREFIX));
        self.place().with_file_name(name)
    }

    fn is_ours(&self) -> bool {
        self.successor.starts_with(PREFIX) && !self.successor.contains('/')
    }
}

impl Journal {
    /// Writes down that these files will be changed, durably even where the files need not be: what a machine that dies
    /// leaves beside them may be plaintext, and is found by this.
    pub(super) fn write(room: &Path, targets: &[&Target], lasting: bool) -> io::Result<Self> {
        let start = if lasting { None } else { start() };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(room)?;
        let word = random()?;
        let entries: Vec<Entry> = targets
            .iter()
            .enumerate()
            .map(|(number, target)| Entry::new(target, &word, number))
            .collect::<Result<_, _>>()?;
        let new = Successor::at(room.join(&word).with_extension(NEW))?;
        new.file().write_all(&serde_json::to_vec(&entries)?)?;
        new.flush()?;
        let name = start.as_ref().map_or_else(|| word.clone(), |start| format!("{word}{OF_START}{start}"));
        let (path, file) = (room.join(name).with_extension(WRITING), new.file().try_clone()?);
        new.take_place(&path)?;
        if let Err(error) = flush_folder(room) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok(Self { path, lasting: start.is_none(), _file: file, entries })
    }

    /// Whether new files must be on the disk before they take their places.
    pub(super) fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// Writes down that every new file is whole: from here on there is only forward.
    pub(super) fn advance(&mut self) -> io::Result<()> {
        let next = self.path.with_extension(RENAMING);
        fs::rename(&self.path, &next)?;
        if self.lasting
            && let Err(error) = flush_folder(folder_of(&next))
        {
            // What nobody can promise must not be gone on with by somebody else.
            fs::rename(&next, &self.path)?;
            return Err(error);
        }
        self.path = next;
        Ok(())
    }

    /// Whether the renaming has begun.
    pub(super) fn has_advanced(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending == RENAMING)
    }

    /// Puts the journal away.
    pub(super) fn close(self) -> io::Result<()> {
        fs::remove_file(&self.path)?;
        if self.lasting { flush_folder(folder_of(&self.path)) } else { Ok(()) }
    }
}

/// What tells this start of the machine from every other, as the kernel knows it; elsewhere than on Linux nobody does.
fn start() -> Option<String> {
    let word = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().replace('-', "");
    (word.len() == 32 && word.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(word)
}

/// Whether a journal is of a set that was not on the disk when the machine stopped.
fn is_of_another_start(path: &Path) -> bool {
    let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    stem.split_once(OF_START).is_some_and(|(_, of)| start().as_deref() != Some(of))
}

/// A set that a command left unfinished.
#[derive(Debug)]
pub struct Rolled {
    /// Its files.
    pub files: Vec<PathBuf>,
    /// What became of it.
    pub end: End,
}

/// What became of a set that a command left unfinished.
#[derive(Debug)]
pub enum End {
    /// No file had been touched, and none is.
    Back,
    /// The rest of the files was changed, too.
    Forward {
        /// But for these, which somebody else had changed in the meantime.
        left: Vec<PathBuf>,
    },
    /// The machine stopped before the new files were on the disk; those in their places may not be whole.
    Lost,
    /// It still is as it was: another command is at it, or it cannot be mended.
    Standing(FileError),
}

/// Finishes the sets whose commands were killed, of those that keep their journals in `room`: forward where every new
/// file was whole, else back.
#[must_use]
pub fn roll(room: &Path) -> Vec<Rolled> {
    let entries = fs::read_dir(room).into_iter().flatten().flatten();
    let mut journals: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    journals.sort();
    journals.iter().filter_map(|path| roll_one(path)).collect()
}

fn roll_one(path: &Path) -> Option<Rolled> {
    let forward = match path.extension()?.to_str()? {
        RENAMING => true,
        NEW | WRITING => false,
        _ => return None,
    };
    let standing = |files: Vec<PathBuf>, error| Some(Rolled { files, end: End::Standing(error) });
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(source) => return standing(Vec::new(), FileError::Read { path: path.to_owned(), source }),
    };
    let is_free = file.try_lock().is_ok();
    // Whoever had it may have put it away or gone on under its next name.
    let there = fs::metadata(path).ok().is_some_and(|now| file.metadata().is_ok_and(|held| held.ino() == now.ino()));
    if !there {
        return None;
    }
    if path.extension().is_some_and(|ending| ending == NEW) {
        if is_free {
            let _ = fs::remove_file(path);
        }
        return None;
    }
    let entries: Vec<Entry> =
        match super::read_open(&file, path, super::MOST_BYTES).map(|text| serde_json::from_slice(&text)) {
            Ok(Ok(entries)) => entries,
            Ok(Err(_)) => {
                let source = io::Error::new(ErrorKind::InvalidData, "it is no journal of a set");
                return standing(Vec::new(), FileError::Read { path: path.to_owned(), source });
            }
            Err(error) => return standing(Vec::new(), error),
        };
    let files: Vec<PathBuf> = entries.iter().map(Entry::place).collect();
    if !is_free {
        let first = files.first().cloned().unwrap_or_default();
        return standing(files, FileError::Busy { path: first });
    }
    let journal = Journal { path: path.to_owned(), lasting: true, _file: file, entries };
    let end = if is_of_another_start(path) {
        roll_back(&journal.entries);
        Ok(End::Lost)
    } else if forward {
        roll_forward(&journal.entries)
    } else {
        roll_back(&journal.entries);
        Ok(End::Back)
    };
    let end = end.and_then(|end| match journal.close() {
        Ok(()) => Ok(end),
        Err(source) => Err(FileError::Write { path: path.to_owned(), source }),
    });
    Some(Rolled { files, end: end.unwrap_or_else(End::Standing) })
}

fn roll_back(entries: &[Entry]) {
    for entry in entries.iter().filter(|entry| entry.is_ours()) {
        wipe(&entry.successor());
    }
}

fn roll_forward(entries: &[Entry]) -> Result<End, FileError> {
    let mut left = Vec::new();
    let mut folders = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.is_ours()) {
        let (place, successor) = (entry.place(), entry.successor());
        let waits = fs::symlink_metadata(&successor).is_ok();
        let held = match Target::hold(&place) {
            Err(FileError::HardLinked { .. } | FileError::NotAFile { .. }) => None,
            held => Some(held?),
        };
        let as_before = match &held {
            None => false,
            Some(target) => {
                let failed = |source| FileError::Read { path: place.clone(), source };
                let now = target.held.as_ref().map(File::metadata).transpose().map_err(failed)?;
                target.place == place && now.as_ref().map(Identity::from) == entry.before
            }
        };
        match (waits, as_before) {
            (true, true) => {
                let failed = |source| FileError::Write { path: place.clone(), source };
                fs::rename(&successor, &place).map_err(failed)?;
                folders.insert(folder_of(&place).to_owned());
            }
            (true, false) => {
                wipe(&successor);
                left.push(place);
            }
            (false, true) => left.push(place),
            (false, false) => {}
        }
    }
    for folder in folders {
        flush_folder(&folder).map_err(|source| FileError::NotFlushed { path: folder.clone(), source })?;
    }
    Ok(End::Forward { left })
}
