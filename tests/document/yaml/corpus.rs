//! The law over files that others wrote: every YAML and JSON file of the Go module cache.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockage::document::Format;

use super::round_trip::{Outcome, round_trip};

/// How many files are looked at; `LOCKAGE_CORPUS=all` looks at all of them.
const SAMPLE: usize = 1_500;

/// Fewer files would prove nothing.
const FEWEST: usize = 1_000;

pub(super) fn module_cache() -> Option<PathBuf> {
    let output = Command::new("go").args(["env", "GOMODCACHE"]).output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    folder.is_dir().then_some(folder)
}

pub(super) fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&path, files),
            Ok(kind) if kind.is_file() => {
                let name = path.to_string_lossy();
                if matches!(Format::of_path(&name), Format::Yaml | Format::Json) {
                    files.push(path);
                }
            }
            _ => {}
        }
    }
}

/// A fixed shuffle, so that every run looks at the same files of the same cache.
pub(super) fn sample(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    files.sort();
    if std::env::var_os("LOCKAGE_CORPUS").is_some() {
        return files;
    }
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    for index in (1..files.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        files.swap(index, ((state >> 33) as usize) % (index + 1));
    }
    files.truncate(SAMPLE);
    files
}

#[test]
fn tokens_over_foreign_files_come_off_again() {
    let mut files = Vec::new();
    if let Some(folder) = module_cache() {
        collect(&folder, &mut files);
    }
    if files.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "no module cache of Go; the peers' sources are the corpus");
        eprintln!("SKIPPED: needs a module cache of Go");
        return;
    }
    assert!(files.len() >= FEWEST, "only {} files are no corpus", files.len());
    let mut same = 0;
    let mut lossy = 0;
    let mut unfit: BTreeMap<&str, usize> = BTreeMap::new();
    let mut forms: BTreeMap<String, usize> = BTreeMap::new();
    for path in sample(files) {
        let name = path.to_string_lossy();
        let Ok(text) = std::fs::read(&path) else { continue };
        match round_trip(Format::of_path(&name), &text, &name) {
            Outcome::Unfit(why) => *unfit.entry(why).or_default() += 1,
            Outcome::Same => same += 1,
            Outcome::Losses(found) => {
                lossy += 1;
                if std::env::var_os("LOCKAGE_CORPUS_NAMES").is_some() {
                    eprintln!("{name}: {found:?}");
                }
                for form in found {
                    *forms.entry(form).or_default() += 1;
                }
            }
        }
    }
    eprintln!(
        "{same} files came back byte for byte, {lossy} with losses; files by form of loss: {forms:?}; unfit: {unfit:?}"
    );
    let share = f64::from(same) / f64::from(same + lossy);
    assert!(share >= 0.95, "only {:.1} % came back byte for byte", share * 100.0);
}
