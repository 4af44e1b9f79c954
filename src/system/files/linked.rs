//! A file with several names, written in place because a successor would be under one of them only.
//!
//! A copy of what was there lies beside it until the new content is flushed; whoever next takes hold of the file under
//! this name finds the copy of a command that was killed, and puts it back.

use std::fs;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::FileError;

/// Where the copy lies.
fn copy_of(place: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".lockage-before-");
    name.push(place.file_name().unwrap_or_default());
    place.with_file_name(name)
}

/// Puts back what a killed command was about to replace. The caller holds the lock.
pub(super) fn recover(place: &Path) -> Result<(), FileError> {
    let copy = copy_of(place);
    let Ok(before) = super::read(&copy) else { return Ok(()) };
    tracing::warn!("`{}` was being written when a command was killed; what was there before is back", place.display());
    overwrite(place, &before)?;
    remove(&copy, place)
}

/// Writes `content` in place.
pub(super) fn replace(place: &Path, before: &[u8], content: &[u8], mode: Option<u32>) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: place.to_owned(), source };
    let copy = copy_of(place);
    let mut unfinished = copy.clone();
    unfinished.as_mut_os_string().push(".new");
    let made = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
    let written = made.and_then(|mut file| file.write_all(before).and_then(|()| file.sync_all()));
    if let Err(source) = written.and_then(|()| fs::rename(&unfinished, &copy)) {
        let _ = fs::remove_file(&unfinished);
        return Err(failed(source));
    }
    flush_folder(place)?;
    if let Err(error) = overwrite(place, content) {
        // A full disk has room again for what was there before.
        overwrite(place, before)?;
        remove(&copy, place)?;
        return Err(error);
    }
    if let Some(bits) = mode {
        fs::set_permissions(place, fs::Permissions::from_mode(bits)).map_err(failed)?;
    }
    remove(&copy, place)
}

fn overwrite(place: &Path, content: &[u8]) -> Result<(), FileError> {
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).open(place)?;
        file.rewind()?;
        file.write_all(content)?;
        file.set_len(content.len() as u64)?;
        file.sync_all()
    };
    write().map_err(|source| FileError::Write { path: place.to_owned(), source })
}

fn remove(copy: &Path, place: &Path) -> Result<(), FileError> {
    fs::remove_file(copy).map_err(|source| FileError::Write { path: place.to_owned(), source })?;
    flush_folder(place)
}

fn flush_folder(place: &Path) -> Result<(), FileError> {
    let flushed = super::flush_folder(super::folder_of(place));
    flushed.map_err(|source| FileError::Write { path: place.to_owned(), source })
}
