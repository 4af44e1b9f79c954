//! The ledger between clones: one linear chain, every entry in it, whoever races.

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use lockage::error::Outcome;
use lockage::promote::{Entry, Ledger, Plan, StageName, holder};
use lockage::repo::refs::{Refs, Swap};

use super::fixture::Fixture;

fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(arguments);
    // No identity, no configuration of the machine's.
    command.env("HOME", "/nonexistent").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

struct Shared {
    folder: tempfile::TempDir,
}

impl Shared {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--bare", "remote.git"]);
        Self { folder }
    }

    fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    fn clone(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        if !path.exists() {
            git(self.folder.path(), &["clone", "--quiet", "remote.git", name]);
        }
        path
    }

    fn ledger(&self, name: &str) -> Ledger {
        Ledger::new(Refs::open(&self.clone(name), Some("origin".to_owned())).unwrap())
    }
}

fn entry(plan: &Plan, number: usize) -> Entry {
    let mut plan = plan.clone();
    plan.id = format!("{number:064}");
    let now = Timestamp::UNIX_EPOCH;
    Entry {
        schema: "lockage.ledger/1".into(),
        outcome: Outcome::Applied,
        by: "ana".into(),
        began: now,
        ended: now,
        receipts: Vec::new(),
        why: None,
        plan,
    }
}

const NAME: &str = "refs/lockage/ledger/pangeo-forge/staging";

#[test]
fn twenty_racing_promotions_of_two_clones_leave_one_chain_with_every_entry() {
    let shared = Shared::new();
    let plan = Fixture::new().plan().unwrap();
    let (one, two) = (shared.clone("one"), shared.clone("two"));
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let clone = if worker % 2 == 0 { &one } else { &two };
            let plan = &plan;
            scope.spawn(move || {
                let ledger = Ledger::new(Refs::open(clone, Some("origin".to_owned())).unwrap());
                for number in 0..5 {
                    ledger.append(&entry(plan, worker * 5 + number)).unwrap();
                }
            });
        }
    });
    let chain = git(&shared.remote(), &["rev-list", "--parents", NAME]);
    let lines: Vec<&str> = chain.lines().collect();
    assert_eq!(lines.len(), 20);
    assert!(lines.iter().rev().skip(1).all(|line| line.split(' ').count() == 2), "one parent each:\n{chain}");
    let stage = StageName::plain("staging");
    let mut ids: Vec<String> = shared
        .ledger("one")
        .entries("pangeo-forge", &stage, 100)
        .unwrap()
        .into_iter()
        .map(|recorded| recorded.entry.plan.id)
        .collect();
    ids.sort();
    assert_eq!(ids, (0..20).map(|number| format!("{number:064}")).collect::<Vec<_>>());
    for directory in [shared.remote(), one, two] {
        let said = git(&directory, &["fsck", "--strict", "--no-dangling"]);
        assert_eq!(said, "", "{}", directory.display());
    }
}

#[test]
fn an_entry_is_recorded_once_however_often_it_is_asked_for() {
    let shared = Shared::new();
    let plan = Fixture::new().plan().unwrap();
    let ledger = shared.ledger("one");
    let commit = ledger.append(&entry(&plan, 1)).unwrap();
    ledger.append(&entry(&plan, 2)).unwrap();
    assert_eq!(ledger.append(&entry(&plan, 1)).unwrap(), commit);
    assert_eq!(shared.ledger("two").entries("pangeo-forge", &StageName::plain("staging"), 9).unwrap().len(), 2);
}

#[test]
fn what_a_killed_process_left_beside_a_reference_is_no_obstacle() {
    let shared = Shared::new();
    let plan = Fixture::new().plan().unwrap();
    let ledger = shared.ledger("one");
    ledger.append(&entry(&plan, 1)).unwrap();
    let git = shared.clone("one").join(".git");
    for name in [NAME.to_owned(), NAME.replace("refs/lockage", "refs/lockage/seen")] {
        let lock = git.join(format!("{name}.lock"));
        std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
        std::fs::write(lock, "").unwrap();
    }
    shared.ledger("two").append(&entry(&plan, 2)).unwrap();
    ledger.append(&entry(&plan, 3)).unwrap();
    assert_eq!(shared.ledger("two").entries("pangeo-forge", &StageName::plain("staging"), 9).unwrap().len(), 3);
}

#[test]
fn entries_made_alone_go_on_top_of_what_others_shared() {
    let shared = Shared::new();
    let plan = Fixture::new().plan().unwrap();
    let alone = Ledger::new(Refs::open(&shared.clone("one"), None).unwrap());
    alone.append(&entry(&plan, 1)).unwrap();
    alone.append(&entry(&plan, 2)).unwrap();
    shared.ledger("two").append(&entry(&plan, 3)).unwrap();
    shared.ledger("one").append(&entry(&plan, 4)).unwrap();
    let stage = StageName::plain("staging");
    let ids = |name: &str| -> Vec<String> {
        let entries = shared.ledger(name).entries("pangeo-forge", &stage, 9).unwrap();
        entries.into_iter().map(|recorded| recorded.entry.plan.id.trim_start_matches('0').to_owned()).collect()
    };
    assert_eq!(ids("one"), ["4", "2", "1", "3"]);
    assert_eq!(ids("two"), ["4", "2", "1", "3"]);
}

#[test]
fn compare_and_swap_is_refused_when_somebody_was_faster() {
    let shared = Shared::new();
    let (one, two) = (shared.clone("one"), shared.clone("two"));
    for remote in [None, Some("origin".to_owned())] {
        let name = if remote.is_some() { "refs/lockage/lock/p/shared" } else { "refs/lockage/lock/p/alone" };
        let here = Refs::open(&one, remote.clone()).unwrap();
        let there = Refs::open(if remote.is_some() { &two } else { &one }, remote).unwrap();
        let mine = here.commit(None, "f", b"1", "one", 0).unwrap();
        let other = there.commit(None, "f", b"2", "two", 0).unwrap();
        assert_eq!(here.swap(name, None, Some(&mine)).unwrap(), Swap::Done);
        assert_eq!(there.swap(name, None, Some(&other)).unwrap(), Swap::Moved);
        assert_eq!(there.current(name).unwrap().as_deref(), Some(mine.as_str()));
        assert_eq!(there.swap(name, Some(&mine), None).unwrap(), Swap::Done);
        assert_eq!(here.current(name).unwrap(), None);
    }
}

#[test]
fn a_remote_that_is_away_is_an_error_and_names_it() {
    let shared = Shared::new();
    let ledger = shared.ledger("one");
    std::fs::rename(shared.remote(), shared.folder.path().join("gone")).unwrap();
    let error = ledger.head("pangeo-forge", &StageName::plain("staging")).unwrap_err();
    use lockage::error::Failure as _;
    assert_eq!(error.class().code(), 4);
    assert!(error.to_string().starts_with("`git fetch` with the remote `origin` fails"), "{error}");
}

#[test]
fn a_lock_of_another_clone_holds_until_it_is_given_back() {
    let fixture = Fixture::new();
    let shared = Shared::new();
    let plan = fixture.plan().unwrap();
    let engine = |name: &str| lockage::promote::Engine { ledger: shared.ledger(name), ..fixture.engine() };
    // A promotion that died holds its stage's lock.
    let observer = super::fixture::DiesAfter::new(1);
    assert!(super::fixture::in_a_process(|| super::fixture::run(engine("one").apply(&plan, &observer))).is_none());
    let stage = StageName::plain("staging");
    let refs = Refs::open(&shared.clone("two"), Some("origin".to_owned())).unwrap();
    assert_eq!(holder(&refs, "pangeo-forge", &stage).unwrap().unwrap().owner, "ana");
    let mut other = engine("two");
    other.journals = fixture.folder.path().join("journal of two");
    let error = super::fixture::run(other.apply(&plan, &lockage::promote::Unobserved)).unwrap_err();
    assert!(matches!(error, lockage::promote::PromoteError::Lock(_)), "{error}");
    let resumed = super::fixture::run(engine("one").resume("pangeo-forge", &stage, &lockage::promote::Unobserved));
    assert_eq!(resumed.unwrap().unwrap().outcome, Outcome::Applied);
    assert!(holder(&refs, "pangeo-forge", &stage).unwrap().is_none());
}
