//! How time and memory grow with the number of leaves.

use std::path::Path;

use super::fixtures::Fixtures;
use super::measure::{self, Figures};

const RUNS: usize = 5;

/// Prints the curve from a thousand leaves to a million, and how much longer ten times as many take.
pub fn print(lockage: &Path, fixtures: &Fixtures) {
    println!();
    println!("{:>9} {:>12} {:>12} {:>10}   memory", "leaves", "encrypt", "decrypt", "encrypted");
    let mut times = Vec::new();
    for groups in [10, 100, 1_000, 10_000] {
        let (plain, encrypted) = fixtures.pair(lockage, groups);
        let bytes = std::fs::metadata(&encrypted).expect("a file").len();
        let encrypt = measure::best(&fixtures.command(lockage, "encrypt", &plain, &[]), RUNS);
        let decrypt = measure::best(&fixtures.command(lockage, "decrypt", &encrypted, &[]), RUNS);
        let multiple = |figures: &Figures| figures.mebibytes() * f64::from(1 << 20) / bytes as f64;
        println!(
            "{:>9} {:>9.1} ms {:>9.1} ms {:>6.1} MiB   {:.1} and {:.1} times the encrypted file",
            groups * 100,
            encrypt.milliseconds(),
            decrypt.milliseconds(),
            bytes as f64 / f64::from(1 << 20),
            multiple(&encrypt),
            multiple(&decrypt),
        );
        times.push((encrypt.milliseconds(), decrypt.milliseconds()));
    }
    if let [.., (encrypt, decrypt), (ten_encrypt, ten_decrypt)] = times[..] {
        println!(
            "t(1e6) / t(1e5): encrypt {:.1}, decrypt {:.1}   goal <= 11",
            ten_encrypt / encrypt,
            ten_decrypt / decrypt
        );
    }
}
