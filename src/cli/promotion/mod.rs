//! What every command about promotions stands on: the clone, its pipelines, its ledger, and the vendors or their twins.

pub(crate) mod consent;
mod edge;
mod opener;
pub(crate) mod progress;
mod rehearsal;
pub(crate) mod show;
pub(crate) mod summary;

use std::path::PathBuf;

use crate::cli::commands::sandbox::{spawn, world_dir};
use crate::cli::{Context, Failed};
use crate::error::Class;
use crate::platforms;
use crate::promote::{
    Checkout, ChoiceError, Engine, Journal, Ledger, NotAStageName, Pipeline, Pipelines, PromoteError, Repository as _,
    Scope, Source as _, StageName,
};
use crate::repo::refs::Refs;
use crate::secret::{SecretRef, SecretString};

use self::edge::Edge;
use self::opener::{PUBLISHED, Refused, opener};
use self::rehearsal::Twins;

/// The flags that every command about promotions has.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Place {
    /// The pipeline, where more than one has the stages: a file of `pipelines/` without its ending.
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: Option<String>,
    /// Rehearse on loopback: every target is mapped to its twin, and consent is given by itself.
    #[arg(long)]
    pub(crate) sandbox: bool,
}

/// One command's view of the clone.
pub(crate) struct Session {
    checkout: Checkout,
    edge: Edge,
    refused: Refused,
    pipelines: Pipelines,
    journals: PathBuf,
    ledger: LedgerPlace,
    by: String,
    /// Whether this is a rehearsal.
    pub(crate) rehearsal: bool,
}

struct LedgerPlace {
    directory: PathBuf,
    remote: Option<String>,
}

impl Session {
    /// Opens the clone that the user stands in; in a rehearsal its world is found or started.
    ///
    /// # Errors
    /// Outside a repository, with a malformed pipeline file, or when the world does not come up.
    pub(crate) fn open(context: &Context, place: &Place) -> Result<Self, Failed> {
        Self::open_found(context, place, Found::at(context)?)
    }

    /// The same where the pipeline files were read already.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub(crate) fn open_found(context: &Context, place: &Place, found: Found) -> Result<Self, Failed> {
        let Found { git, pipelines } = found;
        let published = if place.sandbox { Some(published_key(&git)) } else { None };
        let (open, refused) = opener(context, published);
        let checkout = Checkout::at(&context.directory, open)?;
        let by = who(context, &git);
        if place.sandbox {
            let dir = world_dir(context)?;
            let world = rehearsal::open(&dir, context.now(), &checkout, pipelines.all(), spawn)?;
            let edge = Edge::new(context, Some(Twins::of(&world)?));
            let ledger = LedgerPlace { directory: dir.join("ledger.git"), remote: None };
            let journals = dir.join("journal");
            return Ok(Self { checkout, edge, refused, pipelines, journals, ledger, by, rehearsal: true });
        }
        let common = checkout.common_directory()?;
        let ledger = LedgerPlace { directory: common.clone(), remote: remote(&git) };
        let journals = common.join("lockage/journal");
        let edge = Edge::new(context, None);
        Ok(Self { checkout, edge, refused, pipelines, journals, ledger, by, rehearsal: false })
    }

    /// The engine on this clone.
    ///
    /// # Errors
    /// When the ledger's repository cannot be used.
    pub(crate) fn engine(&self) -> Result<Engine<'_>, Failed> {
        let directory = &self.ledger.directory;
        let refs =
            if self.rehearsal { Refs::create(directory) } else { Refs::open(directory, self.ledger.remote.clone()) };
        Ok(Engine {
            connector: &self.edge,
            repository: &self.checkout,
            ledger: Ledger::new(refs?),
            journals: self.journals.clone(),
            clock: jiff::Timestamp::now,
            by: self.by.clone(),
        })
    }

    /// The pipelines of this clone.
    pub(crate) fn pipelines(&self) -> &[Pipeline] {
        self.pipelines.all()
    }

    /// The only pipeline that has these stages, or the named one.
    ///
    /// # Errors
    /// Exit 2 with the list where that is not exactly one.
    pub(crate) fn pipeline(&self, named: Option<&str>, stages: &[&StageName]) -> Result<&Pipeline, Failed> {
        let stages: Vec<&str> = stages.iter().map(|name| name.stage.as_str()).collect();
        Ok(self.pipelines.choose(named, &stages)?)
    }

    /// The pipeline that a command about one stage means: the only one that has it, else the only one whose ledger knows it.
    ///
    /// # Errors
    /// As [`Session::pipeline`].
    pub(crate) fn pipeline_of(&self, named: Option<&str>, stage: &StageName) -> Result<&Pipeline, Failed> {
        let several = match self.pipelines.choose(named, &[&stage.stage]) {
            Err(several @ ChoiceError::Several { .. }) => several,
            other => return Ok(other?),
        };
        let ledger = self.engine()?.ledger;
        let mut known = Vec::new();
        for pipeline in self.pipelines.all().iter().filter(|pipeline| pipeline.stage(&stage.stage).is_some()) {
            if ledger.head(&pipeline.name, stage)?.is_some() {
                known.push(pipeline);
            }
        }
        match known.as_slice() {
            [one] => Ok(one),
            _ => Err(several.into()),
        }
    }

    /// Refuses, outside a rehearsal and before anything is asked of anybody, a stage whose file the published test key opens.
    ///
    /// # Errors
    /// Exit 3 naming the file.
    pub(crate) fn refuse_published(&self, pipeline: &Pipeline, stage: &StageName) -> Result<(), Failed> {
        if self.rehearsal {
            return Ok(());
        }
        let Some(rule) = pipeline.stage(&stage.stage) else { return Ok(()) };
        if rule.per.is_none() || stage.instance.is_some() {
            let scope = Scope { pipeline, stage: rule, instance: stage.instance.as_deref(), artifact: None };
            if let Some(file) = self.checkout.file(&scope.secrets_path()?)? {
                // Only whether it may be opened is asked; there is no leaf of this name.
                let _ =
                    self.checkout.secret(&SecretRef { file: file.path, path: "lockage".to_owned(), blob: file.blob });
                self.explain(Ok(()))?;
            }
        }
        Ok(())
    }

    /// The name of the pipeline that has an unfinished promotion of this stage; needs no pipeline file.
    ///
    /// # Errors
    /// When the folder of journals cannot be read, or several pipelines have one.
    pub(crate) fn unfinished(&self, named: Option<&str>, stage: &StageName) -> Result<Option<String>, Failed> {
        let ending = format!(".{}", stage.in_file_name());
        let names = Journal::list(&self.journals)?;
        let mut found = names
            .iter()
            .filter_map(|name| name.strip_suffix(&ending))
            .filter(|name| named.is_none_or(|named| named == *name));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(Some(one.to_owned())),
            (None, _) => Ok(None),
            (Some(one), Some(two)) => {
                Err(Failed::new(Class::Usage, format!("`{stage}` has unfinished promotions in several pipelines"))
                    .hint(format!("name one with `--pipeline`: `{one}`, `{two}`")))
            }
        }
    }

    /// Makes a plan's or an engine's failure the user's: a refused file is the reason for whatever followed from it.
    pub(crate) fn explain<T>(&self, result: Result<T, PromoteError>) -> Result<T, Failed> {
        match (self.refused.file(), result) {
            (None, result) => result.map_err(Failed::from),
            (Some(file), _) => Err(Failed::new(
                Class::Untrusted,
                format!("`{file}` can be opened by the published test key, which everybody has"),
            )
            .hint(format!("encrypt `{file}` to recipients of your own, or rehearse with `--sandbox`"))),
        }
    }
}

/// Runs a future to its end on a runtime of its own.
///
/// # Errors
/// When the machine gives no runtime; and the future's own.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failed::new(Class::World, format!("the machine gives no runtime: {error}")))?;
    runtime.block_on(future)
}

/// A stage as the user names it.
///
/// # Errors
/// Exit 2 when the word can be no stage's name.
pub(crate) fn stage_name(word: &str) -> Result<StageName, Failed> {
    word.parse().map_err(|error: NotAStageName| Failed::new(Class::Usage, error.to_string()))
}

/// The clone that the user stands in, and what its pipeline files say.
pub(crate) struct Found {
    git: git2::Repository,
    pipelines: Pipelines,
}

impl Found {
    /// Reads the pipeline files.
    ///
    /// # Errors
    /// Outside a repository, or with a malformed pipeline file.
    pub(crate) fn at(context: &Context) -> Result<Self, Failed> {
        let git = repository(context)?;
        let pipelines = pipelines(&git)?;
        Ok(Self { git, pipelines })
    }

    /// The names of all stages, and of the protected ones.
    pub(crate) fn stage_names(&self) -> (Vec<String>, Vec<String>) {
        let stages = || self.pipelines.all().iter().flat_map(|pipeline| &pipeline.stages);
        let protected = stages().filter(|stage| stage.protected());
        (stages().map(|stage| stage.name.clone()).collect(), protected.map(|stage| stage.name.clone()).collect())
    }
}

fn repository(context: &Context) -> Result<git2::Repository, Failed> {
    git2::Repository::discover(&context.directory).map_err(|_| {
        Failed::new(Class::Usage, format!("`{}` is in no git repository", context.directory.display()))
            .hint("promotions are recorded in the repository that the build comes from")
    })
}

/// The test key that HEAD publishes; nothing where it publishes none.
fn published_key(git: &git2::Repository) -> SecretString {
    let blob = git.revparse_single(&format!("HEAD:{PUBLISHED}")).and_then(|object| object.peel_to_blob());
    let text = blob.map(|blob| String::from_utf8_lossy(blob.content()).into_owned());
    SecretString::new(text.unwrap_or_default())
}

fn pipelines(git: &git2::Repository) -> Result<Pipelines, Failed> {
    let folder = git.workdir().unwrap_or(git.path()).join("pipelines");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".yaml") || name.ends_with(".yml") {
            let shown = format!("pipelines/{name}");
            let text = std::fs::read_to_string(entry.path())
                .map_err(|error| Failed::new(Class::Usage, format!("`{shown}` cannot be read: {error}")))?;
            files.push((shown, text));
        }
    }
    files.sort();
    Ok(Pipelines::parse(files.iter().map(|(file, text)| (file.as_str(), text.as_str())), platforms::DESCRIPTORS)?)
}

/// The remote that the ledger is shared through: the current branch's, else `origin`, else the only one.
fn remote(git: &git2::Repository) -> Option<String> {
    let head = git.head().ok();
    let branch = head.as_ref().and_then(|head| head.name().ok());
    let upstream = branch.and_then(|branch| git.branch_upstream_remote(branch).ok());
    if let Some(upstream) = upstream.as_ref().and_then(|name| name.as_str().ok()) {
        return Some(upstream.to_owned());
    }
    let names = git.remotes().ok()?;
    let names: Vec<&str> = names.iter().flatten().flatten().collect();
    let chosen = names.iter().find(|name| **name == "origin").or(if names.len() == 1 { names.first() } else { None });
    chosen.map(|name| (*name).to_owned())
}

/// Who acts, for the ledger and the lock: git's user, else the login and the machine.
fn who(context: &Context, git: &git2::Repository) -> String {
    if let Some(name) = git.config().ok().and_then(|config| config.get_string("user.email").ok()) {
        return name;
    }
    let login = context.variable("USER").or_else(|| context.variable("LOGNAME")).unwrap_or("somebody");
    format!("{login}@{}", rustix::system::uname().nodename().to_string_lossy())
}
