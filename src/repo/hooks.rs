//! Installing hooks: where git looks for them, and never over somebody else's.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Repository;
use super::error::{Cause, RepoError};

/// The line that tells our stubs from other hooks.
const MARK: &str = "# lockage hook:";

/// A hook we bring: its name, its text, and the line that calls us from another hook of that name.
pub struct Hook {
    /// git's name for it.
    pub name: &'static str,
    text: &'static str,
    chain: &'static str,
}

/// The hooks that are installed where people commit. The stubs in `hooks/` are the same bytes.
pub const COMMITTING: &[Hook] = &[
    Hook { name: "pre-commit", text: include_str!("../../hooks/pre-commit"), chain: "lockage guard || exit" },
    Hook {
        name: "pre-merge-commit",
        text: include_str!("../../hooks/pre-merge-commit"),
        chain: "lockage guard || exit",
    },
    Hook {
        name: "pre-push",
        text: include_str!("../../hooks/pre-push"),
        chain: "lockage guard --pre-push || exit  # reads stdin, so it comes first or gets a copy",
    },
];

/// The hook that is installed where others push to.
pub const RECEIVING: &[Hook] = &[Hook {
    name: "pre-receive",
    text: include_str!("../../hooks/pre-receive"),
    chain: "lockage guard --pre-receive || exit  # reads stdin, so it comes first or gets a copy",
}];

/// What became of one hook.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Installed {
    /// git's name for it.
    pub name: &'static str,
    /// Its file.
    pub path: PathBuf,
    /// Whether it was written; `false` when it was there already.
    pub written: bool,
}

impl Repository {
    /// The folder in which git looks for this repository's hooks.
    ///
    /// # Errors
    /// [`RepoError::SharedHooks`] when `core.hooksPath` is set outside this repository: writing there would change
    /// other repositories, too.
    pub fn hooks_folder(&self) -> Result<PathBuf, RepoError> {
        let folders = self.program.folders()?;
        let asked = self.program.run(&["config", "--show-scope", "--includes", "-z", "--get", "core.hooksPath"]);
        let answer = match asked {
            Ok(answer) => String::from_utf8_lossy(&answer).into_owned(),
            // It is not set.
            Err(Cause::Program { status: Some(1), .. }) => return Ok(folders.common.join("hooks")),
            Err(source) => return Err(RepoError::reading("the git configuration")(source)),
        };
        let (scope, path) = answer.trim_end_matches('\0').split_once('\0').unwrap_or_default();
        if !matches!(scope, "local" | "worktree" | "command") {
            return Err(RepoError::SharedHooks { path: path.to_owned() });
        }
        let path = self.program.line(&["config", "--includes", "--type=path", "--get", "core.hooksPath"]);
        let path = path.map_err(RepoError::reading("`core.hooksPath`"))?;
        Ok(folders.work_tree.unwrap_or(folders.git_dir).join(path))
    }

    /// Whether there is no work tree: nobody commits here.
    ///
    /// # Errors
    /// [`RepoError::Read`].
    pub fn is_bare(&self) -> Result<bool, RepoError> {
        let asked = self.program.line(&["rev-parse", "--is-bare-repository"]);
        asked.map(|answer| answer == "true").map_err(RepoError::reading("the git configuration"))
    }

    /// Installs the hooks, all of them or none, and remembers `binary` for callers without a useful `PATH`.
    ///
    /// # Errors
    /// [`RepoError::ForeignHook`] when somebody else's hook is there; it stays as it is.
    pub fn install_hooks(&self, hooks: &'static [Hook], binary: &Path) -> Result<Vec<Installed>, RepoError> {
        let folder = self.hooks_folder()?;
        let mut plan = Vec::new();
        for hook in hooks {
            let path = folder.join(hook.name);
            let old = match std::fs::read(&path) {
                Ok(old) => Some(old),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(source) => return Err(RepoError::WriteHook { path, source }),
            };
            match old {
                Some(old) if old == hook.text.as_bytes() => plan.push((hook, path, false)),
                Some(old) if memchr::memmem::find(&old, MARK.as_bytes()).is_none() => {
                    return Err(RepoError::ForeignHook { path, line: hook.chain });
                }
                _ => plan.push((hook, path, true)),
            }
        }
        let mut done = Vec::new();
        for (hook, path, written) in plan {
            if written {
                write(&path, hook.text).map_err(|source| RepoError::WriteHook { path: path.clone(), source })?;
            }
            done.push(Installed { name: hook.name, path, written });
        }
        if let Some(binary) = binary.to_str() {
            let remembered = self.program.run(&["config", "--local", "lockage.binary", binary]);
            remembered.map_err(RepoError::reading("the repository's git configuration"))?;
        }
        Ok(done)
    }
}

/// Writes an executable file beside its target and renames it there, so that git never starts half a hook.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o755))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
