//! The files below a folder, without what git ignores.

use std::path::{Path, PathBuf};

use crate::cli::{Context, Failed};
use crate::error::Class;
use crate::repo::{Place, Repository};

/// Regular files among and below `paths`, absolute, sorted; a link to a folder is not followed.
pub(crate) fn files(context: &Context, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failed> {
    let repo = Repository::open(&Place { directory: context.directory.clone(), ..Place::default() }).ok();
    let mut found = Vec::new();
    for path in paths {
        let absolute: PathBuf = context.path(path).components().collect();
        let cannot = |error: std::io::Error| {
            Failed::new(Class::Usage, format!("`{}` cannot be read: {}", path.display(), error.kind()))
        };
        if std::fs::metadata(&absolute).map_err(cannot)?.is_dir() {
            below(&absolute, repo.as_ref(), &mut found).map_err(cannot)?;
        } else {
            found.push(absolute);
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn below(folder: &Path, repo: Option<&Repository>, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if entry.file_name() == ".git" || repo.is_some_and(|repo| repo.ignores(&path)) {
            continue;
        }
        if kind.is_dir() {
            // A folder that may not be read holds nothing that could be judged.
            let _ = below(&path, repo, found);
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}
