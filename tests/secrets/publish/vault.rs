//! The KV engine of a real Vault, in both versions.

use serde_json::Value;

use super::pair::Pair;
use crate::common::peer;
use crate::kms::lab::Lab;
use crate::kms::vault::vault;

fn lab(url: &str) -> Lab {
    Lab::new().env("VAULT_ADDR", url).env("VAULT_TOKEN", "root")
}

/// What the Vault holds at a path, as its own program says it.
fn read(url: &str, path: &str) -> Value {
    let program = peer("vault").unwrap();
    let out = lab(url)
        .command(program)
        .env("GODEBUG", "x509negativeserial=1")
        .args(["read", "-format=json", path])
        .output()
        .unwrap();
    serde_json::from_slice::<Value>(&out.stdout).map(|mut value| value["data"].take()).unwrap_or_default()
}

const FILES: &[(&str, &str)] = &[
    (
        "a.yaml",
        "# why\ntext: CANARY-heron\nint: 5\nfloat: 1.50\nbig: 1e21\nyes: true\nnone: null\nempty: \"\"\nlist: [1, two, null]\nmap: {a: {b: c}}\nwhen: 2024-01-02T03:04:05+01:00\nunder_unencrypted: 1\n",
    ),
    ("b.json", "{\"b\": 2, \"a\": \"<&>\\u2028 CANARY-heron\", \"o\": {}}"),
    ("c.env", "# why\nPASSWORD=CANARY-heron\nMULTI=a\\nb\n"),
    ("d.ini", "[db]\npassword = CANARY-heron\nport = 5\n"),
    ("e.bin", "CANARY-heron\n"),
    ("f.yaml", "a: 1\nb: 1\n---\nb: 2\nc: CANARY-heron\n"),
];

#[test]
fn the_same_values_in_both_versions() {
    let Some(url) = vault() else { return };
    let Some(pair) = Pair::new(lab(url), FILES) else { return };
    for (mount, version, at) in [
        ("", "", "secret/data"),
        ("kv", "vault_kv_version: 1", "kv"),
        ("secret/", "vault_kv_version: 7", "secret/data"),
    ] {
        for (name, _) in FILES {
            let mut kept = Vec::new();
            for (who, program) in [("theirs", &pair.theirs), ("ours", &pair.ours)] {
                pair.rules(&format!(
                    "destination_rules:\n  - vault_path: all/{who}\n    vault_kv_mount_name: '{mount}'\n    {version}\n"
                ));
                let did = pair.run(program, &["publish", name], "y\n");
                assert_eq!(did.code, 0, "{name}: {did:?}");
                let shown = did.stdout.replace(who, "WHO");
                kept.push((shown, read(url, &format!("{at}/all/{who}/{name}"))));
            }
            let [(their_words, mut theirs), (our_words, mut ours)] = kept.try_into().unwrap();
            assert_eq!(our_words, their_words);
            if at == "secret/data" {
                (theirs, ours) = (theirs["data"].take(), ours["data"].take());
            }
            assert!(!ours.is_null());
            assert_eq!(ours, theirs, "{name} at {at}");
        }
    }
}

/// SOPS writes the pairs of a map inside a list as it holds them itself, comments included, and an empty list as null.
#[test]
fn maps_in_lists_stay_maps_and_empty_lists_lists() {
    let Some(url) = vault() else { return };
    let Some(pair) =
        Pair::new(lab(url), &[("a.yaml", "l:\n  # why\n  - user: me\n    password: CANARY-heron\nempty: []\n")])
    else {
        return;
    };
    for (who, program) in [("theirs", &pair.theirs), ("ours", &pair.ours)] {
        pair.rules(&format!("destination_rules:\n  - vault_path: lists/{who}\n"));
        assert_eq!(pair.run(program, &["publish", "--yes", "a.yaml"], "").code, 0);
    }
    let theirs = read(url, "secret/data/lists/theirs/a.yaml")["data"].take().to_string();
    assert!(
        theirs.contains("\"Key\":\"user\"") && theirs.contains("why") && theirs.contains("\"empty\":null"),
        "{theirs}"
    );
    let ours = read(url, "secret/data/lists/ours/a.yaml")["data"].take();
    assert_eq!(ours, serde_json::json!({"l": [{"user": "me", "password": "CANARY-heron"}], "empty": []}));
}

/// SOPS makes a new version of everything that has a number in it, and of all in the first engine.
#[test]
fn what_is_there_is_not_written_again() {
    let Some(url) = vault() else { return };
    let Some(pair) = Pair::new(lab(url), FILES) else { return };
    pair.rules("destination_rules:\n  - vault_path: again\n");
    for (program, versions) in [(&pair.ours, [1, 1]), (&pair.theirs, [2, 3])] {
        for version in versions {
            assert_eq!(pair.run(program, &["publish", "--yes", "a.yaml"], "").code, 0);
            assert_eq!(read(url, "secret/data/again/a.yaml")["metadata"]["version"], version);
        }
    }
    assert_eq!(pair.run(&pair.ours, &["publish", "--yes", "a.yaml"], "").code, 0);
    assert_eq!(read(url, "secret/data/again/a.yaml")["metadata"]["version"], 3);
}

#[test]
fn what_is_refused_and_where_the_address_comes_from() {
    let Some(url) = vault() else { return };
    let Some(pair) = Pair::new(lab("http://127.0.0.1:1"), FILES) else { return };
    let file = ["publish", "--yes", "a.yaml"];
    pair.rules(&format!("destination_rules:\n  - vault_path: named\n    vault_address: {url}\n"));
    let did = pair.run(&pair.ours, &file, "");
    assert_eq!(
        (did.code, read(url, "secret/data/named/a.yaml")["metadata"]["version"].clone()),
        (0, 1.into()),
        "{did:?}"
    );
    for env in [[("VAULT_TOKEN", "wrong")], [("VAULT_TOKEN", "")]] {
        let (theirs, ours) = (pair.run_with(&pair.theirs, &file, "", &env), pair.run_with(&pair.ours, &file, "", &env));
        assert_eq!((ours.code, theirs.code), (1, 1));
        let lines = |text: &str| text.split("msg=").last().unwrap().replace("\n\n\n", "\n\n").trim().to_owned();
        assert_eq!(lines(&ours.stderr), lines(&theirs.stderr));
    }
    let env = [("SOPS_HC_VAULT_ALLOWLIST", "https://elsewhere")];
    let did = pair.run_with(&pair.ours, &file, "", &env);
    assert!(did.code == 1 && did.stderr.contains("Allowlist does not allow"), "{did:?}");
}
