//! The folder that holds the private folders of one user.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Others may go through it to a folder that was given to them, and neither see nor change what is in it.
const MODE: u32 = 0o711;

/// Where the private folders of this user are in a folder.
pub(super) enum Room {
    /// In one that only this user can list and change.
    Own(PathBuf),
    /// Somebody else has taken its name, so they lie in the open, where their names cannot be foreseen.
    Shared(PathBuf),
    /// Nobody has made one.
    Missing,
}

impl Room {
    pub(super) fn of(parent: &Path) -> Self {
        let own = parent.join(Self::name());
        match fs::symlink_metadata(&own) {
            Ok(found) if found.is_dir() && found.uid() == user() && found.mode() & 0o777 & !MODE == 0 => Self::Own(own),
            Ok(_) => Self::Shared(parent.to_owned()),
            Err(_) => Self::Missing,
        }
    }

    /// The same, made if it is missing and that is possible.
    pub(super) fn make(parent: &Path) -> Self {
        let own = parent.join(Self::name());
        if fs::DirBuilder::new().mode(MODE).create(&own).is_ok() {
            // Whatever the user's mask takes away.
            let _ = fs::set_permissions(&own, fs::Permissions::from_mode(MODE));
        }
        match Self::of(parent) {
            Self::Missing => Self::Shared(parent.to_owned()),
            found => found,
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Shared(path) => path,
            Self::Missing => Path::new(""),
        }
    }

    pub(super) fn name() -> String {
        format!("lockage-{}", user())
    }

    /// Removes the room that a private folder was in, if that was the last one.
    pub(super) fn leave(folder: &Path) {
        if let Some(room) = folder.parent().filter(|room| room.ends_with(Self::name())) {
            let _ = fs::remove_dir(room);
        }
    }
}

/// Whose private folders are meant.
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}
