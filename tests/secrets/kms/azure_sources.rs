//! Where tokens for Azure come from: managed identities, applications and programs, for us and for the real `sops`.

use std::os::unix::fs::PermissionsExt as _;

use super::azure::{TOKEN, certificate, key, lab, managed, vendor, vendor_of};
use super::both::Both;
use super::lab::Lab;
use super::stand_in::{Heard, StandIn};

/// A request with whatever says whose it is; what only the libraries of Azure want to know does not count.
pub fn shown(heard: &Heard) -> Option<String> {
    if heard.path.contains("/discovery/instance") || heard.path.ends_with("/openid-configuration") {
        return None;
    }
    let with = |names: &[&str]| names.iter().map(|name| heard.header(name)).collect::<Vec<_>>().join(" ");
    let form: Vec<String> = ["client_id", "grant_type", "client_secret", "resource", "client_assertion_type"]
        .map(|name| heard.form(name))
        .into_iter()
        .filter(|value| !value.is_empty())
        .collect();
    let assertion = algorithm(&heard.form("client_assertion"));
    let headers = with(&["x-identity-header", "secret", "metadata", "authorization"]);
    Some(format!("{} {} {headers} {} {assertion}", heard.method, heard.path, form.join(" ")))
}

/// The algorithm of a signed token; of any other one itself.
fn algorithm(token: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    let header: serde_json::Value = header.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    header["alg"].as_str().map_or_else(|| token.to_owned(), str::to_owned)
}

fn application(vendor: &StandIn, tenant: &str) -> Lab {
    lab(vendor).env("AZURE_TENANT_ID", tenant).env("AZURE_CLIENT_ID", "cid")
}

#[test]
fn managed_identities() {
    let vendor = vendor(std::sync::Arc::default());
    let sealed = managed(&vendor).encrypt(&key(&vendor)).unwrap();
    let both = Both::new(&vendor, shown);
    let url = format!("http://127.0.0.1:{}/msi/token", vendor.clear);
    both.open(&managed(&vendor), &sealed, "App Service", &[]);
    both.open(&managed(&vendor).env("AZURE_CLIENT_ID", "cid"), &sealed, "App Service, an identity of several", &[]);
    both.open(&lab(&vendor).env("MSI_ENDPOINT", &url), &sealed, "Cloud Shell", &[]);
    both.open(&lab(&vendor).env("MSI_ENDPOINT", &url).env("MSI_SECRET", "h"), &sealed, "Azure ML", &[]);
    both.open(&managed(&vendor).env("AZURE_TOKEN_CREDENTIALS", "prod"), &sealed, "narrowed to production", &[]);
    let named = managed(&vendor).env("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential");
    both.open(&named, &sealed, "narrowed to one", &[]);
    let nonsense = managed(&vendor).env("AZURE_TOKEN_CREDENTIALS", "nope");
    both.refuse(&nonsense, &sealed, "narrowed to nothing", false);
    both.refuse(&managed(&vendor).env("IDENTITY_HEADER", "x"), &sealed, "an identity that is refused", false);
    both.done();
}

#[test]
fn applications() {
    let vendor = vendor(std::sync::Arc::default());
    let sealed = managed(&vendor).encrypt(&key(&vendor)).unwrap();
    let both = Both::new(&vendor, shown);
    let near = format!("https://127.0.0.1:{}", vendor.secure);
    let adfs = || application(&vendor, "adfs").env("AZURE_AUTHORITY_HOST", &near);
    both.open(&adfs().env("AZURE_CLIENT_SECRET", "CANARY-heron"), &sealed, "a secret", &[]);
    both.refuse(&adfs().env("AZURE_CLIENT_SECRET", "wrong"), &sealed, "a wrong secret", false);
    let with_file = |lab: Lab, variable: &str, content: &str| {
        let file = lab.file("its-file", content).display().to_string();
        lab.env(variable, file)
    };
    let certified = with_file(adfs(), "AZURE_CLIENT_CERTIFICATE_PATH", &certificate());
    both.open(&certified, &sealed, "a certificate", &[]);
    let workload = with_file(adfs(), "AZURE_FEDERATED_TOKEN_FILE", "a.b.c");
    both.open(&workload, &sealed, "a workload", &[]);

    both.done();

    // An ordinary directory, for which the libraries first ask Microsoft who that is.
    let vendor = vendor_of("t1");
    let sealed = managed(&vendor).encrypt(&key(&vendor)).unwrap();
    let both = Both::new(&vendor, shown);
    let ordinary = |lab: Lab| lab.env("HTTPS_PROXY", format!("http://127.0.0.1:{}", vendor.proxy));
    let by_secret = ordinary(application(&vendor, "t1")).env("AZURE_CLIENT_SECRET", "CANARY-heron");
    both.open(&by_secret, &sealed, "a secret of a directory", &[]);
    let certified = with_file(ordinary(application(&vendor, "t1")), "AZURE_CLIENT_CERTIFICATE_PATH", &certificate());
    both.open(&certified, &sealed, "a certificate of a directory", &[]);
    let workload = with_file(ordinary(application(&vendor, "t1")), "AZURE_FEDERATED_TOKEN_FILE", "a.b.c");
    both.open(&workload, &sealed, "a workload of a directory", &[]);
    let foreign = ordinary(application(&vendor, "t2")).env("AZURE_CLIENT_SECRET", "CANARY-heron");
    both.refuse(&foreign, &sealed, "another directory", false);
    let allowed = foreign.env("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "t3;t1");
    both.open(&allowed, &sealed, "another directory that is allowed", &[]);
    both.done();
}

#[test]
fn programs() {
    let vendor = vendor(std::sync::Arc::default());
    let sealed = managed(&vendor).encrypt(&key(&vendor)).unwrap();
    let both = Both::new(&vendor, shown);
    for (name, printed) in [
        (
            "az",
            format!(
                "{{\"accessToken\":\"{TOKEN}\",\"expires_on\":2100000000,\"expiresOn\":\"2035-01-01 00:00:00.000000\"}}"
            ),
        ),
        ("azd", format!("{{\"token\":\"{TOKEN}\",\"expiresOn\":\"2035-01-01T00:00:00Z\"}}")),
    ] {
        let lab = lab(&vendor).env("AZURE_TOKEN_CREDENTIALS", "dev");
        let script = format!("#!/bin/sh\necho \"$@\" > \"$HOME/asked.$PPID\"\necho '{printed}'\n");
        let program = lab.file(&format!("bin/{name}"), script);
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
        let lab = lab.env("PATH", path);
        both.open(&lab, &sealed, name, &[]);
        let mut asked: Vec<String> = std::fs::read_dir(lab.home())
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("asked."))
            .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
            .collect();
        asked.dedup();
        assert_eq!(asked.len(), 1, "the program is called in the same way: {asked:?}");
    }
    both.done();
}
