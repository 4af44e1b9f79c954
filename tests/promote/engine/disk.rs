//! A full disk: what cannot be written down is not done, and the next run takes up what the disk has.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use lockage::error::{Failure as _, Outcome};
use lockage::promote::{Event, Observer};

use super::fixture::{Fixture, run};

const FOLDER: &str = "LOCKAGE_TEST_SMALL_DISK";

/// Runs [`on_a_small_disk`] where a file system of a few pages is mounted, seen by that process alone.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test is named")]
fn a_full_disk_stops_the_promotion_and_the_next_run_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=64k tmpfs \"${FOLDER}\" && exec \"$0\" --exact engine::disk::on_a_small_disk --ignored --nocapture"
    );
    let this = std::env::current_exe().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c", &script]).arg(this).env(FOLDER, folder.path());
    match Command::new("unshare").args(["--mount", "--", "true"]).status() {
        Ok(status) if status.success() => {}
        _ => {
            eprintln!("SKIPPED: needs root and `unshare` for a small file system");
            return;
        }
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Fills the disk after the nth event.
struct Fills {
    after: usize,
    seen: AtomicUsize,
    folder: PathBuf,
}

impl Observer for Fills {
    fn journalled(&self, _: &Event) {
        if self.seen.fetch_add(1, Ordering::SeqCst) == self.after {
            let mut file = std::fs::File::create(self.folder.join("filler")).unwrap();
            while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
        }
    }
}

const PAGE: usize = 4096;
/// What the page of the last event before the disk is full has left: less than nearly every event needs.
const REST: usize = 40;

#[test]
#[ignore = "runs inside its own mount"]
fn on_a_small_disk() {
    let Some(disk) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let folder = disk.join("journal");
    let lengths = lengths();
    let mut stopped = 0;
    for after in 0..lengths.len() - 1 {
        let fixture = Fixture::new();
        let mut plan = fixture.plan().unwrap();
        // A full disk still has the rest of a file's last page: a longer note makes that rest small.
        let end: usize = lengths[..=after].iter().sum();
        plan.notes[0].push_str(&"·".repeat(PAGE)[..2 * ((2 * PAGE - end % PAGE - REST) / 2)]);
        let engine = || lockage::promote::Engine { journals: folder.clone(), ..fixture.engine() };
        let fills = Fills { after, seen: AtomicUsize::new(0), folder: disk.clone() };
        let first = run(engine().apply(&plan, &fills));
        std::fs::remove_file(disk.join("filler")).unwrap();
        let report = match first {
            Ok(report) => report,
            Err(error) => {
                stopped += 1;
                assert_eq!(error.class().code(), 4, "{error}");
                assert!(error.outcome().is_some(), "{error}");
                assert!(error.to_string().starts_with("the journal cannot be kept"), "{error}");
                let stage = lockage::promote::StageName::plain("staging");
                run(engine().resume("pangeo-forge", &stage, &lockage::promote::Unobserved)).unwrap().unwrap()
            }
        };
        assert_eq!(report.outcome, Outcome::Applied);
        let log = fixture.world.get().log.clone();
        assert_eq!(log.len(), 5, "after event {after}: {log:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
    assert!(stopped > 10, "{stopped} of {}", lengths.len());
}

/// How long each line of the journal is.
fn lengths() -> Vec<usize> {
    let fixture = Fixture::new();
    fixture.apply(&fixture.plan().unwrap()).unwrap();
    let text = std::fs::read(fixture.folder.path().join("journal/pangeo-forge.staging.ended")).unwrap();
    text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).collect()
}
