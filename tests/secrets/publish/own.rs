//! `lockage publish`: a plan first, one question, nothing twice.

use super::gcs::{lab_of, storage};
use super::pair::{OTHER, OTHERS_IDENTITY};
use crate::common::scenario::{Ran, Scenario};
use crate::kms::vault::vault;

fn scenario(rules: &str) -> Scenario {
    let s = Scenario::new();
    let mut s = s.file(
        ".sops.yaml",
        format!("creation_rules:\n  - age: age1xcqh058g87wz2zh7egqa7xpz38zsawhj23f5uhfl8g0kw32d2evsfuwxyw\n{rules}"),
    );
    for (name, text) in
        [("e/app.yaml", "password: CANARY-heron\nport: 5\n"), ("e/deep/b.json", "{\"a\": \"CANARY-heron\"}")]
    {
        s.write(name, text);
        s.plaintext.clear();
        assert_eq!(s.run(["-q", "encrypt", "-i", name]).code, 0);
    }
    s
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[test]
fn a_bucket_gets_each_file_once() {
    let (server, objects) = storage();
    let mut s = scenario("destination_rules:\n  - path_regex: ^e/\n    gcs_bucket: own\n    gcs_prefix: p/\n");
    s.set_env("STORAGE_EMULATOR_HOST", lab_of(&server));
    let plan = s.run(["publish", "--dry-run", "e/app.yaml"]);
    assert_eq!((plan.code, plan.stdout.as_str()), (0, ""));
    assert!(plan.stderr.contains("+ e/app.yaml -> gcs://own/p/app.yaml"), "{}", plan.stderr);
    assert!(objects.lock().unwrap().is_empty());

    let asked = s.run(["publish", "e/app.yaml"]);
    assert!(asked.code == 2 && asked.stderr.contains("--yes"), "{asked:?}");
    assert_eq!(s.run(["publish", "e"]).code, 2, "a folder wants a word more");
    assert!(objects.lock().unwrap().is_empty());

    let sent = s.run(["publish", "--yes", "--json", "--recursive", "."]);
    let report = json(&sent);
    assert_eq!(
        (sent.code, &report["schema"], &report["published"]),
        (0, &"lockage.publish/1".into(), &true.into()),
        "{sent:?}"
    );
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 2, "{report}");
    assert_eq!((&files[1]["destination"], &files[1]["change"]), (&"gcs://own/p/e/deep/b.json".into(), &"new".into()));
    assert_eq!(objects.lock().unwrap().len(), 2);

    let uploads =
        |server: &crate::kms::stand_in::StandIn| server.heard().iter().filter(|heard| heard.method == "POST").count();
    uploads(&server);
    let again = s.run(["publish", "--yes", "--json", "--recursive", "."]);
    assert_eq!(
        (again.code, &json(&again)["published"], &json(&again)["files"][0]["change"]),
        (0, &false.into(), &"same".into())
    );
    assert_eq!(uploads(&server), 0);
}

#[test]
fn a_file_for_other_keys_is_known_again() {
    let (server, objects) = storage();
    let mut s = scenario(&format!(
        "destination_rules:\n  - gcs_bucket: own\n    recreation_rule: {{age: {OTHER}, encrypted_regex: ^password$}}\n"
    ));
    s.set_env("STORAGE_EMULATOR_HOST", lab_of(&server));
    let sent = s.run(["publish", "--yes", "e/app.yaml"]);
    assert_eq!(sent.code, 0, "{sent:?}");
    assert!(sent.stderr.contains(&format!("+ {OTHER}")) && sent.stderr.contains("1 value(s)"), "{}", sent.stderr);
    let text = objects.lock().unwrap()["own/app.yaml"].0.clone();
    assert!(text.contains("password: ENC[") && text.contains("port: 5"), "{text}");
    // Who cannot open what is there cannot say that it is the same.
    assert!(s.run(["publish", "--dry-run", "e/app.yaml"]).stderr.contains("~ e/app.yaml"));
    s.set_env("SOPS_AGE_KEY", OTHERS_IDENTITY);
    let again = s.run(["publish", "--yes", "e/app.yaml"]);
    assert!(again.code == 0 && again.stderr.contains("= e/app.yaml"), "{again:?}");
}

#[test]
fn a_vault_gets_the_values_and_a_refusal_says_how_far_it_came() {
    let Some(url) = vault() else { return };
    let mut s = scenario(&format!("destination_rules:\n  - vault_path: own\n    vault_address: {url}\n"));
    s.set_env("VAULT_TOKEN", "root");
    let plan = s.run(["publish", "--dry-run", "e/app.yaml", "e/deep/b.json"]);
    assert!(
        plan.code == 0 && plan.stderr.contains(&format!("+ e/app.yaml -> {url}/v1/secret/data/own/app.yaml")),
        "{plan:?}"
    );
    assert!(plan.stderr.contains("its values, decrypted"), "{}", plan.stderr);
    assert_eq!(s.run(["publish", "--yes", "e/app.yaml", "e/deep/b.json"]).code, 0);
    let again = s.run(["publish", "--yes", "e/app.yaml", "e/deep/b.json"]);
    assert!(again.code == 0 && again.stderr.contains("nothing is sent"), "{again:?}");
    s.set_env("VAULT_TOKEN", "wrong");
    let refused = s.run(["publish", "--yes", "--json", "e/app.yaml"]);
    assert_eq!((refused.code, &json(&refused)["error"]["outcome"]), (3, &"unchanged".into()), "{refused:?}");
    let both = s.run(["publish", "--yes", "e/app.yaml", "./e/app.yaml"]);
    assert!(both.code == 2 && both.stderr.contains("would both go"), "{both:?}");
}
