//! One command line of SOPS, read: what every command asks of it.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::exit::{Exit, whole};
use super::flags::Parsed;
use crate::cli::secrets::clouds;
use crate::cli::secrets::identities::{Identities, no_identities};
use crate::cli::secrets::rules::{Rules, Search};
use crate::cli::{Context, Witness, report};
use crate::document::{EmitOptions, Format};
use crate::keys::{DecryptionOrder, KeyServices};
use crate::sops::{DecryptedFile, EncryptedFile, Metadata, SopsError};
use crate::system::files::{self, FileError, Mode, Target};

/// A command with its flags.
pub(super) struct Call {
    pub(super) context: Context,
    /// What stood before the subcommand.
    pub(super) global: Parsed,
    /// Its own; without a subcommand the same.
    pub(super) flags: Parsed,
    /// Whether there is no subcommand.
    pub(super) legacy: bool,
}

/// An encrypted file, read.
pub(super) struct Loaded {
    pub(super) file: EncryptedFile,
    pub(super) keys: KeyServices,
    pub(super) witness: Witness,
}

impl Call {
    /// A path that a flag names.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.flags.value(name).map(|path| self.context.path(Path::new(path)))
    }

    /// The positional argument at a place.
    pub(super) fn argument(&self, at: usize) -> Option<&str> {
        self.flags.rest.get(at).map(String::as_str)
    }

    /// The file that has to be named.
    pub(super) fn file(&self) -> Result<PathBuf, Exit> {
        match self.argument(0).filter(|file| !file.is_empty()) {
            Some(file) => Ok(self.context.path(Path::new(file))),
            None => Err(Exit::new(100, "Error: no file specified")),
        }
    }

    /// A file that was named must be there.
    pub(super) fn exists(&self, path: &Path) -> Result<(), Exit> {
        // What cannot be looked at (a loop of links) is an error of reading it.
        if path.try_exists().unwrap_or(true) {
            return Ok(());
        }
        Err(Exit::new(100, format!("Error: cannot operate on non-existent file \"{}\"", path.display())))
    }

    /// What decides on types and rule.
    pub(super) fn name(&self, file: Option<&Path>) -> Option<PathBuf> {
        self.path("filename-override").or_else(|| file.map(Path::to_owned))
    }

    /// The type of the input, and that of the output.
    pub(super) fn formats(&self, name: Option<&Path>) -> (Format, Format) {
        let by_name = name.map_or(Format::Binary, |name| Format::of_path_as_sops(&name.to_string_lossy()));
        let word = |name: &str| self.flags.value(name).and_then(Format::of_word_as_sops).unwrap_or(by_name);
        (word("input-type"), word("output-type"))
    }

    /// How a text of this type is written anew: as `--indent` says, or the rules.
    pub(super) fn emit_options(&self, output: Format) -> EmitOptions {
        let flag = self.global.value("indent").and_then(|text| text.parse().ok());
        let ruled = || self.rules(None).ok().flatten()?.set.stores().indent(output);
        EmitOptions { indent: flag.or_else(ruled) }
    }

    /// The rules, which every command reads, because a malformed file stops them all; with a name the rule for it.
    pub(super) fn rules(&self, name: Option<&Path>) -> Result<Option<Rules>, Exit> {
        let name = name.unwrap_or(Path::new(""));
        Rules::find(&self.context, name, Search::OfDirectory).map_err(|failed| {
            let config = self.context.config.as_ref().map(|config| self.context.path(config));
            let missing = config.is_some_and(|config| !config.is_file());
            let lead = if missing { "could not read config file: " } else { "error loading config: " };
            let words = match failed.message.contains("stands beside another selector") {
                true => "cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex for the same rule",
                false => &failed.message,
            };
            Exit::new(1, format!("{lead}{words}"))
        })
    }

    /// Reads a file, or stdin.
    pub(super) fn read(&self, file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Exit> {
        let read = match file {
            Some(path) => files::read(path),
            None => files::read_stream(std::io::stdin().lock(), 64 << 10, Path::new("stdin")),
        };
        read.map_err(|error| Exit::new(2, format!("Error reading file: {}", whole(&error))))
    }

    /// Reads an encrypted file, or stdin, and gathers the keys that may open it.
    pub(super) fn load(&self, file_path: Option<&Path>, format: Format) -> Result<Loaded, Exit> {
        let input = self.read(file_path)?;
        let parsed = EncryptedFile::parse_as_sops(format, input.to_vec());
        let file = parsed.map_err(|error| Exit::unreadable(format, &input, &error))?;
        let keys = self.keys(file.metadata())?;
        Ok(Loaded { file, keys, witness: self.context.witness(file_path)? })
    }

    /// Decrypts a loaded file; with `--ignore-mac` it is taken as it is.
    pub(super) fn open(
        &self,
        file: EncryptedFile,
        keys: &KeyServices,
        witness: &Witness,
    ) -> Result<DecryptedFile, Exit> {
        let opened = if self.flags.is_set("ignore-mac") { file.adopt(keys) } else { file.decrypt(keys) };
        witness.decrypted(opened)?.map_err(|error| Exit::decrypting(&error))
    }

    /// The key services for a file, in the order in which they are asked.
    pub(super) fn keys(&self, metadata: &Metadata) -> Result<KeyServices, Exit> {
        let local = || Identities::of_user(&self.context, metadata).local(&self.context);
        Ok(self.services(local).in_order(self.order()?))
    }

    /// The key services that a new file is encrypted with: no identity is read for that.
    pub(super) fn keys_to_encrypt(&self) -> KeyServices {
        self.services(|| no_identities(&self.context))
    }

    fn services(&self, local: impl FnOnce() -> crate::keys::LocalKeys) -> KeyServices {
        let services = if self.flags.is_set("enable-local-keyservice") { local().into() } else { KeyServices::new() };
        clouds::remotes_at(&self.context, services, &self.flags.values("keyservice"))
    }

    fn order(&self) -> Result<DecryptionOrder, Exit> {
        match self.flags.value("decryption-order") {
            None => Ok(DecryptionOrder::default()),
            Some(text) => DecryptionOrder::parse(text)
                .map_err(|word| Exit::new(112, format!("Duplicate decryption key type: {word}"))),
        }
    }

    /// Whether the file itself is replaced, or another one written; both at once is refused.
    pub(super) fn destination(&self, file: Option<&Path>) -> Result<Destination, Exit> {
        match (self.flags.is_set("in-place"), self.path("output"), file) {
            (true, Some(_), _) => Err(Exit::new(8, "Error: cannot operate on both --output and --in-place")),
            (true, None, None) => Err(Exit::new(8, "Error: cannot use --in-place when reading from stdin")),
            (true, None, Some(file)) => Ok(Destination::InPlace(file.to_owned())),
            (false, Some(output), _) => Ok(Destination::Output(output)),
            (false, None, _) => Ok(Destination::Stdout),
        }
    }
}

/// Where the result goes to.
#[derive(Debug)]
pub(super) enum Destination {
    Stdout,
    Output(PathBuf),
    InPlace(PathBuf),
}

impl Destination {
    /// Writes the whole result; a file that is there keeps its permissions.
    pub(super) fn write(&self, text: &[u8], new_mode: u32) -> Result<(), Exit> {
        let (path, what) = match self {
            Self::Stdout => return Ok(report::data(text)?),
            Self::Output(path) => (path, "output"),
            Self::InPlace(path) => (path, "in-place"),
        };
        write(path, text, new_mode, what)
    }
}

/// Replaces a file.
pub(super) fn write(path: &Path, text: &[u8], new_mode: u32, what: &str) -> Result<(), Exit> {
    let failed = |error: FileError| {
        Exit::new(3, format!("Could not open {what} file for writing: {}", whole(&error)).replace("  ", " "))
    };
    Target::hold_linked(path).map_err(failed)?.replace(text, None, Mode::KeptOr(new_mode)).map_err(failed)
}

/// The text of an encrypted file as another type.
pub(super) fn converted(
    call: &Call,
    text: Vec<u8>,
    formats: (Format, Format),
    keys: &KeyServices,
) -> Result<Vec<u8>, Exit> {
    let (input, output) = formats;
    if input == output {
        return Ok(text);
    }
    let failed = |error: SopsError| Exit::decrypting(&error);
    let file = EncryptedFile::parse_as_sops(input, text).and_then(|file| file.adopt(keys)).map_err(failed)?;
    let document = file.document().map_err(failed)?;
    let now = call.context.now();
    file.reencrypt_as(document, output, call.emit_options(output), crate::sops::Flavour::Sops, now).map_err(failed)
}
