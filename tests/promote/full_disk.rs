//! A full disk: a small tmpfs as the state folder.

use std::path::PathBuf;
use std::process::Command;

use lockage::sandbox::requests;

use super::clone::{Clone, PROMOTE, since, writes};

/// What a file on a tmpfs grows by.
const PAGE: usize = 4096;

/// A mounted file system, unmounted when it goes.
struct Mount(PathBuf);

impl Mount {
    fn new(at: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&at).expect("a folder");
        let options = format!("size={size},mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&at).output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self(at));
        }
        eprintln!("SKIPPED: needs the right to mount a tmpfs");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_leaves_a_journal_that_resumes() {
    let clone = Clone::with_world();
    let world = clone.world();
    let start = requests(world.dir()).expect("the log").len();
    let Some(mount) = Mount::new(world.dir().join("journal"), "64k") else { return };
    let ballast = mount.0.join("ballast");
    let (mut interrupted, mut ended_well) = (0, false);
    // Each round has one page of journal more.
    for pages in 0..16 {
        let _ = std::fs::remove_file(&ballast);
        fill(&ballast, 16 - pages);
        let ran = clone.run(PROMOTE);
        if ran.code == 0 {
            ended_well = true;
            break;
        }
        assert_eq!(ran.code, 4, "{pages}: {}\n{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("journal"), "{}", ran.stderr);
        assert!(ran.stderr.contains("make room on the disk"), "{}", ran.stderr);
        let touched = !writes(&since(&world, start)).is_empty();
        interrupted += usize::from(touched);
        assert!(!touched || ran.stderr.contains("outcome: "), "{}", ran.stderr);
    }
    assert!(interrupted > 0, "the disk was full half-way");
    assert!(ended_well, "with room it ends well");
    for (write, times) in [("PATCH", 1), ("/builds", 1), ("/domains", 1), ("/acm", 1), ("UPDATE", 1)] {
        let sent = writes(&since(&world, start));
        assert_eq!(sent.iter().filter(|sent| sent.contains(write)).count(), times, "{write}: {sent:?}");
    }
    let again = clone.succeed(PROMOTE);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    drop(mount);
}

fn fill(ballast: &std::path::Path, pages: usize) {
    // As much as there is room for.
    let _ = std::fs::write(ballast, vec![0; pages * PAGE]);
}
