//! `lockage publish`.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::cli::secrets::input::Source;
use crate::cli::secrets::opening::{Access, Sealed};
use crate::cli::secrets::publishing::name_at;
use crate::cli::secrets::rules::{Rules, Search, shown};
use crate::cli::secrets::services::Opening;
use crate::cli::secrets::{clouds, in_file, walk};
use crate::cli::{Context, Failed, report, terminal};
use crate::document::Format;
use crate::error::{Class, Outcome};
use crate::keys::{Destination, Publisher, Standing};
use crate::sops::{DestinationRule, EncryptedFile, Recreated, SopsError};
use crate::system::files;

/// Bring encrypted files to where `destination_rules` of `.sops.yaml` say: a bucket, or a Vault, which gets their values.
///
/// What is there already is not sent again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
lockage publish secrets/app.yaml\n  \
lockage publish --dry-run --recursive secrets\n  \
lockage publish --yes --json secrets/*.yaml")]
pub(crate) struct Publish {
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Publish everything below folders, under their paths in them; what git ignores, what no rule is for and what is not
    /// encrypted is left out.
    #[arg(short = 'r', long)]
    recursive: bool,
    /// Leave out the last extension of the names.
    #[arg(long)]
    omit_extensions: bool,
    /// Do not ask.
    #[arg(short = 'y', long)]
    yes: bool,
    /// Show what would be sent where, and send nothing.
    #[arg(short = 'n', long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    opening: Opening,
}

/// One file, ready to be sent.
struct Parcel {
    path: PathBuf,
    name: String,
    destination: Destination,
    address: String,
    content: Zeroizing<Vec<u8>>,
    recreated: Option<Recreated>,
    standing: Standing,
}

impl Publish {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let context = &self.opening.chosen(context)?;
        let publisher = clouds::publisher(context);
        let mut parcels = Vec::new();
        for root in &self.files {
            let folder = context.path(root);
            if !folder.is_dir() {
                parcels.extend(self.pack(context, &publisher, None, root)?);
                continue;
            }
            if !self.recursive {
                return Err(Failed::new(Class::Usage, format!("`{}` is a folder", root.display()))
                    .hint("`--recursive` publishes everything below it"));
            }
            let folder: PathBuf = folder.components().collect();
            for file in walk::files(context, std::slice::from_ref(root))? {
                let below = file.strip_prefix(&folder).unwrap_or(&file);
                parcels.extend(self.pack(context, &publisher, Some(root), &root.join(below))?);
            }
        }
        refuse_one_address_for_two(&parcels)?;
        let changing = parcels.iter().filter(|parcel| parcel.standing != Standing::Same).count();
        if !context.json {
            for parcel in &parcels {
                say(context, &described(parcel));
            }
        } else if self.dry_run || changing == 0 {
            print(&parcels, false)?;
        }
        if changing == 0 {
            say(context, &format!("{} file(s) are where they belong: nothing is sent", parcels.len()));
            return Ok(0);
        }
        if self.dry_run {
            return Ok(0);
        }
        if !self.yes && !terminal::confirm(context, &format!("Publish {changing} file(s)?"))? {
            say(context, "nothing was sent");
            return Ok(0);
        }
        send(context, &publisher, &parcels)?;
        if context.json {
            print(&parcels, true)?;
        }
        Ok(0)
    }

    fn pack(
        &self,
        context: &Context,
        publisher: &Publisher,
        root: Option<&Path>,
        path: &Path,
    ) -> Result<Option<Parcel>, Failed> {
        let source = Source::File(path.to_owned());
        let Some((rules, rule)) = rule_for(context, path, root.is_some())? else { return Ok(None) };
        let mut places = rule.places();
        let Some(destination) = places.pop().filter(|_| places.is_empty()) else {
            let place = format!("{}:{}", shown(context, &rules.path), rule.line);
            return Err(Failed::new(Class::Usage, format!("the destination rule at {place} does not name one place"))
                .hint("name one of `s3_bucket`, `gcs_bucket`, `vault_path`"));
        };
        let name = name_at(root, path, self.omit_extensions || rule.omit_extensions);
        let address = publisher.address(&destination, &name);
        let text = source.read(context)?;
        let format = Format::of_path(&path.to_string_lossy());
        let found = root.is_some();
        if found && !is_encrypted(format, &text) {
            say(context, &format!("- {} is not encrypted: it is left out", path.display()));
            return Ok(None);
        }
        let sealed = Sealed::parse(context, &source, format, text.to_vec())?;
        let publication = sealed.publication(context, &text, &destination, &rule)?;
        let (content, recreated) = (publication.content, publication.recreated);
        let mut standing = publisher.look(&destination, &name, &content);
        if let (Standing::Other(Some(there)), true) = (&standing, recreated.is_some())
            && is_the_same(context, format, there, &content)
        {
            standing = Standing::Same;
        }
        Ok(Some(Parcel { path: path.to_owned(), name, destination, address, content, recreated, standing }))
    }
}

/// The destination rule for a file, and the rules that it stands in.
fn rule_for(context: &Context, path: &Path, optional: bool) -> Result<Option<(Rules, DestinationRule)>, Failed> {
    let none = |message: String| {
        let hint = "add a `destination_rules` entry with a `path_regex` that matches it";
        if optional { Ok(None) } else { Err(Failed::new(Class::Usage, message).hint(hint)) }
    };
    if files::read(&context.path(path)).is_err() && !context.path(path).exists() {
        return Err(Failed::new(Class::Usage, format!("there is no file `{}`", path.display())));
    }
    let Some(rules) = Rules::find(context, path, Search::OfFile)? else {
        return none(format!("there is no `.sops.yaml` for `{}`", path.display()));
    };
    if optional && context.path(path) == rules.path {
        return Ok(None);
    }
    let subject = rules.subject(context, path);
    match rules.set.destinations().iter().find(|rule| rule.is_for(&subject)).cloned() {
        Some(rule) => Ok(Some((rules, rule))),
        None => none(format!("no destination rule of `{}` is for `{subject}`", shown(context, &rules.path))),
    }
}

/// Whether a file that was found is one to be published; what looks like an encrypted one and is broken is.
fn is_encrypted(format: Format, text: &[u8]) -> bool {
    match EncryptedFile::parse(format, text.to_vec()) {
        Err(SopsError::NotEncrypted) => false,
        Err(_) => format != Format::Binary,
        Ok(_) => true,
    }
}

/// Whether what is there was made of the same values for the same keys: it is never the same text twice.
fn is_the_same(context: &Context, format: Format, there: &[u8], content: &[u8]) -> bool {
    let parse = |text: &[u8]| EncryptedFile::parse(format, text.to_vec()).ok();
    let (Some(one), Some(other)) = (parse(there), parse(content)) else { return false };
    let ids = |file: &EncryptedFile| -> Vec<Vec<String>> {
        let groups = file.metadata().groups.iter();
        groups.map(|group| group.keys.iter().map(|key| key.recipient.id()).collect()).collect()
    };
    let about = |file: &EncryptedFile| {
        let metadata = file.metadata();
        (ids(file), metadata.shamir_threshold, metadata.selector.clone(), metadata.mac_only_encrypted)
    };
    if about(&one) != about(&other) {
        return false;
    }
    // Nobody sees what is compared here, so nothing of it is recorded.
    let open = |file: EncryptedFile| {
        let keys = Access::to(context, [file.metadata()]).keys;
        file.decrypt(&keys).ok()
    };
    matches!((open(one), open(other)), (Some(one), Some(other)) if one.text() == other.text())
}

/// Two files with one address would overwrite each other.
fn refuse_one_address_for_two(parcels: &[Parcel]) -> Result<(), Failed> {
    for (at, parcel) in parcels.iter().enumerate() {
        if let Some(other) = parcels[..at].iter().find(|other| other.address == parcel.address) {
            let (one, other, address) = (parcel.path.display(), other.path.display(), &parcel.address);
            let message = format!("`{other}` and `{one}` would both go to `{address}`");
            return Err(Failed::new(Class::Usage, message));
        }
    }
    Ok(())
}

fn send(context: &Context, publisher: &Publisher, parcels: &[Parcel]) -> Result<(), Failed> {
    let changing = parcels.iter().filter(|parcel| parcel.standing != Standing::Same);
    for (sent, parcel) in changing.enumerate() {
        if let Err(error) = publisher.put(&parcel.destination, &parcel.name, &parcel.content) {
            let mut failed = in_file(&Source::File(parcel.path.clone()), error);
            failed.outcome = Some(match (sent, failed.class) {
                (0, Class::Usage | Class::Untrusted) => Outcome::Unchanged,
                (0, _) => Outcome::Unknown,
                _ => Outcome::Partial,
            });
            return Err(failed);
        }
        say(context, &format!("sent {} -> {}", parcel.path.display(), parcel.address));
    }
    Ok(())
}

fn say(context: &Context, line: &str) {
    if !context.quiet {
        report::say(line);
    }
}

/// What would become of one file. No value is in it.
fn described(parcel: &Parcel) -> String {
    let mark = match parcel.standing {
        Standing::Nothing => '+',
        Standing::Same => '=',
        Standing::Other(_) => '~',
        Standing::Unknown(_) => '?',
    };
    let mut text = format!("{mark} {} -> {}", parcel.path.display(), parcel.address);
    if parcel.destination.takes_values() {
        text.push_str("\n    its values, decrypted, for the Vault to keep");
    }
    if let Standing::Unknown(why) = &parcel.standing {
        text.push_str(&format!("\n    what is there is not known: {}", why.trim()));
    }
    let Some(recreated) = &parcel.recreated else { return text };
    text.push_str("\n    encrypted anew for other keys:");
    for group in &recreated.changes.groups {
        for (mark, ids) in [("  ", &group.common), ("+ ", &group.added), ("- ", &group.removed)] {
            for id in ids {
                text.push_str(&format!("\n      {mark}{id}"));
            }
        }
    }
    if recreated.laid_open > 0 {
        let count = recreated.laid_open;
        text.push_str(&format!("\n    {count} value(s) that are encrypted here are readable there, as its rule says"));
    }
    text
}

fn print(parcels: &[Parcel], published: bool) -> Result<(), Failed> {
    let one = |parcel: &Parcel| {
        let change = match parcel.standing {
            Standing::Nothing => "new",
            Standing::Same => "same",
            Standing::Other(_) => "changed",
            Standing::Unknown(_) => "unknown",
        };
        let form = match (parcel.destination.takes_values(), &parcel.recreated) {
            (true, _) => "values",
            (false, Some(_)) => "recreated",
            (false, None) => "file",
        };
        let laid_open = parcel.recreated.as_ref().map_or(0, |recreated| recreated.laid_open);
        serde_json::json!({
            "file": parcel.path.display().to_string(),
            "destination": parcel.address,
            "sends": form,
            "change": change,
            "laid_open": laid_open,
        })
    };
    let files: Vec<_> = parcels.iter().map(one).collect();
    report::json("lockage.publish/1", &serde_json::json!({"files": files, "published": published}))
}
