//! How `sops` ends: codes and words.
//!
//! *Source*: the SOPS format, sections 9.3 and 9.6, and the real program's output.

use super::flags::Wrong;
use crate::cipher::CipherError;
use crate::cli::{Failed, report};
use crate::document::{Document, EmitError, Format, SyntaxError, SyntaxErrorKind};
use crate::error::Failure as _;
use crate::keys::{KeyError, Recipient};
use crate::sops::SopsError;
use crate::system::files::FileError;

/// A failed command.
#[derive(Debug)]
pub(super) struct Exit {
    pub(super) code: u8,
    pub(super) message: String,
    /// Whether it is logged instead of printed.
    pub(super) fatal: bool,
    /// What is shown on stdout first: the usage, over a wrong command line.
    pub(super) shown: Option<String>,
}

impl Exit {
    pub(super) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fatal: false, shown: None }
    }

    /// An end about which everything is said.
    pub(super) fn silent(code: u8) -> Self {
        Self::new(code, "")
    }

    /// An error that is no exit error in SOPS: logged, exit 1.
    pub(super) fn fatal(message: impl Into<String>) -> Self {
        Self { fatal: true, ..Self::new(1, message) }
    }

    /// A wrong command line, or a wrong variable; `help` is what the usage says.
    pub(super) fn wrong(wrong: Wrong, lead: &str, help: impl FnOnce() -> String) -> Self {
        let lead = if wrong.bare { String::new() } else { format!("Incorrect Usage{lead} ") };
        let shown = wrong.usage.then(|| format!("{lead}{}\n\n{}", wrong.message, help()));
        Self { shown, ..Self::fatal(wrong.message) }
    }

    /// Over a file that was to be encrypted.
    pub(super) fn encrypting(error: SopsError) -> Self {
        match error {
            SopsError::Syntax(SyntaxError { kind: SyntaxErrorKind::Empty, line: 1, column: 1, .. }) => {
                Self::new(92, "File cannot be completely empty, it must contain at least one document")
            }
            SopsError::Syntax(error) if !matches!(error.kind, SyntaxErrorKind::Unwalkable(_)) => {
                Self::new(2, format!("Error unmarshalling file: {}", syntax_words(&error)))
            }
            SopsError::AlreadyEncrypted { .. } => Self::new(203, ALREADY),
            SopsError::NoRecipients => Self::new(1, "Could not generate data key: [empty key group provided]"),
            SopsError::NotWrapped { failures } => {
                Self::new(1, format!("Could not generate data key: [{}]", not_wrapped(&failures)))
            }
            SopsError::Emit(error) => Self::emitting(error),
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

impl Exit {
    /// Over a tree that has no place in a format.
    pub(super) fn emitting(error: EmitError) -> Self {
        Self::new(4, format!("Error dumping file: {error}"))
    }

    /// Over a change of an encrypted file.
    pub(super) fn changing(error: &SopsError) -> Self {
        match error {
            SopsError::Emit(_) => Self::new(4, error.to_string()),
            SopsError::Syntax(error) => Self::new(4, format!("Could not marshal tree: {}", error.kind)),
            SopsError::AlreadyEncrypted { .. } => Self::new(203, ALREADY),
            other => Self::new(other.sops_exit_code(false), other.to_string()),
        }
    }

    /// Why a text is no encrypted file. A binary file is JSON once it is encrypted.
    pub(super) fn unreadable(format: Format, input: &[u8], error: &SopsError) -> Self {
        if matches!(format, Format::Json | Format::Binary)
            && let Err(error) = Document::parse(Format::Json, input.to_vec())
        {
            return Self::new(1, format!("Could not unmarshal input data: {error}"));
        }
        // SOPS looks for the metadata before it meets what it cannot walk.
        let unwalkable = matches!(error, SopsError::Syntax(SyntaxError { kind: SyntaxErrorKind::Unwalkable(_), .. }));
        if unwalkable && !memchr::memmem::find_iter(input, b"sops").any(|at| begins_line(input, at)) {
            return Self::decrypting(&SopsError::NotEncrypted);
        }
        Self::decrypting(error)
    }
}

/// Whether only blanks and quotes stand before `at` in its line.
fn begins_line(text: &[u8], at: usize) -> bool {
    let before = text[..at].iter().rev().take_while(|byte| !matches!(byte, b'\n' | b'\r'));
    before.into_iter().all(|byte| matches!(byte, b' ' | b'"' | b'\''))
}

/// An error with what the system says, and what to do.
pub(super) fn whole(error: &FileError) -> String {
    let mut text = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        text.push_str(&format!(": {source}"));
    }
    for hint in error.hints() {
        text.push_str(&format!("\n{hint}"));
    }
    text
}

/// Says a line as SOPS's logger does.
pub(super) fn log(logger: &str, level: &str, message: &str) {
    report::say(&format!("[{logger}]\t time=\"{}\" level={level} msg={}", time(), quoted(message)));
}

/// The same about an error that does not end the command.
pub(super) fn log_error(logger: &str, message: &str, error: &str) {
    let (message, error) = (quoted(message), quoted(error));
    report::say(&format!("[{logger}]\t time=\"{}\" level=error msg={message} error={error}", time()));
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

/// For whom the data key could not be wrapped, and why.
fn not_wrapped(failures: &[(Recipient, Vec<KeyError>)]) -> String {
    if failures.iter().all(|(_, errors)| errors.is_empty()) {
        return "no key services provided, cannot update master keys".to_owned();
    }
    let one = |(recipient, errors): &(Recipient, Vec<KeyError>)| {
        let errors: Vec<String> = errors.iter().map(KeyError::sops_text).collect();
        format!("failed to encrypt new data key with master key \"{}\": {}", recipient.id(), errors.join("; "))
    };
    failures.iter().map(one).collect::<Vec<_>>().join(" ")
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
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/@^+".contains(&byte);
    if text.bytes().all(plain) { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// Arguments behind the first are not looked at, and that is said.
pub(super) fn warn_of_ignored(rest: &[String]) {
    if rest.len() < 2 {
        return;
    }
    let warn = |message: &str| log("CMD", "warning", message);
    warn("More than one positional argument provided. Only the first one will be used!");
    if let Some(flag) = rest[1..].iter().find(|word| word.starts_with('-')) {
        warn(&format!(
            "Note that one of the ignored positional argument is \"{flag}\", which looks like a flag. Flags must always be provided before the first positional argument!"
        ));
    }
}
