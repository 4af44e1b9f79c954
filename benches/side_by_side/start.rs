//! What starting costs.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::fixtures::Fixtures;
use super::measure::{Figures, interleaved};

/// Prints how much later `filestatus` ends than a program that has nothing else in it.
pub fn print(lockage: &Path, fixtures: &Fixtures, runs: usize) {
    let Some(bare) = bare() else {
        println!("{:<34} the bench `bare` was not built", "filestatus beside a bare binary");
        return;
    };
    let bare = fixtures.install(&bare, "bare");
    let ours = fixtures.command(lockage, "filestatus", &fixtures.small_encrypted, &[]);
    let (ours, bare) = interleaved(&ours, &fixtures.command(&bare, "", &fixtures.small_encrypted, &[]), runs);
    let later = |figures: &Figures| figures.wall.as_secs_f64() * 1e3;
    println!(
        "{:<34} {:>7.1} ms {:>7.1} ms {:>+5.2} ms {:>6.1} MiB {:>6.1} MiB   at most 1 ms later",
        "filestatus beside a bare binary",
        ours.milliseconds(),
        bare.milliseconds(),
        later(&ours) - later(&bare),
        ours.mebibytes(),
        bare.mebibytes(),
    );
}

/// The newest build of the bench `bare`, which cargo puts beside this one.
fn bare() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.to_owned();
    let built = std::fs::read_dir(beside).ok()?.filter_map(Result::ok).filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("bare-") && Path::new(&name).extension().is_none()
    });
    let age =
        |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    built.map(|entry| entry.path()).max_by_key(age)
}
