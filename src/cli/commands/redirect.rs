//! The shell's redirect trap: `promote review->staging` without quotes empties a file named `staging`.

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use crate::cli::{Context, Failed, report, terminal};
use crate::error::Class;
use crate::system::process::Process;

/// What the trap leaves the user with.
pub(crate) enum Redirect {
    /// No trap: the words are as the user meant them.
    None,
    /// The user was asked and wants these words instead.
    Meant(Vec<String>),
}

/// Looks for the trap before any work.
///
/// `words` are the positional arguments, `stages` the names that are known. The shell cut `review->staging` into
/// `review-` and a redirection of stdout to `staging`.
///
/// # Errors
/// Exit 2 when the trap is certain and the user does not want the promotion that was meant.
pub(crate) fn look(
    context: &Context,
    words: &[String],
    stages: &[String],
    protected: &[String],
) -> Result<Redirect, Failed> {
    let Some(file) = stdout_file() else { return Ok(Redirect::None) };
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let Some(from) = cut_stage(words).filter(|from| stages.iter().any(|stage| stage == stage_of(from))) else {
        return safety_net(&file, &name, stages);
    };
    if !stages.contains(&name) {
        return safety_net(&file, &name, stages);
    }
    report::say(&format!(
        "lockage: your shell took \">\" as \"write output to a file\", so I got \"{}\" and the output file \"{name}\"",
        words.join(" ")
    ));
    report::say(&format!("  you meant:  lockage promote {from} {name}"));
    let tracked = tracked(context, &file);
    let then = if tracked { format!(" It is tracked: restore with  git restore {name}") } else { String::new() };
    report::say(&format!("  the shell emptied or created {} ({} bytes).{then}", file.display(), size(&file)));
    if context.interactive && !protected.contains(&name) {
        if terminal::confirm(context, &format!("Run \"promote {from} {name}\" now?"))? {
            offer_removal(context, &file, tracked)?;
            return Ok(Redirect::Meant(vec![from, name]));
        }
        offer_removal(context, &file, tracked)?;
    }
    Err(Failed::new(Class::Usage, "nothing was promoted"))
}

/// The stage before the `-`, `=` or lone `-` that a shell leaves of an arrow.
fn cut_stage(words: &[String]) -> Option<String> {
    match words {
        [one] => one.strip_suffix(['-', '=']).filter(|stage| !stage.is_empty()).map(str::to_owned),
        [one, last] if last == "-" || last == "=" => Some(one.clone()),
        _ => None,
    }
}

fn stage_of(word: &str) -> &str {
    word.split('/').next().unwrap_or(word)
}

/// Refuses a stdout that is a file named like a stage, whatever the words were.
fn safety_net(file: &Path, name: &str, stages: &[String]) -> Result<Redirect, Failed> {
    if stages.iter().any(|stage| stage == name) {
        return Err(Failed::new(
            Class::Usage,
            format!("stdout is the file `{}`, which is named like a stage", file.display()),
        )
        .hint("quote the arrow ('review->staging'), or write `lockage promote review staging`"));
    }
    Ok(Redirect::None)
}

fn offer_removal(context: &Context, file: &Path, tracked: bool) -> Result<(), Failed> {
    let stray = !tracked && size(file) == 0 && recent(file);
    if stray && terminal::confirm(context, &format!("Remove the empty file {}?", file.display()))? {
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

/// The regular file that stdout is, if it is one with a name.
fn stdout_file() -> Option<PathBuf> {
    let stat = rustix::fs::fstat(std::io::stdout().as_fd()).ok()?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
        return None;
    }
    std::fs::read_link("/proc/self/fd/1").or_else(|_| std::fs::read_link("/dev/fd/1")).ok()
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |metadata| metadata.len())
}

/// Whether the file came to be within the last seconds, so that it is the shell's and not the user's.
fn recent(file: &Path) -> bool {
    let created = std::fs::metadata(file).and_then(|metadata| metadata.created().or_else(|_| metadata.modified()));
    created.ok().and_then(|then| then.elapsed().ok()).is_some_and(|age| age.as_secs() < 5)
}

fn tracked(context: &Context, file: &Path) -> bool {
    let git = Process::git().args(["ls-files", "--error-unmatch", "--"]).arg(file).directory(&context.directory);
    git.output(1 << 16).is_ok_and(|answer| answer.code == Some(0))
}
