//! lockage beside the real `sops` and `git`: new processes, same files, same key, runs interleaved, figures as ratios.
//!
//! `cargo bench` prints one row a measure: both programs' best wall time and peak memory, the ratio, and the goal.
//! Nothing here fails on a slow machine.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod fixtures;
mod measure;

use std::path::{Path, PathBuf};

use fixtures::Fixtures;
use measure::{Command, Figures, interleaved};

const SMALL_RUNS: usize = 15;
const LARGE_RUNS: usize = 3;

fn main() {
    if measure::is_child() {
        return measure::child();
    }
    let peers =
        PathBuf::from(std::env::var_os("LOCKAGE_PEERS").expect("LOCKAGE_PEERS names the peers; run `make bench`"));
    let sops = peers.join("sops");
    let lockage = Path::new(env!("CARGO_BIN_EXE_lockage"));
    let fixtures = Fixtures::make(&sops);

    println!(
        "{:<34} {:>10} {:>10} {:>8} {:>10} {:>10}   goal",
        "measure", "lockage", "peer", "ratio", "lockage", "peer"
    );
    let both = |command: &str, file: &Path, extra: &[&str]| {
        let ours = fixtures.command(lockage, command, file, extra);
        let theirs = fixtures.command(&sops, command, file, extra);
        (ours, theirs)
    };
    let (ours, theirs) = both("decrypt", &fixtures.small_encrypted, &[]);
    row("decrypt, 10 leaves", &interleaved(&ours, &theirs, SMALL_RUNS), "wall <= 0.30, memory < 12 MiB");
    let large = std::fs::metadata(&fixtures.large_encrypted).expect("a file").len();
    let goal = format!("wall <= 0.04, memory <= 6 x {} MiB", large >> 20);
    let (ours, theirs) = both("decrypt", &fixtures.large_encrypted, &[]);
    row("decrypt, 100,000 leaves", &interleaved(&ours, &theirs, LARGE_RUNS), &goal);
    let (ours, theirs) = both("encrypt", &fixtures.large_plain, &[]);
    row("encrypt, 100,000 leaves", &interleaved(&ours, &theirs, LARGE_RUNS), &goal);

    let guard = Command::new(lockage).arg("guard").inside(&fixtures.repository);
    let diff = Command::new(Path::new("git")).arg("diff").arg("--cached").inside(&fixtures.repository);
    row("guard, 20 staged of 3,000", &interleaved(&guard, &diff, SMALL_RUNS), "wall <= 4 x git diff --cached");
}

fn row(name: &str, (ours, theirs): &(Figures, Figures), goal: &str) {
    let ratio = ours.wall.as_secs_f64() / theirs.wall.as_secs_f64();
    println!(
        "{name:<34} {:>7.1} ms {:>7.1} ms {ratio:>8.3} {:>6.1} MiB {:>6.1} MiB   {goal}",
        ours.milliseconds(),
        theirs.milliseconds(),
        ours.mebibytes(),
        theirs.mebibytes(),
    );
}
