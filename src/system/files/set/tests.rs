use std::fs;

use super::*;
use crate::system::files::{End, roll};

struct Lab {
    root: tempfile::TempDir,
    targets: Vec<Target>,
}

impl Lab {
    /// Two files in two folders, and one that is not there yet.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("deep")).unwrap();
        let place = |name: &str| root.path().join(name);
        fs::write(place("a"), "old a").unwrap();
        fs::write(place("deep/b"), "old b").unwrap();
        let targets = ["a", "deep/b", "new"].map(|name| Target::hold(&place(name)).unwrap()).into();
        Self { root, targets }
    }

    fn room(&self) -> PathBuf {
        self.root.path().join("room")
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.root.path().join(name)).ok()
    }

    /// Writes all of them and commits.
    fn change(&self, before_commit: impl FnOnce()) -> Result<(), FileError> {
        let targets: Vec<&Target> = self.targets.iter().collect();
        let set = Set::begin(&self.room(), &targets, Loss::NewFiles)?;
        for (number, old) in [Some("old a"), Some("old b"), None].into_iter().enumerate() {
            set.write(number, b"new", old.map(|old| digest(old.as_bytes())), Mode::KeptOr(0o600))?;
        }
        before_commit();
        set.commit()
    }

    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in [".", "deep", "room"] {
            let entries = fs::read_dir(self.root.path().join(folder)).into_iter().flatten().flatten();
            names.extend(entries.map(|entry| entry.file_name().into_string().unwrap()));
        }
        names.sort();
        names
    }
}

#[test]
fn all_files_change() {
    let lab = Lab::new();
    lab.change(|| {}).unwrap();
    assert_eq!(["a", "deep/b", "new"].map(|name| lab.read(name).unwrap()), ["new"; 3]);
    assert_eq!(lab.names(), ["a", "b", "deep", "new", "room"]);
    assert!(roll(&lab.room()).is_empty());
}

#[test]
fn what_somebody_else_changed_meanwhile_changes_nothing() {
    for (name, content) in [("deep/b", "theirs"), ("new", "theirs, too")] {
        let lab = Lab::new();
        let error = lab.change(|| fs::write(lab.root.path().join(name), content).unwrap()).unwrap_err();
        assert!(matches!(error, FileError::Changed { .. }), "{error}");
        assert_eq!((lab.read("a").as_deref(), lab.read(name).as_deref()), (Some("old a"), Some(content)));
        assert!(
            !lab.names().iter().any(|name| name.starts_with(".lockage") || name.ends_with("ing")),
            "{:?}",
            lab.names()
        );
    }
}

#[test]
fn a_set_that_is_dropped_leaves_nothing() {
    let lab = Lab::new();
    let targets: Vec<&Target> = lab.targets.iter().collect();
    let set = Set::begin(&lab.room(), &targets, Loss::Nothing).unwrap();
    set.write(0, b"new", None, Mode::Exactly(0o600)).unwrap();
    // While its command lives, others leave it alone.
    let [rolled] = &roll(&lab.room())[..] else { panic!("one") };
    assert!(matches!(rolled.end, End::Standing(FileError::Busy { .. })) && rolled.files.len() == 3);
    drop(set);
    assert_eq!(lab.names(), ["a", "b", "deep", "room"]);
}

#[test]
fn a_journal_that_names_a_file_elsewhere_moves_nothing_but_its_own() {
    let lab = Lab::new();
    fs::create_dir(lab.room()).unwrap();
    let entry = |successor: &str| serde_json::json!({"file": lab.root.path().join("a"), "successor": successor, "before": null});
    let journal = serde_json::json!([entry("../deep/b"), entry("deep/b"), entry(".lockage-set-x/../../deep/b")]);
    for state in ["00.writing", "01.renaming"] {
        fs::write(lab.room().join(state), journal.to_string()).unwrap();
    }
    let _ = roll(&lab.room());
    assert_eq!((lab.read("a").unwrap(), lab.read("deep/b").unwrap()), ("old a".to_owned(), "old b".to_owned()));
    // Nor does it move a neighbour that no set wrote.
    fs::write(lab.root.path().join("kept"), "theirs").unwrap();
    for state in ["00.writing", "01.renaming"] {
        fs::write(lab.room().join(state), serde_json::json!([entry("kept")]).to_string()).unwrap();
    }
    let _ = roll(&lab.room());
    assert_eq!((lab.read("a").as_deref(), lab.read("kept").as_deref()), (Some("old a"), Some("theirs")));
    fs::write(lab.room().join("02.renaming"), "no journal").unwrap();
    let rolled = roll(&lab.room());
    assert!(rolled.iter().any(|rolled| matches!(rolled.end, End::Standing(FileError::Read { .. }))), "{rolled:?}");
}

#[test]
fn new_files_that_were_not_on_the_disk_are_none_after_another_start_of_the_machine() {
    let lab = Lab::new();
    let targets = [&lab.targets[2]];
    let set = Set::begin(&lab.room(), &targets, Loss::NewFiles).unwrap();
    set.write(0, b"new", None, Mode::Exactly(0o600)).unwrap();
    let journal = fs::read_dir(lab.room()).unwrap().next().unwrap().unwrap().path();
    let name = journal.file_name().unwrap().to_str().unwrap().to_owned();
    // Where the kernel has no name for its start, every set is flushed.
    let Some((word, start)) = name.strip_suffix(".writing").unwrap().split_once("-start-") else { return };
    let content = fs::read(&journal).unwrap();
    std::mem::forget(set);
    fs::remove_file(&journal).unwrap();
    for state in ["writing", "renaming"] {
        let elsewhere = format!("{word}-start-{}.{state}", start.chars().rev().collect::<String>());
        fs::write(lab.root.path().join(format!(".lockage-set-{word}-0")), "half").unwrap();
        fs::write(lab.room().join(&elsewhere), &content).unwrap();
        let [rolled] = &roll(&lab.room())[..] else { panic!("one") };
        assert!(matches!(rolled.end, End::Lost), "{rolled:?}");
        assert_eq!(lab.names(), ["a", "b", "deep", "room"]);
    }
    fs::write(lab.root.path().join(format!(".lockage-set-{word}-0")), "new").unwrap();
    fs::write(lab.room().join(format!("{word}-start-{start}.renaming")), &content).unwrap();
    let [rolled] = &roll(&lab.room())[..] else { panic!("one") };
    assert!(matches!(&rolled.end, End::Forward { left } if left.is_empty()), "{rolled:?}");
    assert_eq!(lab.read("new").as_deref(), Some("new"));
}

#[test]
fn a_set_that_replaces_a_file_is_flushed_whatever_may_be_lost() {
    let lab = Lab::new();
    let targets: Vec<&Target> = lab.targets.iter().collect();
    for (targets, loss, lasting) in [
        (&targets[..], Loss::NewFiles, true),
        (&targets[2..], Loss::Nothing, true),
        (&targets[2..], Loss::NewFiles, false),
    ] {
        let set = Set::begin(&lab.room(), targets, loss).unwrap();
        let known = Path::new("/proc/sys/kernel/random/boot_id").exists();
        assert_eq!(set.is_lasting(), lasting || !known);
    }
}

#[test]
fn a_file_whose_successor_is_gone_is_told() {
    let lab = Lab::new();
    let targets: Vec<&Target> = lab.targets[..2].iter().collect();
    let set = Set::begin(&lab.room(), &targets, Loss::Nothing).unwrap();
    for number in 0..2 {
        set.write(number, b"new", None, Mode::KeptOr(0o600)).unwrap();
    }
    let journal = fs::read_dir(lab.room()).unwrap().next().unwrap().unwrap().path();
    let (content, renaming) = (fs::read(&journal).unwrap(), journal.with_extension("renaming"));
    std::mem::forget(set);
    fs::remove_file(&journal).unwrap();
    fs::write(renaming, content).unwrap();
    let mut successors = lab.names().into_iter().filter(|name| name.starts_with(".lockage-set-"));
    let gone = successors.find(|name| lab.root.path().join(name).exists()).unwrap();
    fs::remove_file(lab.root.path().join(gone)).unwrap();
    // Its command is gone, and what it held with it.
    drop(lab.targets);
    let lab = Lab { root: lab.root, targets: Vec::new() };
    let [rolled] = &roll(&lab.room())[..] else { panic!("one") };
    assert!(matches!(&rolled.end, End::Forward { left } if left.len() == 1 && left[0].ends_with("a")), "{rolled:?}");
    assert_eq!((lab.read("a").as_deref(), lab.read("deep/b").as_deref()), (Some("old a"), Some("new")));
}

#[test]
fn a_set_wipes_what_a_killed_command_left_in_its_folders() {
    let lab = Lab::new();
    for folder in [".", "deep"] {
        fs::write(lab.root.path().join(folder).join(".lockage-0123456789abcdef"), "half").unwrap();
    }
    lab.change(|| {}).unwrap();
    assert_eq!(lab.names(), ["a", "b", "deep", "new", "room"]);
}
