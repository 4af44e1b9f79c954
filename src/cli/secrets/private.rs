//! Where plaintext may lie while an editor has it open.

use std::path::PathBuf;

use crate::cli::{Context, Failed};
use crate::system::memory::{self, PrivateFolder};

/// The folders that may be memory file systems.
fn memory_candidates(context: &Context) -> Vec<PathBuf> {
    let runtime = context.variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    runtime.into_iter().chain(["/dev/shm".into()]).filter(|folder: &PathBuf| folder.is_dir()).collect()
}

/// Our folder in the user's state.
pub(super) fn state(context: &Context) -> Option<PathBuf> {
    let state = context.variable("XDG_STATE_HOME").map(PathBuf::from);
    Some(state.or_else(|| Some(context.home()?.join(".local/state")))?.join("lockage"))
}

/// Where plaintext lies when the user asked for a disk.
fn disk_folder(context: &Context) -> Option<PathBuf> {
    Some(state(context)?.join("edit"))
}

/// Makes a private folder.
///
/// # Errors
/// There is no memory file system and no leave to use a disk.
pub(crate) fn folder(context: &Context, on_disk: bool) -> Result<PrivateFolder, Failed> {
    match disk_folder(context) {
        Some(folder) if on_disk => Ok(PrivateFolder::on_disk(&folder)?),
        _ => PrivateFolder::in_memory(&memory_candidates(context)).map_err(|error| {
            Failed::from(error)
                .hint("`--plaintext-on-disk` accepts that the plaintext is written to a disk while you edit")
        }),
    }
}

/// Makes a private folder in memory, or where temporary files go, as SOPS does: a script that works with it shall work.
///
/// # Errors
/// There is no place that can be written.
pub(crate) fn folder_or_temporary(context: &Context) -> Result<PrivateFolder, Failed> {
    match PrivateFolder::in_memory(&memory_candidates(context)) {
        Ok(folder) => Ok(folder),
        Err(_) => Ok(PrivateFolder::on_disk(&temporary(context))?),
    }
}

fn temporary(context: &Context) -> PathBuf {
    context.variable("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
}

/// Wipes what a killed command has left; every command does this first.
pub(crate) fn sweep(context: &Context) {
    let mut folders = memory_candidates(context);
    folders.extend(disk_folder(context));
    folders.push(temporary(context));
    let count = memory::wipe_left_behind(&folders);
    if count > 0 {
        tracing::warn!("wiped the plaintext that {count} killed command(s) had left");
    }
}
