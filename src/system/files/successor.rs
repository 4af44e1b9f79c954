//! The file that takes another one's place: written beside it, for its owner alone until it is whole.
//!
//! It is locked as long as its command lives. One that can be locked was left by a command that was killed, whatever
//! process or container that ran in, and it may hold plaintext: whoever next writes in its folder wipes it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::super::memory::overwrite;
use super::folder_of;

/// What its name begins with.
const PREFIX: &str = ".lockage-";
/// Names drawn before giving up.
const DRAWS: usize = 16;

/// A file under a name of its own, gone when it is dropped.
#[derive(Debug)]
pub(super) struct Successor {
    path: Option<PathBuf>,
    file: File,
}

impl Successor {
    /// Makes an empty one beside `place`.
    pub(super) fn beside(place: &Path) -> io::Result<Self> {
        for _ in 0..DRAWS {
            let path = folder_of(place).join(format!("{PREFIX}{}", random()?));
            match Self::at(path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => return made,
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// Makes an empty one of this name, which must be free, and locks it; whoever wiped it in between counts as having
    /// had the name.
    pub(super) fn at(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let made = Self { path: Some(path), file };
        // Another command may hold it for the moment in which it looks whether anybody does.
        let _ = made.file.lock();
        if made.file.metadata()?.nlink() == 0 {
            return Err(ErrorKind::AlreadyExists.into());
        }
        Ok(made)
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn flush(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives it the name `place`; what was there is gone.
    pub(super) fn take_place(mut self, place: &Path) -> io::Result<()> {
        if let Some(path) = &self.path {
            fs::rename(path, place)?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            wipe(path);
        }
    }
}

/// A word that nobody guesses.
pub(super) fn random() -> io::Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| io::Error::from(ErrorKind::Unsupported))?;
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes)))
}

/// Whether a word may have come from [`random`].
fn is_random(word: &str) -> bool {
    word.len() == 16 && word.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Overwrites a file and removes it, as far as that goes.
pub(super) fn wipe(path: &Path) {
    overwrite(path);
    let _ = fs::remove_file(path);
}

/// Wipes what commands that no longer run have left in a folder.
pub(super) fn wipe_left_behind(folder: &Path) {
    let me = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().and_then(|name| name.strip_prefix(PREFIX)).is_some_and(is_random) {
            continue;
        }
        // What has another name, too, is not ours, whoever gave it this one.
        let ours = |found: fs::Metadata| found.is_file() && found.uid() == me && found.nlink() == 1;
        let mine = entry.metadata().is_ok_and(ours);
        let path = entry.path();
        if let (true, Ok(file)) = (mine, OpenOptions::new().write(true).open(&path))
            && file.try_lock().is_ok()
        {
            tracing::info!("`{}` was left by a command that was killed; it is wiped", path.display());
            wipe(&path);
        }
    }
}
