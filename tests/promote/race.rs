//! Two clones race with whole promotions, outside the rehearsal, through one ledger on one bare remote.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use lockage::sandbox::{Stack, requests};
use serde_json::Value;

use super::clone::writes;
use super::team::{Member, Team};

/// Promotions of each clone.
const ROUNDS: usize = 10;
/// How often a clone tries again before the test gives up; each refusal means that the other one was at work.
const TRIES: usize = 200;
const LEDGER: &str = "refs/lockage/ledger/team/staging";

/// One promotion, tried again for as long as the other clone is faster. How often it was refused.
fn promote(member: &Member<'_>, review: &str) -> usize {
    for refused in 0..TRIES {
        let ran = member.run_among_others(&format!("promote {review} staging --yes --json"));
        if ran.code == 0 {
            let document: Value = serde_json::from_str(&ran.stdout).expect("one document");
            assert_eq!(document["outcome"], "applied", "{}\n{}", ran.stdout, ran.stderr);
            assert!(document["entry"].is_string(), "{}", ran.stdout);
            return refused;
        }
        let expected = ["is locked by", "the plan is stale"];
        assert_eq!(ran.code, 1, "the expected `no`: {}\n{}", ran.stdout, ran.stderr);
        assert!(expected.iter().any(|says| ran.stderr.contains(says)), "{}", ran.stderr);
        assert!(ran.stderr.contains("outcome: unchanged"), "{}", ran.stderr);
    }
    panic!("refused {TRIES} times");
}

/// The value that a plan's change makes of the app's variable.
fn promoted(plan: &Value) -> Option<String> {
    match plan {
        Value::Object(entries) => entries.iter().find_map(|(name, inner)| match name.as_str() {
            "after" => inner["fields"]["WANTED"]["text"].as_str().map(str::to_owned),
            _ => promoted(inner),
        }),
        Value::Array(items) => items.iter().find_map(promoted),
        _ => None,
    }
}

#[test]
fn twenty_racing_promotions_of_two_clones_leave_one_chain_with_every_entry() {
    let team = Team::new(Stack::Slug);
    let refused = AtomicUsize::new(0);
    let members = [("one", "1"), ("two", "2")].map(|(name, number)| (name, number, team.clone(name)));
    // Each tells the other that it is ready; one that fails lets go, and the other fails too.
    let ((here, from_here), (there, from_there)) = (sync_channel(1), sync_channel(1));
    let starts = [(here, from_there), (there, from_here)];
    std::thread::scope(|scope| {
        for ((name, number, member), (ready, other)) in members.iter().zip(starts) {
            let refused = &refused;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    member.want(&format!("team-pr-{number}"), Stack::Slug, &format!("{name}-{round}"));
                    ready.send(()).expect("the other clone lives");
                    other.recv().expect("the other clone lives");
                    let times = promote(member, &format!("review/pr-{number}"));
                    refused.fetch_add(times, Ordering::SeqCst);
                }
            });
        }
    });
    assert!(refused.load(Ordering::SeqCst) > 0, "nobody was in anybody's way");

    let chain = team.git(&team.remote(), &["rev-list", "--parents", LEDGER]);
    let links: Vec<Vec<&str>> = chain.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(links.len(), 2 * ROUNDS, "{chain}");
    for (at, link) in links.iter().enumerate() {
        let parents: Vec<&str> = links.get(at + 1).map(|older| older[0]).into_iter().collect();
        assert_eq!(link[1..], parents, "one parent each:\n{chain}");
    }
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for link in &links {
        let entry = team.git(&team.remote(), &["show", &format!("{}:entry.json", link[0])]);
        let entry: Value = serde_json::from_str(&entry).expect("an entry");
        assert_eq!(entry["outcome"], "applied");
        assert!(entry["plan"]["ledger"].as_str() == link.get(1).copied(), "planned on the entry before it");
        *wanted.entry(promoted(&entry["plan"]["steps"]).expect("what it made of the app")).or_default() += 1;
    }
    let names =
        ["one", "two"].into_iter().flat_map(|name| (0..ROUNDS).map(move |round| (format!("{name}-{round}"), 1)));
    assert_eq!(wanted, names.collect(), "every promotion is in the chain, once");

    let sent = writes(&requests(team.world.dir()).expect("the log"));
    for write in ["PATCH /apps/team-staging/config-vars", "POST /apps/team-staging/releases", "UPDATE "] {
        let times = sent.iter().filter(|sent| sent.starts_with(write)).count();
        assert_eq!(times, 2 * ROUNDS, "`{write}` once for each promotion: {sent:#?}");
    }
    for directory in members.iter().map(|(_, _, member)| member.path.clone()).chain([team.remote()]) {
        let said = team.git(&directory, &["fsck", "--full", "--strict", "--no-dangling", "--no-progress"]);
        assert_eq!(said, "", "{}", directory.display());
    }
    let locks = team.git(&team.remote(), &["for-each-ref", "refs/lockage/lock"]);
    assert_eq!(locks, "", "every lock is given back");
    team.scenario.listen();
}
