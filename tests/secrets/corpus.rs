//! The law over files that others wrote: what the real `sops` accepts comes back byte for byte.
//!
//! The files are every YAML and JSON file of the Go module cache; 1,500 of them by a fixed shuffle, all with
//! `LOCKAGE_CORPUS=all`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use lockage::document::{Document, Format, LeafId};
use lockage::sops::{Encryption, SopsError};

use crate::differential::walked;
use crate::support::{Sops, decrypt, encrypt, encrypt_with, encryption};

/// How many files the real program shall accept.
const WANTED: usize = 1_500;
/// Fewer than this are no corpus.
const LEAST: usize = 1_000;
/// One in so many of our files is opened by the real program.
const SAMPLE: usize = 5;

fn module_cache() -> Option<PathBuf> {
    let output = Command::new("go").args(["env", "GOMODCACHE"]).output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    folder.is_dir().then_some(folder)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&path, files),
            Ok(kind) if kind.is_file() => {
                if matches!(Format::of_path(&path.to_string_lossy()), Format::Yaml | Format::Json) {
                    files.push(path);
                }
            }
            _ => {}
        }
    }
}

/// A fixed shuffle, so that every run looks at the same files of the same cache.
fn shuffled(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    files.sort();
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    for index in (1..files.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        files.swap(index, usize::try_from(state >> 33).unwrap() % (index + 1));
    }
    files
}

#[derive(Default)]
struct Tally {
    accepted: usize,
    with_aliases: usize,
    whole: usize,
    opened_by_sops: usize,
    /// Forms that were lost or refused, with how often and one example.
    losses: BTreeMap<String, (usize, String)>,
    /// What breaks the law itself.
    broken: Vec<String>,
}

#[test]
fn foreign_files_come_back_byte_for_byte() {
    let Some(sops) = Sops::find() else { return };
    let mut files = Vec::new();
    if let Some(folder) = module_cache() {
        collect(&folder, &mut files);
    }
    if files.len() < LEAST {
        assert!(std::env::var_os("CI").is_none(), "only {} files; the peers' sources are the corpus", files.len());
        eprintln!("SKIPPED: needs a module cache of Go");
        return;
    }
    let files = shuffled(files);
    let wanted = if std::env::var_os("LOCKAGE_CORPUS").is_some() { usize::MAX } else { WANTED };
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if tally.lock().unwrap().accepted >= wanted {
                        break;
                    }
                    judge(&sops, file, &tally);
                }
            });
        }
    });

    let tally = tally.into_inner().unwrap();
    let counted = tally.accepted - tally.with_aliases;
    eprintln!(
        "corpus: {} files accepted by sops, {} with aliases; {} of the other {counted} came back byte for byte; {} opened by sops",
        tally.accepted, tally.with_aliases, tally.whole, tally.opened_by_sops
    );
    for (form, (count, example)) in &tally.losses {
        eprintln!("  {count:5}  {form}  (as in {example})");
    }
    assert!(tally.broken.is_empty(), "{} files break the law:\n{}", tally.broken.len(), tally.broken.join("\n"));
    assert!(tally.accepted >= LEAST, "only {} files", tally.accepted);
    assert!(tally.whole * 100 >= counted * 95, "only {} of {counted} files come back byte for byte", tally.whole);
}

fn judge(sops: &Sops, file: &Path, tally: &Mutex<Tally>) {
    let Ok(text) = std::fs::read(file) else { return };
    let format = Format::of_path(&file.to_string_lossy());
    let name = file.components().skip(5).map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    let Ok(theirs) = sops.encrypt(format, &text, &[]) else { return };
    let number = {
        let mut tally = tally.lock().unwrap();
        tally.accepted += 1;
        tally.accepted
    };
    let lose = |form: String| {
        let mut tally = tally.lock().unwrap();
        let entry = tally.losses.entry(form).or_insert_with(|| (0, name.clone()));
        entry.0 += 1;
    };
    let break_law = |what: String| tally.lock().unwrap().broken.push(format!("{name}: {what}"));

    let document = match Document::parse(format, text.clone()) {
        Ok(document) => document,
        // SOPS looks at nothing behind a JSON document, and takes a member without a value for one of nothing.
        Err(error) if format == Format::Json => return lose(refusal(&error)),
        Err(error) => return break_law(format!("sops reads it, we do not: {error}")),
    };
    if document.outline().aliases {
        tally.lock().unwrap().with_aliases += 1;
        // What comes back has copies in the aliases' places; both programs must find the same values in it.
        let copying = Encryption { expand_aliases: true, ..encryption() };
        match encrypt_with(format, &text, &copying).map(|ours| (decrypt(format, &ours), sops.decrypt(format, &ours))) {
            Err(error) => lose(format!("with aliases, {}", refusal(&error))),
            Ok((Err(error), _)) => break_law(format!("with aliases, we do not open our own file: {error}")),
            Ok((_, Err((code, complaint)))) => break_law(format!("with aliases, sops exits {code}: {complaint}")),
            Ok((_, Ok(from_ours))) => {
                if let Ok(from_theirs) = sops.decrypt(format, &theirs)
                    && walked(format, &from_ours, false) != walked(format, &from_theirs, false)
                {
                    break_law("with aliases, sops reads other values from our file than from its own".into());
                }
            }
        }
        return;
    }
    let ours = match encrypt(format, &text) {
        Ok(ours) => ours,
        Err(error @ (SopsError::Syntax(_) | SopsError::DroppedComments { .. } | SopsError::Tagged { .. })) => {
            return lose(refusal(&error));
        }
        Err(error) => return break_law(format!("we do not encrypt it: {error}")),
    };
    if number % SAMPLE == 0 {
        match (sops.decrypt(format, &ours), sops.decrypt(format, &theirs)) {
            (Ok(from_ours), Ok(from_theirs)) => {
                if String::from_utf8_lossy(&from_ours).contains("#ENC[") {
                    return break_law("sops leaves a comment of our file encrypted".into());
                }
                if walked(format, &from_ours, false) != walked(format, &from_theirs, false) {
                    return break_law("sops reads other values from our file than from its own".into());
                }
                tally.lock().unwrap().opened_by_sops += 1;
            }
            (Err((code, complaint)), Ok(_)) => return break_law(format!("sops exits {code} on ours: {complaint}")),
            (_, Err(_)) => {}
        }
    }
    match decrypt(format, &ours) {
        Err(error) => break_law(format!("we do not open our own file: {error}")),
        Ok(back) if back == text => tally.lock().unwrap().whole += 1,
        Ok(back) => match losses(&document, back) {
            Ok(forms) => forms.into_iter().for_each(lose),
            Err(what) => break_law(what),
        },
    }
}

fn refusal(error: &dyn std::error::Error) -> String {
    let words: String = error.to_string().chars().filter(|letter| !letter.is_ascii_digit()).take(100).collect();
    format!("refused: {words}")
}

/// The forms of the leaves that came back in another spelling; or how the law is broken: another value, or another
/// byte outside of a leaf.
fn losses(before: &Document, back: Vec<u8>) -> Result<Vec<String>, String> {
    let after = Document::parse(before.format(), back).map_err(|error| format!("it does not come back: {error}"))?;
    let count = before.outline().leaves.len();
    if count != after.outline().leaves.len() {
        return Err(format!("{count} leaves become {}", after.outline().leaves.len()));
    }
    let mut forms = Vec::new();
    let (mut old_end, mut new_end) = (0, 0);
    for index in 0..count {
        let id = LeafId(u32::try_from(index).unwrap());
        let (old, new) = (before.outline().leaf(id), after.outline().leaf(id));
        let (line, _) = before.position(old.range.start);
        let gaps = (before.text().get(old_end..old.range.start), after.text().get(new_end..new.range.start));
        match gaps {
            (Some(old), Some(new)) if old == new => {}
            // `&an:chor v` has the value `:chor v`, which can stand behind a blank only.
            (Some(old), Some(new)) if new.strip_suffix(b" ") == Some(old) => forms.push("a blank before a leaf".into()),
            _ => return Err(format!("bytes outside of a leaf differ before line {line}")),
        }
        (old_end, new_end) = (old.range.end, new.range.end);
        let (was, is) = (before.scalar(id).unwrap(), after.scalar(id).unwrap());
        if was.kind != is.kind || was.canonical != is.canonical {
            return Err(format!("line {line}: a {:?} becomes another value", was.kind));
        }
        if before.text()[old.range.clone()] != after.text()[new.range.clone()] {
            forms.push(format!("{:?} {:?}", old.style, was.kind));
        }
    }
    if before.text()[old_end..] != after.text()[new_end..] {
        return Err("bytes after the last leaf differ".into());
    }
    forms.dedup();
    Ok(forms)
}
