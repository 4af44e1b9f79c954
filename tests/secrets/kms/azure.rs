//! Azure Key Vault: a stand-in with a real RSA key, asked by us, by the real `sops` and by Azure's own client.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lockage::keys::{KeyService as _, Recipient, WrappedKey};
use lockage::secret::SecretBytes;
use rsa::traits::PublicKeyParts as _;
use rsa::{Oaep, RsaPrivateKey};
use serde_json::json;
use sha2::Sha256;

use super::lab::{Lab, PLAIN, python};
use super::stand_in::{Heard, Said, StandIn};
use crate::common::peer;

pub const VERSION: &str = "v1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const TOKEN: &str = "token-of-the-stand-in";

/// What the vault does wrong.
const NO_VALUE: u16 = 1;
const FOREIGN: u16 = 2;

fn rsa_key() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap())
}

fn operate(operation: &str, value: &[u8]) -> Option<Vec<u8>> {
    match operation {
        "encrypt" => {
            let public = rsa_key().to_public_key();
            public.encrypt(&mut rsa::rand_core::OsRng, Oaep::new::<Sha256>(), value).ok()
        }
        "decrypt" => rsa_key().decrypt(Oaep::new::<Sha256>(), value).ok(),
        _ => None,
    }
}

fn granted() -> serde_json::Value {
    json!({ "access_token": TOKEN, "expires_in": 3599, "expires_on": "2100000000", "token_type": "Bearer", "resource": "x", "client_id": "c" })
}

pub fn granted_to_a_machine() -> Said {
    Said::json(200, &granted())
}

pub fn vendor(fault: Arc<AtomicU16>) -> StandIn {
    StandIn::start(move |_, secure, heard| answer(&fault, secure, "adfs", heard))
}

/// One whose keys belong to another directory.
pub fn vendor_of(tenant: &'static str) -> StandIn {
    StandIn::start(move |_, secure, heard| answer(&AtomicU16::new(0), secure, tenant, heard))
}

fn answer(fault: &AtomicU16, secure: u16, tenant: &str, heard: &Heard) -> Said {
    let fault = fault.load(Ordering::SeqCst);
    match heard.path.as_str() {
        "/msi/token"
            if [heard.header("x-identity-header"), heard.header("secret")].contains(&"h")
                || (heard.method == "POST" && heard.header("metadata") == "true") =>
        {
            return Said::json(200, &granted());
        }
        "/msi/token" => return Said::json(400, &json!({ "error": "invalid_request" })),
        "/common/discovery/instance" => {
            let metadata = json!([{ "preferred_network": "login.microsoftonline.com", "preferred_cache": "login.windows.net", "aliases": ["login.microsoftonline.com"] }]);
            let endpoint = "https://login.microsoftonline.com/t1/v2.0/.well-known/openid-configuration";
            return Said::json(
                200,
                &json!({ "tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata }),
            );
        }
        path if path.ends_with("/v2.0/.well-known/openid-configuration") => {
            let base = format!(
                "https://login.microsoftonline.com{}",
                path.trim_end_matches("/v2.0/.well-known/openid-configuration")
            );
            return Said::json(
                200,
                &json!({ "issuer": format!("{base}/v2.0"), "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"), "token_endpoint": format!("{base}/oauth2/v2.0/token") }),
            );
        }
        "/adfs/.well-known/openid-configuration" => {
            let base = format!("https://127.0.0.1:{secure}/adfs");
            return Said::json(
                200,
                &json!({ "issuer": format!("{base}/v2.0"), "authorization_endpoint": format!("{base}/a"), "token_endpoint": format!("{base}/oauth2/v2.0/token") }),
            );
        }
        "/adfs/oauth2/v2.0/token" | "/t1/oauth2/v2.0/token" => {
            let by = [heard.form("client_secret"), heard.form("client_assertion")];
            let known = by[0] == "CANARY-heron" || by[1].split('.').count() == 3;
            return if known {
                Said::json(200, &granted())
            } else {
                Said::json(401, &json!({ "error": "invalid_client" }))
            };
        }
        _ => {}
    }
    if heard.header("authorization") != format!("Bearer {TOKEN}") {
        let resource =
            if fault == FOREIGN { "https://vault.example".into() } else { format!("https://0.0.1:{secure}") };
        let challenge =
            format!("Bearer authorization=\"https://login.microsoftonline.com/{tenant}\", resource=\"{resource}\"");
        return Said::json(401, &json!({ "error": { "code": "Unauthorized", "message": "no token" } }))
            .header("WWW-Authenticate", challenge);
    }
    if fault == NO_VALUE {
        return Said::json(200, &json!({}));
    }
    if fault > 99 {
        return Said::json(fault, &json!({ "error": { "code": "Forbidden", "message": "fault" } }))
            .header("Retry-After", "0");
    }
    let kid = format!("https://127.0.0.1:{secure}/keys/mykey/{VERSION}");
    if heard.method == "GET" {
        let (n, e) = (rsa_key().n().to_bytes_be(), rsa_key().e().to_bytes_be());
        let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        let public = json!({ "kid": kid, "kty": "RSA", "key_ops": ["encrypt", "decrypt"], "n": n, "e": e });
        return Said::json(200, &json!({ "key": public }));
    }
    let body = heard.json();
    let value = URL_SAFE_NO_PAD.decode(body["value"].as_str().unwrap_or_default()).unwrap_or_default();
    let operation = heard.path.rsplit('/').next().unwrap_or_default();
    match operate(operation, &value) {
        Some(value) if body["alg"] == "RSA-OAEP-256" => {
            Said::json(200, &json!({ "kid": kid, "value": URL_SAFE_NO_PAD.encode(value) }))
        }
        _ => Said::json(400, &json!({ "error": { "code": "BadParameter", "message": "bad" } })),
    }
}

pub fn lab(vendor: &StandIn) -> Lab {
    Lab::new().env("SSL_CERT_FILE", vendor.authority().display().to_string())
}

/// A machine with an identity, as App Service has it.
pub fn managed(vendor: &StandIn) -> Lab {
    let endpoint = format!("http://127.0.0.1:{}/msi/token", vendor.clear);
    lab(vendor).env("IDENTITY_ENDPOINT", endpoint).env("IDENTITY_HEADER", "h")
}

pub fn key(vendor: &StandIn) -> Recipient {
    Recipient::parse_azure_key_vault(&format!("https://127.0.0.1:{}/keys/mykey/{VERSION}", vendor.secure)).unwrap()
}

fn enc_of(sealed: &str) -> String {
    sealed.split_once("enc: ").unwrap().1.lines().next().unwrap().to_owned()
}

#[test]
fn what_one_seals_the_other_opens() {
    let vendor = vendor(Arc::default());
    let url = format!("https://127.0.0.1:{}/keys/mykey/{VERSION}", vendor.secure);
    managed(&vendor).interoperates(&key(&vendor), &["--azure-kv", &url]);
}

#[test]
fn a_missing_version_is_looked_up() {
    let vendor = vendor(Arc::default());
    let bare = Recipient::parse_azure_key_vault(&format!("https://127.0.0.1:{}/keys/mykey", vendor.secure)).unwrap();
    let lab = managed(&vendor);
    assert_eq!(lab.local().complete(&bare).unwrap(), key(&vendor));
    let sealed = lab.encrypt(&bare).unwrap();
    assert!(sealed.contains(VERSION), "{sealed}");
    assert_eq!(lab.decrypt(&sealed).unwrap(), PLAIN);
}

#[test]
fn the_vendors_own_client_opens_ours_and_we_open_its() {
    let vendor = vendor(Arc::default());
    let lab = managed(&vendor);
    let enc = lab.keys().wrap(&key(&vendor), &SecretBytes::new(vec![7; 32])).unwrap();
    let program = r#"
import base64, os, sys
from azure.identity import ManagedIdentityCredential
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm
url, enc = sys.argv[1:]
os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"]
client = CryptographyClient(url, ManagedIdentityCredential())
blob = base64.urlsafe_b64decode(enc + "=" * (-len(enc) % 4))
print(client.decrypt(EncryptionAlgorithm.rsa_oaep_256, blob).plaintext.hex())
value = base64.urlsafe_b64encode(bytes([9]) * 32).rstrip(b"=").decode()
sealed = client._client.encrypt(url.split("/")[-2], url.split("/")[-1], {"alg": "RSA-OAEP-256", "value": value}).result
print(base64.urlsafe_b64encode(sealed).rstrip(b"=").decode())
"#;
    let Some(said) = python(&lab, program, &[&key(&vendor).id(), &enc]) else { return };
    let (opened, theirs) = said.split_once('\n').unwrap();
    assert_eq!(opened, "07".repeat(32));
    let wrapped = WrappedKey { recipient: key(&vendor), created_at: None, enc: theirs.to_owned() };
    assert_eq!(lab.keys().unwrap(&wrapped).unwrap().expose_secret(), [9; 32]);
}

#[test]
fn applications_get_tokens_by_a_secret_a_certificate_and_a_workloads_token() {
    let vendor = vendor(Arc::default());
    let sealed = managed(&vendor).encrypt(&key(&vendor)).unwrap();
    let application = |tenant: &str| {
        lab(&vendor)
            .env("AZURE_AUTHORITY_HOST", format!("https://127.0.0.1:{}", vendor.secure))
            .env("AZURE_TENANT_ID", tenant)
            .env("AZURE_CLIENT_ID", "cid")
    };
    let by_secret = application("adfs").env("AZURE_CLIENT_SECRET", "CANARY-heron");
    assert_eq!(by_secret.decrypt(&sealed).unwrap(), PLAIN);
    if let Some(sops) = peer("sops") {
        assert_eq!(by_secret.sops_decrypt(&sops, &sealed).unwrap().as_bytes(), PLAIN);
    }
    vendor.heard();

    let pem = certificate();
    for (tenant, algorithm) in [("adfs", "RS256"), ("t1", "PS256")] {
        let by_certificate = application(tenant).env("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "x");
        let file = by_certificate.file("app.pem", &pem);
        let by_certificate = by_certificate.env("AZURE_CLIENT_CERTIFICATE_PATH", file.display().to_string());
        let opened = by_certificate.decrypt(&sealed);
        if tenant == "t1" {
            // The vault wants a token of another directory, which has to be allowed.
            assert!(opened.is_err());
            continue;
        }
        assert_eq!(opened.unwrap(), PLAIN);
        let asked = vendor.heard().into_iter().find(|heard| heard.path.ends_with("/token")).unwrap();
        let header = URL_SAFE_NO_PAD.decode(asked.form("client_assertion").split('.').next().unwrap()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["alg"], algorithm);
        assert!(STANDARD.decode(header["x5t"].as_str().unwrap()).unwrap().len() == 20);
    }

    let workload = application("adfs");
    let token = workload.file("token", "a.b.c\n");
    let workload = workload.env("AZURE_FEDERATED_TOKEN_FILE", token.display().to_string());
    assert_eq!(workload.decrypt(&sealed).unwrap(), PLAIN);
}

/// A certificate and its key, as an application has them.
pub fn certificate() -> String {
    use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
    let pem = rsa_key().to_pkcs8_pem(LineEnding::LF).unwrap();
    let pair = rcgen::KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["app".into()]).unwrap().self_signed(&pair).unwrap();
    format!("{}{}", certificate.pem(), pem.as_str())
}

#[test]
fn the_programs_of_azure_are_asked_last() {
    let vendor = vendor(Arc::default());
    let sealed = managed(&vendor).encrypt(&key(&vendor)).unwrap();
    let by_az = lab(&vendor).env("AZURE_TOKEN_CREDENTIALS", "dev");
    let script = format!("#!/bin/sh\necho '{{\"accessToken\":\"{TOKEN}\",\"expires_on\":2100000000}}'\n");
    let az = by_az.file("bin/az", script);
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", az.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    assert_eq!(by_az.env("PATH", path).decrypt(&sealed).unwrap(), PLAIN);

    let unknown = managed(&vendor).env("AZURE_TOKEN_CREDENTIALS", "nope");
    let said = unknown.refusal(&key(&vendor), &enc_of(&sealed));
    assert!(said.contains("invalid AZURE_TOKEN_CREDENTIALS value \"nope\"."), "{said}");
}

#[test]
fn failures_are_worded_as_those_of_sops_and_a_foreign_vault_gets_no_token() {
    let fault = Arc::new(AtomicU16::new(0));
    let vendor = vendor(Arc::clone(&fault));
    let lab = managed(&vendor);
    let sealed = lab.encrypt(&key(&vendor)).unwrap();
    let enc = enc_of(&sealed);
    fault.store(403, Ordering::SeqCst);
    let said = lab.refusal(&key(&vendor), &enc);
    if let Some(sops) = peer("sops") {
        let (code, theirs) = lab.sops_decrypt(&sops, &sealed).unwrap_err();
        assert_eq!(code, 128);
        let flat = |text: &str| text.replace('|', " ").split_whitespace().collect::<String>();
        assert!(flat(&theirs).contains(&flat(&said)), "{said}\nis not in\n{theirs}");
    }
    fault.store(NO_VALUE, Ordering::SeqCst);
    assert!(lab.refusal(&key(&vendor), &enc).contains("holds no key"));
    assert!(lab.keys().wrap(&key(&vendor), &SecretBytes::new(vec![7; 32])).is_err(), "an empty key would be written");
    vendor.heard();
    fault.store(FOREIGN, Ordering::SeqCst);
    let said = lab.refusal(&key(&vendor), &enc);
    assert!(said.contains("challenge resource \"vault.example\" doesn't match the requested domain"), "{said}");
    assert!(vendor.heard().iter().all(|heard| heard.header("authorization").is_empty()), "a token went out");
}
