//! References as shared registers: compare-and-swap of one commit chain per reference, here and at a remote.
//!
//! Reading and local writing go through libgit2; the remote is spoken to by the user's own `git`, which has the user's
//! transports and credentials. What is fetched lands below `refs/lockage/seen/`, so that nothing local is overwritten.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{ErrorCode, Oid, Repository, Signature, Time};

use crate::error::{Class, Failure};
use crate::system::process::{Process, ProcessError, Words};

/// How often, and after how long each time, a reference that somebody is writing is tried again before the mark that keeps
/// others away counts as left over: writing one takes a few milliseconds.
const LOCKED_LOOKS: u32 = 20;
const LOCKED_WAIT: Duration = Duration::from_millis(50);

/// What `git` may say about one fetch or push, bytes.
const WORDS: usize = 1 << 20;

/// A git repository (of work, or bare) whose references are registers.
pub struct Refs {
    git_directory: PathBuf,
    remote: Option<String>,
}

/// What became of a compare-and-swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The reference is what it shall be.
    Done,
    /// Somebody else moved it first; nothing was changed.
    Moved,
}

/// Why references could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RefsError {
    /// libgit2 refuses.
    #[error("the git repository `{}` cannot be used: {source}", path.display())]
    Git {
        /// The repository.
        path: PathBuf,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// There is no room to write to.
    #[error("the disk of the git repository `{}` is full: {source}", path.display())]
    Full {
        /// The repository.
        path: PathBuf,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// The user's `git` cannot be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The remote cannot be reached or refuses.
    #[error("`git {command}` with the remote `{remote}` fails{}", .status.map(|code| format!(" with status {code}")).unwrap_or_default())]
    Remote {
        /// `fetch` or `push`.
        command: &'static str,
        /// The remote's name.
        remote: String,
        /// The exit status.
        status: Option<i32>,
        /// The last line of what `git` said; it holds no content of ours.
        said: String,
    },
    /// The lock file that keeps processes of one clone apart cannot be used.
    #[error("`{}` cannot be locked: {kind}", path.display())]
    Turn {
        /// The file.
        path: PathBuf,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// A commit of a chain is not one of ours.
    #[error("the commit `{commit}` has no `{file}`")]
    Foreign {
        /// The commit.
        commit: String,
        /// The file that was expected in it.
        file: &'static str,
    },
}

impl Failure for RefsError {
    fn class(&self) -> Class {
        match self {
            Self::Foreign { .. } => Class::Untrusted,
            _ => Class::World,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Remote { said, command, remote, .. } if !said.is_empty() => {
                vec![format!("git says: {said}"), format!("try `git {command} {remote}`")]
            }
            Self::Full { .. } => vec!["make room on the disk, then run the same command again".to_owned()],
            Self::Process(error) => error.hints(),
            _ => Vec::new(),
        }
    }
}

impl Refs {
    /// The references of the repository at `directory`; `remote`: where they are shared.
    ///
    /// # Errors
    /// [`RefsError::Git`] when there is no repository.
    pub fn open(directory: &Path, remote: Option<String>) -> Result<Self, RefsError> {
        let git = Repository::open(directory).map_err(|source| git_error(directory, source))?;
        Ok(Self { git_directory: git.commondir().to_owned(), remote })
    }

    /// The same, in a bare repository of its own that is made when it is not there.
    ///
    /// # Errors
    /// [`RefsError::Git`] when it cannot be made.
    pub fn create(directory: &Path) -> Result<Self, RefsError> {
        // One whose making was interrupted is made again.
        if Repository::open_bare(directory).is_err() {
            Repository::init_bare(directory).map_err(|source| git_error(directory, source))?;
        }
        Self::open(directory, None)
    }

    /// The remote's name, if the references are shared.
    #[must_use]
    pub fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    /// The commit that `name` is, as this repository knows it now.
    ///
    /// # Errors
    /// [`RefsError::Git`].
    pub fn local(&self, name: &str) -> Result<Option<String>, RefsError> {
        let git = self.git()?;
        match git.refname_to_id(name) {
            Ok(id) => Ok(Some(id.to_string())),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(self.error(error)),
        }
    }

    /// The commit that `name` is at the remote now; without a remote, here. `name` is `refs/lockage/…`.
    ///
    /// # Errors
    /// [`RefsError`] when the remote cannot be reached.
    pub fn current(&self, name: &str) -> Result<Option<String>, RefsError> {
        let Some(remote) = &self.remote else { return self.local(name) };
        let _turn = self.turn()?;
        // A pattern and not the name: a reference that is not there is no error then.
        let parent = name.rsplit_once('/').map_or(name, |(parent, _)| parent);
        let seen_parent = seen(parent);
        let refspec = format!("+{parent}/*:{seen_parent}/*");
        let arguments = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--prune", remote, &refspec];
        let mut output = self.run(&arguments)?;
        if output.code != Some(0) && self.unlock_seen(&seen_parent) {
            output = self.run(&arguments)?;
        }
        if output.code != Some(0) {
            return Err(remote_error("fetch", remote, &output));
        }
        self.local(&seen(name))
    }

    /// Makes `name` be `new` if it is `expected`: at the remote first, then here. `None` stands for "not there".
    ///
    /// # Errors
    /// [`RefsError`] when the remote cannot be reached or refuses for another reason than the expectation.
    pub fn swap(&self, name: &str, expected: Option<&str>, new: Option<&str>) -> Result<Swap, RefsError> {
        let Some(remote) = &self.remote else {
            let _turn = self.turn()?;
            return self.swap_here(name, expected, new);
        };
        let pushed = {
            let _turn = self.turn()?;
            let lease = format!("--force-with-lease={name}:{}", expected.unwrap_or_default());
            let refspec = format!("{}:{name}", new.unwrap_or_default());
            self.run(&["push", "--quiet", "--porcelain", "--no-verify", &lease, remote, &refspec])?
        };
        if pushed.code != Some(0) {
            // The connection may have broken after the remote took it: what counts is what the remote has.
            let now = self.current(name).map_err(|_| remote_error("push", remote, &pushed))?;
            if let (Some(now), Some(new)) = (&now, new)
                && self.contains(now, new)?
            {
                return self.set_local(name, Some(now)).map(|()| Swap::Done);
            }
            if now.as_deref() != new {
                return if now.as_deref() == expected && !is_race(&pushed) {
                    Err(remote_error("push", remote, &pushed))
                } else {
                    Ok(Swap::Moved)
                };
            }
        }
        let _turn = self.turn()?;
        self.set_here(name, new)?;
        Ok(Swap::Done)
    }

    /// Makes the local reference be `new`, whatever it was.
    ///
    /// # Errors
    /// [`RefsError::Git`].
    pub fn set_local(&self, name: &str, new: Option<&str>) -> Result<(), RefsError> {
        let _turn = self.turn()?;
        self.set_here(name, new)
    }

    /// Writes a commit with one file in it. Needs no identity of the user's; moves no reference.
    ///
    /// # Errors
    /// [`RefsError::Git`].
    pub fn commit(
        &self,
        parent: Option<&str>,
        file: &str,
        content: &[u8],
        message: &str,
        seconds: i64,
    ) -> Result<String, RefsError> {
        let git = self.git()?;
        let written = (|| {
            let blob = git.blob(content)?;
            let mut tree = git.treebuilder(None)?;
            tree.insert(file, blob, 0o100_644)?;
            let tree = git.find_tree(tree.write()?)?;
            let author = Signature::new("lockage", "lockage@localhost", &Time::new(seconds, 0))?;
            let parent = parent.map(|name| git.find_commit(Oid::from_str(name)?)).transpose()?;
            git.commit(None, &author, &author, message, &tree, parent.as_ref().as_slice())
        })();
        written.map(|id| id.to_string()).map_err(|error| self.error(error))
    }

    /// One file of one commit.
    ///
    /// # Errors
    /// [`RefsError::Foreign`] when the commit has no such file.
    pub fn file(&self, commit: &str, file: &'static str) -> Result<Vec<u8>, RefsError> {
        let git = self.git()?;
        let read = (|| {
            let tree = git.find_commit(Oid::from_str(commit)?)?.tree()?;
            let entry = tree.get_name(file).map(|entry| entry.id());
            entry.map(|id| Ok(git.find_blob(id)?.content().to_owned())).transpose()
        })();
        read.map_err(|error: git2::Error| self.error(error))?
            .ok_or_else(|| RefsError::Foreign { commit: commit.to_owned(), file })
    }

    /// The commit before one in its chain.
    ///
    /// # Errors
    /// [`RefsError::Git`].
    pub fn parent(&self, commit: &str) -> Result<Option<String>, RefsError> {
        let git = self.git()?;
        let commit = Oid::from_str(commit).and_then(|id| git.find_commit(id)).map_err(|error| self.error(error))?;
        Ok(commit.parent_ids().next().map(|id| id.to_string()))
    }

    /// Whether `older` is `newer` or before it in its chain.
    ///
    /// # Errors
    /// [`RefsError::Git`].
    pub fn contains(&self, newer: &str, older: &str) -> Result<bool, RefsError> {
        let git = self.git()?;
        let found = (|| {
            let (newer, older) = (Oid::from_str(newer)?, Oid::from_str(older)?);
            Ok(newer == older || git.graph_descendant_of(newer, older)?)
        })();
        found.map_err(|error: git2::Error| self.error(error))
    }

    fn swap_here(&self, name: &str, expected: Option<&str>, new: Option<&str>) -> Result<Swap, RefsError> {
        // The turn is held, so that nothing comes between the comparison and the write but a foreign `git`.
        if self.local(name)?.as_deref() != expected {
            return Ok(Swap::Moved);
        }
        self.set_here(name, new)?;
        Ok(Swap::Done)
    }

    fn set_here(&self, name: &str, new: Option<&str>) -> Result<(), RefsError> {
        let git = self.git()?;
        let set = || match new {
            Some(new) => Oid::from_str(new).and_then(|id| git.reference(name, id, true, "lockage")).map(drop),
            None => match git.find_reference(name) {
                Ok(mut reference) => reference.delete(),
                Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
                Err(error) => Err(error),
            },
        };
        let mut done = set();
        for _ in 0..LOCKED_LOOKS {
            match &done {
                Err(error) if error.code() == ErrorCode::Locked => std::thread::sleep(LOCKED_WAIT),
                _ => break,
            }
            done = set();
        }
        if matches!(&done, Err(error) if error.code() == ErrorCode::Locked) {
            // Nobody of ours is at it, because the turn is held: a process was killed while it wrote.
            let _ = std::fs::remove_file(self.git_directory.join(format!("{name}.lock")));
            done = set();
        }
        done.map_err(|error| self.error(error))
    }

    /// Removes what a killed `git fetch` left beside the references that it writes. Whether there was something.
    fn unlock_seen(&self, parent: &str) -> bool {
        let locks = || -> Vec<PathBuf> {
            let entries = std::fs::read_dir(self.git_directory.join(parent)).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "lock")).collect()
        };
        let first = locks();
        if first.is_empty() {
            return false;
        }
        // One that still writes ends within this.
        std::thread::sleep(LOCKED_WAIT * LOCKED_LOOKS);
        locks().iter().filter(|path| first.contains(path)).for_each(|path| drop(std::fs::remove_file(path)));
        true
    }

    fn git(&self) -> Result<Repository, RefsError> {
        Repository::open(&self.git_directory).map_err(|error| self.error(error))
    }

    fn error(&self, source: git2::Error) -> RefsError {
        git_error(&self.git_directory, source)
    }

    /// Keeps processes of one clone apart: `git` itself fails when two of them write a reference at once.
    fn turn(&self) -> Result<File, RefsError> {
        let path = self.git_directory.join("lockage").join("refs.lock");
        let opened = (|| {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
            Ok(file)
        })();
        opened.map_err(|error: std::io::Error| RefsError::Turn { path, kind: error.kind() })
    }

    fn run(&self, arguments: &[&str]) -> Result<Words, RefsError> {
        let git = Process::git().arg("--git-dir").arg(&self.git_directory);
        let git = git.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"]).args(arguments);
        Ok(git.output(WORDS)?.words())
    }
}

/// What libgit2 says, and whether it says so because there is no room: it has no code for that, and what fails on a full
/// disk may be a later step than the one that could not write.
fn git_error(path: &Path, source: git2::Error) -> RefsError {
    // Blocks; a commit of ours with its tree and its file takes fewer.
    const ENOUGH: u64 = 16;
    let path = path.to_owned();
    let full = rustix::fs::statvfs(&path).is_ok_and(|disk| disk.f_bavail < ENOUGH);
    if full { RefsError::Full { path, source } } else { RefsError::Git { path, source } }
}

/// Where a fetched reference lands.
fn seen(name: &str) -> String {
    name.replacen("refs/lockage/", "refs/lockage/seen/", 1)
}

/// Whether a refused push lost a race, as `git push --porcelain` and receiving sides put it.
fn is_race(output: &Words) -> bool {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| line.starts_with('!')).any(|line| {
        ["stale info", "fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "failed to lock"]
            .iter()
            .any(|word| line.contains(word))
    })
}

fn remote_error(command: &'static str, remote: &str, output: &Words) -> RefsError {
    let text = String::from_utf8_lossy(&output.stderr);
    let said = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let said = said.chars().filter(|c| !c.is_control()).take(200).collect();
    RefsError::Remote { command, remote: remote.to_owned(), status: output.code, said }
}
