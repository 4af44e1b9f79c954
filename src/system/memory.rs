//! A private folder for plaintext that an editor shall open: on a memory file system, wiped when it is dropped.
//!
//! What a killed command could not wipe carries its owner in its name (process and start time, so that a reused
//! process id is not taken for it), and [`wipe_left_behind`] finds it. All of a user's lie in one folder, so that nobody
//! has to read through a crowded `/tmp`.

mod room;

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Class, Failure};

/// What the names of such folders begin with.
const PREFIX: &str = "lockage-edit-";

/// How often a folder is tried to be made while others remove what it was to lie in.
const ATTEMPTS: usize = 8;

/// File systems that live in memory, by their magic numbers in `statfs(2)`: tmpfs and ramfs.
#[cfg(target_os = "linux")]
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// Why there is no place for plaintext.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFolderError {
    /// No memory file system.
    #[error("there is no memory file system for the plaintext: {} not", tried(.folders))]
    NoMemory {
        /// What was looked at.
        folders: Vec<PathBuf>,
    },
    /// The folder cannot be made or written.
    #[error("`{path}` cannot be written")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Failure for PrivateFolderError {
    fn class(&self) -> Class {
        match self {
            Self::NoMemory { .. } => Class::Usage,
            Self::Write { .. } => Class::World,
        }
    }
}

fn tried(folders: &[PathBuf]) -> String {
    let names: Vec<_> = folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
    match names.len() {
        0 => "this system has".to_owned(),
        1 => format!("{} is", names[0]),
        _ => format!("{} are", names.join(" and ")),
    }
}

/// A folder that only this user can look into; everything in it is overwritten and removed on drop.
#[derive(Debug)]
pub struct PrivateFolder {
    path: PathBuf,
}

impl PrivateFolder {
    /// Makes one on the first of `candidates` that is a memory file system.
    ///
    /// # Errors
    /// [`PrivateFolderError::NoMemory`] when none is, else [`PrivateFolderError::Write`].
    pub fn in_memory(candidates: &[PathBuf]) -> Result<Self, PrivateFolderError> {
        match candidates.iter().find(|folder| is_in_memory(folder)) {
            Some(folder) => Self::below(folder),
            None => Err(PrivateFolderError::NoMemory { folders: candidates.to_vec() }),
        }
    }

    /// Makes one on any file system; `parent` is made if it is not there.
    ///
    /// # Errors
    /// [`PrivateFolderError::Write`].
    pub fn on_disk(parent: &Path) -> Result<Self, PrivateFolderError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(parent);
        made.map_err(|source| PrivateFolderError::Write { path: parent.to_owned(), source })?;
        Self::below(parent)
    }

    fn below(parent: &Path) -> Result<Self, PrivateFolderError> {
        let prefix = format!("{PREFIX}{}-", Owner::this().name());
        let mut attempts = 0;
        loop {
            let made = tempfile::Builder::new()
                .prefix(&prefix)
                .permissions(fs::Permissions::from_mode(0o700))
                .disable_cleanup(true)
                .tempdir_in(room::make(parent));
            attempts += 1;
            match made {
                Ok(folder) => return Ok(Self { path: folder.keep() }),
                // Whoever was the last one in the room has just removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < ATTEMPTS => {}
                Err(source) => return Err(PrivateFolderError::Write { path: parent.to_owned(), source }),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a new file in it that only this user can read.
    ///
    /// # Errors
    /// [`PrivateFolderError::Write`].
    pub fn write(&self, name: &std::ffi::OsStr, content: &[u8]) -> Result<PathBuf, PrivateFolderError> {
        let path = self.path.join(name);
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        match file.and_then(|mut file| file.write_all(content)) {
            Ok(()) => Ok(path),
            Err(source) => Err(PrivateFolderError::Write { path, source }),
        }
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        wipe(&self.path);
    }
}

/// Overwrites and removes a private folder and everything in it, as far as that goes. Links are removed, not followed.
pub fn wipe(folder: &Path) {
    let mut folders = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(current) = folders.get(next).cloned() {
        next += 1;
        for entry in fs::read_dir(&current).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) => {
                    if kind.is_file() {
                        overwrite(&path);
                    }
                    let _ = fs::remove_file(&path);
                }
                Err(_) => {}
            }
        }
    }
    for folder in folders.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
    room::leave(folder);
}

/// Writes zeros over what a file holds, as far as that goes.
pub(super) fn overwrite(path: &Path) {
    let Ok(mut file) = fs::OpenOptions::new().write(true).open(path) else { return };
    let mut left = file.metadata().map_or(0, |found| found.len());
    let zeros = [0; 8 << 10];
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(zeros.len()).min(zeros.len());
        if file.write_all(&zeros[..length]).is_err() {
            return;
        }
        left -= length as u64;
    }
    let _ = file.sync_data();
}

/// Wipes what commands that no longer run have left below `parents`. Gives how many folders that were.
pub fn wipe_left_behind(parents: &[PathBuf]) -> usize {
    let mut count = 0;
    let rooms = parents.iter().filter_map(|parent| room::of(parent));
    for entry in rooms.filter_map(|room| fs::read_dir(room).ok()).flatten().flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(Owner::parse) else {
            continue;
        };
        let mine = entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == room::user());
        if mine && owner.is_gone() {
            wipe(&entry.path());
            count += 1;
        }
    }
    count
}

/// Whether a folder is on a file system that lives in memory.
#[cfg(target_os = "linux")]
fn is_in_memory(folder: &Path) -> bool {
    rustix::fs::statfs(folder)
        .is_ok_and(|found| IN_MEMORY.iter().any(|magic| i128::from(found.f_type) == i128::from(*magic)))
}

/// Whether a folder is on a file system that lives in memory: elsewhere than on Linux nobody can say.
#[cfg(not(target_os = "linux"))]
fn is_in_memory(_folder: &Path) -> bool {
    false
}

/// A process, told apart from later ones of the same number and from those of other containers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    /// The inode of its process namespace; 0 where there is none.
    space: u64,
    process: u32,
    /// Its start, in clock ticks since boot; 0 where nobody can say.
    started: u64,
}

impl Owner {
    fn this() -> Self {
        let process = std::process::id();
        Self { space: space(), process, started: started(process).unwrap_or(0) }
    }

    fn name(&self) -> String {
        format!("{}-{}-{}", self.space, self.process, self.started)
    }

    /// Reads what stands behind [`PREFIX`].
    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (space, process, started) = (number()?, number()?, number()?);
        Some(Self { space, process: u32::try_from(process).ok()?, started })
    }

    /// Whether it certainly runs no more; of another container nobody can say.
    fn is_gone(&self) -> bool {
        self.space == space() && started(self.process) != Some(self.started) && !self.runs_unseen()
    }

    /// Where there is no `/proc`, a process that exists counts as the owner.
    fn runs_unseen(&self) -> bool {
        let known = cfg!(target_os = "linux") && self.started != 0;
        let process = i32::try_from(self.process).ok().and_then(rustix::process::Pid::from_raw);
        !known && process.is_some_and(|process| rustix::process::test_kill_process(process).is_ok())
    }
}

fn space() -> u64 {
    fs::metadata("/proc/self/ns/pid").map_or(0, |found| found.ino())
}

/// The start of a process: field 22 of `/proc/<process>/stat`, counted from behind the name, which may hold anything.
fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_private_and_goes_with_everything_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::on_disk(&parent.path().join("made")).unwrap();
        let file = folder.write("a.yaml".as_ref(), b"CANARY-heron").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&file)), (0o700, 0o600));
        let kept = fs::File::open(&file).unwrap();
        fs::create_dir(folder.path().join("backup")).unwrap();
        fs::write(folder.path().join("backup/.a.swp"), "CANARY-heron").unwrap();
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
        // Whoever still has it open sees zeros.
        assert_eq!(std::io::read_to_string(kept).unwrap(), "\0".repeat(12));
    }

    #[test]
    fn only_what_nobody_owns_any_more_is_wiped() {
        let parent = tempfile::tempdir().unwrap();
        let parents = [parent.path().to_owned(), parent.path().join("missing")];
        let alive = PrivateFolder::on_disk(parent.path()).unwrap();
        let room = alive.path().parent().unwrap().to_owned();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = child.id();
        child.wait().unwrap();
        let this = Owner::this();
        let dead = Owner { process, started: 1, ..this.clone() };
        let reused = Owner { started: this.started + 1, ..this.clone() };
        let elsewhere = Owner { space: this.space + 1, ..dead.clone() };
        for owner in [&dead, &reused, &elsewhere] {
            fs::create_dir(room.join(format!("{PREFIX}{}-x1", owner.name()))).unwrap();
        }
        fs::create_dir(room.join("lockage-edit-notes")).unwrap();
        assert_eq!(wipe_left_behind(&parents), 2);
        assert!(alive.path().exists());
        assert_eq!(fs::read_dir(&room).unwrap().count(), 3);
    }

    #[test]
    fn the_last_one_removes_the_room() {
        let parent = tempfile::tempdir().unwrap();
        let folders = [PrivateFolder::on_disk(parent.path()).unwrap(), PrivateFolder::on_disk(parent.path()).unwrap()];
        assert_eq!(folders[0].path().parent(), folders[1].path().parent());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
        drop(folders);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_room_that_others_can_look_into_is_not_used() {
        let parent = tempfile::tempdir().unwrap();
        let taken = parent.path().join(room::name());
        fs::create_dir(&taken).unwrap();
        fs::set_permissions(&taken, fs::Permissions::from_mode(0o755)).unwrap();
        let folder = PrivateFolder::on_disk(parent.path()).unwrap();
        assert_eq!(folder.path().parent(), Some(parent.path()));
        fs::remove_dir(&taken).unwrap();
        std::os::unix::fs::symlink("/", &taken).unwrap();
        let other = PrivateFolder::on_disk(parent.path()).unwrap();
        assert_eq!(other.path().parent(), Some(parent.path()));
        // What is left there is found.
        let dead = Owner { started: Owner::this().started + 1, ..Owner::this() };
        fs::create_dir(parent.path().join(format!("{PREFIX}{}-x1", dead.name()))).unwrap();
        assert_eq!(wipe_left_behind(&[parent.path().to_owned()]), 1);
        drop((folder, other));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_disk_is_no_memory() {
        let error = PrivateFolder::in_memory(&["/proc".into(), "/sys".into()]).unwrap_err();
        assert_eq!(error.to_string(), "there is no memory file system for the plaintext: `/proc` and `/sys` are not");
        if is_in_memory(Path::new("/dev/shm")) {
            drop(PrivateFolder::in_memory(&["/proc".into(), "/dev/shm".into()]).unwrap());
        }
    }
}
