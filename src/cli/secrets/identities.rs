//! The age identities of this user, from the places SOPS looks in.
//!
//! *Source*: the SOPS format, section 5.1. Every place is read and all identities are used together; a place that
//! cannot be read is no error as long as another one opens the file.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::cli::secrets::clouds;
use crate::cli::{Context, Failed};
use crate::keys::{KeyError, KeyServices, Keyring, LocalKeys, Recipient, published};
use crate::secret::SecretString;
use crate::sops::{EncryptionScope, Metadata, SopsError};
use crate::system::files::{self, FileError};

/// The identities at hand, and what could not be read.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    pub(crate) keyring: Keyring,
    /// Places that were named and gave nothing, each with the reason.
    pub(crate) problems: Vec<String>,
}

impl Identities {
    /// Reads every place; a command that prints identities is run only if nothing else opens `metadata`.
    pub(crate) fn of_user(context: &Context, metadata: &Metadata) -> Self {
        let mut found = Self::default();
        if let Some(text) = context.variable("SOPS_AGE_KEY") {
            let text = SecretString::new(text.to_owned());
            let added = found.keyring.add_age_inline(&text, "SOPS_AGE_KEY");
            found.note(added);
        }
        if let Some(path) = context.variable("SOPS_AGE_KEY_FILE") {
            found.file(&context.path(Path::new(path)), "SOPS_AGE_KEY_FILE");
        }
        if let Some(path) = default_file(context)
            && path.exists()
        {
            found.file(&path, "the default place");
        }
        if let Some(line) = context.variable("SOPS_AGE_KEY_CMD") {
            let recipients: Vec<&Recipient> = metadata.recipients().collect();
            for recipient in &recipients {
                if recipients.iter().any(|recipient| found.keyring.holds(recipient)) {
                    break;
                }
                found.command(context, line, recipient);
            }
        }
        for name in ["SOPS_AGE_SSH_PRIVATE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_CMD"] {
            if context.variable(name).is_some() {
                found.problems.push(format!("`{name}` is set, but SSH identities are not supported yet"));
            }
        }
        for problem in &found.problems {
            tracing::info!("{problem}");
        }
        found
    }

    /// The keys of this user for a service that answers to others: every identity there is, and the clouds.
    pub(crate) fn of_service(context: &Context) -> LocalKeys {
        let nothing = Metadata::new(Vec::new(), &EncryptionScope::default(), false);
        clouds::local(context, LocalKeys::new(Self::of_user(context, &nothing).keyring))
    }

    /// Every key service of this user, with these identities.
    pub(crate) fn keys(&self, context: &Context) -> KeyServices {
        services(context, self.keyring.clone())
    }

    /// A failure, with the places that could not be read where that may be its reason.
    pub(crate) fn explain(&self, error: SopsError) -> Failed {
        let no_key = matches!(error, SopsError::NotOpened(_));
        let mut failed = Failed::from(error);
        if no_key {
            failed.causes.extend(self.problems.iter().cloned());
        }
        failed
    }

    fn file(&mut self, path: &Path, why: &str) {
        let origin = format!("`{}` ({why})", path.display());
        match text_of(files::read(path)) {
            Ok(text) => {
                let added = self.keyring.add_age_text(&text, &origin);
                self.note(added);
            }
            Err(reason) => self.problems.push(format!("{origin}: {reason}")),
        }
    }

    /// Runs the user's command directly, not through a shell; its words on stderr are for the user.
    fn command(&mut self, context: &Context, line: &str, recipient: &Recipient) {
        let origin = "SOPS_AGE_KEY_CMD";
        let Some(words) = shlex::split(line).filter(|words| !words.is_empty()) else {
            self.problems.push(format!("`{origin}` is no command line"));
            return;
        };
        let child = Command::new(&words[0])
            .args(&words[1..])
            .current_dir(&context.directory)
            .env("SOPS_AGE_RECIPIENT", recipient.to_string())
            .stdin(Stdio::inherit())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                self.problems.push(format!("`{}` ({origin}) cannot be started: {error}", words[0]));
                return;
            }
        };
        let text = child.stdout.take().map(|stdout| text_of(files::read_stream(stdout, 4096, Path::new(&words[0]))));
        match (child.wait(), text) {
            (Ok(status), Some(Ok(text))) if status.success() => {
                let added = self.keyring.add_age_text(&text, &format!("`{}` ({origin})", words[0]));
                self.note(added);
            }
            _ => self.problems.push(format!("`{}` ({origin}) failed", words[0])),
        }
    }

    fn note(&mut self, added: Result<usize, KeyError>) {
        if let Err(error) = added {
            self.problems.push(error.to_string());
        }
    }
}

fn text_of(content: Result<Zeroizing<Vec<u8>>, FileError>) -> Result<SecretString, String> {
    let mut content = content.map_err(|error| error.to_string())?;
    match String::from_utf8(std::mem::take(&mut *content)) {
        Ok(text) => Ok(SecretString::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err("it is no text".to_owned())
        }
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
    services(context, Keyring::new())
}

/// The local key service, and after it those that were named.
fn services(context: &Context, keyring: Keyring) -> KeyServices {
    clouds::remotes(context, KeyServices::from(clouds::local(context, LocalKeys::new(keyring))))
}

/// Says so when everybody can open a file.
pub(crate) fn warn_if_published(context: &Context, metadata: &Metadata) {
    if metadata.recipients().any(published::is_published) && !context.quiet {
        crate::cli::report::say("lockage: warning: this file opens with the published test key, so it holds no secret");
    }
}
