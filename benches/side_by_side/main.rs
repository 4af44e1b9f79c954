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
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod curve;
mod fixtures;
mod floor;
mod many;
mod measure;
#[path = "../../tests/common/slow_keys.rs"]
#[allow(dead_code, reason = "a test waits in another way")]
mod slow_keys;
mod start;

use std::path::{Path, PathBuf};
use std::time::Duration;

use fixtures::Fixtures;
use measure::{Command, Figures, interleaved};

const SMALL_RUNS: usize = 31;
const LARGE_RUNS: usize = 5;

// The floor is measured here: with the allocator that the binary has.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    if measure::is_child() {
        return measure::child();
    }
    let peers =
        PathBuf::from(std::env::var_os("LOCKAGE_PEERS").expect("LOCKAGE_PEERS names the peers; run `make bench`"));
    let fixtures = Fixtures::make(&peers.join("sops"));
    let sops = fixtures.install(&peers.join("sops"), "peer");
    let lockage = &fixtures.install(Path::new(env!("CARGO_BIN_EXE_lockage")), "lockage");
    measure::rest();

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
    row("decrypt, 10 leaves", &interleaved(&ours, &theirs, SMALL_RUNS), "wall <= 0.15, memory < 12 MiB");
    let link = fixtures.link(lockage);
    let ours = fixtures.command(&link, "filestatus", &fixtures.small_encrypted, &[]);
    let theirs = fixtures.command(&sops, "filestatus", &fixtures.small_encrypted, &[]);
    if ours.succeeds() {
        row("filestatus, 10 leaves", &interleaved(&ours, &theirs, SMALL_RUNS), "wall <= 0.15");
    } else {
        println!("{:<34} not answered", "filestatus, 10 leaves");
    }
    start::print(lockage, &fixtures, SMALL_RUNS);

    let large = std::fs::metadata(&fixtures.large_encrypted).expect("a file").len();
    let goal = format!("wall <= 0.0167, memory <= 4 x {:.1} MiB", large as f64 / f64::from(1 << 20));
    let (encrypt_floor, decrypt_floor) = floor::measure(1_000, LARGE_RUNS);
    let (ours, theirs) = both("decrypt", &fixtures.large_encrypted, &[]);
    let decrypt = interleaved(&ours, &theirs, LARGE_RUNS);
    row("decrypt, 100,000 leaves", &decrypt, &goal);
    distance(&decrypt, decrypt_floor);
    let (ours, theirs) = both("encrypt", &fixtures.large_plain, &[]);
    let encrypt = interleaved(&ours, &theirs, LARGE_RUNS);
    row("encrypt, 100,000 leaves", &encrypt, &goal);
    distance(&encrypt, encrypt_floor);
    let (ours, theirs) = both("decrypt", &fixtures.commented_encrypted, &[]);
    row("decrypt, with 1,000 comments", &interleaved(&ours, &theirs, LARGE_RUNS), &goal);
    let (ours, theirs) = both("encrypt", &fixtures.commented_plain, &[]);
    row("encrypt, with 1,000 comments", &interleaved(&ours, &theirs, LARGE_RUNS), &goal);

    let guard = Command::new(lockage).arg("guard").inside(&fixtures.repository);
    let diff = Command::new(Path::new("git")).arg("diff").arg("--cached").inside(&fixtures.repository);
    row("guard, 20 staged of 3,000", &interleaved(&guard, &diff, SMALL_RUNS), "wall <= 4 x git diff --cached");
    curve::print(lockage, &fixtures);
    many::print(lockage, &sops);
}

/// How far a measure is from what its values alone cost.
fn distance((ours, theirs): &(Figures, Figures), floor: Duration) {
    println!(
        "{:<34} {:.0} times as fast as the peer; {:.1} times the floor of {:.1} ms",
        "",
        theirs.wall.as_secs_f64() / ours.wall.as_secs_f64(),
        ours.wall.as_secs_f64() / floor.as_secs_f64(),
        floor.as_secs_f64() * 1e3
    );
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
