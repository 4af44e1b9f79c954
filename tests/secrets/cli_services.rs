//! Key services, their order, and recipients of every kind, by the flags of our own name.

use crate::common::any_keys::AnyKeys;
use crate::common::scenario::Scenario;

const ARN: &str = "arn:aws:kms:eu-west-1:1:key/k";
const GCP: &str = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
const AZURE: &str = "https://v.vault.azure.net/keys/n/1";
const VAULT: &str = "https://v:8200/v1/transit/keys/n";
const PLAIN: &str = "password: CANARY-heron\nport: 5\n";

/// A repository with a plaintext, no identity, and a service that works with every key.
fn scenario() -> (Scenario, AnyKeys) {
    let mut s = Scenario::new().memory_of_its_own().file("plain.yaml", PLAIN);
    s.unset_env("SOPS_AGE_KEY_FILE");
    let service = AnyKeys::start(s.root());
    (s, service)
}

/// The flags of every kind, in the order of a file.
fn everybody<'a>() -> Vec<&'a str> {
    let age = lockage::keys::published::RECIPIENT;
    let named = [
        ["--kms", ARN],
        ["--gcp-kms", GCP],
        ["--hckms", "tr-west-1:u"],
        ["--azure-kv", AZURE],
        ["--hc-vault-transit", VAULT],
        ["--pgp", "ABCD"],
        ["--age", age],
    ];
    named.concat()
}

#[test]
fn every_kind_is_named_by_its_flag_and_every_verb_finds_the_service() {
    let (s, service) = scenario();
    let only = ["--enable-local-keyservice=false", "--keyservice", &service.uri];
    let more = ["--encryption-context", "App:x", "--aws-profile", "dev", "-o", "f.yaml", "plain.yaml"];
    let args: Vec<&str> = [&["-q", "encrypt"][..], &only, &everybody(), &more].concat();
    let ran = s.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut wrapped = service.asked();
    wrapped.sort_unstable();
    let kinds = ["age", "azure_kv", "gcp_kms", "hc_vault", "hckms", "kms", "pgp"];
    assert_eq!(wrapped, kinds.map(|kind| ("wrap", kind)));
    let text = s.read("f.yaml");
    assert!(text.contains("App: x") && text.contains("aws_profile: dev"), "{text}");

    let with = |verb: &[&str], rest: &[&str]| {
        let args: Vec<&str> = [&["-q"][..], verb, &only, rest].concat();
        let ran = s.run_for_plaintext(&args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        ran.stdout
    };
    assert_eq!(with(&["decrypt"], &["f.yaml"]), PLAIN);
    assert_eq!(service.asked(), [("unwrap", "age")], "age is tried first, and one key is enough");
    with(&["decrypt", "--decryption-order", "hc_vault,age"], &["f.yaml"]);
    assert_eq!(service.asked(), [("unwrap", "hc_vault")]);
    assert_eq!(with(&["get"], &["f.yaml", "port"]), "5");
    with(&["unset"], &["f.yaml", "port"]);
    assert_eq!(with(&["exec-env"], &["f.yaml", "--", "sh", "-c", "echo $password"]), "CANARY-heron\n");
    let shown = with(&["exec-file"], &["f.yaml", "--", "cat", "{}"]);
    assert_eq!(shown, "password: CANARY-heron\n");
    let set: Vec<&str> = [&["-q", "set"][..], &only, &["f.yaml", "port", "--type", "int"]].concat();
    assert_eq!(s.run_with_input(&set, b"6").code, 0);
    service.asked();
    let rotate = ["-i", "f.yaml", "--remove", "pgp:ABCD", "--add", "pgp:EF01", "--add", "kms:arn:aws:kms:x:1:key/2"];
    with(&["rotate", "--encryption-context", "b:2"], &rotate);
    let text = s.read("f.yaml");
    assert!(!text.contains("ABCD") && text.contains("EF01") && text.contains("b: \"2\""), "{text}");
    with(&["groups", "add"], &["-i", "f.yaml", "--recipient", "pgp:AA", "--threshold", "2"]);
    std::fs::write(s.repo().join(".sops.yaml"), "creation_rules:\n  - pgp: FFFF\n").unwrap();
    with(&["updatekeys", "-y"], &["f.yaml"]);
    assert!(s.read("f.yaml").contains("FFFF"));
    assert_eq!(with(&["decrypt"], &["f.yaml"]), "password: CANARY-heron\nport: 6\n");
    s.listen();
}

#[test]
fn variables_say_the_same_and_flags_come_before_them() {
    let (mut s, service) = scenario();
    for (name, value) in [
        ("SOPS_KEYSERVICE", service.uri.clone()),
        ("SOPS_ENABLE_LOCAL_KEYSERVICE", String::new()),
        ("SOPS_PGP_FP", "ABCD".into()),
        ("SOPS_KMS_ARN", ARN.into()),
        ("SOPS_GCP_KMS_IDS", GCP.into()),
        ("SOPS_HUAWEICLOUD_KMS_IDS", "tr-west-1:u".into()),
        ("SOPS_AZURE_KEYVAULT_URLS", AZURE.into()),
        ("SOPS_VAULT_URIS", VAULT.into()),
        ("SOPS_DECRYPTION_ORDER", "azure_kv".into()),
    ] {
        s.set_env(name, value);
    }
    let ran = s.run(["-q", "encrypt", "-o", "f.yaml", "plain.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(service.asked().len(), 6);
    let decrypt = |more: &[&str]| s.run_for_plaintext(["-q", "decrypt", "f.yaml"].iter().chain(more));
    assert_eq!(decrypt(&[]).stdout, PLAIN);
    assert_eq!(service.asked(), [("unwrap", "azure_kv")]);
    assert_eq!(decrypt(&["--decryption-order", "gcp_kms"]).stdout, PLAIN);
    assert_eq!(service.asked(), [("unwrap", "gcp_kms")]);
    // The keys of this machine come first, and none of them does.
    let ran = decrypt(&["--enable-local-keyservice", "--decryption-order", "pgp"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, PLAIN), "{}", ran.stderr);
    assert_eq!(service.asked(), [("unwrap", "pgp")]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (s, service) = scenario();
    let refused = |args: &[&str], words: &str| {
        let ran = s.run(args);
        assert!(ran.code == 2 && ran.stderr.contains(words), "{args:?}: {} {}", ran.code, ran.stderr);
    };
    refused(&["decrypt", "--enable-local-keyservice=false", "f.yaml"], "no key service is left to ask");
    refused(&["decrypt", "--enable-local-keyservice=maybe", "f.yaml"], "neither `true` nor `false`");
    refused(&["decrypt", "--decryption-order", "age,age", "f.yaml"], "stands there twice");
    let kms = ["encrypt", "--keyservice", &service.uri, "--kms", ARN, "--encryption-context"];
    refused(&[&kms[..], &["nonsense", "plain.yaml"]].concat(), "no part of an encryption context");
    refused(&["encrypt", "--azure-kv", "http://v", "plain.yaml"], "URL of a key of Azure Key Vault");
    assert!(service.asked().is_empty());
}
