//! Files: read whole and bounded, replaced whole or not at all.
//!
//! A file with one name is never opened for writing. Its successor is written beside it, flushed, and renamed over it, so that a
//! full disk, a kill or a power cut leaves the old one or the new one, never half of either.

use std::fs::{File, Metadata, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use self::read::{open, read_open, unreadable};
use self::successor::Successor;
use crate::error::{Class, Failure, Outcome};

/// Larger files are refused before they are read: 256 MiB.
pub const MOST_BYTES: u64 = 256 << 20;

/// Symbolic links followed before a path counts as a loop; what Linux allows.
const MOST_LINKS: usize = 40;

/// Why a file could not be read or replaced.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("`{path}` does not exist")]
    Missing {
        /// As the user gave it.
        path: PathBuf,
    },
    /// It is a folder, a device or the like.
    #[error("`{path}` is not a regular file")]
    NotAFile {
        /// As the user gave it.
        path: PathBuf,
    },
    /// It is larger than allowed.
    #[error("`{path}` is larger than {limit} bytes")]
    TooLarge {
        /// As the user gave it.
        path: PathBuf,
        /// The bound, in bytes.
        limit: u64,
    },
    /// It cannot be read.
    #[error("`{path}` cannot be read")]
    Read {
        /// As the user gave it.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Its successor cannot be written; the file is as it was.
    #[error("`{path}` cannot be written; it is unchanged")]
    Write {
        /// As the user gave it.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It was replaced, but the system cannot promise that a power cut would not undo it.
    #[error("`{path}` was replaced, but its folder cannot be flushed to disk")]
    NotFlushed {
        /// As the user gave it.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Replacing it would break a hard link.
    #[error("`{path}` has {names} names (hard links); replacing it would leave the old content under the others")]
    HardLinked {
        /// As the user gave it.
        path: PathBuf,
        /// How many.
        names: u64,
    },
    /// Its successor would belong to somebody else.
    #[error("`{path}` belongs to user {owner}, group {group}, and its successor cannot be given to them")]
    Owner {
        /// As the user gave it.
        path: PathBuf,
        /// Numeric.
        owner: u32,
        /// Numeric.
        group: u32,
    },
    /// Some files of a set were replaced and some were not; the journal of the set is kept.
    #[error("`{path}` cannot be replaced, while {done} of {all} files that belong together are")]
    Unfinished {
        /// The first that was not.
        path: PathBuf,
        /// How many were replaced.
        done: usize,
        /// How many they are.
        all: usize,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another command holds it.
    #[error("`{path}` is being changed by another command")]
    Busy {
        /// As the user gave it.
        path: PathBuf,
    },
    /// It is not what was read before.
    #[error("`{path}` was changed by somebody else in the meantime")]
    Changed {
        /// As the user gave it.
        path: PathBuf,
    },
}

impl Failure for FileError {
    fn class(&self) -> Class {
        match self {
            Self::Missing { .. } | Self::NotAFile { .. } | Self::TooLarge { .. } | Self::HardLinked { .. } => {
                Class::Usage
            }
            Self::Read { source, .. } if source.kind() == ErrorKind::PermissionDenied => Class::Usage,
            Self::Busy { .. } | Self::Changed { .. } => Class::No,
            _ => Class::World,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::HardLinked { path, .. } => {
                format!("give it an inode of its own: `cp -p {0} {0}.new && mv {0}.new {0}`", path.display())
            }
            Self::Owner { .. } => "run the command as its owner".to_owned(),
            Self::TooLarge { .. } => "`--max-size` allows more".to_owned(),
            Self::Unfinished { .. } => "mend the cause; the next command goes on with the rest by itself".to_owned(),
            Self::Busy { .. } => "wait for the other command, or end it".to_owned(),
            Self::Changed { .. } => "run the command again on what is there now".to_owned(),
            _ => return Vec::new(),
        };
        vec![hint]
    }

    fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Write { .. } => Some(Outcome::Unchanged),
            Self::NotFlushed { .. } => Some(Outcome::Applied),
            Self::Unfinished { .. } => Some(Outcome::Partial),
            _ => None,
        }
    }
}

/// Which permissions a replaced file gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those it had; these if it is new.
    KeptOr(u32),
    /// These.
    Exactly(u32),
}

/// Whether a content is the one that was read.
type Known<'k> = &'k dyn Fn(&[u8]) -> bool;

/// A file that is held, and the text that was read of it.
pub type WithText = (Target, Zeroizing<Vec<u8>>);

/// A file that one command changes: its place with symbolic links followed, locked against other commands.
#[derive(Debug)]
pub struct Target {
    /// As the user gave it.
    shown: PathBuf,
    /// Where the file itself is.
    place: PathBuf,
    /// The locked file, if there is one. The lock ends when it is closed.
    held: Option<File>,
    /// Whether it has more names, and may keep them.
    linked: bool,
}

impl Target {
    /// Takes hold of a file that is there or shall be made.
    ///
    /// # Errors
    /// [`FileError::Busy`] when another command holds it; [`FileError::HardLinked`], [`FileError::NotAFile`].
    pub fn hold(path: &Path) -> Result<Self, FileError> {
        Self::hold_linked(path)?.with_one_name()
    }

    /// The same for a file that is there, with its text of at most `limit` bytes. A file whose text is not one that
    /// `is_meant` is left alone: nobody finds it held even for a moment.
    ///
    /// The text is read before the file is held; that it still is the same is looked at when the file is replaced.
    ///
    /// # Errors
    /// As for [`Self::hold`] and [`Self::read`].
    pub fn hold_read(path: &Path, limit: u64, is_meant: impl Fn(&[u8]) -> bool) -> Result<Option<WithText>, FileError> {
        let place = resolve(path)?;
        loop {
            let file = open_as(&place, path)?.ok_or_else(|| FileError::Missing { path: path.to_owned() })?;
            let text = read_open(&file, path, limit)?;
            if !is_meant(&text) {
                return Ok(None);
            }
            if let Some(target) = Self::lock(path, &place, file)? {
                return Ok(Some((target.with_one_name()?, text)));
            }
        }
    }

    /// The same for a file that may have several names (hard links): it is then written in place, with a copy of what was
    /// there beside it until the new content is on the disk.
    ///
    /// # Errors
    /// As for [`Self::hold`], but for [`FileError::HardLinked`].
    pub fn hold_linked(path: &Path) -> Result<Self, FileError> {
        let place = resolve(path)?;
        loop {
            let Some(file) = open_as(&place, path)? else {
                return Ok(Self { shown: path.to_owned(), place, held: None, linked: false });
            };
            if let Some(target) = Self::lock(path, &place, file)? {
                if target.linked {
                    linked::recover(&place)?;
                }
                return Ok(target);
            }
        }
    }

    /// Locks an open file, unless another command has replaced it in the meantime: the lock would be on its predecessor.
    fn lock(shown: &Path, place: &Path, file: File) -> Result<Option<Self>, FileError> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FileError::Busy { path: shown.to_owned() }),
            // Some network file systems have no locks; the comparison before the rename still holds.
            Err(TryLockError::Error(_)) => {}
        }
        let held = file.metadata().map_err(|source| unreadable(shown, source))?;
        let current = std::fs::metadata(place).ok();
        let is_there = current.is_some_and(|current| current.ino() == held.ino() && current.dev() == held.dev());
        let linked = held.nlink() > 1;
        let target = || Self { shown: shown.to_owned(), place: place.to_owned(), held: Some(file), linked };
        Ok(is_there.then(target))
    }

    fn with_one_name(self) -> Result<Self, FileError> {
        match &self.held {
            Some(file) if self.linked => {
                let names = file.metadata().map_err(|source| unreadable(&self.shown, source))?.nlink();
                Err(FileError::HardLinked { path: self.shown, names })
            }
            _ => Ok(self),
        }
    }

    /// Where the file itself is, with symbolic links followed.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Whether the file is there.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.held.is_some()
    }

    /// Reads it whole, if it has at most [`MOST_BYTES`].
    ///
    /// # Errors
    /// [`FileError`].
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, FileError> {
        self.read_at_most(MOST_BYTES)
    }

    /// The same with another limit, in bytes.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn read_at_most(&self, limit: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
        match &self.held {
            Some(file) => read_open(file, &self.shown, limit),
            None => Err(FileError::Missing { path: self.shown.clone() }),
        }
    }

    /// Replaces it with `content`, durably, for the same owner. `known` is what was read before, if anything was.
    ///
    /// # Errors
    /// [`FileError::Changed`] when it no longer is `known`. After every error but [`FileError::NotFlushed`] the file is
    /// as it was, and nothing lies beside it.
    pub fn replace(&self, content: &[u8], known: Option<&[u8]>, mode: Mode) -> Result<(), FileError> {
        let known = known.map(|known| move |now: &[u8]| now == known);
        self.replace_where(content, known.as_ref().map(|known| known as Known<'_>), mode)
    }

    /// The same where of what was read only the [`digest`] is left.
    ///
    /// # Errors
    /// As for [`Self::replace`].
    pub fn replace_read(&self, content: &[u8], known: Option<Digest>, mode: Mode) -> Result<(), FileError> {
        let known = known.map(|known| move |now: &[u8]| digest(now) == known);
        self.replace_where(content, known.as_ref().map(|known| known as Known<'_>), mode)
    }

    fn replace_where(&self, content: &[u8], known: Option<Known<'_>>, mode: Mode) -> Result<(), FileError> {
        let failed = |source| FileError::Write { path: self.shown.clone(), source };
        let folder = folder_of(&self.place);
        let old = self.unchanged(known)?;
        if self.linked {
            let exactly = match mode {
                Mode::Exactly(bits) => Some(bits),
                Mode::KeptOr(_) => None,
            };
            return linked::replace(&self.place, &read_at_most(&self.place, u64::MAX)?, content, exactly);
        }
        successor::wipe_left_behind(folder);
        let successor = Successor::beside(&self.place).map_err(failed)?;
        self.fill(successor.file(), old.as_ref(), content, mode)?;
        successor.flush().map_err(failed)?;
        self.unchanged(known)?;
        successor.take_place(&self.place).map_err(failed)?;
        flush_folder(folder).map_err(|source| FileError::NotFlushed { path: self.shown.clone(), source })
    }

    /// Writes what shall come in the place of the file, with its owner and its permissions.
    fn fill(&self, mut successor: &File, old: Option<&Metadata>, content: &[u8], mode: Mode) -> Result<(), FileError> {
        let failed = |source| FileError::Write { path: self.shown.clone(), source };
        successor.write_all(content).map_err(failed)?;
        let made = successor.metadata().map_err(failed)?;
        if let Some(old) = old {
            self.give(successor, &made, old)?;
        }
        let bits = match (mode, old) {
            (Mode::KeptOr(_), Some(old)) => old.permissions().mode() & 0o7777,
            (Mode::KeptOr(bits) | Mode::Exactly(bits), _) => bits,
        };
        if made.permissions().mode() & 0o7777 == bits {
            return Ok(());
        }
        successor.set_permissions(std::fs::Permissions::from_mode(bits)).map_err(failed)
    }

    /// What is at the place now, if it is what it was.
    fn unchanged(&self, is_known: Option<Known<'_>>) -> Result<Option<Metadata>, FileError> {
        let changed = || FileError::Changed { path: self.shown.clone() };
        let now = match std::fs::symlink_metadata(&self.place) {
            Ok(now) => Some(now),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(FileError::Read { path: self.shown.clone(), source }),
        };
        match (&self.held, &now) {
            (None, None) => {}
            (Some(held), Some(now)) => {
                let held = held.metadata().map_err(|source| unreadable(&self.shown, source))?;
                if (held.ino(), held.dev()) != (now.ino(), now.dev()) {
                    return Err(changed());
                }
            }
            _ => return Err(changed()),
        }
        // Opened anew: a network file system looks for what others wrote when a file is opened.
        if let (Some(is_known), Some(_)) = (is_known, &now)
            && !is_known(&read_at_most(&self.place, u64::MAX)?)
        {
            return Err(changed());
        }
        Ok(now)
    }

    /// Gives the successor to the owner of the file.
    fn give(&self, successor: &File, made: &Metadata, old: &Metadata) -> Result<(), FileError> {
        if (made.uid(), made.gid()) == (old.uid(), old.gid()) {
            return Ok(());
        }
        let (owner, group) = (rustix::fs::Uid::from_raw(old.uid()), rustix::fs::Gid::from_raw(old.gid()));
        rustix::fs::fchown(successor, Some(owner), Some(group)).map_err(|_| FileError::Owner {
            path: self.shown.clone(),
            owner: old.uid(),
            group: old.gid(),
        })
    }
}

/// Opens what a command names, if it is there.
fn open_as(place: &Path, shown: &Path) -> Result<Option<File>, FileError> {
    match open(place) {
        Ok(file) => Ok(Some(file)),
        Err(FileError::Missing { .. }) => Ok(None),
        Err(FileError::NotAFile { .. }) => Err(FileError::NotAFile { path: shown.to_owned() }),
        Err(FileError::Read { source, .. }) => Err(FileError::Read { path: shown.to_owned(), source }),
        Err(other) => Err(other),
    }
}

/// Follows symbolic links to the end, which need not exist.
fn resolve(path: &Path) -> Result<PathBuf, FileError> {
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        match std::fs::read_link(&place) {
            Ok(next) => place = place.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(place),
        }
    }
    Err(FileError::Read { path: path.to_owned(), source: rustix::io::Errno::LOOP.into() })
}

/// Whether two open descriptors are one file: input and output of a careless redirect.
#[must_use]
pub fn same_file(one: &impl std::os::fd::AsFd, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (rustix::fs::fstat(one), rustix::fs::stat(other)) else { return false };
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// The folder of a file.
fn folder_of(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder, whose name survives a power cut.
///
/// # Errors
/// [`FileError::Write`].
pub fn make_folder(folder: &Path) -> Result<(), FileError> {
    let made = std::fs::create_dir(folder).and_then(|()| flush_folder(folder_of(folder)));
    made.map_err(|source| FileError::Write { path: folder.to_owned(), source })
}

/// Makes the names in a folder survive a power cut.
fn flush_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all())
}

mod journal;
mod linked;
mod read;
mod set;
mod successor;

pub use journal::{End, Rolled, roll};
pub use read::{read, read_at_most, read_stream, read_stream_at_most};
pub use set::{Digest, Loss, Set, allow_open, digest};

#[cfg(test)]
mod tests;
