//! Files: read whole and bounded, replaced whole or not at all.
//!
//! A file with one name is never opened for writing. Its successor is written beside it, flushed, and renamed over it, so that a
//! full disk, a kill or a power cut leaves the old one or the new one, never half of either.

use std::fs::{File, Metadata, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

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
            _ => None,
        }
    }
}

/// Reads a whole regular file of at most [`MOST_BYTES`] into a buffer that is wiped on drop.
///
/// # Errors
/// [`FileError`].
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let file = open(path)?;
    read_open(&file, path)
}

/// Reads whatever `reader` gives, at most [`MOST_BYTES`], into a buffer that is wiped on drop; `expected` bytes are
/// reserved at once, so that a buffer of secrets is not moved while it grows.
///
/// # Errors
/// [`FileError::Read`] and [`FileError::TooLarge`] under the name `shown`.
pub fn read_stream(reader: impl std::io::Read, expected: u64, shown: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read_within(MOST_BYTES, reader, expected, shown)
}

fn read_within(
    limit: u64,
    mut reader: impl std::io::Read,
    expected: u64,
    shown: &Path,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let capacity = |bytes: u64| usize::try_from(bytes.min(limit)).unwrap_or(0);
    let mut content = Zeroizing::new(Vec::with_capacity(capacity(expected) + 1));
    let mut piece = Zeroizing::new([0; 64 << 10]);
    loop {
        let length = match reader.read(&mut piece[..]) {
            Ok(0) => return Ok(content),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(source) => return Err(FileError::Read { path: shown.to_owned(), source }),
        };
        if content.len() + length > capacity(limit) {
            return Err(FileError::TooLarge { path: shown.to_owned(), limit });
        }
        if content.capacity() - content.len() < length {
            // The old buffer is wiped when it is dropped; `Vec`'s own growth would free it as it is.
            let mut grown = Zeroizing::new(Vec::with_capacity((content.len() + length) * 2));
            grown.extend_from_slice(&content);
            content = grown;
        }
        content.extend_from_slice(&piece[..length]);
    }
}

fn open(path: &Path) -> Result<File, FileError> {
    // A FIFO would block, a device might do something: look before opening.
    let found = std::fs::metadata(path).map_err(|source| unreadable(path, source))?;
    if !found.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    File::open(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: std::io::Error) -> FileError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => FileError::Missing { path },
        _ => FileError::Read { path, source },
    }
}

fn read_open(file: &File, path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let length = file.metadata().map_err(|source| unreadable(path, source))?.len();
    if length > MOST_BYTES {
        return Err(FileError::TooLarge { path: path.to_owned(), limit: MOST_BYTES });
    }
    read_stream(file, length, path)
}

/// Which permissions a replaced file gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those it had; these if it is new.
    KeptOr(u32),
    /// These.
    Exactly(u32),
}

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
        let target = Self::hold_linked(path)?;
        match &target.held {
            Some(file) if target.linked => {
                let names = file.metadata().map_err(|source| unreadable(path, source))?.nlink();
                Err(FileError::HardLinked { path: path.to_owned(), names })
            }
            _ => Ok(target),
        }
    }

    /// The same for a file that may have several names (hard links): it is then written in place, with a copy of what was
    /// there beside it until the new content is on the disk.
    ///
    /// # Errors
    /// As for [`Self::hold`], but for [`FileError::HardLinked`].
    pub fn hold_linked(path: &Path) -> Result<Self, FileError> {
        let place = resolve(path)?;
        let shown = path.to_owned();
        loop {
            let file = match open(&place) {
                Ok(file) => file,
                Err(FileError::Missing { .. }) => return Ok(Self { shown, place, held: None, linked: false }),
                Err(FileError::NotAFile { .. }) => return Err(FileError::NotAFile { path: shown }),
                Err(FileError::Read { source, .. }) => return Err(FileError::Read { path: shown, source }),
                Err(other) => return Err(other),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(FileError::Busy { path: shown }),
                // Some network file systems have no locks; the comparison before the rename still holds.
                Err(TryLockError::Error(_)) => {}
            }
            let held = file.metadata().map_err(|source| unreadable(path, source))?;
            // Another command may have replaced it between opening and locking: then this lock is on its predecessor.
            let current = std::fs::metadata(&place).ok();
            if current.is_some_and(|current| current.ino() == held.ino() && current.dev() == held.dev()) {
                let linked = held.nlink() > 1;
                if linked {
                    linked::recover(&place)?;
                }
                return Ok(Self { shown, place, held: Some(file), linked });
            }
        }
    }

    /// Whether the file is there.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.held.is_some()
    }

    /// Reads it whole.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, FileError> {
        match &self.held {
            Some(file) => read_open(file, &self.shown),
            None => Err(FileError::Missing { path: self.shown.clone() }),
        }
    }

    /// Replaces it with `content`, durably, for the same owner. `known` is what was read before, if anything was.
    ///
    /// # Errors
    /// [`FileError::Changed`] when it no longer is `known`. After every error but [`FileError::NotFlushed`] the file is
    /// as it was, and nothing lies beside it.
    pub fn replace(&self, content: &[u8], known: Option<&[u8]>, mode: Mode) -> Result<(), FileError> {
        let failed = |source| FileError::Write { path: self.shown.clone(), source };
        let folder = self.place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let old = self.unchanged(known)?;
        if self.linked {
            let exactly = match mode {
                Mode::Exactly(bits) => Some(bits),
                Mode::KeptOr(_) => None,
            };
            return linked::replace(&self.place, &read(&self.place)?, content, exactly);
        }
        let mut successor = tempfile::Builder::new()
            .prefix(".lockage-")
            .permissions(std::fs::Permissions::from_mode(0o600))
            .tempfile_in(folder)
            .map_err(failed)?;
        successor.write_all(content).map_err(failed)?;
        if let Some(old) = &old {
            self.give(successor.as_file(), old)?;
        }
        let bits = match (mode, &old) {
            (Mode::KeptOr(_), Some(old)) => old.permissions().mode() & 0o7777,
            (Mode::KeptOr(bits) | Mode::Exactly(bits), _) => bits,
        };
        successor.as_file().set_permissions(std::fs::Permissions::from_mode(bits)).map_err(failed)?;
        successor.as_file().sync_all().map_err(failed)?;
        self.unchanged(known)?;
        successor.persist(&self.place).map_err(|error| failed(error.error))?;
        let flushed = File::open(folder).and_then(|folder| folder.sync_all());
        flushed.map_err(|source| FileError::NotFlushed { path: self.shown.clone(), source })
    }

    /// What is at the place now, if it is what it was.
    fn unchanged(&self, known: Option<&[u8]>) -> Result<Option<Metadata>, FileError> {
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
        if let (Some(known), Some(_)) = (known, &now)
            && read(&self.place)?[..] != *known
        {
            return Err(changed());
        }
        Ok(now)
    }

    /// Gives the successor to the owner of the file.
    fn give(&self, successor: &File, old: &Metadata) -> Result<(), FileError> {
        let made = successor.metadata().map_err(|source| FileError::Write { path: self.shown.clone(), source })?;
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

mod linked;

#[cfg(test)]
mod tests;
