//! Many files in one command: each read once, worked on by several threads, and all of them replaced or none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use memchr::memmem;

use super::fetching::Fetching;
use super::input::{InputType, Source, shorten};
use super::opening::{Access, Sealed};
use super::output::Content;
use super::several::{Named, Place};
use super::{in_file, sets};
use crate::cipher::token;
use crate::cli::{Context, Failed, report};
use crate::document::{Document, Format};
use crate::error::{Class, Outcome};
use crate::keys::{KeyServices, Recipient, published};
use crate::sops::{EncryptedFile, Metadata, SopsError, fetch_key};
use crate::system::at_once::{KEYS_AT_ONCE, at_once};
use crate::system::files::{self, Digest, FileError, Loss, Set, Target, allow_open, digest};

/// Bytes of files that stay in memory between reading them and working on them; what is above is read a second time.
const KEPT: usize = 128 << 20;
/// Replaced files that are not worth a thread of their own to let go of them.
const FREED_BY_ONE: usize = 8;
/// Failures that a report tells one by one.
const TOLD: usize = 20;

/// Reads a text of a format; nothing where it was found in a folder and the command is not for it.
type Parse<T> = fn(&Named, Format, Vec<u8>) -> Result<Option<T>, Failed>;

/// One file, held until it is replaced.
pub(crate) struct Member<T> {
    pub(crate) source: Source,
    format: Format,
    /// As the user would write them.
    named: Named,
    pub(crate) output: PathBuf,
    target: Target,
    replaces_input: bool,
    digest: Digest,
    kept: Mutex<Option<T>>,
}

/// The files of one command.
pub(crate) struct Batch<T: Send> {
    pub(crate) members: Vec<Member<T>>,
    parse: Parse<T>,
}

impl<T: Send> Batch<T> {
    /// Holds and reads files, and takes a note of each; one that was found in a folder and is not what the command is
    /// for, or has not the mark in it, is left out.
    ///
    /// # Errors
    /// Every file that cannot be held, read or parsed.
    pub(crate) fn load<N: Send>(
        context: &Context,
        files: &[Named],
        format: impl Fn(&Named) -> Result<Format, Failed> + Sync,
        place: &Place,
        (mark, parse): (&[u8], Parse<T>),
        note: impl Fn(&T) -> N + Sync,
    ) -> Result<(Self, Vec<N>), Failed> {
        // Each file, and the one that takes its place while it is written.
        allow_open(files.len() + 2 * KEYS_AT_ONCE).map_err(|most| {
            Failed::new(Class::Usage, format!("{} files are more than the {most} that a process may hold", files.len()))
                .hint("raise the limit: `ulimit -Hn`")
        })?;
        let outputs = files.iter().map(|named| place.of(context, &named.path)).collect::<Result<Vec<_>, _>>()?;
        for folder in outputs.iter().filter_map(|output| output.parent()).collect::<BTreeSet<_>>() {
            sets::finish_around(context, folder)?;
        }
        let kept = AtomicUsize::new(0);
        let load = |(named, output): &(&Named, PathBuf)| -> Result<Option<(Member<T>, N)>, Failed> {
            let source = Source::File(named.path.clone());
            let is_meant = |text: &[u8]| named.explicit || memmem::find(text, mark).is_some();
            let held = match place {
                Place::InPlace => Target::hold_read(output, context.max_size, is_meant),
                Place::Below(_) => files::read_at_most(&context.path(&named.path), context.max_size)
                    .map(|text| is_meant(&text).then_some(text))
                    .and_then(|text| text.map(|text| Ok((Target::hold(output)?, text))).transpose()),
            };
            let (target, mut text) = match held {
                Ok(Some(held)) => held,
                Ok(None) => return Ok(None),
                // What cannot be read or held was found and has nothing to do with the command.
                Err(_) if !named.explicit && !has(mark, &context.path(&named.path)) => return Ok(None),
                Err(error) => return Err(shorten(context, error.into())),
            };
            let (replaces_input, format) = (matches!(place, Place::InPlace), format(named)?);
            let (digest, length) = (digest(&text), text.len());
            let Some(parsed) = parse(named, format, std::mem::take(&mut *text))? else { return Ok(None) };
            let noted = note(&parsed);
            let fits = kept.fetch_add(length, Ordering::Relaxed) < KEPT;
            let output = super::rules::shown(context, output).into();
            let (named, kept) = ((*named).clone(), Mutex::new(fits.then_some(parsed)));
            Ok(Some((Member { source, format, named, output, target, replaces_input, digest, kept }, noted)))
        };
        let files: Vec<(&Named, PathBuf)> = files.iter().zip(outputs).collect();
        let loaded = gather(at_once(&files, processors(), load))?;
        let (members, notes) = loaded.into_iter().flatten().unzip();
        Ok((Self { members, parse }, notes))
    }

    /// A file as the user would write it.
    pub(crate) fn input(&self, index: usize) -> &Path {
        self.members.get(index).map_or(Path::new(""), |member| &member.named.path)
    }

    /// All of them, to be chosen from.
    pub(crate) fn every(&self) -> Vec<usize> {
        (0..self.members.len()).collect()
    }

    /// Says what was done, and ends well.
    pub(crate) fn report(&self, context: &Context, command: &str, done: &str) -> Result<u8, Failed> {
        let files = self.members.iter().map(|member| {
            serde_json::json!({"file": member.named.path.display().to_string(), "output": member.output.display().to_string()})
        });
        if context.json {
            let files: Vec<_> = files.collect();
            report::json(&format!("lockage.{command}/1"), &serde_json::json!({ "files": files }))?;
        } else if !context.quiet {
            report::say(&format!("{done} {} file(s)", self.members.len()));
        }
        Ok(0)
    }

    /// Works on the chosen ones, `limit` at once: `work` gives each its new text through the last argument. When all have
    /// one, all are replaced.
    ///
    /// # Errors
    /// Every failure of `work`; [`FileError`]. No file is changed then, or the failure says otherwise.
    pub(crate) fn replace(
        &self,
        context: &Context,
        chosen: &[usize],
        limit: usize,
        content: Content,
        work: impl Fn(usize, T, &dyn Fn(&[u8]) -> Result<(), Failed>) -> Result<(), Failed> + Sync,
    ) -> Result<(), Failed> {
        let members: Vec<(usize, &Member<T>)> =
            chosen.iter().filter_map(|index| Some((*index, self.members.get(*index)?))).collect();
        if members.is_empty() {
            return Ok(());
        }
        let folders = Folders::make(members.iter().map(|(_, member)| member.target.place()))?;
        let shown = |error: FileError| shorten(context, error.into());
        if let [(index, member)] = members[..] {
            let text = self.take(context, member)?;
            let known = member.replaces_input.then_some(member.digest);
            let save = |text: &[u8]| member.target.replace_read(text, known, content.mode()).map_err(shown);
            work(index, text, &save)?;
            folders.keep();
            return Ok(());
        }
        let targets: Vec<&Target> = members.iter().map(|(_, member)| &member.target).collect();
        let room = sets::room(context, targets.iter().map(|target| target.place()))?;
        // A plaintext beside the file that it was taken from is lost without a loss.
        let loss = if content == Content::Plaintext { Loss::NewFiles } else { Loss::Nothing };
        let set = Set::begin(&room, &targets, loss).map_err(shown)?;
        let numbers: Vec<usize> = (0..members.len()).collect();
        let one = |number: &usize| -> Result<(), Failed> {
            let (index, member) = members[*number];
            let known = member.replaces_input.then_some(member.digest);
            let save = |text: &[u8]| set.write(*number, text, known, content.mode()).map_err(shown);
            work(index, self.take(context, member)?, &save)
        };
        gather(at_once(&numbers, limit, one))?;
        set.commit().map_err(|error| {
            if !matches!(error, FileError::Unfinished { .. } | FileError::NotFlushed { .. }) {
                return unchanged(shown(error));
            }
            shown(error)
        })?;
        folders.keep();
        Ok(())
    }

    /// What was parsed of a file, or of what it holds now if that is the same.
    fn take(&self, context: &Context, member: &Member<T>) -> Result<T, Failed> {
        if let Some(kept) = member.kept.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(kept);
        }
        let mut text = member.source.read(context)?;
        if digest(&text) != member.digest {
            return Err(shorten(context, FileError::Changed { path: context.path(&member.named.path) }.into()));
        }
        let parsed = (self.parse)(&member.named, member.format, std::mem::take(&mut *text))?;
        parsed.ok_or_else(|| Failed::new(Class::Bug, format!("`{}` is two things", member.named.path.display())))
    }
}

impl<T: Send> Drop for Batch<T> {
    /// Lets go of the files in many threads: with the last one who holds it a replaced file is freed on the disk, for which
    /// some file systems let their caller wait.
    fn drop(&mut self) {
        let mut members = std::mem::take(&mut self.members);
        if !members.iter().any(|member| member.target.exists()) {
            return;
        }
        let part = members.len().div_ceil(KEYS_AT_ONCE).max(FREED_BY_ONE);
        std::thread::scope(|scope| {
            while members.len() > part {
                let rest = members.split_off(members.len() - part);
                scope.spawn(move || drop(rest));
            }
            drop(members);
        });
    }
}

/// Encrypted files, and the keys of this user to all of them.
pub(crate) struct SealedBatch {
    pub(crate) batch: Batch<EncryptedFile>,
    pub(crate) metadata: Vec<Metadata>,
    pub(crate) access: Access,
}

impl SealedBatch {
    /// Holds and reads encrypted files, and reads the user's identities once for all of them.
    ///
    /// # Errors
    /// As for [`Batch::load`].
    pub(crate) fn load(context: &Context, files: &[Named], input: &InputType, place: &Place) -> Result<Self, Failed> {
        let note = |file: &EncryptedFile| file.metadata().clone();
        let format = |named: &Named| input.format(Some(&named.path));
        let parse: Parse<EncryptedFile> = parse_sealed;
        let (batch, metadata) = Batch::load(context, files, format, place, (token::PREFIX, parse), note)?;
        let open = metadata.iter().filter(|file| file.recipients().any(published::is_published)).count();
        if open > 0 && !context.quiet {
            report::say(&format!(
                "lockage: warning: {open} file(s) open with the published test key, so they hold no secret"
            ));
        }
        let access = Access::to(context, &metadata);
        Ok(Self { batch, metadata, access })
    }

    /// Works on the chosen files as [`Batch::replace`] does, with their data keys at hand. `wrapped_for` says whom the work
    /// wraps keys for.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn replace<'r>(
        &self,
        context: &Context,
        chosen: &[usize],
        content: Content,
        wrapped_for: impl IntoIterator<Item = &'r Recipient>,
        work: impl Fn(usize, Sealed, &dyn Fn(&[u8]) -> Result<(), Failed>) -> Result<(), Failed> + Sync,
    ) -> Result<(), Failed> {
        let keys = &self.access.keys;
        let needed = chosen.iter().filter_map(|index| self.metadata.get(*index)).flat_map(Metadata::recipients);
        let fetch = |index: usize| match self.metadata.get(index) {
            Some(metadata) => fetch_key(metadata, keys).map_err(|error| self.failed(index, error)),
            None => Ok(()),
        };
        let one = |index: usize, file, save: &dyn Fn(&[u8]) -> Result<(), Failed>| {
            let source = &self.batch.members[index].source;
            work(index, Sealed::one_of(context, file, source, &self.access)?, save)
        };
        let (waits, limit) = (limit(keys, needed) > processors(), limit(keys, wrapped_for));
        if waits && limit <= processors() {
            let fetching = Fetching::of(chosen);
            return std::thread::scope(|scope| {
                scope.spawn(|| fetching.all(fetch));
                self.batch.replace(context, chosen, limit, content, |index, file, save| {
                    fetching.wait(index)?;
                    one(index, file, save)
                })
            });
        }
        if waits {
            // Where the work waits for somebody, too, both at once would be more questions than are allowed.
            gather(at_once(chosen, KEYS_AT_ONCE, |index| fetch(*index)))?;
        }
        self.batch.replace(context, chosen, limit, content, one)
    }

    /// All of them, to be chosen from.
    pub(crate) fn every(&self) -> Vec<usize> {
        self.batch.every()
    }

    /// A file as the user would write it.
    pub(crate) fn input(&self, index: usize) -> &Path {
        self.batch.input(index)
    }

    fn failed(&self, index: usize, error: SopsError) -> Failed {
        match self.batch.members.get(index) {
            Some(member) => self.access.explain(&member.source, error),
            None => error.into(),
        }
    }
}

/// How many files to work on at once: as many as there are processors, or more where the work is waiting for somebody.
pub(crate) fn limit<'r>(keys: &KeyServices, recipients: impl IntoIterator<Item = &'r Recipient>) -> usize {
    let waits = recipients.into_iter().any(|recipient| keys.waits(recipient.kind()));
    if waits { KEYS_AT_ONCE.max(processors() + 1) } else { processors() }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Whether there is such a mark in a file; if any is asked for.
fn has(mark: &[u8], path: &Path) -> bool {
    mark.is_empty() || files::read(path).is_ok_and(|text| memmem::find(&text, mark).is_some())
}

/// All results, or one failure that tells of all.
fn gather<R>(results: Vec<Result<R, Failed>>) -> Result<Vec<R>, Failed> {
    let all = results.len();
    let (mut done, mut failures) = (Vec::with_capacity(all), Vec::new());
    for result in results {
        match result {
            Ok(result) => done.push(result),
            Err(failed) => failures.push(failed),
        }
    }
    let mut failed = match failures.as_slice() {
        [] => return Ok(done),
        [_] => return Err(failures.pop().map_or_else(|| Failed::new(Class::Bug, "no failure"), unchanged)),
        [first, ..] => Failed::new(first.class, format!("{} of {all} files fail", failures.len())),
    };
    for one in failures {
        if failed.causes.len() < TOLD {
            failed.causes.push(one.message);
        }
        for hint in one.hints {
            if failed.hints.len() < TOLD && !failed.hints.contains(&hint) {
                failed.hints.push(hint);
            }
        }
    }
    Err(unchanged(failed))
}

fn unchanged(mut failed: Failed) -> Failed {
    failed.outcome = Some(Outcome::Unchanged);
    failed
}

/// Folders that were made for outputs; those that stay empty go with it.
struct Folders(Vec<PathBuf>);

impl Folders {
    fn make<'p>(files: impl Iterator<Item = &'p Path>) -> Result<Self, Failed> {
        let mut made = Self(Vec::new());
        for folder in files.filter_map(Path::parent).collect::<BTreeSet<_>>() {
            let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
            for folder in missing.into_iter().rev() {
                files::make_folder(folder)?;
                made.0.push(folder.to_owned());
            }
        }
        Ok(made)
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Parses an encrypted file. What is found in a folder and has no `sops` block, or is a page that shows a token, is none.
fn parse_sealed(named: &Named, format: Format, text: Vec<u8>) -> Result<Option<EncryptedFile>, Failed> {
    match EncryptedFile::parse(format, text) {
        Ok(file) => Ok(Some(file)),
        Err(SopsError::NotEncrypted) if !named.explicit => Ok(None),
        Err(_) if !named.explicit && format == Format::Binary => Ok(None),
        Err(error) => Err(in_file(&Source::File(named.path.clone()), error)),
    }
}

/// Parses a plaintext. What is found in a folder and is encrypted already is none.
pub(crate) fn parse_plain(named: &Named, format: Format, text: Vec<u8>) -> Result<Option<Document>, Failed> {
    let document = Document::parse(format, text)
        .map_err(|error| in_file(&Source::File(named.path.clone()), SopsError::from(error)))?;
    Ok((named.explicit || document.metadata().is_none()).then_some(document))
}
