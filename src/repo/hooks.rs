//! Installing hooks: where git looks for them, and never over somebody else's.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Repository;
use super::error::RepoError;

/// The line that tells our stubs from other hooks.
const MARK: &str = "# lockage hook:";

/// A hook we bring: its name, its text, and the line that calls us from another hook of that name.
pub struct Hook {
    /// git's name for it.
    pub name: &'static str,
    text: &'static str,
    chain: &'static str,
}

/// The hooks that are installed. The stubs in `hooks/` are the same bytes.
pub const HOOKS: &[Hook] = &[
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
        let read = RepoError::reading("the git configuration");
        let config = self.git.config().and_then(|mut config| config.snapshot()).map_err(read)?;
        let default = self.git.commondir().join("hooks");
        let Ok(entry) = config.get_entry("core.hooksPath") else { return Ok(default) };
        let level = entry.level();
        let shown = entry.value().unwrap_or_default().to_owned();
        if !matches!(level, git2::ConfigLevel::Local | git2::ConfigLevel::Worktree | git2::ConfigLevel::App) {
            return Err(RepoError::SharedHooks { path: shown });
        }
        let path = config.get_path("core.hooksPath").map_err(RepoError::reading("`core.hooksPath`"))?;
        Ok(self.git.workdir().unwrap_or_else(|| self.git.path()).join(path))
    }

    /// Installs the hooks, all of them or none, and remembers `binary` for callers without a useful `PATH`.
    ///
    /// # Errors
    /// [`RepoError::ForeignHook`] when somebody else's hook is there; it stays as it is.
    pub fn install_hooks(&self, binary: &Path) -> Result<Vec<Installed>, RepoError> {
        let folder = self.hooks_folder()?;
        let mut plan = Vec::new();
        for hook in HOOKS {
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
            let remember =
                || self.git.config()?.open_level(git2::ConfigLevel::Local)?.set_str("lockage.binary", binary);
            remember().map_err(RepoError::reading("the repository's git configuration"))?;
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
