//! Reading through the user's own `git`: what libgit2 does not know (a split or sparse index, SHA-256, reftables), and
//! the configuration of hooks.
//!
//! Everything is asked for with NUL between records, so that no name of a file can pass for something else.

use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Place;
use super::batch::Batch;
use super::comparison::{Comparison, Entry};
use super::error::{Cause, RepoError};
use super::object::ObjectId;
use super::path::RepoPath;
use super::read::{Reader, Target};

/// `git`, to be run at one place.
pub(super) struct Program {
    place: Place,
    sizes: RefCell<Option<Batch>>,
    contents: RefCell<Option<Batch>>,
    ignored: OnceCell<HashSet<PathBuf>>,
}

/// Where git keeps things: absolute folders.
pub(super) struct Folders {
    /// Of this work tree.
    pub(super) git_dir: PathBuf,
    /// Of all work trees.
    pub(super) common: PathBuf,
    /// `None` in a bare repository.
    pub(super) work_tree: Option<PathBuf>,
}

impl Program {
    pub(super) fn new(place: Place) -> Self {
        Self { place, sizes: RefCell::default(), contents: RefCell::default(), ignored: OnceCell::new() }
    }

    /// Whether `git` knows a repository here.
    pub(super) fn answers(&self) -> bool {
        self.line(&["rev-parse", "--git-dir"]).is_ok()
    }

    pub(super) fn folders(&self) -> Result<Folders, RepoError> {
        let ask = |what| self.line(&["rev-parse", "--path-format=absolute", what]).map(PathBuf::from);
        let read = RepoError::reading("the place of the git repository");
        let found = ask("--git-dir").and_then(|git_dir| Ok((git_dir, ask("--git-common-dir")?)));
        let (git_dir, common) = found.map_err(read)?;
        Ok(Folders { git_dir, common, work_tree: ask("--show-toplevel").ok() })
    }

    /// What `git` writes.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, Cause> {
        let output = self.command(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|error| Cause::NoGit { kind: error.kind() })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let said = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let said = said.chars().filter(|letter| !letter.is_control()).take(200).collect();
        let command = arguments.first().map(|&word| word.to_owned()).unwrap_or_default();
        Err(Cause::Program { command, status: output.status.code(), said })
    }

    /// The first line of what `git` writes.
    pub(super) fn line(&self, arguments: &[&str]) -> Result<String, Cause> {
        let text = self.run(arguments)?;
        Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned())
    }

    /// `git` without what a hook's environment says of another place, and without what could make it read something
    /// else than what is there: replaced objects, a file system monitor.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.place.directory).env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
        command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_TERMINAL_PROMPT", "0");
        for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS"] {
            command.env_remove(name);
        }
        if let Some(git_dir) = &self.place.git_dir {
            command.env("GIT_DIR", git_dir);
        }
        if let Some(index_file) = &self.place.index_file {
            command.env("GIT_INDEX_FILE", index_file);
        }
        command.args(["-c", "core.fsmonitor=false"]).args(arguments);
        command
    }

    /// The object a revision stands for; `None` if there is none.
    fn resolve(&self, revision: &str) -> Option<ObjectId> {
        let id = self.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", revision]).ok()?;
        ObjectId::parse(&id)
    }

    fn listing(&self, tree: ObjectId) -> Result<Vec<(RepoPath, Entry)>, RepoError> {
        self.list(tree, &[])
    }

    fn list(&self, tree: ObjectId, paths: &[&str]) -> Result<Vec<(RepoPath, Entry)>, RepoError> {
        let tree = tree.to_string();
        let listed = self.run(&[&["ls-tree", "-r", "-z", "--full-tree", &tree], paths].concat());
        let listed = listed.map_err(RepoError::reading(format!("tree {tree}")))?;
        records(&listed, |words| match words {
            [mode, _, id] => Some((mode, id)),
            _ => None,
        })
        .ok_or_else(|| RepoError::reading(format!("tree {tree}"))(Cause::Unknown))
    }

    fn commits(&self, arguments: &[&str]) -> Result<Vec<ObjectId>, Cause> {
        let listed = self.run(&[&["rev-list", "--topo-order", "--reverse"], arguments].concat())?;
        let ids = String::from_utf8_lossy(&listed);
        ids.lines().map(|id| ObjectId::parse(id).ok_or(Cause::Unknown)).collect()
    }

    /// What is ignored, a folder as one.
    fn ignored(&self) -> Option<HashSet<PathBuf>> {
        let root = self.folders().ok()?.work_tree?;
        let arguments = ["--others", "--ignored", "--exclude-standard", "--directory", "-z", "--full-name", "--", ":/"];
        let listed = self.run(&[&["ls-files"], &arguments[..]].concat()).ok()?;
        let paths = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Some(paths.map(|path| root.join(OsStr::from_bytes(path.strip_suffix(b"/").unwrap_or(path)))).collect())
    }

    /// The size of an object, and its content, if that is asked for.
    fn object(&self, id: ObjectId, content: bool) -> Result<(usize, Vec<u8>), Cause> {
        let (slot, mode) = if content { (&self.contents, "--batch") } else { (&self.sizes, "--batch-check") };
        let mut slot = slot.borrow_mut();
        let batch = match &mut *slot {
            Some(batch) => batch,
            empty => empty.insert(Batch::start(self.command(&["cat-file", mode]))?),
        };
        batch.ask(id, content)
    }
}

impl Reader for Program {
    fn staged(&self) -> Result<Comparison, RepoError> {
        let read = RepoError::reading("the git index");
        let listed = self.run(&["ls-files", "--stage", "-z", "--full-name", "--", ":/"]).map_err(read)?;
        let after = records(&listed, |words| match words {
            // Other stages are the sides of an unfinished merge.
            [mode, id, "0"] => Some((mode, id)),
            _ => None,
        });
        let after = after.ok_or_else(|| RepoError::reading("the git index")(Cause::Unknown))?;
        let before = self.resolve("HEAD^{tree}").map(|tree| self.listing(tree)).transpose()?;
        if before.is_none() && self.resolve("HEAD").is_some() {
            return Err(RepoError::reading("HEAD")(Cause::Unknown));
        }
        let mut comparison = Comparison::between(before.unwrap_or_default(), after);
        let heads = std::fs::read_to_string(self.folders()?.git_dir.join("MERGE_HEAD")).unwrap_or_default();
        comparison.merged =
            heads.lines().filter_map(|line| self.resolve(&format!("{}^{{tree}}", line.trim()))).collect();
        Ok(comparison)
    }

    fn range(&self, range: &str) -> Result<Vec<ObjectId>, RepoError> {
        let found = if range.contains("..") {
            self.commits(&["--end-of-options", range])
        } else {
            let tip = self.resolve(&format!("{range}^{{commit}}")).ok_or(Cause::Unknown);
            tip.and_then(|tip| self.commits(&[&tip.to_string(), "--not", "--remotes"]))
        };
        found.map_err(RepoError::naming(range))
    }

    fn incoming(&self, tip: ObjectId) -> Result<Vec<ObjectId>, RepoError> {
        let found = self.commits(&[&tip.to_string(), "--not", "--all"]);
        found.map_err(RepoError::reading(format!("the history of {tip}")))
    }

    fn target(&self, name: &str) -> Result<Target, RepoError> {
        let of = |kind: &str| self.resolve(&format!("{name}^{{{kind}}}"));
        let commit = of("commit").map(Target::Commit);
        let found = commit.or_else(|| of("blob").map(Target::Blob)).or_else(|| of("tree").map(Target::Tree));
        found.ok_or_else(|| RepoError::naming(name)(Cause::Unknown))
    }

    fn commit(&self, id: ObjectId) -> Result<Comparison, RepoError> {
        let read = || RepoError::reading(format!("commit {id}"));
        let lines = self.run(&["cat-file", "commit", &id.to_string()]).map_err(read())?;
        let lines = String::from_utf8_lossy(&lines);
        let header = lines.lines().take_while(|line| !line.is_empty());
        let parents: Vec<&str> = header.filter_map(|line| line.strip_prefix("parent ")).collect();
        let tree = |commit: &str| {
            self.resolve(&format!("{commit}^{{tree}}"))
                .ok_or_else(|| RepoError::reading(format!("commit {commit}"))(Cause::Unknown))
        };
        let before = parents.first().map(|parent| self.listing(tree(parent)?)).transpose()?;
        let after = self.listing(tree(&id.to_string())?)?;
        let merged = parents.iter().skip(1).map(|parent| tree(parent)).collect::<Result<_, _>>()?;
        let comparison = Comparison::between(before.unwrap_or_default(), after);
        Ok(Comparison { merged, commit: Some(id), ..comparison })
    }

    fn tree(&self, id: ObjectId) -> Result<Comparison, RepoError> {
        Ok(Comparison::between(Vec::new(), self.listing(id)?))
    }

    fn entry(&self, tree: ObjectId, path: &RepoPath) -> Result<Option<Entry>, RepoError> {
        let Ok(path) = std::str::from_utf8(path.bytes()) else { return Ok(None) };
        Ok(self.list(tree, &["--", path])?.into_iter().next().map(|(_, entry)| entry))
    }

    fn ignores(&self, path: &Path) -> bool {
        self.ignored.get_or_init(|| self.ignored().unwrap_or_default()).contains(path)
    }

    fn size(&self, id: ObjectId) -> Result<usize, RepoError> {
        self.object(id, false).map(|(size, _)| size).map_err(RepoError::reading(format!("object {id}")))
    }

    fn content(&self, id: ObjectId) -> Result<Vec<u8>, RepoError> {
        self.object(id, true).map(|(_, content)| content).map_err(RepoError::reading(format!("object {id}")))
    }
}

/// `<words> TAB <path> NUL`, as `ls-files` and `ls-tree` write it; `pick` gives mode and id, or nothing where a record
/// does not count. `None` if this is not what they write.
fn records(
    listed: &[u8],
    pick: impl for<'w> Fn(&[&'w str]) -> Option<(&'w str, &'w str)>,
) -> Option<Vec<(RepoPath, Entry)>> {
    let mut all = Vec::new();
    for record in listed.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        let tab = memchr::memchr(b'\t', record)?;
        let words: Vec<&str> = std::str::from_utf8(&record[..tab]).ok()?.split(' ').collect();
        if let Some((mode, id)) = pick(&words) {
            let entry = Entry::of_mode(u32::from_str_radix(mode, 8).ok()?, ObjectId::parse(id)?);
            all.push((RepoPath::new(&record[tab + 1..]), entry));
        }
    }
    Some(all)
}
