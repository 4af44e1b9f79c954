//! Which event may follow which, and what a damaged file is.

use jiff::Timestamp;
use lockage::error::Outcome;
use lockage::promote::{Event, Journal, JournalError, Plan, Progress, Receipt, Task, Watermark, Way};

use super::fixture::Fixture;

fn plan() -> Plan {
    Fixture::new().plan().unwrap()
}

fn events(plan: &Plan) -> Vec<Event> {
    let Task::Write(write) = &plan.steps[0].task else { panic!() };
    let receipt = Receipt::default();
    let mut all = vec![
        Event::Began { plan: Box::new(plan.clone()), run: String::new(), by: "ana".into(), at: Timestamp::UNIX_EPOCH },
        Event::Turned { why: "no".into(), class: 1 },
        Event::Verified,
        Event::Recorded { commit: "0".repeat(40) },
        Event::Ended { outcome: Outcome::Applied, at: Timestamp::UNIX_EPOCH },
    ];
    for way in [Way::Forward, Way::Back] {
        for step in [0, 1] {
            all.extend([
                Event::Passed { step, way },
                Event::Announced { step, way, act: write.act.clone(), since: Watermark("1".into()) },
                Event::Accepted { step, way, receipt: receipt.clone() },
                Event::Refused { step, way },
                Event::Settled { step, way, receipt: receipt.clone(), failed: None },
                Event::Settled { step, way, receipt: receipt.clone(), failed: Some("no".into()) },
                Event::Confirmed { step, way },
            ]);
        }
    }
    all
}

/// Every walk of five events: the machine never takes an ending after an ending, a confirmation without an announcement,
/// or a way forward after the turn.
#[test]
fn illegal_transitions_are_refused() {
    let plan = plan();
    let events = events(&plan);
    let mut walks: Vec<(Progress, Vec<usize>)> = vec![(Progress::default(), Vec::new())];
    let mut legal = 0;
    for _ in 0..5 {
        let mut longer = Vec::new();
        for (progress, walk) in &walks {
            for (number, event) in events.iter().enumerate() {
                let mut next = progress.clone();
                if next.take(event).is_err() {
                    continue;
                }
                let mut path = walk.clone();
                path.push(number);
                legal += 1;
                law(&path.iter().map(|number| &events[*number]).collect::<Vec<_>>());
                longer.push((next, path));
            }
        }
        walks = longer;
    }
    assert!(legal > 50, "{legal}");
}

fn law(walk: &[&Event]) {
    let position = |wanted: &dyn Fn(&Event) -> bool| walk.iter().position(|event| wanted(event));
    assert!(matches!(walk[0], Event::Began { .. }), "{walk:?}");
    let ended = position(&|event| matches!(event, Event::Ended { .. }));
    assert!(ended.is_none_or(|at| at + 1 == walk.len()), "nothing follows an end: {walk:?}");
    let turned = position(&|event| matches!(event, Event::Turned { .. })).unwrap_or(usize::MAX);
    for (at, event) in walk.iter().enumerate() {
        match event {
            Event::Accepted { step, way, .. } | Event::Refused { step, way } => {
                assert!(
                    matches!(walk[at - 1], Event::Announced { step: s, way: w, .. } if (s, w) == (step, way)),
                    "{walk:?}"
                );
            }
            Event::Settled { step, way, .. } => {
                assert!(
                    matches!(walk[at - 1], Event::Accepted { step: s, way: w, .. } if (s, w) == (step, way)),
                    "{walk:?}"
                );
            }
            Event::Confirmed { step, way } => {
                let before = matches!(walk[at - 1], Event::Settled { step: s, way: w, failed: None, .. } if (s, w) == (step, way));
                assert!(before, "{walk:?}");
            }
            _ => {}
        }
        match event {
            Event::Announced { way, .. } | Event::Passed { way, .. } => {
                assert_eq!(*way == Way::Back, at > turned, "{walk:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn a_torn_last_line_is_dropped_and_any_other_damage_is_corruption() {
    let fixture = Fixture::new();
    let plan = fixture.plan().unwrap();
    let folder = fixture.folder.path().join("journal");
    let mut journal = Journal::begin(&folder, &plan, "ana", Timestamp::UNIX_EPOCH).unwrap();
    journal.append(&Event::Passed { step: 0, way: Way::Forward }).unwrap();
    journal.append(&Event::Passed { step: 1, way: Way::Forward }).unwrap();
    drop(journal);
    let path = folder.join("pangeo-forge.staging.journal");
    let whole = std::fs::read(&path).unwrap();
    let open = || Journal::open(&folder, "pangeo-forge", &plan.stage);
    let lines: Vec<usize> =
        whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    assert_eq!(lines.len(), 3);

    for cut in [lines[1] + 1, lines[1] + 20, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let journal = open().unwrap().unwrap();
        assert!(journal.progress().standing(Way::Forward, 1).is_none());
        drop(journal);
        assert_eq!(std::fs::read(&path).unwrap().len(), lines[1], "what was torn is cut off");
    }
    for at in [3, 40, lines[0] + 2, lines[1] + 30, whole.len() - 3] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(matches!(open(), Err(JournalError::Corrupt { .. })), "a changed byte at {at}");
    }
    let mut without = whole[..lines[0]].to_vec();
    without.extend(&whole[lines[1]..]);
    std::fs::write(&path, &without).unwrap();
    assert!(matches!(open(), Err(JournalError::Corrupt { line: 2, .. })), "a lost line");

    std::fs::write(&path, &whole[..10]).unwrap();
    assert!(open().unwrap().is_none(), "killed before the first event was whole: nothing happened");
    assert!(!path.exists());
}

#[test]
fn one_process_at_a_time() {
    let fixture = Fixture::new();
    let plan = fixture.plan().unwrap();
    let folder = fixture.folder.path().join("journal");
    let journal = Journal::begin(&folder, &plan, "ana", Timestamp::UNIX_EPOCH).unwrap();
    assert!(matches!(Journal::open(&folder, "pangeo-forge", &plan.stage), Err(JournalError::Running { .. })));
    assert!(matches!(Journal::begin(&folder, &plan, "ben", Timestamp::UNIX_EPOCH), Err(JournalError::Running { .. })));
    drop(journal);
    assert!(matches!(
        Journal::begin(&folder, &plan, "ben", Timestamp::UNIX_EPOCH),
        Err(JournalError::Unfinished { .. })
    ));
    assert_eq!(Journal::list(&folder).unwrap(), ["pangeo-forge.staging"]);
}
