//! `sops updatekeys`.
//!
//! *Source*: the SOPS format, section 9.14, and the real program's words.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use super::call::{Call, write};
use super::exit::{self, Exit};
use crate::cli::report;
use crate::keys::DecryptionOrder;
use crate::sops::{KeyChanges, complete};

pub(super) fn run(call: &Call) -> Result<u8, Exit> {
    call.rules(None)?.ok_or_else(|| Exit::new(1, "config file not found"))?;
    if call.flags.rest.is_empty() {
        return Err(Exit::new(1, "Error: no file specified"));
    }
    let files: Vec<PathBuf> = call.flags.rest.iter().map(|file| call.context.path(Path::new(file))).collect();
    if let [file] = files.as_slice() {
        return one(call, file).map(|()| 0);
    }
    let mut failed = 0;
    for file in &files {
        if let Err(error) = one(call, file) {
            failed += 1;
            exit::log("CMD", "error", &error.message);
        }
    }
    if failed > 0 { Err(Exit::new(1, format!("failed updating {failed} key(s)"))) } else { Ok(0) }
}

fn one(call: &Call, path: &Path) -> Result<(), Exit> {
    let shown = path.display();
    let found =
        std::fs::metadata(path).map_err(|_| Exit::new(1, format!("stat {shown}: no such file or directory")))?;
    if found.is_dir() {
        return Err(Exit::new(1, "can't operate on a directory"));
    }
    say(&format!("Syncing keys for file {shown}"));
    let (format, _) = call.formats(Some(path));
    let loaded = call.load(Some(path), format).map_err(|exit| Exit::new(1, exit.message))?;
    let rules = call.rules(Some(path))?.ok_or_else(|| Exit::new(1, "config file not found"))?;
    if rules.set.rules().is_none() {
        let shown = crate::cli::secrets::rules::shown(&call.context, &rules.path);
        return Err(Exit::new(1, format!("The config file {shown} does not contain any creation rule")));
    }
    let rule = rules
        .rule_for(&call.context, path)
        .ok_or_else(|| Exit::new(1, "error loading config: no matching creation rules found"))?;
    let keys = loaded.keys.in_order(DecryptionOrder::of_file());
    let failed = |error: crate::sops::SopsError| Exit::new(1, Exit::decrypting(&error).message);
    let groups = complete(&rule.groups, &keys).map_err(failed)?;
    let changes = loaded.file.metadata().key_changes(&groups);
    if changes.is_empty() {
        say(&format!("File {shown} already up to date"));
        return Ok(());
    }
    report::data(described(&changes).as_bytes())?;
    if !call.flags.is_set("yes") && !asked()? {
        say(&format!("File {shown} left unchanged"));
        return Ok(());
    }
    let text = loaded.file.update_keys(&groups, &keys, call.context.now()).map_err(failed)?;
    write(path, &text, 0o644, "in-place").map_err(|exit| Exit::new(1, exit.message))?;
    say(&format!("File {shown} synced with new keys"));
    Ok(())
}

/// What would change, as SOPS lists it.
fn described(changes: &KeyChanges) -> String {
    let mut text = "The following changes will be made to the file's groups:\n".to_owned();
    if changes.old_threshold != changes.new_threshold {
        let number = |threshold: Option<usize>| threshold.unwrap_or_default();
        text.push_str(&format!(
            "shamir_threshold: {} -> {}\n",
            number(changes.old_threshold),
            number(changes.new_threshold)
        ));
    }
    text + &described_groups(changes)
}

/// Who stays, comes and goes, group by group.
pub(super) fn described_groups(changes: &KeyChanges) -> String {
    let mut text = String::new();
    for (number, group) in (1..).zip(&changes.groups) {
        text.push_str(&format!("Group {number}\n"));
        for (mark, ids) in [("    ", &group.common), ("+++ ", &group.added), ("--- ", &group.removed)] {
            for id in ids {
                text.push_str(&format!("{mark}{id}\n"));
            }
        }
    }
    text
}

/// Asks on stdout until the answer is one; the end of stdin is none.
fn asked() -> Result<bool, Exit> {
    loop {
        report::data(b"Is this okay? (y/n):")?;
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => return Err(Exit::new(1, "EOF")),
            Ok(_) => {}
        }
        match line.trim() {
            "y" | "Y" => return Ok(true),
            "n" | "N" => return Ok(false),
            _ => {}
        }
    }
}

/// This command logs in another way than the others.
fn say(line: &str) {
    let time = jiff::Timestamp::now().strftime("%Y/%m/%d %H:%M:%S");
    let _ = writeln!(std::io::stderr(), "{time} {line}");
}
