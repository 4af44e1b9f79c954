//! The files that a command over several was given, and where each of them goes to.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::output::Destination;
use super::rules::{clean, shown};
use super::walk;
use crate::cli::{Context, Failed};
use crate::error::Class;

/// The flags of a command that takes several files.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Several {
    /// Write each file below this folder, under the path that it has below the current one.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["in_place", "output"])]
    output_dir: Option<PathBuf>,
    #[command(flatten)]
    below: Below,
}

/// The flag of a command that takes folders, too.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Below {
    /// Of a folder take the files in it that the command is for, without those that git ignores.
    #[arg(short, long)]
    pub(crate) recursive: bool,
}

/// One of the files.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As the user would write it.
    pub(crate) path: PathBuf,
    /// Whether the user did, or it was found in a folder.
    pub(crate) explicit: bool,
}

/// Where the files go to.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Each is replaced.
    InPlace,
    /// Below another folder.
    Below(PathBuf),
}

impl Several {
    /// Whether the command line is one over several files, even if it names one.
    pub(crate) fn applies(&self, context: &Context, files: &[PathBuf], destination: &Destination) -> bool {
        let folder = || files.iter().any(|file| context.path(file).is_dir());
        files.len() > 1
            || self.output_dir.is_some()
            || self.below.recursive
            || (context.json && destination.in_place)
            || folder()
    }

    /// The files, and where they go to.
    ///
    /// # Errors
    /// Nothing says where to; and as for [`Below::files`].
    pub(crate) fn files(
        &self,
        context: &Context,
        files: &[PathBuf],
        destination: &Destination,
    ) -> Result<(Vec<Named>, Place), Failed> {
        let files = self.below.files(context, files)?;
        let place = match (&self.output_dir, destination.in_place) {
            (Some(folder), _) => Place::Below(context.path(folder)),
            (None, true) => Place::InPlace,
            (None, false) => {
                return Err(Failed::new(Class::Usage, "several files cannot go to one output")
                    .hint("`--in-place` replaces each of them, `--output-dir DIR` writes them below a folder"));
            }
        };
        Ok((files, place))
    }
}

impl Below {
    /// The files themselves; each once, however often it is named.
    ///
    /// # Errors
    /// One is stdin, or a folder, and folders were not asked for.
    pub(crate) fn files(self, context: &Context, files: &[PathBuf]) -> Result<Vec<Named>, Failed> {
        if files.is_empty() {
            return Err(Failed::new(Class::Usage, "no file is named").hint("`.` is the current folder"));
        }
        if files.iter().any(|file| file.as_os_str() == "-") {
            return Err(
                Failed::new(Class::Usage, "stdin is no file among several").hint("give it a command of its own")
            );
        }
        if self.recursive {
            let explicit: HashSet<PathBuf> =
                files.iter().map(|file| context.path(file).components().collect()).collect();
            let found = walk::files(context, files)?.into_iter();
            let named =
                |file: PathBuf| Named { explicit: explicit.contains(&file), path: shown(context, &file).into() };
            return Ok(found.map(named).collect());
        }
        if let Some(folder) = files.iter().find(|file| context.path(file).is_dir()) {
            return Err(Failed::new(Class::Usage, format!("`{}` is a folder", folder.display()))
                .hint("`--recursive` takes the files in it"));
        }
        let mut seen = HashSet::new();
        let first = |file: &&PathBuf| seen.insert(clean(&context.path(file)));
        Ok(files.iter().filter(first).map(|path| Named { path: path.clone(), explicit: true }).collect())
    }
}

impl Place {
    /// Where a file goes to, absolute.
    ///
    /// # Errors
    /// It is not below the current folder, so that nothing says where it would be below another one; or it would be
    /// itself.
    pub(crate) fn of(&self, context: &Context, file: &Path) -> Result<PathBuf, Failed> {
        let input = context.path(file);
        let Self::Below(folder) = self else { return Ok(input) };
        let cleaned = clean(&input);
        let Ok(relative) = cleaned.strip_prefix(clean(&context.directory)) else {
            return Err(Failed::new(Class::Usage, format!("`{}` is not below the current folder", file.display()))
                .hint("start in a folder above it: `lockage -C DIR …`"));
        };
        let output = folder.join(relative);
        let is_there = std::fs::metadata(&output).is_ok();
        if is_there
            && matches!((output.canonicalize(), input.canonicalize()), (Ok(output), Ok(input)) if output == input)
        {
            return Err(Failed::new(Class::Usage, format!("`{}` would be its own output", file.display()))
                .hint("`--in-place` says that it shall be replaced"));
        }
        Ok(output)
    }
}
