//! What the variables of Vault's own program do: for us and for the real `sops`, at the same address.

use lockage::keys::Recipient;
use serde_json::json;

use super::both::Both;
use super::lab::Lab;
use super::stand_in::{Heard, Said, StandIn};
use super::symmetric::{open_text, seal_text};

/// A transit engine that believes everybody who has a token.
fn answer(heard: &Heard) -> Said {
    if heard.header("x-vault-token").is_empty() {
        return Said::json(403, &json!({ "errors": ["permission denied"] }));
    }
    let body = heard.json();
    let (name, text) = match body["plaintext"].as_str() {
        Some(plain) => ("ciphertext", seal_text("k", plain).map(|text| format!("vault:v1:{text}"))),
        None => {
            let sealed = body["ciphertext"].as_str().unwrap_or_default().trim_start_matches("vault:v1:");
            ("plaintext", open_text("k", sealed))
        }
    };
    Said::json(200, &json!({ "data": { name: text } }))
}

/// A Vault that is one.
pub fn vendor() -> StandIn {
    StandIn::start(|_, _, heard| answer(heard))
}

fn shown(heard: &Heard) -> Option<String> {
    let names = ["x-vault-token", "x-vault-namespace", "x-vault-request", "x-mine", "host"];
    Some(format!("{} {} {}", heard.method, heard.path, names.map(|name| heard.header(name)).join(" ")))
}

fn key(address: &str) -> Recipient {
    Recipient::parse_vault_transit(&format!("{address}/v1/transit/keys/k")).unwrap()
}

#[test]
fn tokens_headers_and_addresses() {
    let vendor = vendor();
    let address = format!("http://127.0.0.1:{}", vendor.clear);
    let with_token = || Lab::new().env("VAULT_TOKEN", "root");
    let sealed = with_token().encrypt(&key(&address)).unwrap();
    let both = Both::new(&vendor, shown);
    let open = |lab: &Lab, what: &str| both.open(lab, &sealed, what, &[]);
    open(&with_token(), "a token");
    let by_file = Lab::new();
    by_file.file(".vault-token", " of-the-file\n");
    open(&by_file, "a token in the home");
    open(&by_file.env("VAULT_TOKEN", "root"), "a variable before the file");
    open(&with_token().env("VAULT_NAMESPACE", "team/a"), "a namespace");
    open(&with_token().env("VAULT_HEADERS", "{\"X-Mine\":\"yes\"}"), "a header of one's own");
    open(&with_token().env("VAULT_ADDR", "http://127.0.0.1:1"), "an address that does not count");
    let agent = with_token().env("VAULT_AGENT_ADDR", &address);
    let elsewhere = sealed.replace(&address, "https://vault.example.org:8200");
    both.open(&agent, &elsewhere, "an agent's address", &[]);
    both.refuse(&Lab::new(), &sealed, "no token", true);
    both.refuse(&with_token().env("VAULT_HEADERS", "nonsense"), &sealed, "headers that are none", false);
    let listed = with_token().env("SOPS_HC_VAULT_ALLOWLIST", "https://a.example,https://b.example");
    both.refuse(&listed, &sealed, "an address that is not allowed", true);
    both.done();
}

#[test]
fn certificates() {
    let vendor = StandIn::at("127.0.0.1:0", &["127.0.0.1"], |_, _, heard| answer(heard));
    let address = format!("https://127.0.0.1:{}", vendor.secure);
    let with_token = || Lab::new().env("VAULT_TOKEN", "root").env("VAULT_MAX_RETRIES", "0");
    let authority = vendor.authority().display().to_string();
    let sealed = with_token().env("VAULT_CACERT", &authority).encrypt(&key(&address)).unwrap();
    let both = Both::new(&vendor, shown);
    let open = |lab: &Lab, what: &str| both.open(lab, &sealed, what, &[]);
    open(&with_token().env("VAULT_CACERT", &authority), "an authority");
    let folder = vendor.authority().parent().unwrap().display().to_string();
    open(&with_token().env("VAULT_CAPATH", folder), "a folder of authorities");
    open(&with_token().env("SSL_CERT_FILE", &authority), "the authorities of the machine");
    open(&with_token().env("VAULT_SKIP_VERIFY", "true"), "no look at the certificate");
    both.refuse(&with_token(), &sealed, "nobody to trust", false);
    both.done();
}

#[test]
fn a_certificate_for_another_name() {
    let vendor = StandIn::at("127.0.0.1:0", &["vault.internal"], |_, _, heard| answer(heard));
    let address = format!("https://127.0.0.1:{}", vendor.secure);
    let lab = || {
        let lab = Lab::new().env("VAULT_TOKEN", "root").env("VAULT_MAX_RETRIES", "0");
        lab.env("VAULT_CACERT", vendor.authority().display().to_string())
    };
    let named = || lab().env("VAULT_TLS_SERVER_NAME", "vault.internal");
    let sealed = named().encrypt(&key(&address)).unwrap();
    let both = Both::new(&vendor, shown);
    both.open(&named(), &sealed, "the name of the certificate", &[]);
    both.refuse(&lab(), &sealed, "no name", false);
    both.refuse(&lab().env("VAULT_TLS_SERVER_NAME", "another.internal"), &sealed, "another name", false);
    both.done();
}
