//! The transit engine of a real Vault.

use std::path::Path;
use std::sync::OnceLock;

use lockage::keys::Recipient;

use super::lab::{Lab, PLAIN, Server, free_port};
use crate::common::peer;

/// A certificate inside one of this Vault's plug-ins is refused by today's Go, which ends the program at its start.
const CERTIFICATES: &str = "x509negativeserial=1";

/// One Vault for all tests of this process, in development mode, with the engine mounted twice.
pub(crate) fn vault() -> Option<&'static str> {
    static VAULT: OnceLock<Option<(String, Server)>> = OnceLock::new();
    let started = VAULT.get_or_init(|| {
        let program = peer("vault")?;
        let address = format!("127.0.0.1:{}", free_port());
        let lab = Lab::new().env("GODEBUG", CERTIFICATES);
        let mut command = lab.command(&program);
        command.args([
            "server",
            "-dev",
            "-dev-no-store-token",
            "-dev-root-token-id=root",
            "-dev-listen-address",
            &address,
        ]);
        let server = Server::start(command, "Root Token: root");
        let url = format!("http://{address}");
        let lab = Lab::new().env("VAULT_ADDR", &url).env("VAULT_TOKEN", "root");
        let configure: &[&[&str]] = &[
            &["secrets", "enable", "transit"],
            &["secrets", "enable", "-path=a/b", "transit"],
            &["write", "-f", "transit/keys/k1"],
            &["write", "-f", "a/b/keys/k2"],
            &["write", "-f", "transit/keys/rotated"],
            &["write", "transit/keys/derived", "derived=true"],
            &["secrets", "enable", "-path=kv", "-version=1", "kv"],
        ];
        for arguments in configure {
            run(&lab, &program, arguments);
        }
        Some((url, server))
    });
    started.as_ref().map(|(url, _)| url.as_str())
}

fn run(lab: &Lab, program: &Path, arguments: &[&str]) {
    let out = lab.command(program).env("GODEBUG", CERTIFICATES).args(arguments).output().unwrap();
    assert!(out.status.success(), "vault {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn key(url: &str, path: &str) -> (Recipient, String) {
    let uri = format!("{url}/v1/{path}");
    (Recipient::parse_vault_transit(&uri).unwrap(), uri)
}

#[test]
fn what_one_seals_the_other_opens() {
    let Some(url) = vault() else { return };
    let lab = Lab::new().env("VAULT_TOKEN", "root");
    for path in ["transit/keys/k1", "a/b/keys/k2"] {
        let (recipient, uri) = key(url, path);
        lab.interoperates(&recipient, &["--hc-vault-transit", &uri]);
    }
}

#[test]
fn an_old_version_still_opens_until_the_vault_forbids_it() {
    let Some(url) = vault() else { return };
    let admin = Lab::new().env("VAULT_ADDR", url).env("VAULT_TOKEN", "root");
    let (recipient, _) = key(url, "transit/keys/rotated");
    let old = admin.encrypt(&recipient).unwrap();
    let program = peer("vault").unwrap();
    run(&admin, &program, &["write", "-f", "transit/keys/rotated/rotate"]);
    assert_eq!(admin.decrypt(&old).unwrap(), PLAIN);
    let new = admin.encrypt(&recipient).unwrap();
    assert!(new.contains("vault:v2:"), "{new}");
    run(&admin, &program, &["write", "transit/keys/rotated/config", "min_decryption_version=2"]);
    let old = old.split_once("enc: ").unwrap().1.lines().next().unwrap().trim_matches('"').to_owned();
    let said = admin.refusal(&recipient, &old);
    assert!(
        said.ends_with("Code: 400. Errors:\n\n* ciphertext or signature version is disallowed by policy (too old)"),
        "{said}"
    );
}

#[test]
fn the_token_comes_from_the_variable_or_the_file_or_is_missed() {
    let Some(url) = vault() else { return };
    let (recipient, _) = key(url, "transit/keys/k1");
    let sealed = Lab::new().env("VAULT_TOKEN", "root").encrypt(&recipient).unwrap();
    let by_file = Lab::new();
    by_file.file(".vault-token", " root\n");
    assert_eq!(by_file.decrypt(&sealed).unwrap(), PLAIN);

    let enc = sealed.split_once("enc: ").unwrap().1.lines().next().unwrap().to_owned();
    let bare = Lab::new();
    let wanted = format!(
        "failed to decrypt sops data key from Vault transit backend 'transit/decrypt/k1': Error making API request.\n\n\
         URL: PUT {url}/v1/transit/decrypt/k1\nCode: 403. Errors:\n\n* permission denied"
    );
    assert_eq!(bare.refusal(&recipient, &enc), wanted);
    let Some(sops) = peer("sops") else { return };
    let (code, theirs) = bare.sops_decrypt(&sops, &sealed).unwrap_err();
    assert_eq!(code, 128);
    // The report of SOPS is broken into lines of about 64 columns.
    let flat = |text: &str| text.replace("| ", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    for part in wanted.split('\n').filter(|line| !line.is_empty()) {
        assert!(flat(&theirs).contains(&flat(part)), "`{part}` is not in {theirs}");
    }
}

#[test]
fn an_allowlist_and_a_refusal_are_those_of_sops() {
    let Some(url) = vault() else { return };
    let (recipient, _) = key(url, "transit/keys/k1");
    let sealed = Lab::new().env("VAULT_TOKEN", "root").encrypt(&recipient).unwrap();
    for (list, allowed) in [("all", true), ("none", false), ("https://x,", false), (url, true)] {
        let lab = Lab::new().env("VAULT_TOKEN", "root").env("SOPS_HC_VAULT_ALLOWLIST", list);
        assert_eq!(lab.decrypt(&sealed).is_ok(), allowed, "{list}");
        if let Some(sops) = peer("sops") {
            assert_eq!(lab.sops_decrypt(&sops, &sealed).is_ok(), allowed, "{list}");
        }
        if !allowed {
            let said = lab.refusal(&recipient, "vault:v1:x");
            assert_eq!(said, format!("Allowlist does not allow {url}"));
        }
    }
    let lab = Lab::new().env("VAULT_TOKEN", "root");
    let (derived, _) = key(url, "transit/keys/derived");
    let error = lab.encrypt(&derived).unwrap_err().to_string();
    assert!(!error.is_empty());
    assert!(lab.encrypt(&key(url, "nowhere/keys/k").0).is_err());
}

#[test]
fn an_agents_address_stands_in_for_the_files() {
    let Some(url) = vault() else { return };
    let lab = Lab::new().env("VAULT_TOKEN", "root").env("VAULT_AGENT_ADDR", url);
    let elsewhere = Recipient::parse_vault_transit("https://vault.example.org:8200/v1/transit/keys/k1").unwrap();
    let sealed = lab.encrypt(&elsewhere).unwrap();
    assert_eq!(lab.decrypt(&sealed).unwrap(), PLAIN);
}
