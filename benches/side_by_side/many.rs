//! A thousand files: one process of ours beside the peer in a loop, and with a key service that takes its time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::measure::{self, Command, Figures};
use super::slow_keys::{SlowKeys, Wait};

const FILES: usize = 1_000;
/// Runs of ours; the peer's takes long enough to be no accident.
const RUNS: usize = 3;
/// What the slow service takes for one key, and how many are asked for at once.
const WAIT: Duration = Duration::from_millis(50);
const AT_ONCE: usize = 64;

const OURS: &str = "age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw";
const FURTHER: &str = "age1wsft3nsrf9aw52gr0uc78gh3qsth763z3ka9pcjnzk6ezrj4m4xs45n3pj";

/// The files, encrypted for one recipient, each under a data key of its own.
struct Lab {
    root: tempfile::TempDir,
}

/// Prints a row for each command.
pub fn print(lockage: &Path, sops: &Path) {
    let lab = Lab::make(lockage);
    println!();
    println!("{:<34} {:>10} {:>10} {:>8}", format!("{FILES} files"), "lockage", "peer", "ratio");
    let each = |command: &str| {
        Command::new(Path::new("sh"))
            .arg("-c")
            .arg(format!("for file in files/*.yaml; do {} {command} \"$file\" || exit 1; done", sops.display()))
    };
    let all = |arguments: &[&str]| {
        arguments.iter().fold(Command::new(lockage).arg("-q"), |command, argument| command.arg(*argument))
    };
    let out = lab.root.path().join("out").display().to_string();
    let below = all(&["decrypt", "-r", "files", "--output-dir", &out]);
    lab.row("decrypt into a folder", &below, &each("decrypt --output out.yaml"), 100.0);
    lab.row("decrypt in place", &all(&["decrypt", "-i", "-r", "files"]), &each("decrypt -i"), 100.0);
    measure::rest();
    lab.rule(&format!("{OURS},{FURTHER}"));
    lab.row("updatekeys", &all(&["updatekeys", "-y", "-r", "files"]), &each("updatekeys -y"), 30.0);
    measure::rest();
    lab.rule(OURS);
    lab.row("rotate", &all(&["rotate", "-i", "-r", "files"]), &each("rotate -i"), 30.0);
    measure::rest();

    let service = SlowKeys::start(&lab.root.path().join("identity.txt"), lab.root.path(), Wait::For(WAIT));
    let slow = all(&["decrypt", "-i", "-r", "files", "--enable-local-keyservice=false", "--keyservice", &service.uri]);
    let ours = lab.best(&slow, RUNS);
    let ideal = WAIT * u32::try_from(FILES.div_ceil(AT_ONCE)).expect("a small number");
    println!(
        "{:<34} {:>7.1} ms, {:.2} times the ideal of {AT_ONCE} at once ({:.0} ms)   goal <= 1.5",
        "decrypt, keys take 50 ms each",
        ours.milliseconds(),
        ours.wall.as_secs_f64() / ideal.as_secs_f64(),
        ideal.as_secs_f64() * 1e3
    );
}

impl Lab {
    fn make(lockage: &Path) -> Self {
        let lab = Self { root: tempfile::tempdir().expect("a folder") };
        let at = |name: &str| lab.root.path().join(name);
        fs::write(at("identity.txt"), include_str!("../../secrets/published-test-key.txt")).expect("the identity");
        fs::create_dir_all(at("files")).expect("a folder");
        fs::create_dir(at(".git")).expect("a folder");
        for number in 0..FILES {
            let text: String = (0..10).map(|leaf| format!("key{leaf}: value {number} {leaf}\n")).collect();
            fs::write(at("files").join(format!("{number}.yaml")), text).expect("a file");
        }
        lab.rule(OURS);
        assert!(
            lab.inside(&Command::new(lockage).arg("-q").arg("encrypt").arg("-i").arg("-r").arg("files")).succeeds()
        );
        copy(&at("files"), &at("pristine"));
        measure::rest();
        lab
    }

    fn rule(&self, recipients: &str) {
        let rules = format!("creation_rules:\n  - path_regex: ^files/\n    age: {recipients}\n");
        fs::write(self.root.path().join(".sops.yaml"), rules).expect("the rules");
    }

    fn inside(&self, command: &Command) -> Command {
        let identity = self.root.path().join("identity.txt").display().to_string();
        let home = self.root.path().display().to_string();
        command.clone().env("SOPS_AGE_KEY_FILE", identity).env("HOME", home).inside(self.root.path())
    }

    /// The best of so many runs, each on the files as they were; nothing is removed in between.
    fn best(&self, command: &Command, runs: usize) -> Figures {
        let command = self.inside(command);
        let run = |number: usize| {
            copy(&self.root.path().join("pristine"), &self.root.path().join("files"));
            let _ = fs::rename(self.root.path().join("out"), self.root.path().join(format!("out{number}")));
            measure::best(&command, 0)
        };
        (0..runs).map(run).min_by_key(|figures| figures.wall).expect("a run")
    }

    fn row(&self, name: &str, ours: &Command, theirs: &Command, goal: f64) {
        let (ours, theirs) = (self.best(ours, RUNS), self.best(theirs, 1));
        let times = theirs.wall.as_secs_f64() / ours.wall.as_secs_f64();
        println!(
            "{name:<34} {:>7.1} ms {:>7.0} ms {:>8.4} {:>6.1} MiB   {times:.0} times as fast; goal >= {goal:.0}",
            ours.milliseconds(),
            theirs.milliseconds(),
            1.0 / times,
            ours.mebibytes(),
        );
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    let entries: Vec<PathBuf> = fs::read_dir(from).expect("a folder").map(|entry| entry.expect("it").path()).collect();
    for path in entries {
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
    }
}
