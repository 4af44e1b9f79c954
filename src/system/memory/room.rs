//! The folder that holds the private folders of one user.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Others may go through it to a folder that was given to them, and neither see nor change what is in it.
const MODE: u32 = 0o711;

/// Where the private folders of this user are in `parent`: in a folder that only this user can list and change, or, when
/// somebody else has taken its name, in the open, where their own names cannot be foreseen. `None` if nobody made one.
pub(super) fn of(parent: &Path) -> Option<PathBuf> {
    let room = parent.join(name());
    let found = fs::symlink_metadata(&room).ok()?;
    let own = found.is_dir() && found.uid() == user() && found.mode() & 0o777 & !MODE == 0;
    Some(if own { room } else { parent.to_owned() })
}

/// The same, made if it is missing and that is possible.
pub(super) fn make(parent: &Path) -> PathBuf {
    let room = parent.join(name());
    if fs::DirBuilder::new().mode(MODE).create(&room).is_ok() {
        // Whatever the user's mask takes away.
        let _ = fs::set_permissions(&room, fs::Permissions::from_mode(MODE));
    }
    of(parent).unwrap_or_else(|| parent.to_owned())
}

/// Removes the room that a private folder was in, if that was the last one.
pub(super) fn leave(folder: &Path) {
    if let Some(room) = folder.parent().filter(|room| room.ends_with(name())) {
        let _ = fs::remove_dir(room);
    }
}

pub(super) fn name() -> String {
    format!("lockage-{}", user())
}

/// Whose private folders are meant.
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}
