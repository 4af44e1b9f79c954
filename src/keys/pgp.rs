//! OpenPGP through the user's own `gpg`, its keys, its agent and its trust.
//!
//! *Source*: the SOPS format, section 5.2. SOPS first looks for the key rings of GnuPG before 2.1 itself; `gpg` reads
//! those, too.

use std::ffi::OsString;

use super::{KeyError, KeyService, PgpRecipient, Recipient, ServiceError, WrappedKey};
use crate::error::Class;
use crate::secret::SecretBytes;
use crate::system::process::{Process, ProcessError};

/// More than `gpg` ever makes of a data key.
const MOST_BYTES: usize = 1 << 20;
/// Letters of a fingerprint that are the long key id.
const KEY_ID: usize = 16;

/// The program `gpg`.
#[derive(Clone)]
pub struct Gpg {
    program: OsString,
    environment: Vec<(OsString, OsString)>,
}

impl Gpg {
    /// Runs `program` with these variables and no others: `GNUPGHOME`, `HOME` and `PATH` decide what it finds, `GPG_TTY`
    /// where it asks for a passphrase.
    #[must_use]
    pub fn new(program: impl Into<OsString>, environment: Vec<(OsString, OsString)>) -> Self {
        Self { program: program.into(), environment }
    }

    fn run(&self, id: &str, arguments: &[&str], input: SecretBytes, doing: &str) -> Result<SecretBytes, KeyError> {
        let mut process = Process::new(&self.program).stdin(input);
        for argument in arguments {
            process = process.arg(argument);
        }
        for (name, value) in &self.environment {
            process = process.env(name, value);
        }
        let output = process.output(MOST_BYTES).map_err(|error| missing(id, doing, &error))?;
        // `gpg` may warn, and it may report success over nothing.
        if output.code == Some(0) && !output.stdout.is_empty() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(output.stderr.expose_secret()).trim().to_owned();
        Err(failed(id, doing, said))
    }
}

impl KeyService for Gpg {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        let Recipient::Pgp(PgpRecipient { fingerprint }) = recipient else {
            return Err(KeyError::NoService { kind: recipient.kind(), id: recipient.id() });
        };
        // A name that begins with a dash would be an option.
        if fingerprint.is_empty() || fingerprint.starts_with('-') {
            return Err(KeyError::Recipient { kind: recipient.kind(), text: fingerprint.clone() });
        }
        let trusted = trusted(fingerprint);
        let arguments = [
            "--no-default-recipient",
            "--yes",
            "--encrypt",
            "-a",
            "-r",
            fingerprint,
            "--trusted-key",
            &trusted,
            "--no-encrypt-to",
        ];
        let armored = self.run(fingerprint, &arguments, share.clone(), "encrypt")?;
        let text = String::from_utf8_lossy(armored.expose_secret()).trim_end().to_owned();
        Ok(text)
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        let input = SecretBytes::new(wrapped.enc.as_bytes().to_vec());
        self.run(&wrapped.recipient.id(), &["-d"], input, "decrypt").map(Some)
    }
}

/// The key whose trust is not asked about: the end of the fingerprint, with the mark of a subkey if there is one.
fn trusted(fingerprint: &str) -> String {
    let letters = if fingerprint.ends_with('!') { KEY_ID + 1 } else { KEY_ID };
    let skipped = fingerprint.chars().count().saturating_sub(letters);
    fingerprint.chars().skip(skipped).collect()
}

fn failed(id: &str, doing: &str, said: String) -> KeyError {
    // The last line is the reason; those before it say what was looked at.
    let last = said.lines().last().unwrap_or("it says nothing").trim_start_matches("gpg: ").to_owned();
    let mut error =
        ServiceError::new(id.to_owned(), Class::Untrusted, format!("gpg cannot {doing} the data key: {last}"));
    let data_key =
        if doing == "encrypt" { "failed to encrypt sops data key" } else { "failed to decrypt sops data key" };
    error.sops =
        Some(format!("could not {doing} data key with PGP key: GnuPG binary error: {data_key} with pgp: {said}"));
    error.hint =
        (doing == "encrypt").then(|| format!("`gpg --list-keys {id}` shows whether the key is here and valid"));
    error.into()
}

fn missing(id: &str, doing: &str, error: &ProcessError) -> KeyError {
    let mut service = ServiceError::new(id.to_owned(), Class::Usage, error.to_string());
    service.hint = Some("install `gpg`, or name it: `SOPS_GPG_EXEC`".to_owned());
    service.sops = Some(format!("could not {doing} data key with PGP key: GnuPG binary error: {error}"));
    service.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_fingerprint_is_trusted() {
        assert_eq!(trusted("FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4"), "3D16CEE4A27381B4");
        assert_eq!(trusted("FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4!"), "3D16CEE4A27381B4!");
        assert_eq!(trusted("AB"), "AB");
    }

    #[test]
    fn a_fingerprint_is_no_option() {
        let gpg = Gpg::new("/nonexistent/gpg", Vec::new());
        let wrap = |text: &str| gpg.wrap(&Recipient::parse_pgp(text), &SecretBytes::new(vec![1; 32])).unwrap_err();
        assert!(matches!(wrap("--output=x"), KeyError::Recipient { .. }));
        assert!(matches!(wrap("AB"), KeyError::Service(error) if error.class == Class::Usage));
    }
}
