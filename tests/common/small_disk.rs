//! A disk that is soon full: a small tmpfs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a file on a tmpfs grows by.
const PAGE: usize = 4096;

/// A mounted file system, unmounted when it goes.
pub struct SmallDisk(pub PathBuf);

impl SmallDisk {
    /// Mounts one of this size; `None`, and a word about it, where that is not allowed.
    pub fn new(at: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&at).expect("a folder");
        let options = format!("size={size},mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&at).output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self(at));
        }
        eprintln!("SKIPPED: needs the right to mount a tmpfs");
        None
    }

    /// Fills it, but for so many pages.
    pub fn leave(&self, pages: u64) {
        let ballast = self.0.join("ballast");
        let _ = std::fs::remove_file(&ballast);
        let state = rustix::fs::statvfs(&self.0).expect("its size");
        fill(&ballast, usize::try_from(state.f_bavail.saturating_sub(pages)).expect("a small number"));
    }
}

/// Writes so many pages, or as many as there is room for.
pub fn fill(ballast: &Path, pages: usize) {
    let _ = std::fs::write(ballast, vec![0; pages * PAGE]);
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
