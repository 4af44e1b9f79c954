//! What both names of the command share: which files, and under which names they arrive.

use std::path::{Path, PathBuf};

/// Folders may lie in each other this many times: no path is longer.
const DEPTH: usize = 2048;

/// Every file below a folder, relative to it, in the order of their names; links are not followed to folders.
///
/// # Errors
/// A folder cannot be read.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut files = Vec::new();
    gather(folder, Path::new(""), &mut files, DEPTH)?;
    Ok(files)
}

fn gather(folder: &Path, below: &Path, files: &mut Vec<PathBuf>, depth: usize) -> Result<(), std::io::Error> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let below = below.join(entry.file_name());
        if entry.file_type()?.is_dir() && depth > 0 {
            gather(&entry.path(), &below, files, depth - 1)?;
        } else {
            files.push(below);
        }
    }
    Ok(())
}

/// The name that a file arrives under: its own, or its path below `root`; `bare` without its extension.
pub(crate) fn name_at(root: Option<&Path>, file: &Path, bare: bool) -> String {
    let below = root.and_then(|root| file.strip_prefix(root).ok()).filter(|below| !below.as_os_str().is_empty());
    let own = file.file_name().unwrap_or_default().to_string_lossy();
    let name = match (root, below) {
        (Some(_), Some(below)) => below.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"),
        // SOPS publishes a single file as `.` then.
        _ => own.clone().into_owned(),
    };
    match own.rfind('.').filter(|_| bare) {
        Some(dot) => name[..name.len() - (own.len() - dot)].to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let name = |root: Option<&str>, file: &str, bare| name_at(root.map(Path::new), Path::new(file), bare);
        assert_eq!(name(None, "a/b.enc.yaml", false), "b.enc.yaml");
        assert_eq!(name(None, "a/b.enc.yaml", true), "b.enc");
        assert_eq!(name(Some("a"), "a/c/b.yaml", true), "c/b");
        assert_eq!(name(Some("a"), "a/c.d/b", true), "c.d/b");
        assert_eq!(name(Some("a.yaml"), "a.yaml", false), "a.yaml");
    }
}
