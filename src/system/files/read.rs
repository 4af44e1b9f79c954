//! Reading whole files, and no more than is allowed.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::{FileError, MOST_BYTES};

/// Reads a whole regular file of at most [`MOST_BYTES`] into a buffer that is wiped on drop.
///
/// # Errors
/// [`FileError`].
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read_at_most(path, MOST_BYTES)
}

/// The same with another limit, in bytes.
///
/// # Errors
/// [`FileError`].
pub fn read_at_most(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let file = open(path)?;
    read_open(&file, path, limit)
}

/// Reads whatever `reader` gives, at most [`MOST_BYTES`], into a buffer that is wiped on drop; `expected` bytes are
/// reserved at once, so that a buffer of secrets is not moved while it grows.
///
/// # Errors
/// [`FileError::Read`] and [`FileError::TooLarge`] under the name `shown`.
pub fn read_stream(reader: impl std::io::Read, expected: u64, shown: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read_stream_at_most(MOST_BYTES, reader, expected, shown)
}

/// The same with another limit, in bytes.
///
/// # Errors
/// As for [`read_stream`].
pub fn read_stream_at_most(
    limit: u64,
    mut reader: impl std::io::Read,
    expected: u64,
    shown: &Path,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let capacity = |bytes: u64| usize::try_from(bytes.min(limit)).unwrap_or(0) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(capacity(expected)));
    loop {
        // Never more than there is room for: a vector that grows by itself leaves a copy behind.
        let room = (content.capacity() - content.len()) as u64;
        match reader.by_ref().take(room).read_to_end(&mut content) {
            Ok(0) => return Ok(content),
            Ok(_) if content.len() as u64 > limit => {
                return Err(FileError::TooLarge { path: shown.to_owned(), limit });
            }
            Ok(_) => {}
            Err(source) => return Err(FileError::Read { path: shown.to_owned(), source }),
        }
        if content.len() == content.capacity() {
            let mut grown = Zeroizing::new(Vec::with_capacity(capacity(2 * content.len() as u64)));
            grown.extend_from_slice(&content);
            content = grown;
        }
    }
}

pub(super) fn open(path: &Path) -> Result<File, FileError> {
    // A FIFO would block, a device might do something: look before opening.
    let found = std::fs::metadata(path).map_err(|source| unreadable(path, source))?;
    if !found.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    File::open(path).map_err(|source| unreadable(path, source))
}

pub(super) fn unreadable(path: &Path, source: std::io::Error) -> FileError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => FileError::Missing { path },
        _ => FileError::Read { path, source },
    }
}

pub(super) fn read_open(file: &File, path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let length = file.metadata().map_err(|source| unreadable(path, source))?.len();
    if length > limit {
        return Err(FileError::TooLarge { path: path.to_owned(), limit });
    }
    read_stream_at_most(limit, file, length, path)
}
