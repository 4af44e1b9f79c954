//! The twenty changes that must pass, and their neighbours. A guard that cries wolf is switched off.

use crate::lab::{
    FORMATS, Lab, PASSWORD, RECIPIENT, STRANGER, encrypt_as, encrypt_under, encrypted, rules, with_value,
};

#[test]
fn validly_encrypted_files_of_every_format() {
    let mut lab = Lab::with_rules(&rules());
    for (path, plain) in [
        ("secrets/a.yaml", FORMATS[0].plain),
        ("secrets/a.yml", FORMATS[0].plain),
        ("secrets/a.json", FORMATS[1].plain),
        ("secrets/a.env", FORMATS[2].plain),
        ("secrets/a.ini", "; a comment\n[db]\npassword = blue-house-42\n"),
        ("secrets/a.bin", "\0\x01\x02blue-house-42"),
        ("secrets/two.yaml", "a: blue-house-42\n---\nb: blue-house-42\n"),
        ("secrets/empty.yaml", "a: \"\"\nb: null\nc: {}\nd: []\ne: ~\nf:\ng: blue-house-42\n"),
        ("secrets/kinds.yaml", "a: 1\nb: 1.5\nc: true\nd: 2024-01-01T00:00:00Z\ne: -7\n"),
        ("secrets/comments.yaml", "# one\na: blue-house-42 # two\nl:\n    # three\n    - b\n    # four\n# five\n"),
        ("secrets/suffix.yaml", "name_unencrypted: app\na: blue-house-42\n"),
        ("secrets/blocks.yaml", "a: |\n    blue-house-42\n    more\nb: >-\n    folded\n    text\nc: 'q'\n"),
        ("secrets/empty.json", "{\"a\": \"\", \"b\": null, \"c\": {}, \"d\": [], \"e\": \"blue-house-42\"}"),
    ] {
        let Some(text) = encrypt_as(path, plain, &[]) else { return };
        lab.stage(path, text).passes(path);
    }
    lab.scenario.commit("all");
    let said = lab.ask(&["guard", "--all", "--json"]);
    assert_eq!((said.code, said.json["judged"].as_u64()), (0, Some(14)), "{}", said.stderr);
}

#[test]
fn a_kubernetes_secret_under_the_selector_flux_documents() {
    let lab_rules =
        format!("creation_rules:\n  - path_regex: \\.yaml$\n    encrypted_regex: ^(data|stringData)$\n{}", recipient());
    let mut lab = Lab::with_rules(&lab_rules);
    let plain = "apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\ndata:\n    password: Ymx1ZS1ob3VzZS00Mg==\nstringData:\n    b: blue-house-42\n";
    let Some(text) = encrypt_as("a.yaml", plain, &["--encrypted-regex", "^(data|stringData)$"]) else { return };
    lab.stage("a.yaml", text).passes("the Secret");
    lab.stage("kustomization.yaml", "# all of it\nkind: Kustomization\nresources:\n  - a.yaml\n")
        .passes("a file without any of them");
}

fn recipient() -> String {
    format!("    age: {}\n", crate::lab::RECIPIENT)
}

#[test]
fn encrypted_is_staged_while_the_work_tree_is_in_clear() {
    let mut lab = Lab::with_rules(&rules());
    for format in FORMATS {
        let Some(text) = encrypt_as(&format.path(), format.plain, &[]) else { return };
        lab.stage(&format.path(), text);
        lab.scenario.write(&format.path(), format.plain);
    }
    lab.passes("the index is encrypted");
}

#[test]
fn deletions_links_and_submodules() {
    let mut lab = Lab::with_rules("creation_rules: []\n");
    lab.stage("secrets/old.yaml", "a: blue-house-42\n");
    lab.scenario.commit("in clear");
    lab.stage(".sops.yaml", rules());
    lab.scenario.commit("rules");
    lab.scenario.git(["rm", "-q", "secrets/old.yaml"]);
    lab.passes("a plaintext file is deleted");

    std::fs::create_dir_all(lab.scenario.repo().join("secrets")).unwrap();
    std::os::unix::fs::symlink("../elsewhere.yaml", lab.scenario.repo().join("secrets/link.yaml")).unwrap();
    lab.scenario.git(["add", "-A"]);
    lab.passes("a symbolic link");
    let head = lab.scenario.git(["rev-parse", "HEAD"]);
    lab.scenario.git(["update-index", "--add", "--cacheinfo", &format!("160000,{head},secrets/module.yaml")]);
    lab.passes("a submodule");
}

#[test]
fn rules_edited_without_effect() {
    let Some(mut lab) = Lab::new() else { return };
    let commented = format!("# who may read what\n{}", rules());
    lab.stage(".sops.yaml", &commented).passes("a comment");
    lab.stage(".sops.yaml", rules().replace("^secrets/", "^(secrets|more)/")).passes("wider");
    lab.stage(".sops.yaml", rules().replace("^secrets/", "^secrets/app\\."))
        .passes("narrower, but nothing tracked is freed");
    let two = format!("{}  - path_regex: ^other/\n    age: {}\n", rules(), crate::lab::STRANGER);
    lab.stage(".sops.yaml", two).passes("another rule");
}

#[test]
fn recipients_are_changed_in_rule_and_files_at_once() {
    let Some(mut lab) = Lab::new() else { return };
    let both = format!("{},{}", crate::lab::RECIPIENT, crate::lab::STRANGER);
    lab.stage(".sops.yaml", rules().replace(crate::lab::RECIPIENT, &both));
    for format in FORMATS {
        let text = encrypt_as(&format.path(), format.plain, &["--age", &both]).unwrap();
        lab.stage(&format.path(), text);
    }
    lab.passes("rule and files");
}

#[test]
fn what_sops_itself_changes() {
    let Some(mut lab) = Lab::new() else { return };
    let Some(sops) = crate::common::peer("sops") else { return };
    let run = |lab: &Lab, args: &[&str]| {
        let out = lab.scenario.command(&sops).args(args).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    };
    for format in FORMATS {
        let path = format.path();
        let key = if format.is("env") { "[\"password\"]" } else { "[\"db\"][\"password\"]" };
        run(&lab, &["set", &path, key, "\"green-house-43\""]);
        lab.scenario.git(["add", "-A"]);
        lab.passes(&format!("set in {path}"));
        run(&lab, &["rotate", "-i", &path]);
        lab.scenario.git(["add", "-A"]);
        lab.passes(&format!("rotate of {path}"));
    }
    lab.scenario.commit("changed");
    let both = rules().replace(crate::lab::RECIPIENT, &format!("{},{}", crate::lab::RECIPIENT, crate::lab::STRANGER));
    lab.stage(".sops.yaml", both);
    for format in FORMATS {
        run(&lab, &["updatekeys", "-y", &format.path()]);
    }
    lab.scenario.git(["add", "-A"]);
    lab.passes("updatekeys");
}

#[test]
fn pages_and_manifests_about_secrets() {
    let Some(mut lab) = Lab::new() else { return };
    let page = "# Secrets\n\nRun `sops -d secrets/app.yaml`. A Secret looks like this:\n\n```yaml\nkind: Secret\ndata:\n  \
                password: Ymx1ZS1ob3VzZS00Mg==\n```\n\nKeys begin with `AGE-SECRET-KEY-1...`, PEM with\n`-----BEGIN PRIVATE KEY-----`.\n";
    let external = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  target:\n    name: a\n  data:\n    - secretKey: password\n      \
                    remoteRef: {key: app, property: password}\n";
    let account = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  annotations:\n    kubernetes.io/service-account.name: a\ntype: kubernetes.io/service-account-token\n";
    let sealed = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec:\n  encryptedData:\n    password: AgBy3i4OJSWK+PiTySYZZA9rO43cGDEq\n";
    let helm = "apiVersion: v1\nkind: Secret\ndata:\n  password: {{ .Values.password | b64enc }}\n";
    for (name, text) in [
        ("docs/secrets.md", page),
        ("k8s/external-secret.yaml", external),
        ("k8s/token.yaml", account),
        ("k8s/sealed.yaml", sealed),
        ("chart/templates/secret.yaml", helm),
        ("config/app.yaml", "db:\n  host: localhost\n  port: 54321\n  tls: true\n"),
        ("src/main.rs", "fn main() {}\n"),
    ] {
        lab.stage(name, text).passes(name);
    }
}

#[test]
fn harmless_names_in_encrypted_files() {
    let mut lab = Lab::with_rules(&rules());
    let plain = "tls.crt: blue-house-42\nserver-01: x\nserver-02: y\napp-web-12:\n    password: blue-house-42\n\
                 oauth2ClientSecret: x\npublic_key_unencrypted: age1abc\nAWS_S3_KEY_2: x\n550e8400-e29b-41d4-a716-446655440000: x\n\
                 ana@example.org: x\nhost-name-01: a\nhost-name-02: b\n";
    let Some(text) = encrypt_as("secrets/names.yaml", plain, &[]) else { return };
    lab.stage("secrets/names.yaml", text).passes("names");
}

#[test]
fn selectors_by_comment_and_by_suffix() {
    let marked = "# sops:enc\na: blue-house-42\nb: clear\n# other\nc: clear\n";
    let exempt = "a: blue-house-42\n# sops:dec\nb: clear\nc: blue-house-42\n";
    let by_name = "a_enc: blue-house-42\nb: clear\nl_enc:\n    - blue-house-42\n";
    for (selector, plain, key) in [
        ("encrypted_comment_regex: sops:enc", marked, "a"),
        ("unencrypted_comment_regex: sops:dec", exempt, "c"),
        ("encrypted_suffix: _enc", by_name, "a_enc"),
        ("unencrypted_regex: ^b$", exempt, "a"),
    ] {
        let rules = format!("{}    {selector}\n", rules());
        let mut lab = Lab::with_rules(&rules);
        let Some(text) = encrypt_under(&rules, "secrets/a.yaml", plain, &[]) else { return };
        lab.stage("secrets/a.yaml", &text).passes(selector);
        lab.stage("secrets/a.yaml", with_value(&text, &format!("{key}: "), PASSWORD))
            .blocked_only("clear-value", selector);
    }
}

#[test]
fn key_groups_with_a_threshold() {
    let groups = |threshold: usize| {
        format!(
            "creation_rules:\n  - path_regex: ^secrets/\n    shamir_threshold: {threshold}\n    key_groups:\n      - age: \
             [{RECIPIENT}]\n      - age: [{STRANGER}]\n      - age: [{RECIPIENT}]\n"
        )
    };
    for format in FORMATS {
        let mut lab = Lab::with_rules(&groups(3));
        let Some(text) = encrypt_under(&groups(3), &format.path(), format.plain, &[]) else { return };
        lab.stage(&format.path(), &text).passes(format.ending);
        let fewer = encrypt_under(&groups(2), &format.path(), format.plain, &[]).unwrap();
        lab.stage(&format.path(), fewer).blocked_only("recipients", "a lower threshold");
        lab.stage(&format.path(), encrypted(format)).blocked_only("recipients", "one group");
    }
}

#[test]
fn files_that_move_and_files_that_lockage_writes() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        lab.scenario.git(["mv", &format.path(), &format!("secrets/moved.{}", format.ending)]);
        lab.passes(&format!("renamed within the rule: {}", format.ending));
        let path = format!("secrets/own.{}", format.ending);
        lab.scenario.write(&path, format.plain);
        let out = lab.scenario.lockage().args(["encrypt", "-i", &path]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        lab.scenario.git(["add", &path]);
        lab.passes(&format!("written by lockage: {}", format.ending));
    }
}
