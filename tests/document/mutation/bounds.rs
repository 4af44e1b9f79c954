//! Memory, as bytes taken from the heap: linear in the input, whatever it holds.
//!
//! Each input is measured in a process of its own test run, because the heap is everybody's.

use std::process::Command;

use super::runs::{mutated, seedling};
use super::targets::{TARGETS, run};
use crate::HEAP;
use crate::yaml::generate::Random;

/// Bytes that may be taken for one byte of input, over all passes that a target makes, and beside that.
const FOR_EACH_BYTE: usize = 1_000;
const BESIDE: usize = 1 << 20;

const CHILD: &str = "LOCKAGE_MEASURE_ALONE";

/// Inputs that are large on purpose: (parser, before, repeated, after).
const BOMBS: [(&str, &str, &str, &str); 24] = [
    ("yaml", "a: ", "[", ""),
    ("yaml", "a: ", "{a: ", ""),
    ("yaml", "", "- ", "x"),
    ("yaml", "", "? ", "x"),
    ("yaml", "a: [", "x, ", "]"),
    ("yaml", "a: ", "'", ""),
    ("yaml", "a: &a x\n", "b: *a\n", ""),
    ("yaml", "", "# c\n", "a: 1\n"),
    ("yaml", "a: |\n", "\n", " x"),
    ("json", "{\"a\": ", "[", ""),
    ("json", "{\"a\": [", "1, ", "2]}"),
    ("dotenv", "", "A=\\n\n", ""),
    ("dotenv", "", "sops_a__list_0__map_", "=1"),
    ("ini", "[a]\n", "; c\n", ""),
    ("ini", "[a]\nk = \"\"\"", "\n", ""),
    ("toml", "a = ", "[", ""),
    ("toml", "a = ", "{a=", ""),
    ("toml", "", "a.", "a=1"),
    ("toml", "", "[a.b]\n[a]\n", ""),
    ("toml", "", "[[a.b]]\n", "c=1"),
    ("toml", "a = [", "1,", "]"),
    ("shell", "A='", "\n", "'"),
    ("json", "[", "{\"sops\":{\"a\":1}},", "1]"),
    ("rules", "creation_rules: ", "[", ""),
];

fn taken(target: &str, input: &[u8]) -> usize {
    let before = HEAP.total_allocated();
    run(target, input);
    HEAP.total_allocated() - before
}

fn measure() {
    for (target, before, unit, after) in BOMBS {
        for count in [1_000, 30_000] {
            let input = [before, &unit.repeat(count), after].concat();
            check(target, input.as_bytes(), &format!("{unit:?} {count} times"));
        }
    }
    for target in TARGETS {
        let mut random = Random::new(7);
        for count in 0..100 {
            let text = seedling(&mut random, target).repeat(1 + random.below(20));
            let input = mutated(&mut random, text);
            check(target, &input, &format!("input {count}"));
        }
    }
}

fn check(target: &str, input: &[u8], named: &str) {
    let taken = taken(target, input);
    let bound = BESIDE + FOR_EACH_BYTE * input.len();
    assert!(taken <= bound, "{target}, {named}: {taken} bytes taken for {} of input", input.len());
}

#[test]
fn memory_is_linear_in_the_input() {
    if std::env::var_os(CHILD).is_some() {
        return measure();
    }
    let alone = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mutation::bounds::memory_is_linear_in_the_input", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stdout));
}
