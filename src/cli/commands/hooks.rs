//! `lockage hooks`.

use clap::Subcommand;

use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::repo::hooks::{COMMITTING, RECEIVING};
use crate::repo::{Place, Repository};

/// The git hooks that run the guard.
#[derive(Debug, clap::Args)]
pub(crate) struct Hooks {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install pre-commit, pre-merge-commit and pre-push where git looks for them; never over somebody else's hook.
    Install {
        /// Install pre-receive instead: in the repository of a server, so that a push is judged before it is taken.
        #[arg(long)]
        pre_receive: bool,
    },
}

impl Hooks {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        match self.command {
            Command::Install { pre_receive } => install(context, pre_receive),
        }
    }
}

fn install(context: &Context, pre_receive: bool) -> Result<u8, Failed> {
    let repo = Repository::open(&Place { directory: context.directory.clone(), ..Place::default() })?;
    let binary = std::env::current_exe()
        .map_err(|error| Failed::new(Class::World, format!("the path of this program cannot be read: {error}")))?;
    if !pre_receive && repo.is_bare()? {
        return Err(Failed::new(Class::Usage, "this repository is bare: nobody commits here")
            .hint("`lockage hooks install --pre-receive` judges what is pushed to it"));
    }
    let hooks = if pre_receive { RECEIVING } else { COMMITTING };
    let installed = repo.install_hooks(hooks, &binary)?;
    if context.json {
        report::json("lockage.hooks/1", &serde_json::json!({ "hooks": installed }))?;
        return Ok(0);
    }
    for hook in installed.iter().filter(|_| !context.quiet) {
        let what = if hook.written { "installed" } else { "is there already:" };
        report::say(&format!("{} {what} {}", hook.name, hook.path.display()));
    }
    Ok(0)
}
