//! `sops groups add` and `sops groups delete`.

use std::path::{Path, PathBuf};

use super::call::{Call, Loaded, write};
use super::exit::Exit;
use super::recipients;
use crate::cipher::shamir::ShamirError;
use crate::cli::report;
use crate::keys::DecryptionOrder;
use crate::sops::SopsError;

pub(super) fn add(call: &Call) -> Result<u8, Exit> {
    let path = file(call)?;
    let group = recipients::group(call)?;
    let Loaded { file, keys, .. } = load(call, &path)?;
    let text = file.add_group(&group, threshold(call), &keys, call.context.now()).map_err(failed)?;
    finish(call, &path, &text)
}

pub(super) fn delete(call: &Call) -> Result<u8, Exit> {
    let [index] = call.flags.rest.as_slice() else {
        return Err(Exit::new(1, "error: exactly one positional argument (index) required"));
    };
    let Ok(index) = index.parse::<usize>() else {
        return Err(Exit::fatal(format!(
            "failed to parse [index] argument: strconv.ParseUint: parsing {index:?}: invalid syntax"
        )));
    };
    let path = file(call)?;
    let Loaded { file, keys, .. } = load(call, &path)?;
    let text = file.delete_group(index, threshold(call), &keys).map_err(failed)?;
    finish(call, &path, &text)
}

fn file(call: &Call) -> Result<PathBuf, Exit> {
    call.path("file").ok_or_else(|| Exit::new(2, "Error reading file: open : no such file or directory"))
}

fn load(call: &Call, path: &Path) -> Result<Loaded, Exit> {
    call.rules(None)?;
    let (format, _) = call.formats(Some(path));
    let loaded =
        call.load(Some(path), format).map_err(|exit| if exit.code == 1 { Exit::fatal(exit.message) } else { exit })?;
    // These commands know no decryption order.
    Ok(Loaded { keys: loaded.keys.in_order(DecryptionOrder::of_file()), ..loaded })
}

fn threshold(call: &Call) -> Option<usize> {
    call.flags.number("shamir-secret-sharing-threshold").and_then(|number| usize::try_from(number).ok())
}

fn finish(call: &Call, path: &Path, text: &[u8]) -> Result<u8, Exit> {
    if call.flags.is_set("in-place") {
        write(path, text, 0o644, "in-place")?;
    } else {
        report::data(text)?;
    }
    Ok(0)
}

/// What is no exit error in SOPS is logged.
fn failed(error: SopsError) -> Exit {
    let message = match &error {
        SopsError::NotOpened(report) => {
            let needed = report.threshold.unwrap_or(1);
            format!("Error getting data key: {needed} successful groups required, got {}", report.opened())
        }
        SopsError::Groups { groups, problem: ShamirError::FewerThanThreshold } => {
            // SOPS names the threshold; every file that comes here has one.
            format!("removing this key group will make the Shamir threshold impossible to satisfy: {groups} are left")
        }
        other => other.to_string(),
    };
    Exit::fatal(message)
}
