//! `sops filestatus`.

use super::call::Call;
use super::exit::Exit;
use crate::cli::report;
use crate::sops::{EncryptedFile, SopsError};

/// What SOPS says first.
const LEAD: &str = "cannot check file status: cannot load encrypted file: ";

pub(super) fn run(call: &Call) -> Result<u8, Exit> {
    let path = call.file()?;
    call.rules(None)?;
    let (format, _) = call.formats(Some(&path));
    let input = call.read(Some(&path)).map_err(|exit| Exit::fatal(format!("{LEAD}{}", exit.message)))?;
    let encrypted = match EncryptedFile::parse_as_sops(format, input.to_vec()) {
        Ok(file) => file.metadata().mac.as_ref().is_some_and(|mac| !mac.is_empty()),
        Err(SopsError::NotEncrypted) => false,
        Err(error) => {
            let exit = Exit::unreadable(format, &input, &error);
            return Err(Exit::fatal(format!("{LEAD}{}", exit.message)));
        }
    };
    report::data(format!("{{\"encrypted\":{encrypted}}}\n").as_bytes())?;
    Ok(0)
}
