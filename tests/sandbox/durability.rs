//! A world outlives its clients and its server, and keeps its secrets encrypted.

use std::path::Path;

use lockage::sandbox::{SandboxError, Stack, StartWorld, World};
use serde_json::json;

use crate::client::{ask, get, send};
use crate::common::world::serve;
use crate::world::{CANARY, Served, demo};

#[test]
fn a_killed_server_comes_back_as_it_was() {
    let mut served = Served::start(demo(Stack::Container));
    let (url, dns) = (served.world.endpoint().heroku_url.clone(), served.world.endpoint().dns);
    // Killed after each of a few answers: what was answered is there, whatever it was.
    let steps = [
        ("PATCH", "/apps/demo/config-vars", json!({"B": "2"}), 200),
        ("POST", "/apps/demo/domains", json!({"hostname": "www.example.org", "sni_endpoint": null}), 201),
        ("POST", "/apps/demo/acm", json!({}), 200),
        ("PATCH", "/apps/demo/formation", json!({"updates": [{"type": "web", "quantity": 2}]}), 200),
        ("PATCH", "/apps/demo/config-vars", json!({"A": null}), 200),
    ];
    for (method, path, body, status) in steps {
        ask(&served.world, method, path, body, status);
        let facts = served.world.facts().unwrap();
        served.kill();
        served.serve_again();
        assert_eq!(served.world.facts().unwrap(), facts, "after {method} {path}");
    }
    assert_eq!(served.world.endpoint().heroku_url, url, "on the same port");
    assert_eq!(served.world.endpoint().dns, dns);
    let config = get(&served.world, "/apps/demo/config-vars");
    assert_eq!((&config["B"], config.get("A")), (&json!("2"), None));
    let patches = lockage::sandbox::requests(&served.dir()).unwrap();
    assert_eq!(
        patches.iter().filter(|request| request.path == "/apps/demo/config-vars" && request.method == "PATCH").count(),
        2
    );
}

#[test]
fn many_changes_fold_into_a_snapshot() {
    let mut served = Served::start(demo(Stack::Slug));
    for number in 0..220 {
        ask(&served.world, "PATCH", "/apps/demo/config-vars", json!({"N": number.to_string()}), 200);
    }
    for _ in 0..2 {
        served.kill();
        served.serve_again();
        assert_eq!(get(&served.world, "/apps/demo/config-vars")["N"], "219");
    }
    assert_eq!(std::fs::read(served.dir().join("log.jsonl")).unwrap().len(), 0, "folded");
}

#[test]
fn no_value_lies_in_clear_in_the_world() {
    let served = Served::start(demo(Stack::Container));
    let config = get(&served.world, "/apps/demo/config-vars");
    assert_eq!(config["SECRET"], CANARY);
    let database = config["DATABASE_URL"].as_str().unwrap().to_owned();
    let second = format!("{CANARY}-again");
    ask(&served.world, "PATCH", "/apps/demo/config-vars", json!({"OTHER": second}), 200);
    send(&served.world, "PATCH", "/apps/demo/config-vars", &[], format!("{{\"{CANARY}\": ").as_bytes()).unwrap();
    assert!(!served.world.facts().unwrap().to_string().contains("CANARY"));
    let mut searched = 0;
    search(&served.dir(), &mut |path, bytes| {
        searched += 1;
        let clear =
            [CANARY, &database].iter().any(|value| bytes.windows(value.len()).any(|part| part == value.as_bytes()));
        assert!(!clear, "{}", path.display());
    });
    assert!(searched >= 6, "{searched} files");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&served.dir()), 0o700);
    for file in ["key", "endpoint.json", "snapshot.json", "log.jsonl", "requests.jsonl", "authority-key"] {
        assert_eq!(mode(&served.dir().join(file)), 0o600, "{file}");
    }
}

#[test]
fn of_many_starters_one_starts() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("deep/er/world");
    let pids: Vec<u32> = std::thread::scope(|scope| {
        let start =
            || World::open_or_start::<SandboxError>(&dir, jiff::Timestamp::now(), || Ok(demo(Stack::Slug)), serve);
        let starters: Vec<_> = (0..8).map(|_| scope.spawn(move || start().unwrap().endpoint().pid)).collect();
        starters.into_iter().map(|starter| starter.join().unwrap()).collect()
    });
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    assert!(World::find(&dir).unwrap().is_some());
    assert!(World::reset(&dir).unwrap());
    assert!(!dir.exists() && World::find(&dir).unwrap().is_none());
    assert!(!World::reset(&dir).unwrap());
}

#[test]
fn a_start_that_cannot_be_leaves_no_world() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("world");
    let mut start = demo(Stack::Slug);
    start.apps[0].addons.push("nothing:at-all".into());
    assert!(World::create(&dir, start, jiff::Timestamp::now()).is_err());
    assert!(!World::exists(&dir));
    let silent = |_: &Path| std::process::Command::new("true").stdout(std::process::Stdio::piped()).spawn();
    let started =
        World::open_or_start::<SandboxError>(&dir, jiff::Timestamp::now(), || Ok(StartWorld::default()), silent);
    assert!(matches!(started, Err(SandboxError::NotStarted { .. })));
}

#[test]
fn the_review_app_follows_the_head() {
    let served = Served::start(demo(Stack::Container));
    let commit = "e".repeat(40);
    let releases = || get(&served.world, "/apps/demo-pr-80/releases").as_array().unwrap().len();
    let before = releases();
    served.world.set_head("demo-pr-80", &commit).unwrap();
    served.world.set_head("demo-pr-80", &commit).unwrap();
    assert_eq!(releases(), before + 1);
    assert_eq!(served.world.facts().unwrap()["apps"]["demo-pr-80"]["commit"], *commit);
}

fn search(dir: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, look);
        } else {
            look(&path, &std::fs::read(&path).unwrap());
        }
    }
}
