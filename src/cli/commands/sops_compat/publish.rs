//! `sops publish`.
//!
//! *Source*: the SOPS format, section 11, and the real program's words.

use std::io::BufRead as _;
use std::path::{Component, Path, PathBuf};

use super::call::Call;
use super::exit::{self, Exit};
use super::update_keys;
use crate::cli::report;
use crate::cli::secrets::clouds;
use crate::cli::secrets::publishing::{files_below, name_at};
use crate::cli::secrets::rules::Rules;
use crate::document::Format;
use crate::keys::{Destination, KeyError, Publisher, Standing};
use crate::sops::{DestinationRule, EncryptedFile, Flavour, SopsError};

pub(super) fn run(call: &Call) -> Result<u8, Exit> {
    let rules = call.rules(None)?.ok_or_else(|| Exit::new(1, "config file not found"))?;
    let typed = match call.argument(0).filter(|file| !file.is_empty()) {
        Some(file) => Path::new(file),
        None => return Err(Exit::new(100, "Error: no file specified")),
    };
    exit::warn_of_ignored(&call.flags.rest);
    let root = call.context.path(typed);
    let missing = |_| Exit::new(1, format!("stat {}: no such file or directory", typed.display()));
    if !std::fs::metadata(&root).map_err(missing)?.is_dir() {
        return one(call, &rules, &clouds::publisher(&call.context), typed, typed).map(|()| 0);
    }
    if !call.flags.is_set("recursive") {
        return Err(Exit::fatal("can't operate on a directory without --recursive flag."));
    }
    let publisher = clouds::publisher(&call.context);
    for below in files_below(&root).map_err(|error| Exit::new(1, error.to_string()))? {
        one(call, &rules, &publisher, typed, &joined(typed, &below))?;
    }
    Ok(0)
}

/// Publishes a file, known by the path as it was typed.
fn one(call: &Call, rules: &Rules, publisher: &Publisher, root: &Path, typed: &Path) -> Result<(), Exit> {
    let path = call.context.path(typed);
    let none = || Exit::new(1, "error loading config: no matching destination found in config");
    let rule = rules.set.destinations().iter().find(|rule| rule.is_for(&typed.to_string_lossy())).ok_or_else(none)?;
    let destination = place(rule)?;
    let recursive = call.flags.is_set("recursive");
    let omit = call.flags.is_set("omit-extensions") || rule.omit_extensions;
    let root = clean(root);
    let name = name_at(recursive.then_some(root.as_path()), &clean(typed), omit);

    let format = Format::of_path(&path.to_string_lossy());
    let text = call.read(Some(&path))?;
    let file = EncryptedFile::parse_as_sops(format, text.to_vec());
    let file = file.map_err(|error| Exit::unreadable(format, &text, &error))?;
    let keys = call.keys(file.metadata())?;
    let publication = file.publication(&text, &destination, rule, Flavour::Sops, &keys, call.context.now());
    let publication =
        call.context.witness(Some(&path))?.published(publication)?.map_err(|error| failed(rule, error))?;
    if let Some(recreated) = &publication.recreated
        && recreated.changes.groups.iter().any(|group| !group.added.is_empty() || !group.removed.is_empty())
    {
        let heading = "The following changes will be made to the file's key groups:\n";
        let groups = update_keys::described_groups(&recreated.changes);
        report::data(format!("{heading}{groups}").as_bytes())?;
    }

    let shown = clean(&path).display().to_string();
    if !call.flags.is_set("yes") && !asked(&shown, &publisher.address(&destination, &name))? {
        let canceled = format!("Publication of {shown} canceled");
        if !recursive {
            return Err(Exit::new(1, canceled));
        }
        report::data(format!("{canceled}\n").as_bytes())?;
        return Ok(());
    }
    if destination.takes_values() {
        match publisher.look(&destination, &name, &publication.content) {
            Standing::Same => return Ok(()),
            Standing::Unknown(_) => exit::log(
                "PUBLISH",
                "warning",
                &format!(
                    "Cannot check if destination secret already exists in {}. New version will be created even if the data has not been changed.",
                    publisher.address(&destination, &name).split_once("/v1/").map_or("", |(_, path)| path)
                ),
            ),
            Standing::Nothing | Standing::Other(_) => {}
        }
    }
    let put = publisher.put(&destination, &name, &publication.content);
    put.map_err(|error: KeyError| Exit::new(1, error.sops_text()))
}

fn place(rule: &DestinationRule) -> Result<Destination, Exit> {
    let mut places = rule.places();
    match (places.pop(), places.is_empty()) {
        (None, _) => Err(Exit::new(1, "no destination configured for this file")),
        (Some(place), true) => Ok(place),
        (Some(_), false) => Err(Exit::new(
            1,
            "error loading config: more than one destinations were found in a single destination rule, you can only use one per rule",
        )),
    }
}

/// What fails before there is anything to send: over the file, or over those who get it.
fn failed(rule: &DestinationRule, error: SopsError) -> Exit {
    match error {
        SopsError::NoRecipients | SopsError::NotWrapped { .. } if rule.recreation().is_some() => {
            Exit::encrypting(error)
        }
        error => Exit::decrypting(&error),
    }
}

/// Asks on stdout until the answer is one; anything but a word ends it.
fn asked(path: &str, address: &str) -> Result<bool, Exit> {
    loop {
        report::data(format!("uploading {path} to {address} ? (y/n): ").as_bytes())?;
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => return Err(Exit::new(1, "EOF")),
            Ok(_) => {}
        }
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["y"] => return Ok(true),
            ["n"] => return Ok(false),
            [] => return Err(Exit::new(1, "unexpected newline")),
            [_] => {}
            _ => return Err(Exit::new(1, "expected newline")),
        }
    }
}

/// A path below the one that was typed, as Go joins them: that is what the rules see.
fn joined(typed: &Path, below: &Path) -> PathBuf {
    let whole = clean(&typed.join(below));
    if whole.as_os_str().is_empty() { below.to_owned() } else { whole }
}

/// Resolves `.` and `..` by the text alone.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
