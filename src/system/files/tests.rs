use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_link_is_followed_and_mode_and_owner_stay() {
    let folder = folder();
    let (file, link, link2) = (folder.path().join("file"), folder.path().join("link"), folder.path().join("link2"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("file", &link).unwrap();
    symlink(&link, &link2).unwrap();
    let owner = rustix::process::geteuid().is_root();
    if owner {
        std::os::unix::fs::chown(&file, Some(12), Some(34)).unwrap();
    }
    let target = Target::hold(&link2).unwrap();
    assert_eq!(&target.read().unwrap()[..], b"old");
    target.replace(b"new", Some(b"old"), Mode::KeptOr(0o600)).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"new");
    let now = fs::symlink_metadata(&file).unwrap();
    assert_eq!(now.permissions().mode() & 0o7777, 0o640);
    if owner {
        assert_eq!((now.uid(), now.gid()), (12, 34));
    }
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(names(folder.path()), ["file", "link", "link2"]);
}

#[test]
fn a_new_file_gets_the_mode_that_was_asked_for() {
    let folder = folder();
    let secret = folder.path().join("secret");
    fs::write(&secret, "").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    Target::hold(&secret).unwrap().replace(b"x", Some(b""), Mode::Exactly(0o600)).unwrap();
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o7777, 0o600);
    let link = folder.path().join("dangling");
    symlink("new", &link).unwrap();
    let target = Target::hold(&link).unwrap();
    assert!(!target.exists());
    target.replace(b"x", None, Mode::KeptOr(0o600)).unwrap();
    let new = fs::metadata(folder.path().join("new")).unwrap();
    assert_eq!(new.permissions().mode() & 0o7777, 0o600);
}

#[test]
fn one_command_at_a_time() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "1").unwrap();
    let first = Target::hold(&file).unwrap();
    assert!(matches!(Target::hold(&file), Err(FileError::Busy { .. })));
    first.replace(b"2", None, Mode::KeptOr(0o600)).unwrap();
    drop(first);
    let second = Target::hold(&file).unwrap();
    assert_eq!(&second.read().unwrap()[..], b"2");
}

#[test]
fn what_somebody_else_wrote_is_not_overwritten() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "1").unwrap();
    let target = Target::hold(&file).unwrap();
    fs::write(&file, "theirs").unwrap();
    assert!(matches!(target.replace(b"2", Some(b"1"), Mode::KeptOr(0o600)), Err(FileError::Changed { .. })));
    // As git does it: a new file under the old name.
    fs::write(folder.path().join("other"), "1").unwrap();
    fs::rename(folder.path().join("other"), &file).unwrap();
    assert!(matches!(target.replace(b"2", None, Mode::KeptOr(0o600)), Err(FileError::Changed { .. })));
    fs::remove_file(&file).unwrap();
    assert!(matches!(target.replace(b"2", None, Mode::KeptOr(0o600)), Err(FileError::Changed { .. })));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn hard_links_folders_and_loops_are_refused() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "1").unwrap();
    fs::hard_link(&file, folder.path().join("second")).unwrap();
    let error = Target::hold(&file).unwrap_err();
    assert!(matches!(error, FileError::HardLinked { names: 2, .. }) && error.hints()[0].contains("cp -p"));
    assert!(matches!(Target::hold(folder.path()), Err(FileError::NotAFile { .. })));
    symlink("loop", folder.path().join("loop")).unwrap();
    assert!(matches!(Target::hold(&folder.path().join("loop")), Err(FileError::Read { .. })));
    assert!(matches!(read(Path::new("/dev/zero")), Err(FileError::NotAFile { .. })));
    assert!(matches!(read(&file.join("x")), Err(FileError::Missing { .. })));
}

#[test]
fn a_sparse_giant_is_refused_before_reading() {
    let folder = folder();
    let path = folder.path().join("giant");
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(matches!(read(&path), Err(FileError::TooLarge { .. })));
    let endless = std::io::repeat(b'x');
    assert!(matches!(read_stream_at_most(100_000, endless, 0, &path), Err(FileError::TooLarge { limit: 100_000, .. })));
}

#[test]
fn a_file_with_two_names_keeps_both() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    std::fs::write(&one, "old and longer").unwrap();
    std::fs::hard_link(&one, &two).unwrap();
    let target = Target::hold_linked(&one).unwrap();
    target.replace(b"new", None, Mode::KeptOr(0o644)).unwrap();
    assert_eq!(std::fs::read(&two).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    drop(target);
    // A command that was killed has left half a text and the copy.
    std::fs::write(folder.path().join(".lockage-before-one"), "new").unwrap();
    std::fs::write(&one, "ne").unwrap();
    let target = Target::hold_linked(&one).unwrap();
    assert_eq!(&target.read().unwrap()[..], b"new");
    assert_eq!(std::fs::read(&two).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}
