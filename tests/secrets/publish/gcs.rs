//! Google Cloud Storage, as a stand-in plays it, which the real `sops` drives as well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::pair::{OTHER, Pair};
use crate::kms::lab::Lab;
use crate::kms::stand_in::{Heard, Said, StandIn};

pub type Objects = Arc<Mutex<BTreeMap<String, (String, String)>>>;

/// Keeps what is uploaded, by bucket and name: text and type.
pub fn storage() -> (StandIn, Objects) {
    let objects = Objects::default();
    let kept = Arc::clone(&objects);
    let server = StandIn::start(move |_, _, heard| answer(heard, &kept));
    (server, objects)
}

fn answer(heard: &Heard, objects: &Objects) -> Said {
    let Some(rest) = heard.path.strip_prefix("/upload/storage/v1/b/") else {
        let name =
            heard.path.strip_prefix("/storage/v1/b/").unwrap_or_default().replacen("/o/", "/", 1).replace("%2F", "/");
        let objects = objects.lock().unwrap();
        return match objects.get(&name) {
            Some((text, kind)) if heard.query == "alt=media" => {
                Said { status: 200, headers: vec![("content-type", kind.clone())], body: text.clone() }
            }
            _ => Said::json(404, &serde_json::json!({"error": {"code": 404, "message": "No such object"}})),
        };
    };
    let bucket = rest.split('/').next().unwrap();
    if bucket == "forbidden" {
        return Said::json(403, &serde_json::json!({"error": {"code": 403, "message": "no access"}}));
    }
    assert!(heard.query.contains("uploadType=multipart"), "{}", heard.query);
    let boundary = heard.header("content-type").split("boundary=").nth(1).unwrap().trim_matches('"').to_owned();
    let body = String::from_utf8(heard.body.clone()).unwrap();
    let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    let part = |at: usize| {
        parts[at].split_once("\r\n\r\n").map(|(head, text)| (head, text.strip_suffix("\r\n").unwrap())).unwrap()
    };
    let metadata: serde_json::Value = serde_json::from_str(part(1).1).unwrap();
    let (head, text) = part(2);
    let kind = head.lines().find_map(|line| line.strip_prefix("Content-Type: ")).unwrap();
    let name = format!("{bucket}/{}", metadata["name"].as_str().unwrap());
    assert!(
        heard.query.contains(&format!("name={}", metadata["name"].as_str().unwrap().replace('/', "%2F"))),
        "{}",
        heard.query
    );
    objects.lock().unwrap().insert(name, (text.to_owned(), kind.to_owned()));
    let crc32c = metadata["crc32c"].clone();
    Said::json(200, &serde_json::json!({"bucket": bucket, "name": metadata["name"], "crc32c": crc32c}))
}

/// How both are led to it.
pub fn lab_of(server: &StandIn) -> String {
    format!("127.0.0.1:{}", server.clear)
}

fn lab(server: &StandIn) -> Lab {
    Lab::new().env("STORAGE_EMULATOR_HOST", lab_of(server))
}

const FILES: &[(&str, &str)] = &[("e/app.yaml", "password: CANARY-heron\n"), ("e/b.json", "{\"a\": \"CANARY-heron\"}")];

#[test]
fn the_same_objects_and_the_same_checksums() {
    let (server, objects) = storage();
    let Some(pair) = Pair::new(lab(&server), FILES) else { return };
    let mut sums = Vec::new();
    for (bucket, program) in [("theirs", &pair.theirs), ("ours", &pair.ours)] {
        pair.rules(&format!("destination_rules:\n  - gcs_bucket: {bucket}\n    gcs_prefix: some/prefix-\n"));
        let did = pair.run(program, &["publish", "--yes", "--recursive", "e"], "");
        assert_eq!(did.code, 0, "{did:?}");
        let uploads = server.heard().into_iter().filter(|heard| heard.path.starts_with("/upload/"));
        sums.push(
            uploads
                .map(|heard| {
                    let body = String::from_utf8(heard.body).unwrap();
                    body.split("\"crc32c\":").nth(1).unwrap().split(',').next().unwrap().to_owned()
                })
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(sums[0], sums[1]);
    let objects = objects.lock().unwrap();
    for name in ["app.yaml", "b.json"] {
        let (theirs, ours) =
            (&objects[&format!("theirs/some/prefix-{name}")], &objects[&format!("ours/some/prefix-{name}")]);
        assert_eq!(ours, theirs);
        assert_eq!(ours.0, std::fs::read_to_string(pair.lab.home().join("e").join(name)).unwrap());
    }
}

#[test]
fn other_keys() {
    let (server, objects) = storage();
    let Some(pair) = Pair::new(lab(&server), FILES) else { return };
    pair.rules(&format!("destination_rules:\n  - gcs_bucket: again\n    recreation_rule: {{age: {OTHER}}}\n"));
    assert_eq!(pair.run(&pair.ours, &["publish", "--yes", "e/app.yaml"], "").code, 0);
    let text = objects.lock().unwrap()["again/app.yaml"].0.clone();
    let did = pair.opened_by_other("app.yaml", &text);
    assert_eq!((did.code, did.stdout.as_str()), (0, "password: CANARY-heron\n"), "{did:?}");
}

/// The one place where the exit code differs: SOPS takes no notice of a refusal.
#[test]
fn a_refusal_is_an_error() {
    let (server, objects) = storage();
    let Some(pair) = Pair::new(lab(&server), FILES) else { return };
    pair.rules("destination_rules:\n  - gcs_bucket: forbidden\n");
    let line = ["publish", "--yes", "e/app.yaml"];
    let (theirs, ours) = (pair.run(&pair.theirs, &line, ""), pair.run(&pair.ours, &line, ""));
    assert_eq!((theirs.code, theirs.stderr.as_str()), (0, ""));
    assert_eq!((ours.code, ours.stderr.trim()), (1, "googleapi: Error 403: no access"));
    assert!(objects.lock().unwrap().is_empty());
}

/// SOPS looks for a destination by the path as it was typed, and so do we. Under a recreation rule it encrypts what ends
/// in `_unencrypted`, with nothing in the file that says so, and nobody can open it; with us it stays in clear.
#[test]
fn destinations_go_by_the_path_as_typed_and_what_is_in_clear_stays_so() {
    let (server, objects) = storage();
    let files = [("e/app.yaml", "password: CANARY-heron\nhost_unencrypted: x\n")];
    let Some(pair) = Pair::new(lab(&server), &files) else { return };
    for (bucket, program) in [("theirs", &pair.theirs), ("ours", &pair.ours)] {
        let rule = format!("gcs_bucket: {bucket}\n    recreation_rule: {{age: {OTHER}}}");
        pair.rules(&format!("destination_rules:\n  - path_regex: ^e/\n    {rule}\n"));
        for typed in ["./e/app.yaml", &format!("{}/e/app.yaml", pair.lab.home().display())] {
            let did = pair.run(program, &["publish", "--yes", typed], "");
            assert_eq!((did.code, objects.lock().unwrap().contains_key(&format!("{bucket}/app.yaml"))), (1, false));
            assert!(did.stderr.contains("no matching destination found in config"), "{did:?}");
        }
        assert_eq!(pair.run(program, &["publish", "--yes", "e/app.yaml"], "").code, 0);
        let text = objects.lock().unwrap()[&format!("{bucket}/app.yaml")].0.clone();
        let opened = pair.opened_by_other("app.yaml", &text);
        let theirs = bucket == "theirs";
        assert_eq!(text.contains("host_unencrypted: ENC["), theirs, "{text}");
        assert_eq!(opened.code == 0, !theirs, "{opened:?}");
        assert_eq!(opened.stdout == "password: CANARY-heron\nhost_unencrypted: x\n", !theirs, "{opened:?}");
    }
}
