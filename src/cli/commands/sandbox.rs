//! `lockage sandbox`: the world on loopback that `--sandbox` works in.

use std::error::Error as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use ring::digest;
use serde_json::json;

use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::sandbox::{Server, World};

/// Serve, look at or remove the world on loopback that `--sandbox` works in.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The world of a repository lies in the user's state folder, keyed by the repository's git directory."
)]
pub(crate) struct Sandbox {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Serve a world until it is stopped; `--sandbox` starts this by itself.
    Serve {
        /// The world's directory.
        #[arg(long, value_name = "DIR")]
        world: PathBuf,
        /// Leave the terminal's session, to outlive it.
        #[arg(long, hide = true)]
        detached: bool,
    },
    /// Stop this repository's world and remove it with its ledger and journal.
    Reset,
    /// Say whether this repository's world is served, and what is true in it.
    Status,
}

impl Sandbox {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        match self.action {
            Action::Serve { world, detached } => serve(&context.path(&world), detached),
            Action::Reset => reset(context),
            Action::Status => status(context),
        }
    }
}

fn serve(dir: &Path, detached: bool) -> Result<u8, Failed> {
    if detached {
        // Fails where the process leads its group already: then no terminal's hang-up reaches it either.
        let _ = rustix::process::setsid();
    }
    let failed = |error: std::io::Error| Failed::new(Class::World, format!("the server cannot run: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let server = Server::bind(dir, Arc::new(jiff::Timestamp::now)).await.inspect_err(|error| {
            // The starter reads this line; the log of errors lies on what may be a full disk.
            if detached {
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                let _ = writeln!(std::io::stdout(), "{error}{cause}");
            }
        })?;
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(failed)?;
        let mut out = std::io::stdout();
        let _ = out.write_all(b"ready\n").and_then(|()| out.flush());
        tokio::select! {
            ended = server.run() => ended?,
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(0)
    })
}

fn reset(context: &Context) -> Result<u8, Failed> {
    let dir = world_dir(context)?;
    let was = World::reset(&dir)?;
    if context.json {
        report::json("lockage.sandbox-reset/1", &json!({ "removed": was, "directory": dir }))?;
    } else if !context.quiet {
        report::say(if was { "the sandbox's world is removed" } else { "there is no world to remove" });
    }
    Ok(0)
}

fn status(context: &Context) -> Result<u8, Failed> {
    let dir = world_dir(context)?;
    let world = World::find(&dir)?;
    let facts = world.as_ref().map(World::facts).transpose()?;
    if context.json {
        let endpoint = world.as_ref().map(World::endpoint);
        let body = json!({
            "directory": dir,
            "exists": World::exists(&dir),
            "served": world.is_some(),
            "pid": endpoint.map(|endpoint| endpoint.pid),
            "heroku": endpoint.map(|endpoint| endpoint.heroku_url.as_str()),
            "dns": endpoint.map(|endpoint| endpoint.dns),
            "https": endpoint.map(|endpoint| endpoint.https),
            "world": facts,
        });
        report::json("lockage.sandbox-status/1", &body)?;
        return Ok(0);
    }
    let mut text = String::new();
    match (&world, World::exists(&dir)) {
        (Some(world), _) => {
            let endpoint = world.endpoint();
            text.push_str(&format!("served by process {} on {}\n", endpoint.pid, endpoint.heroku_url));
        }
        (None, true) => text.push_str("there, and not served; the next `--sandbox` starts it\n"),
        (None, false) => text.push_str("none yet; the first `--sandbox` makes it\n"),
    }
    text.push_str(&format!("directory: {}\n", dir.display()));
    for (name, app) in facts.iter().filter_map(|facts| facts["apps"].as_object()).flatten() {
        let commit = app["commit"].as_str().unwrap_or("nothing");
        text.push_str(&format!("  {name}: {}\n", commit.get(..8).unwrap_or(commit)));
    }
    report::data(text.as_bytes())?;
    Ok(0)
}

/// The world of the repository that the user stands in: `<state folder>/lockage/sandbox/<hash of its git directory>`.
pub(crate) fn world_dir(context: &Context) -> Result<PathBuf, Failed> {
    let repository = git2::Repository::discover(&context.directory)
        .map_err(|_| Failed::new(Class::Usage, format!("`{}` is in no git repository", context.directory.display())))?;
    let git_dir = repository.commondir().canonicalize().map_err(|error| {
        Failed::new(Class::World, format!("`{}` cannot be used: {error}", repository.commondir().display()))
    })?;
    let digest = digest::digest(&digest::SHA256, git_dir.as_os_str().as_encoded_bytes());
    let key: String = digest.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let state = match (context.variable("XDG_STATE_HOME").map(PathBuf::from), context.home()) {
        (Some(folder), _) if folder.is_absolute() => folder,
        (_, Some(home)) => home.join(".local/state"),
        _ => {
            return Err(Failed::new(Class::Usage, "there is no folder for the sandbox's world")
                .hint("set `HOME` or `XDG_STATE_HOME`"));
        }
    };
    Ok(state.join("lockage/sandbox").join(key))
}

/// Starts this program as the server of the world in `dir`. It gets nothing of the caller's environment: keys are there.
pub(crate) fn spawn(dir: &Path) -> std::io::Result<Child> {
    let log = std::fs::File::create(dir.join("serve.log"))?;
    Command::new(std::env::current_exe()?)
        .args(["sandbox", "serve", "--detached", "--world"])
        .arg(dir)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
}
