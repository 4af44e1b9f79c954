//! `sops encrypt` and `sops decrypt`.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::exit::{self, Exit};
use super::extract;
use super::flags::{OTHER_KEYS, Parsed};
use crate::cli::secrets::identities::{Identities, to_encrypt};
use crate::cli::secrets::rules::{Rules, Search, group};
use crate::cli::{Context, report};
use crate::document::{Document, Format};
use crate::error::Failure as _;
use crate::sops::{EncryptedFile, Encryption, EncryptionScope, Flavour, Selector, SopsError};
use crate::system::files::{self, FileError, Mode, Target};

/// The arguments both commands share.
struct Arguments {
    /// The file; none is stdin.
    file: Option<PathBuf>,
    in_place: bool,
    output: Option<PathBuf>,
    /// What decides on format and rule.
    name: Option<PathBuf>,
    input_type: Option<Format>,
    output_type: Option<Format>,
}

impl Arguments {
    fn of(context: &Context, flags: &Parsed) -> Result<Self, Exit> {
        let path =
            |name: &str| flags.value(name).filter(|path| !path.is_empty()).map(|path| context.path(Path::new(path)));
        let file = flags.rest.first().map(|path| context.path(Path::new(path)));
        let (in_place, output) = (flags.is_set("in-place"), path("output"));
        if in_place && output.is_some() {
            return Err(Exit::new(8, "Error: cannot operate on both --output and --in-place"));
        }
        if in_place && file.is_none() {
            return Err(Exit::new(8, "Error: cannot use --in-place when reading from stdin"));
        }
        let word = |name: &str| flags.value(name).and_then(Format::of_word);
        let name = path("filename-override").or_else(|| file.clone());
        Ok(Self { file, in_place, output, name, input_type: word("input-type"), output_type: word("output-type") })
    }

    /// The format of the input; both formats are chosen alone, and nothing is converted yet.
    fn format(&self) -> Result<Format, Exit> {
        let by_name = self.name.as_deref().map_or(Format::Binary, |name| Format::of_path(&name.to_string_lossy()));
        let (input, output) = (self.input_type.unwrap_or(by_name), self.output_type.unwrap_or(by_name));
        if input == output {
            return Ok(input);
        }
        let (input, output) = (input.word(), output.word());
        Err(Exit::new(1, format!("lockage does not convert yet: the input is {input}, the output would be {output}")))
    }

    fn read(&self) -> Result<Zeroizing<Vec<u8>>, Exit> {
        let read = match &self.file {
            Some(path) => files::read(path),
            None => files::read_stream(std::io::stdin().lock(), 64 << 10, Path::new("stdin")),
        };
        read.map_err(|error| Exit::new(2, format!("Error reading file: {}", whole(&error))))
    }

    fn write(&self, text: &[u8], mode: Mode) -> Result<(), Exit> {
        let Some(path) = self.file.as_ref().filter(|_| self.in_place).or(self.output.as_ref()) else {
            return Ok(report::data(text)?);
        };
        let failed = |error: FileError| {
            let what = if self.in_place { "in-place" } else { "output" };
            Exit::new(3, format!("Could not open {what} file for writing: {}", whole(&error)))
        };
        Target::hold(path).map_err(failed)?.replace(text, None, mode).map_err(failed)
    }
}

/// An error with what the system says, and what to do.
fn whole(error: &FileError) -> String {
    let mut text = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        text.push_str(&format!(": {source}"));
    }
    for hint in error.hints() {
        text.push_str(&format!("\n{hint}"));
    }
    text
}

/// A file that was named must be there.
pub(super) fn exists(context: &Context, file: &str) -> Result<(), Exit> {
    let path = context.path(Path::new(file));
    if path.exists() {
        return Ok(());
    }
    Err(Exit::new(100, format!("Error: cannot operate on non-existent file \"{}\"", path.display())))
}

pub(super) fn encrypt(context: &Context, global: &Parsed, flags: &Parsed) -> Result<(), Exit> {
    exit::warn_of_ignored(if std::ptr::eq(global, flags) { &[] } else { &flags.rest });
    let arguments = Arguments::of(context, flags)?;
    if arguments.file.is_none() && flags.value("filename-override").is_none() {
        return Err(Exit::new(8, "Error: must specify --filename-override when reading from stdin"));
    }
    if let Some(file) = flags.rest.first() {
        exists(context, file)?;
    }
    let format = arguments.format()?;
    let encryption = encryption(context, global, flags, arguments.name.as_deref())?;
    let mut input = arguments.read()?;
    let document =
        Document::parse(format, std::mem::take(&mut *input)).map_err(|error| Exit::encrypting(error.into()))?;
    let text =
        crate::sops::encrypt(&document, &encryption, &to_encrypt(context), context.now()).map_err(Exit::encrypting)?;
    arguments.write(&text, Mode::KeptOr(0o644))
}

/// Keys from flags and variables beat those of the rule; what else the rule says still holds.
///
/// *Source*: the SOPS format, section 8.4.
fn encryption(context: &Context, global: &Parsed, flags: &Parsed, name: Option<&Path>) -> Result<Encryption, Exit> {
    let given = |name: &str| {
        let value = flags.value(name).or_else(|| flags.variable(name).and_then(|variable| context.variable(variable)));
        value.filter(|value| !value.is_empty())
    };
    if let Some(other) = OTHER_KEYS.into_iter().find(|name| given(name).is_some()) {
        return Err(Exit::new(1, format!("lockage has no keys of the type `--{other}` yet")));
    }
    let chosen: Vec<Selector> = selectors(flags)?;
    if chosen.len() > 1 {
        return Err(Exit::new(8, format!("Error: {MORE_SELECTORS}")));
    }
    let rules = rules(context, name)?;
    let rule = match (&rules, name) {
        (Some(rules), Some(name)) if rules.set.rules().is_some() => {
            let rule = rules.rule_for(context, name);
            Some(rule.ok_or_else(|| Exit::new(1, "error loading config: no matching creation rules found"))?)
        }
        _ => None,
    };
    let mut encryption = match (rule, given("age")) {
        (Some(rule), _) => Encryption::of_rule(rule),
        (None, Some(_)) => Encryption::default(),
        (None, None) => {
            return Err(Exit::new(
                1,
                "config file not found, or has no creation rules, and no keys provided through command line options",
            ));
        }
    };
    if let Some(recipients) = given("age") {
        encryption.groups =
            vec![group(recipients).map_err(|error| Exit::new(1, format!("failed to parse input, {error}")))?];
    }
    if let Some(selector) = chosen.into_iter().next() {
        let same =
            encryption.scope.selector().field().map(|(field, _)| field) == selector.field().map(|(field, _)| field);
        if rule.is_some_and(|rule| rule.selector != Selector::default()) && !same {
            return Err(Exit::new(8, format!("Error: {MORE_SELECTORS}")));
        }
        encryption.scope = EncryptionScope::new(selector);
    }
    encryption.mac_only_encrypted |= global.is_set("mac-only-encrypted");
    encryption.flavour = Flavour::Sops;
    if let Some(threshold) = flags.value("shamir-secret-sharing-threshold").and_then(|text| text.parse().ok()) {
        encryption.shamir_threshold = Some(threshold).filter(|threshold| *threshold != 0);
    }
    Ok(encryption)
}

const MORE_SELECTORS: &str = "cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file";

fn selectors(flags: &Parsed) -> Result<Vec<Selector>, Exit> {
    let mut chosen = Vec::new();
    for field in Selector::FIELDS {
        let Some(value) = flags.value(&field.replace('_', "-")).filter(|value| !value.is_empty()) else { continue };
        let selector = Selector::of_field(field, value).map_err(|error| Exit::new(1, error.to_string()))?;
        chosen.extend(selector);
    }
    Ok(chosen)
}

/// The rules, which every command reads, because a malformed file stops them all.
fn rules(context: &Context, name: Option<&Path>) -> Result<Option<Rules>, Exit> {
    let name = name.unwrap_or(Path::new(""));
    Rules::find(context, name, Search::OfDirectory).map_err(|failed| {
        let lead = if context.config.is_some() { "could not read config file: " } else { "error loading config: " };
        Exit::new(1, format!("{lead}{}", failed.message))
    })
}

pub(super) fn decrypt(context: &Context, flags: &Parsed) -> Result<(), Exit> {
    let arguments = Arguments::of(context, flags)?;
    if let Some(file) = flags.rest.first() {
        exists(context, file)?;
    }
    let path = flags.value("extract").filter(|path| !path.is_empty()).map(extract::path).transpose()?;
    rules(context, arguments.name.as_deref())?;
    let format = arguments.format()?;
    let input = arguments.read()?;
    let file = EncryptedFile::parse(format, input.to_vec()).map_err(|error| unreadable(format, &input, &error))?;
    let identities = Identities::of_user(context, file.metadata());
    let failed = |error: SopsError| Exit::decrypting(&error);
    let plain: Zeroizing<Vec<u8>> = if flags.is_set("ignore-mac") {
        Zeroizing::new(file.decrypt_unverified(&identities.keys(context)).map_err(failed)?.text().to_vec())
    } else {
        Zeroizing::new(file.decrypt(&identities.keys(context)).map_err(failed)?.text().to_vec())
    };
    let Some(path) = path else { return arguments.write(&plain, Mode::KeptOr(0o600)) };
    let document = Document::parse(format, plain.to_vec()).map_err(|error| failed(error.into()))?;
    let Some(id) = document.find(&path) else { return Err(extract::explain(&document, &path)) };
    let scalar = document.scalar(id).map_err(|error| failed(error.into()))?;
    let shown = Zeroizing::new(extract::shown(format, scalar.kind, &scalar.canonical));
    arguments.write(&shown, Mode::KeptOr(0o600))
}

/// Why a text is no encrypted file. A binary file is JSON once it is encrypted.
fn unreadable(format: Format, input: &[u8], error: &SopsError) -> Exit {
    if matches!(format, Format::Json | Format::Binary)
        && let Err(error) = Document::parse(Format::Json, input.to_vec())
    {
        return Exit::new(1, format!("Could not unmarshal input data: {error}"));
    }
    Exit::decrypting(error)
}
