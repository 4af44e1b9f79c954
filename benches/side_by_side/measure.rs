//! Whole processes, measured from outside.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// What ext4 without a journal lets pass before it gives an inode out again that was removed; until then it looks at each
/// of them whenever a file is made near it, and what one row replaces would be the next row's cost.
const REST: Duration = Duration::from_secs(61);

const CHILD: &str = "LOCKAGE_BENCH_CHILD";

/// A command line to be measured.
#[derive(Clone)]
pub struct Command {
    program: PathBuf,
    arguments: Vec<String>,
    directory: PathBuf,
    environment: Vec<(String, String)>,
}

/// One program's best figures.
#[derive(Clone, Copy)]
pub struct Figures {
    /// Least wall time from start to end.
    pub wall: Duration,
    /// Largest resident set, in KiB.
    pub memory: i64,
}

impl Figures {
    pub fn milliseconds(&self) -> f64 {
        self.wall.as_secs_f64() * 1e3
    }

    #[allow(clippy::cast_precision_loss)]
    pub fn mebibytes(&self) -> f64 {
        self.memory as f64 / 1024.0
    }
}

impl Command {
    pub fn new(program: &Path) -> Self {
        let (arguments, environment) = (Vec::new(), Vec::new());
        Self { program: program.to_owned(), arguments, directory: std::env::temp_dir(), environment }
    }

    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn inside(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.directory);
        self
    }

    /// Whether it ends well.
    pub fn succeeds(&self) -> bool {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.directory).envs(self.environment.iter().cloned());
        command.output().expect("the command runs").status.success()
    }

    /// Runs it once below a small process of its own: a child inherits the peak memory of the process that forked it.
    fn run(&self) -> Figures {
        let out = std::process::Command::new(std::env::current_exe().expect("this program"))
            .arg(&self.program)
            .args(&self.arguments)
            .current_dir(&self.directory)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(CHILD, "1")
            .stderr(Stdio::inherit())
            .output()
            .expect("the measuring child runs");
        let text = String::from_utf8(out.stdout).expect("text");
        let mut numbers = text.split_whitespace().map(|word| word.parse::<i64>().expect("a number"));
        let (code, wall, memory) = (numbers.next().unwrap(), numbers.next().unwrap(), numbers.next().unwrap());
        assert_eq!(code, 0, "{} {:?} failed", self.program.display(), self.arguments);
        Figures { wall: Duration::from_nanos(wall.unsigned_abs()), memory }
    }
}

/// The best of `runs` runs of each, in turn.
pub fn interleaved(a: &Command, b: &Command, runs: usize) -> (Figures, Figures) {
    let better = |best: Option<Figures>, new: Figures| {
        Some(best.map_or(new, |best| Figures { wall: best.wall.min(new.wall), memory: best.memory.max(new.memory) }))
    };
    let (mut best_a, mut best_b) = (None, None);
    for _ in 0..=runs {
        best_a = better(best_a, a.run());
        best_b = better(best_b, b.run());
    }
    (best_a.unwrap(), best_b.unwrap())
}

/// The best of `runs` runs.
pub fn best(command: &Command, runs: usize) -> Figures {
    let better =
        |best: Figures, new: Figures| Figures { wall: best.wall.min(new.wall), memory: best.memory.max(new.memory) };
    (0..runs).map(|_| command.run()).fold(command.run(), better)
}

/// Waits until nothing that was written or removed is in the way.
pub fn rest() {
    rustix::fs::sync();
    std::thread::sleep(REST);
}

pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs the command line given, its output to a file, and prints exit code, nanoseconds and KiB.
pub fn child() {
    let mut arguments = std::env::args_os().skip(1);
    let mut command = std::process::Command::new(arguments.next().expect("a program"));
    command.args(arguments);
    // What this process pays for its first start of another one is not that one's.
    assert!(timed(&mut std::process::Command::new("true")).0.success(), "`true` runs");
    let (status, wall) = timed(&mut command);
    let memory = getrusage(UsageWho::RUSAGE_CHILDREN).expect("figures").max_rss();
    println!("{} {} {memory}", status.code().unwrap_or(-1), wall.as_nanos());
}

/// How a command ended, and after which time.
fn timed(command: &mut std::process::Command) -> (ExitStatus, Duration) {
    let output = tempfile::tempfile().expect("a file for the output");
    // Cargo's own: the loader would look for every library in its folders first, which no user's does.
    command.env_remove(CHILD).env_remove("LD_LIBRARY_PATH").stdin(Stdio::null()).stdout(output);
    let started = Instant::now();
    let status = command.status().expect("the command runs");
    (status, started.elapsed())
}
