//! The age identities of this user, from the places SOPS looks in, and the key services around them.
//!
//! *Source*: the SOPS format, section 5.1. Every place is read and all identities are used together; a place that
//! cannot be read is no error as long as another one opens the file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::clouds;
use super::prompt::Terminal;
use crate::cli::{Context, Failed};
use crate::keys::{Gpg, KeyError, KeyKind, KeyService as _, KeyServices, Keyring, LocalKeys, Recipient, published};
use crate::secret::{SecretBytes, SecretString};
use crate::sops::{Metadata, SopsError};
use crate::system::files;

/// The identities at hand.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    pub(crate) keyring: Keyring,
}

impl Identities {
    /// Reads every place, if `metadata` has an age key at all; a command that prints identities is run only if nothing
    /// else is known to open it.
    pub(crate) fn of_user(context: &Context, metadata: &Metadata) -> Self {
        Self::of_files(context, [metadata])
    }

    /// The same for several files at once: every place is read once, and a command is run once for a recipient.
    pub(crate) fn of_files<'m>(context: &Context, files: impl IntoIterator<Item = &'m Metadata>) -> Self {
        let age = |metadata: &'m Metadata| -> Vec<&'m Recipient> {
            metadata.recipients().filter(|recipient| recipient.kind() == KeyKind::Age).collect()
        };
        let mut files: Vec<Vec<&Recipient>> = Vec::from_iter(files.into_iter().map(age));
        // Nothing is read and nobody asked where the keys of this machine do not count.
        files.retain(|recipients| context.choice.local && !recipients.is_empty());
        let keyring = if files.is_empty() { askable(context) } else { Places::read_all(context, &files) };
        Self { keyring }
    }

    /// The keys of this user for a service that answers to others: every identity that can be had without knowing for
    /// whom, `gpg`, and the clouds. Commands that print an identity for a recipient are not run.
    pub(crate) fn of_service(context: &Context) -> LocalKeys {
        local(context, Places::read_all(context, &[]))
    }

    /// The local key service with these identities.
    pub(crate) fn local(self, context: &Context) -> LocalKeys {
        local(context, self.keyring)
    }

    /// Every key service of this user, with these identities.
    pub(crate) fn keys(&self, context: &Context) -> KeyServices {
        services(context, self.keyring.clone())
    }

    /// A failure, as it is shown.
    pub(crate) fn explain(&self, error: SopsError) -> Failed {
        Failed::from(error)
    }
}

/// The places of one user.
struct Places<'c> {
    context: &'c Context,
    keyring: Keyring,
    /// Places that could be read and hold nothing, as SOPS names them.
    empty: Vec<String>,
}

impl Places<'_> {
    /// `files` are the age recipients of each file that shall be opened.
    fn read_all(context: &Context, files: &[Vec<&Recipient>]) -> Keyring {
        let mut places = Places { context, keyring: askable(context), empty: Vec::new() };
        places.ssh(files);
        places.age(files);
        for place in std::mem::take(&mut places.empty) {
            places.keyring.note_absent(place);
        }
        for problem in places.keyring.problems() {
            tracing::info!("{problem}");
        }
        places.keyring
    }

    fn ssh(&mut self, files: &[Vec<&Recipient>]) {
        let file = "SOPS_AGE_SSH_PRIVATE_KEY_FILE";
        match self.context.set_variable(file) {
            Some(path) => self.ssh_file(Path::new(path), file),
            None => self.keyring.note_absent(file.to_owned()),
        }
        let command = "SOPS_AGE_SSH_PRIVATE_KEY_CMD";
        match self.context.set_variable(command) {
            Some(line) => {
                self.commands(line, command, files, |places, text, origin| {
                    let added = places.add_ssh(text, None, origin);
                    if let Err((error, why)) = added {
                        let sops = format!("malformed SSH identity returned by running {command}: \"{why}\"");
                        places.keyring.note_problem(error.to_string(), sops);
                    }
                });
            }
            None => self.keyring.note_absent(command.to_owned()),
        }
        for name in ["id_ed25519", "id_rsa"] {
            let Some(path) = self.context.home().map(|home| home.join(".ssh").join(name)) else { continue };
            if path.exists() {
                self.ssh_file(&path, "SSH");
            } else {
                self.keyring.note_absent(path.display().to_string());
            }
        }
    }

    fn age(&mut self, files: &[Vec<&Recipient>]) {
        // SOPS names its own place only where none of the others could be read.
        let mut read = !self.keyring.is_empty();
        let variable = "SOPS_AGE_KEY";
        match self.context.set_variable(variable) {
            Some(text) => {
                read = true;
                let added = self.keyring.add_age_inline(&SecretString::new(text.to_owned()), variable);
                self.note(variable, added);
            }
            None => self.keyring.note_absent(variable.to_owned()),
        }
        let variable = "SOPS_AGE_KEY_FILE";
        match self.context.set_variable(variable) {
            Some(path) => read |= self.age_file(Path::new(path), variable, variable),
            None => self.keyring.note_absent(variable.to_owned()),
        }
        let default = default_file(self.context);
        let is_there = default.as_ref().is_some_and(|path| path.exists());
        if let (Some(path), true) = (&default, is_there) {
            self.age_file(path, "the default place", &path.display().to_string());
        }
        let variable = "SOPS_AGE_KEY_CMD";
        match self.context.set_variable(variable) {
            Some(line) => {
                read |= self.commands(line, variable, files, |places, text, origin| {
                    let added = places.keyring.add_age_file(SecretBytes::new(text.to_vec()), origin);
                    places.note(variable, added);
                });
            }
            None => self.keyring.note_absent(variable.to_owned()),
        }
        if let (Some(path), false, false) = (default, is_there, read) {
            self.keyring.note_absent(path.display().to_string());
        }
    }

    /// Adds the identities of a file; whether it could be read.
    fn age_file(&mut self, path: &Path, why: &str, place: &str) -> bool {
        let origin = format!("`{}` ({why})", path.display());
        let named = if why == place { format!("{why} file") } else { "file".to_owned() };
        let Some(content) = self.read(path, why, &named) else { return false };
        let added = self.keyring.add_age_file(SecretBytes::new(content.to_vec()), &origin);
        self.note(place, added);
        true
    }

    fn ssh_file(&mut self, path: &Path, why: &str) {
        let origin = format!("`{}` ({why})", path.display());
        let Some(content) = self.read(path, why, "file") else { return };
        let beside = PathBuf::from(format!("{}.pub", self.context.path(path).display()));
        let public = files::read(&beside).ok();
        let public = public.as_deref().and_then(|public| std::str::from_utf8(public).ok());
        let added = self.add_ssh(&content, public, &origin);
        if let Err((error, reason)) = added {
            let sops = format!("malformed SSH identity in \"{}\": {reason}", path.display());
            self.keyring.note_problem(error.to_string(), sops);
        }
    }

    /// Adds an SSH key; the error comes with what SOPS says of it.
    fn add_ssh(&mut self, content: &[u8], public: Option<&str>, origin: &str) -> Result<(), (KeyError, String)> {
        let Ok(text) = std::str::from_utf8(content) else {
            let error = KeyError::Unusable { origin: origin.to_owned(), reason: "it is no text" };
            return Err((error, "ssh: no key found".to_owned()));
        };
        let added = self.keyring.add_ssh(&SecretString::new(text.to_owned()), public, origin);
        added.map_err(|error| (error, no_ssh_key(text)))
    }

    fn read(&mut self, path: &Path, why: &str, named: &str) -> Option<Zeroizing<Vec<u8>>> {
        let whole = self.context.path(path);
        let shown = path.display();
        let nowhere = path.as_os_str().is_empty();
        let (ours, reason) = match files::read(&whole) {
            Ok(content) if !nowhere => return Some(content),
            Err(error) if !nowhere && whole.exists() => {
                let system = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                (error.to_string(), system.split(" (os error").next().unwrap_or_default().to_lowercase())
            }
            Err(error) if !nowhere => (error.to_string(), "no such file or directory".to_owned()),
            _ => ("it names no file".to_owned(), "no such file or directory".to_owned()),
        };
        let sops = format!("failed to open {named}: open {shown}: {reason}");
        self.keyring.note_problem(format!("`{shown}` ({why}): {ours}"), sops);
        None
    }

    /// Runs the user's command for one recipient of a file after another, until an identity is known to open the file;
    /// whether it printed something.
    fn commands(
        &mut self,
        line: &str,
        why: &str,
        files: &[Vec<&Recipient>],
        add: impl Fn(&mut Self, &[u8], &str),
    ) -> bool {
        let mut printed = false;
        let mut asked = HashSet::new();
        for (recipients, recipient) in files.iter().flat_map(|file| file.iter().map(move |one| (file, *one))) {
            if asked.contains(recipient) || recipients.iter().any(|recipient| self.keyring.holds(recipient)) {
                continue;
            }
            asked.insert(recipient);
            match output_of(self.context, line, recipient) {
                Ok(text) => {
                    add(self, &text, &format!("`{line}` ({why})"));
                    printed = true;
                }
                Err(reason) => {
                    let sops = format!("failed to execute command {line}: {reason}");
                    self.keyring.note_problem(format!("`{line}` ({why}) failed: {reason}"), sops);
                }
            }
        }
        printed
    }

    /// Notes what came of reading a place.
    fn note(&mut self, place: &str, added: Result<usize, KeyError>) {
        match added {
            Ok(0) => self.empty.push(place.to_owned()),
            Ok(_) => {}
            Err(error) => {
                let said = match &error {
                    KeyError::Identity { .. } => "unknown identity type".to_owned(),
                    other => other.to_string(),
                };
                let sops = format!("failed to parse '{place}' age identities: {said}");
                self.keyring.note_problem(error.to_string(), sops);
            }
        }
    }
}

/// What SOPS says of a text that is no private SSH key.
///
/// *Source*: the real program.
fn no_ssh_key(text: &str) -> String {
    let label = text.lines().find_map(|line| line.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----"));
    match label {
        Some(label) if text.contains(&format!("-----END {label}-----")) => {
            format!("ssh: unsupported key type \"{label}\"")
        }
        _ => "ssh: no key found".to_owned(),
    }
}

/// What the user's command prints. It is run directly, not through a shell; its words on stderr are for the user.
fn output_of(context: &Context, line: &str, recipient: &Recipient) -> Result<Zeroizing<Vec<u8>>, String> {
    let words = shlex::split(line).filter(|words| !words.is_empty()).ok_or("no command line")?;
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .current_dir(&context.directory)
        .env("SOPS_AGE_RECIPIENT", recipient.id())
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let text = child.stdout.take().map(|stdout| files::read_stream(stdout, 4096, Path::new(&words[0])));
    match (child.wait(), text) {
        (Ok(status), Some(Ok(text))) if status.success() => Ok(text),
        (Ok(status), _) => Err(status.code().map_or("was ended".to_owned(), |code| format!("exit status {code}"))),
        (Err(error), _) => Err(error.to_string()),
    }
}

/// `sops/age/keys.txt` in the user's configuration folder; a relative `XDG_CONFIG_HOME` is not followed.
fn default_file(context: &Context) -> Option<PathBuf> {
    let folder = match context.variable("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None if cfg!(target_os = "macos") => context.home()?.join("Library/Application Support"),
        None => context.home()?.join(".config"),
    };
    folder.is_absolute().then(|| folder.join("sops/age/keys.txt"))
}

/// The key services that a new file is encrypted with: no identity is read for that.
pub(crate) fn to_encrypt(context: &Context) -> KeyServices {
    services(context, askable(context))
}

/// An empty keyring that asks on the terminal.
fn askable(context: &Context) -> Keyring {
    Keyring::new().asking(Arc::new(Terminal::new(context)))
}

/// The local key service.
fn local(context: &Context, keyring: Keyring) -> LocalKeys {
    let gpg = Gpg::new(context.variable("SOPS_GPG_EXEC").unwrap_or("gpg"), context.variables());
    clouds::local(context, LocalKeys::new(keyring).with(KeyKind::Pgp, gpg))
}

/// The local key service without an identity.
pub(crate) fn no_identities(context: &Context) -> LocalKeys {
    local(context, askable(context))
}

/// The local key service, unless it is turned off, and after it those that were named.
fn services(context: &Context, keyring: Keyring) -> KeyServices {
    let choice = &context.choice;
    let services = if choice.local { local(context, keyring).into() } else { KeyServices::new() };
    clouds::remotes_at(context, services, &choice.remotes).in_order(choice.order.clone())
}

/// Says so when everybody can open a file.
pub(crate) fn warn_if_published(context: &Context, metadata: &Metadata) {
    if metadata.recipients().any(published::is_published) && !context.quiet {
        crate::cli::report::say("lockage: warning: this file opens with the published test key, so it holds no secret");
    }
}
