//! The user's editor: which, with which flags, and what happens when a signal arrives while it is open.

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::system::memory;

/// Editors that return at once unless they are told to wait, and how they are told.
const WAITING: [(&[&str], &[&str]); 2] = [
    (&["code", "code-insiders", "codium", "subl", "atom", "zed"], &["--wait", "-w"]),
    (&["gvim", "mvim"], &["--nofork", "-f"]),
];

/// Vim would keep pieces of the text in its swap, undo and history files, some of them on disk.
const NO_TRACES: [&str; 5] = ["-n", "-i", "NONE", "--cmd", "set nobackup nowritebackup noundofile"];

/// An editor's command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Editor {
    words: Vec<String>,
}

impl Editor {
    /// The editor of `SOPS_EDITOR`, `VISUAL` or `EDITOR`, else the first of vim, nano and vi that is there.
    ///
    /// # Errors
    /// A variable is no command line; there is no editor.
    pub(crate) fn choose(context: &Context) -> Result<Self, Failed> {
        Self::of_variables(context, &["SOPS_EDITOR", "VISUAL", "EDITOR"])
    }

    /// The editor that one of these variables names, else as for [`Self::choose`].
    ///
    /// # Errors
    /// As for [`Self::choose`].
    pub(crate) fn of_variables(context: &Context, names: &[&str]) -> Result<Self, Failed> {
        for name in names {
            let Some(line) = context.variable(name) else { continue };
            let words = shlex::split(line).filter(|words| !words.is_empty());
            let Some(words) = words else {
                return Err(Failed::new(Class::Usage, format!("`{name}` is no command line: a quote is not closed")));
            };
            tracing::info!("the editor is `{}` ({name})", words[0]);
            return Ok(Self::of(context, words));
        }
        let path = context.variable("PATH").unwrap_or_default();
        let is_there = |name: &&str| std::env::split_paths(path).any(|folder| folder.join(name).is_file());
        match ["vim", "nano", "vi"].into_iter().find(is_there) {
            Some(name) => Ok(Self::of(context, vec![name.to_owned()])),
            None => Err(Failed::new(Class::Usage, "there is no editor").hint("name one: `EDITOR=nano lockage edit …`")),
        }
    }

    fn of(context: &Context, mut words: Vec<String>) -> Self {
        let name = Self { words: words.clone() }.name();
        for (names, flags) in WAITING {
            if names.contains(&name.as_str()) && !words.iter().any(|word| flags.contains(&word.as_str())) {
                if !context.quiet {
                    report::say(&format!("lockage: the editor is `{name}`: adding {}", flags[0]));
                }
                words.push(flags[0].to_owned());
            }
        }
        if matches!(name.as_str(), "vim" | "nvim" | "gvim" | "mvim") {
            words.extend(NO_TRACES.map(str::to_owned));
        }
        Self { words }
    }

    /// The program's name without its folder.
    fn name(&self) -> String {
        let name = Path::new(&self.words[0]).file_name();
        name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// The arguments that open `file`, at a line and column where the editor is known to take them.
    fn arguments(&self, file: &Path, at: Option<(usize, usize)>) -> Vec<String> {
        let mut arguments = self.words[1..].to_vec();
        let file = file.display().to_string();
        let Some((line, column)) = at else {
            arguments.push(file);
            return arguments;
        };
        match self.name().as_str() {
            "vim" | "nvim" | "gvim" | "mvim" => arguments.extend([format!("+call cursor({line},{column})"), file]),
            "vi" | "kak" | "joe" => arguments.extend([format!("+{line}"), file]),
            "nano" | "pico" => arguments.extend([format!("+{line},{column}"), file]),
            "emacs" | "emacsclient" | "micro" => arguments.extend([format!("+{line}:{column}"), file]),
            "code" | "code-insiders" | "codium" => {
                arguments.extend(["--goto".into(), format!("{file}:{line}:{column}")])
            }
            "subl" | "atom" | "zed" | "hx" => arguments.push(format!("{file}:{line}:{column}")),
            _ => arguments.push(file),
        }
        arguments
    }

    /// Opens `file` and waits until the editor ends.
    ///
    /// # Errors
    /// It cannot be started, or ends with a failure, which is how an editor is told to give up.
    pub(crate) fn open(&self, file: &Path, at: Option<(usize, usize)>, watch: &Watch) -> Result<(), Failed> {
        let program = &self.words[0];
        let child = Command::new(program).args(self.arguments(file, at)).spawn();
        let child = child.map_err(|error| {
            let reason =
                if error.kind() == ErrorKind::NotFound { "it is not there".to_owned() } else { error.to_string() };
            Failed::new(Class::Usage, format!("the editor `{program}` cannot be started: {reason}"))
                .hint("`SOPS_EDITOR`, `VISUAL` and `EDITOR` name the editor, in this order")
        })?;
        let ended = watch.wait_for(child);
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let how = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("ended with exit status {code}"),
                    (None, signal) => format!("was ended by signal {}", signal.unwrap_or_default()),
                };
                Err(Failed::new(Class::No, format!("the editor `{program}` {how}; the file is unchanged")))
            }
            Err(error) => {
                Err(Failed::new(Class::World, format!("the editor `{program}` cannot be waited for: {error}")))
            }
        }
    }
}

/// Ends the command on a signal, the plaintext wiped.
pub(crate) struct Watch {
    /// The child's process while it runs, else 0.
    child: Arc<AtomicI32>,
    ending: Arc<AtomicBool>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches over a child, and a folder of plaintext if there is one, until it is dropped.
    ///
    /// An interrupt from the keyboard goes to the child too, and is the child's affair while it runs.
    ///
    /// # Errors
    /// The system refuses to tell of signals.
    pub(crate) fn over(folder: Option<PathBuf>) -> Result<Self, Failed> {
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])
            .map_err(|error| Failed::new(Class::World, format!("signals cannot be watched: {error}")))?;
        let (child, ending) = (Arc::new(AtomicI32::new(0)), Arc::new(AtomicBool::new(false)));
        let handle = signals.handle();
        let (its_child, its_ending) = (Arc::clone(&child), Arc::clone(&ending));
        let thread = std::thread::spawn(move || {
            for signal in signals.forever() {
                let running = its_child.load(Ordering::SeqCst);
                if running != 0 && matches!(signal, SIGINT | SIGQUIT) {
                    continue;
                }
                its_ending.store(true, Ordering::SeqCst);
                end(signal, folder.as_deref(), &its_child);
            }
        });
        Ok(Self { child, ending, handle, thread: Some(thread) })
    }

    /// Waits until a child ends; a signal that ends us is passed on to it.
    ///
    /// # Errors
    /// The system does not say how it ended.
    pub(crate) fn wait_for(&self, mut child: Child) -> std::io::Result<ExitStatus> {
        self.child.store(i32::try_from(child.id()).unwrap_or(0), Ordering::SeqCst);
        let ended = child.wait();
        self.child.store(0, Ordering::SeqCst);
        self.wait_if_ending();
        ended
    }

    /// Does not return once a signal is ending the command: the other thread does that.
    fn wait_if_ending(&self) {
        while self.ending.load(Ordering::SeqCst) {
            std::thread::park();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.wait_if_ending();
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Ends the child, which may write once more, and then this process.
fn end(signal: i32, folder: Option<&Path>, child: &AtomicI32) {
    let wipe = || folder.iter().for_each(|folder| memory::wipe(folder));
    wipe();
    if let Some(process) = Pid::from_raw(child.load(Ordering::SeqCst)) {
        let _ = kill_process(process, Signal::TERM);
        for _ in 0..200 {
            if child.load(Ordering::SeqCst) == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        wipe();
    }
    if folder.is_some() {
        report::say("lockage: ended by a signal; the plaintext is wiped, the file is unchanged");
    }
    if signal == SIGQUIT {
        // The default would write memory to a core file.
        std::process::exit(128 + SIGQUIT);
    }
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str, at: Option<(usize, usize)>) -> Vec<String> {
        Editor { words: shlex::split(line).unwrap() }.arguments(Path::new("/x/a b.yaml"), at)
    }

    #[test]
    fn a_known_editor_opens_at_the_place() {
        assert_eq!(arguments("vi", Some((3, 7))), ["+3", "/x/a b.yaml"]);
        assert_eq!(arguments("/usr/bin/nano -w", Some((3, 7))), ["-w", "+3,7", "/x/a b.yaml"]);
        assert_eq!(arguments("code --wait", Some((3, 7))), ["--wait", "--goto", "/x/a b.yaml:3:7"]);
        assert_eq!(arguments("subl -w", Some((3, 7))), ["-w", "/x/a b.yaml:3:7"]);
        assert_eq!(arguments("my-editor 'a b'", Some((3, 7))), ["a b", "/x/a b.yaml"]);
        assert_eq!(arguments("emacs -nw", None), ["-nw", "/x/a b.yaml"]);
    }
}
