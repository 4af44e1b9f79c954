//! The command line's grammar: global flags and the list of commands, each in a file of its own.

use std::ffi::OsString;

use clap::{Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::commands as c;
use super::{Context, Failed};
use crate::system::files::MOST_BYTES;

/// lockage: encrypted secrets in the repository, a guard before the commit, builds promoted stage by stage.
#[derive(Debug, Parser)]
#[command(name = "lockage", version, propagate_version = false, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done or nothing to do; 1 the expected \"no\" (findings, drift, unhealthy); \
2 usage or configuration; 3 could not open or trust; 4 the outside world; 70 a bug of ours.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags every command takes; they mean the same everywhere.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Global {
    /// Work as if started in this directory.
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<std::path::PathBuf>,
    /// Say more on stderr; twice for everything.
    #[arg(short = 'v', long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Say nothing on stderr but errors.
    #[arg(short = 'q', long, global = true)]
    pub(crate) quiet: bool,
    /// When to colour.
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"], global = true)]
    pub(crate) color: String,
    /// Refuse larger inputs before they are read; bytes, or with `K`, `M` or `G` behind the number (of 1024).
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = size, global = true)]
    pub(crate) max_size: u64,
    /// Print one JSON document with a versioned schema on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Never ask; a missing answer is an error. Implied without a terminal and by CI=true.
    #[arg(long, global = true)]
    pub(crate) non_interactive: bool,
    /// The rules file to use instead of searching for `.sops.yaml`.
    #[arg(long, value_name = "FILE", global = true, env = "SOPS_CONFIG")]
    pub(crate) config: Option<std::path::PathBuf>,
}

impl Args {
    /// Reads a command line.
    ///
    /// To build every command takes longer than most of them work, so the one that is named is tried alone; what it does
    /// not understand is read with all of them, which can suggest others and show help.
    ///
    /// # Errors
    /// What is to be said of the line, which may be the help that was asked for.
    pub(crate) fn read(argv: &[OsString]) -> Result<Self, clap::Error> {
        let one = argv.iter().skip(1).find_map(|word| Command::one(word.to_str()?));
        let alone = one.and_then(|one| {
            let grammar = Global::augment_args(clap::Command::new("lockage")).subcommand(one);
            Self::from_arg_matches(&grammar.try_get_matches_from(argv).ok()?).ok()
        });
        alone.map_or_else(|| Self::try_parse_from(argv), Ok)
    }
}

impl Default for Global {
    fn default() -> Self {
        Self {
            directory: None,
            verbose: 0,
            quiet: false,
            color: String::new(),
            max_size: MOST_BYTES,
            json: false,
            non_interactive: false,
            config: None,
        }
    }
}

/// Reads a number of bytes.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => Some(0),
        "K" | "KB" | "KIB" => Some(10),
        "M" | "MB" | "MIB" => Some(20),
        "G" | "GB" | "GIB" => Some(30),
        _ => None,
    };
    let bytes = digits.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(1 << unit));
    bytes.ok_or_else(|| "a number of bytes, such as 1000000, 512K, 256M or 1G".to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Encrypt a file by its rule in `.sops.yaml`; everything but the values stays byte for byte.
    Encrypt(c::encrypt::Encrypt),
    /// Decrypt a file; it comes out as it went in, byte for byte.
    Decrypt(c::decrypt::Decrypt),
    /// Print one value of an encrypted file.
    Get(c::get::Get),
    /// Change one value of an encrypted file, or add one.
    Set(c::set::Set),
    /// Edit the values of an encrypted file in your editor.
    Edit(c::edit::Edit),
    /// Remove one value from an encrypted file.
    Unset(c::unset::Unset),
    /// Run a command with the values of a file in its environment.
    ExecEnv(c::exec::ExecEnv),
    /// Run a command with the plaintext of a file in a temporary file in memory.
    ExecFile(c::exec::ExecFile),
    /// Say whether a file is encrypted, and for whom.
    Filestatus(c::filestatus::Filestatus),
    /// Renew the data key of a file, add and remove recipients.
    Rotate(c::rotate::Rotate),
    /// Make the keys of files those of their rules.
    Updatekeys(c::updatekeys::Updatekeys),
    /// Add a key group to a file, or delete one.
    Groups(c::groups::Groups),
    /// Bring encrypted files to a bucket or a Vault, as the rules say.
    Publish(c::publish::Publish),
    /// Offer the keys of this user to other programs, over the key service of SOPS.
    Keyservice(c::keyservice::Keyservice),
    /// Judge what is staged: block plaintext under a creation rule, and private keys.
    Guard(c::guard::Guard),
    /// Say without a key whether encrypted files are whole, or whether the rules mean what they say.
    Check(c::check::Check),
    /// The git hooks that run the guard.
    Hooks(c::hooks::Hooks),
    /// Show what a promotion would change, and change nothing.
    Plan(c::plan::Plan),
    /// Apply a plan from a file, or make a stage as declared.
    Apply(c::apply::Apply),
    /// Bring a build from one stage to the next: plan, ask, apply, verify, record.
    Promote(c::promote::Promote),
    /// Say what every stage runs, what was done to it last, and what was interrupted.
    Status(c::status::Status),
    /// Show what the ledger has of a stage, newest first.
    Log(c::log::Log),
    /// Undo the last promotion of a stage.
    Rollback(c::rollback::Rollback),
    /// Serve, look at or remove the world on loopback that `--sandbox` works in.
    Sandbox(c::sandbox::Sandbox),
    /// Write a shell's completion script to stdout.
    Completion(c::completion::Completion),
    /// Write the manual: one page to stdout, or all pages into a folder.
    Man(c::man::Man),
}

impl Command {
    /// The grammar of one command; what is rarely typed, and what serves or promotes, can wait for all of them.
    fn one(name: &str) -> Option<clap::Command> {
        let arguments = match name {
            "check" => c::check::Check::augment_args,
            "decrypt" => c::decrypt::Decrypt::augment_args,
            "edit" => c::edit::Edit::augment_args,
            "encrypt" => c::encrypt::Encrypt::augment_args,
            "exec-env" => c::exec::ExecEnv::augment_args,
            "exec-file" => c::exec::ExecFile::augment_args,
            "filestatus" => c::filestatus::Filestatus::augment_args,
            "get" => c::get::Get::augment_args,
            "guard" => c::guard::Guard::augment_args,
            "rotate" => c::rotate::Rotate::augment_args,
            "set" => c::set::Set::augment_args,
            "unset" => c::unset::Unset::augment_args,
            "updatekeys" => c::updatekeys::Updatekeys::augment_args,
            _ => return None,
        };
        Some(arguments(clap::Command::new(name.to_owned())))
    }

    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        match self {
            Self::Apply(command) => command.run(context),
            Self::Check(command) => command.run(context),
            Self::Completion(command) => command.run(context),
            Self::Decrypt(command) => command.run(context),
            Self::Edit(command) => command.run(context),
            Self::Encrypt(command) => command.run(context),
            Self::ExecEnv(command) => command.run(context),
            Self::ExecFile(command) => command.run(context),
            Self::Filestatus(command) => command.run(context),
            Self::Get(command) => command.run(context),
            Self::Groups(command) => command.run(context),
            Self::Guard(command) => command.run(context),
            Self::Hooks(command) => command.run(context),
            Self::Keyservice(command) => command.run(context),
            Self::Log(command) => command.run(context),
            Self::Man(command) => command.run(context),
            Self::Plan(command) => command.run(context),
            Self::Promote(command) => command.run(context),
            Self::Publish(command) => command.run(context),
            Self::Rollback(command) => command.run(context),
            Self::Rotate(command) => command.run(context),
            Self::Sandbox(command) => command.run(context),
            Self::Set(command) => command.run(context),
            Self::Status(command) => command.run(context),
            Self::Unset(command) => command.run(context),
            Self::Updatekeys(command) => command.run(context),
        }
    }
}

/// The grammar as data, for completion scripts and man pages.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(command: &clap::Command) -> Vec<String> {
        command.get_arguments().map(|argument| format!("{argument:?}")).collect()
    }

    #[test]
    fn a_command_alone_is_the_one_among_all() {
        let all = command();
        let alone: Vec<_> =
            all.get_subcommands().filter_map(|one| Some((one, Command::one(one.get_name())?))).collect();
        assert_eq!(alone.len(), 13);
        for (among, alone) in alone {
            assert_eq!(arguments(among), arguments(&alone), "{}", among.get_name());
            assert!(!among.has_subcommands(), "{}", among.get_name());
        }
    }

    fn read(line: &str) -> Result<Args, String> {
        let argv: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Args::read(&argv).map_err(|error| error.to_string())
    }

    #[test]
    fn what_one_does_not_understand_is_read_with_all() {
        let args = read("lockage -C decrypt filestatus a.yaml").unwrap();
        assert!(matches!(args.command, Command::Filestatus(_)), "{args:?}");
        let args = read("lockage decrypt -q get").unwrap();
        assert!(matches!(args.command, Command::Decrypt(_)) && args.global.quiet, "{args:?}");
        assert!(read("lockage help get").unwrap_err().contains("Usage: lockage get"));
        assert!(read("lockage decryt get").unwrap_err().contains("'decrypt'"));
        assert!(read("lockage decrypt --extrac get").unwrap_err().contains("--extract"));
    }
}
