//! Sets of files that change together: where their journals lie, and what a killed command left of one.

use std::path::{Path, PathBuf};

use super::private::state;
use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::system::files::{End, Rolled, roll};

/// Files named in a message.
const NAMED: usize = 5;

/// Where the journal of a set lies: in the git folder of the work tree that has all of its files, else in the user's
/// state.
///
/// # Errors
/// There is neither.
pub(crate) fn room<'f>(context: &Context, files: impl IntoIterator<Item = &'f Path>) -> Result<PathBuf, Failed> {
    let mut found: Option<Option<PathBuf>> = None;
    let mut last: Option<&Path> = None;
    for file in files {
        let folder = file.parent().unwrap_or(file);
        if last == Some(folder) {
            continue;
        }
        last = Some(folder);
        let git = git_folder(folder);
        if found.as_ref().is_some_and(|found| *found != git) {
            found = None;
            break;
        }
        found = Some(git);
    }
    let room = found.flatten().or_else(|| state(context)).map(below);
    room.ok_or_else(|| Failed::new(Class::Usage, "there is no home folder for the journal of the files"))
}

fn below(folder: PathBuf) -> PathBuf {
    match folder.file_name() {
        Some(name) if name == "lockage" => folder.join("sets"),
        _ => folder.join("lockage/sets"),
    }
}

/// The git folder of the work tree around a folder: a linked work tree has one of its own.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find_map(|folder| {
        let git = folder.join(".git");
        let found = std::fs::metadata(&git).ok()?;
        if found.is_dir() {
            return Some(git);
        }
        let text = std::fs::read_to_string(&git).ok()?;
        Some(folder.join(text.strip_prefix("gitdir:")?.trim()))
    })
}

/// Finishes what killed commands left, of the work tree around the user's folder and of the user's state; every command
/// does this first. Gives what cannot be finished, which a command that judges files must not pass over.
pub(crate) fn finish(context: &Context) -> Result<(), Failed> {
    let rooms = git_folder(&context.directory).into_iter().chain(state(context)).map(below);
    finish_in(rooms)
}

/// The same for the work tree around a folder, if it is another one.
pub(crate) fn finish_around(context: &Context, folder: &Path) -> Result<(), Failed> {
    let (here, there) = (git_folder(&context.directory), git_folder(folder));
    if here == there { Ok(()) } else { finish_in(there.into_iter().map(below)) }
}

fn finish_in(rooms: impl Iterator<Item = PathBuf>) -> Result<(), Failed> {
    let mut unfinished = Ok(());
    for Rolled { files, end } in rooms.flat_map(|room| roll(&room)) {
        let all = files.len();
        match end {
            End::Back => tracing::warn!(
                "a command was killed before it changed {all} files: none of them is changed, and what it wrote is wiped"
            ),
            End::Lost => tracing::warn!(
                "the machine stopped before {} were on the disk; run the command again, for those that are \
                 there may not be whole",
                named(&files)
            ),
            End::Forward { left } if left.is_empty() => {
                tracing::warn!("a command was killed while it changed {all} files: now all of them are changed");
            }
            End::Forward { left } => {
                let mut failed = Failed::new(
                    Class::No,
                    format!(
                        "a command was killed while it changed {all} files, and somebody else changed {} since",
                        named(&left)
                    ),
                );
                failed.hints.push("all others are changed now; run the command again for those".to_owned());
                unfinished = Err(failed);
            }
            End::Standing(error) => {
                let mut failed = Failed::from(error);
                failed.message = match files.is_empty() {
                    true => failed.message,
                    false => {
                        format!("{} are changed together, and not all of them are: {}", named(&files), failed.message)
                    }
                };
                unfinished = Err(failed);
            }
        }
    }
    unfinished
}

fn named(files: &[PathBuf]) -> String {
    let mut text = files.iter().take(NAMED).map(|file| format!("`{}`", file.display())).collect::<Vec<_>>().join(", ");
    if files.len() > NAMED {
        text.push_str(&format!(" and {} more", files.len() - NAMED));
    }
    text
}

/// Says what cannot be finished, where the command goes on all the same.
pub(crate) fn warn(failed: &Failed) {
    report::say(&format!("lockage: warning: {}", failed.message));
    for hint in &failed.hints {
        report::say(&format!("  hint: {hint}"));
    }
}
