//! How `sops` ends: codes and words.
//!
//! *Source*: the SOPS format, sections 9.3 and 9.6, and the real program's output.

use crate::cipher::CipherError;
use crate::cli::{Failed, report};
use crate::document::{Format, SyntaxError, SyntaxErrorKind};
use crate::sops::SopsError;

/// A failed command.
#[derive(Debug)]
pub(super) struct Exit {
    pub(super) code: u8,
    pub(super) message: String,
    /// Whether it is logged instead of printed.
    pub(super) fatal: bool,
    /// Whether the usage is shown.
    pub(super) usage: bool,
}

impl Exit {
    pub(super) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fatal: false, usage: false }
    }

    /// An error that is no exit error in SOPS: logged, exit 1.
    pub(super) fn fatal(message: impl Into<String>) -> Self {
        Self { fatal: true, ..Self::new(1, message) }
    }

    /// A wrong command line.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { usage: true, ..Self::fatal(message) }
    }

    /// Over a file that was to be encrypted.
    pub(super) fn encrypting(error: SopsError) -> Self {
        match error {
            SopsError::Syntax(SyntaxError { kind: SyntaxErrorKind::Empty, .. }) => {
                Self::new(92, "File cannot be completely empty, it must contain at least one document")
            }
            SopsError::Syntax(error) if !matches!(error.kind, SyntaxErrorKind::Unwalkable(_)) => {
                Self::new(2, format!("Error unmarshalling file: {}", syntax_words(&error)))
            }
            SopsError::AlreadyEncrypted { .. } => Self::new(203, ALREADY),
            SopsError::NoRecipients => Self::new(1, "Could not generate data key: [empty key group provided]"),
            other => {
                let code = other.sops_exit_code(true);
                let lead = if code == 23 { "Error encrypting tree: " } else { "" };
                Self::new(code, format!("{lead}{other}"))
            }
        }
    }

    /// Over a file that was to be decrypted.
    pub(super) fn decrypting(error: &SopsError) -> Self {
        const WALK: &str = "Error decrypting tree: Error walking tree: ";
        let message = match error {
            SopsError::NotEncrypted => "sops metadata not found".to_owned(),
            SopsError::Syntax(SyntaxError { kind: SyntaxErrorKind::Empty, .. }) => "sops metadata not found".to_owned(),
            SopsError::Syntax(error) => syntax_words(error),
            SopsError::NoKeys => "No keys found in file".to_owned(),
            SopsError::NotOpened(report) => report.sops_text(),
            SopsError::Value { problem, path, .. } => {
                format!("{WALK}Could not decrypt value: {} (at {path})", cipher_words(problem))
            }
            SopsError::NotText { kind, .. } => format!("{WALK}Expected encrypted value as string, but got {kind}"),
            SopsError::Content { .. } => format!("{WALK}Could not decrypt value: {error}"),
            SopsError::MacMissing => "MAC mismatch. File has no MAC".to_owned(),
            SopsError::MacUnreadable { problem } => format!("Cannot decrypt MAC: {}", cipher_words(problem)),
            // The digests are of the plaintext, so they are not shown.
            SopsError::MacMismatch => "MAC mismatch. The file was changed without its key".to_owned(),
            other => other.to_string(),
        };
        Self::new(error.sops_exit_code(false), message)
    }
}

impl From<Failed> for Exit {
    fn from(failed: Failed) -> Self {
        let mut message = failed.message;
        for line in failed.causes.iter().chain(&failed.hints) {
            message.push('\n');
            message.push_str(line);
        }
        Self::new(1, message)
    }
}

/// SOPS passes on what its YAML reader says, which begins so.
fn syntax_words(error: &SyntaxError) -> String {
    match error.format {
        Format::Yaml => format!("yaml: line {}: {}", error.line, error.kind),
        _ => error.to_string(),
    }
}

fn cipher_words(problem: &CipherError) -> String {
    match problem {
        CipherError::Altered => "Could not decrypt with AES_GCM: cipher: message authentication failed".to_owned(),
        CipherError::NotAToken => "Input string does not match sops' data format".to_owned(),
        other => other.to_string(),
    }
}

const ALREADY: &str = "\
The file you have provided contains a top-level entry called 'sops', or for
flat file formats top-level entries starting with 'sops_'. It looks as if it
were encrypted already: that entry holds what it takes to decrypt a file, so
a file that has one cannot be encrypted.

If this is an unencrypted file, rename the 'sops' entry.

If this is an encrypted file, change it with `lockage edit` or `lockage set`.";

/// The time as the log shows it.
pub(super) fn time() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A text as the log quotes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Arguments behind the first are not looked at, and that is said.
pub(super) fn warn_of_ignored(rest: &[String]) {
    if rest.len() < 2 {
        return;
    }
    let warn = |message: &str| {
        report::say(&format!("[CMD]\t time=\"{}\" level=warning msg={}", time(), quoted(message)));
    };
    warn("More than one positional argument provided. Only the first one will be used!");
    if let Some(flag) = rest[1..].iter().find(|word| word.starts_with('-')) {
        warn(&format!(
            "Note that one of the ignored positional argument is \"{flag}\", which looks like a flag. Flags must always be provided before the first positional argument!"
        ));
    }
}
