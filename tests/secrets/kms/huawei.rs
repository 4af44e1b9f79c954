//! HuaweiCloud KMS: a stand-in that checks signatures, asked by us, by the real `sops` and by HuaweiCloud's own client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use lockage::keys::{Recipient, WrappedKey};
use lockage::secret::SecretBytes;
use ring::{digest, hmac};
use serde_json::json;

use super::lab::{Lab, PLAIN, python};
use super::stand_in::{Heard, Said, StandIn};
use super::symmetric::{open_text, seal_text};
use crate::common::peer;

pub const SECRET: &str = "the-secret-of-AKTEST";
const UUID: &str = "11111111-2222-3333-4444-555555555555";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a request is signed with [`SECRET`], whatever headers it signs.
fn is_signed(heard: &Heard) -> bool {
    let authorization = heard.header("authorization");
    let part =
        |name: &str| authorization.split([' ', ',']).find_map(|part| part.strip_prefix(name)).unwrap_or_default();
    let lines: String =
        part("SignedHeaders=").split(';').map(|name| format!("{name}:{}\n", heard.header(name))).collect();
    let payload = hex(digest::digest(&digest::SHA256, &heard.body).as_ref());
    let (path, query, names) = (heard.path.trim_end_matches('/'), &heard.query, part("SignedHeaders="));
    let canonical = format!("{}\n{path}/\n{query}\n{lines}\n{names}\n{payload}", heard.method);
    let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("SDK-HMAC-SHA256\n{}\n{hashed}", heard.header("x-sdk-date"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hex(hmac::sign(&key, text.as_bytes()).as_ref()) == part("Signature=")
}

fn refused(status: u16, code: &str) -> Said {
    Said::json(status, &json!({ "error": { "error_code": code, "error_msg": "fault" } })).header("X-Request-Id", "r1")
}

/// Answers as the vendor would; `fault` is a status to answer with instead, or 1 for an answer without a key.
pub fn vendor(fault: Arc<AtomicU16>) -> StandIn {
    StandIn::start(move |_, _, heard| {
        let lent = json!({ "access": "AKTEST", "secret": SECRET, "securitytoken": "lent", "expires_at": "2035-01-01T00:00:00.000000Z" });
        match heard.path.as_str() {
            "/v3.0/OS-AUTH/id-token/tokens" if heard.header("x-idp-id") == "idp1" => {
                return Said::json(201, &json!({ "token": { "expires_at": "2035-01-01T00:00:00Z" } }))
                    .header("X-Subject-Token", "subject")
                    .header("X-Request-Id", "r0");
            }
            "/v3.0/OS-CREDENTIAL/securitytokens" if heard.json()["auth"]["identity"]["token"]["id"] == "subject" => {
                return Said::json(201, &json!({ "credential": lent }));
            }
            "/pod/creds" if heard.header("authorization") == "pod-token" => {
                let handed = json!({ "access_key_id": "AKTEST", "secret_access_key": SECRET, "security_token": "lent", "expiration": "2035-01-01T00:00:00.000000Z" });
                return Said::json(200, &json!({ "credentials": handed }));
            }
            _ => {}
        }
        if !is_signed(heard) {
            return Said::json(
                401,
                &json!({ "error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information" }),
            );
        }
        let body = heard.json();
        let (name, plain, sealed) = (&body["key_id"], &body["plain_text"], &body["cipher_text"]);
        let name = name.as_str().unwrap_or_default();
        match (heard.path.as_str(), fault.load(Ordering::SeqCst)) {
            ("/v3/projects", _) => Said::json(200, &json!({ "projects": [{ "id": "proj0123" }] })),
            (_, 1) => Said::json(200, &json!({ "key_id": name })),
            (_, status) if status > 1 => refused(status, "KMS.0500"),
            ("/v1.0/proj0123/kms/encrypt-data", _) => Said::json(
                200,
                &json!({ "key_id": name, "cipher_text": seal_text(name, plain.as_str().unwrap_or_default()) }),
            ),
            ("/v1.0/proj0123/kms/decrypt-data", _) => match open_text(name, sealed.as_str().unwrap_or_default()) {
                Some(plain) => Said::json(200, &json!({ "key_id": name, "plain_text": plain })),
                None => refused(400, "KMS.0400"),
            },
            _ => refused(404, "KMS.0404"),
        }
    })
}

pub fn lab(vendor: &StandIn) -> Lab {
    Lab::new()
        .env("HUAWEICLOUD_SDK_REGION_KMS_TR_WEST_1", format!("http://127.0.0.1:{}", vendor.clear))
        .env("HUAWEICLOUD_SDK_IAM_ENDPOINT", format!("https://127.0.0.1:{}", vendor.secure))
        .env("SSL_CERT_FILE", vendor.authority().display().to_string())
}

pub fn with_keys(vendor: &StandIn) -> Lab {
    let lab = lab(vendor).env("HUAWEICLOUD_SDK_AK", "AKTEST").env("HUAWEICLOUD_SDK_SK", SECRET);
    lab.env("HUAWEICLOUD_SDK_PROJECT_ID", "proj0123")
}

pub fn key() -> Recipient {
    Recipient::parse_huawei_kms(&format!("tr-west-1:{UUID}")).unwrap()
}

#[test]
fn what_one_seals_the_other_opens() {
    let vendor = vendor(Arc::default());
    with_keys(&vendor).interoperates(&key(), &["--hckms", &format!("tr-west-1:{UUID}")]);
}

#[test]
fn the_vendors_own_client_opens_ours_and_we_open_its() {
    let vendor = vendor(Arc::default());
    let lab = with_keys(&vendor);
    let enc = lab.keys().wrap(&key(), &SecretBytes::new(vec![7; 32])).unwrap();
    let program = r#"
import base64, sys
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkkms.v2 import KmsClient, DecryptDataRequest, DecryptDataRequestBody, EncryptDataRequest, EncryptDataRequestBody
url, secret, key, enc = sys.argv[1:]
client = KmsClient.new_builder().with_credentials(BasicCredentials("AKTEST", secret, "proj0123")).with_endpoint(url).build()
body = DecryptDataRequestBody(cipher_text=enc, encryption_algorithm="SYMMETRIC_DEFAULT", key_id=key)
print(base64.b64decode(client.decrypt_data(DecryptDataRequest(body=body)).plain_text).hex())
plain = base64.b64encode(bytes([9]) * 32).decode()
body = EncryptDataRequestBody(key_id=key, plain_text=plain, encryption_algorithm="SYMMETRIC_DEFAULT")
print(client.encrypt_data(EncryptDataRequest(body=body)).cipher_text)
"#;
    let url = format!("http://127.0.0.1:{}", vendor.clear);
    let Some(said) = python(&lab, program, &[&url, SECRET, UUID, &enc]) else { return };
    let (opened, theirs) = said.split_once('\n').unwrap();
    assert_eq!(opened, "07".repeat(32));
    let wrapped = WrappedKey { recipient: key(), created_at: None, enc: theirs.to_owned() };
    assert_eq!(lab.keys().unwrap(&wrapped).unwrap().expose_secret(), [9; 32]);
}

#[test]
fn credentials_come_from_where_huawei_has_them() {
    let vendor = vendor(Arc::default());
    let sealed = with_keys(&vendor).encrypt(&key()).unwrap();
    vendor.heard();

    let profiled = lab(&vendor);
    profiled.file(".huaweicloud/credentials", format!("[other]\nak = x\n[basic]\nak = AKTEST\nsk = {SECRET}\n"));
    assert_eq!(profiled.decrypt(&sealed).unwrap(), PLAIN);
    let heard = vendor.heard();
    assert_eq!((heard[0].path.as_str(), heard[0].query.as_str()), ("/v3/projects", "name=tr-west-1"));

    let provided = lab(&vendor).env("HUAWEICLOUD_SDK_IDP_ID", "idp1");
    let token = provided.file("token", "a.b.c\n").display().to_string();
    let provided = provided.env("HUAWEICLOUD_SDK_ID_TOKEN_FILE", token).env("HUAWEICLOUD_SDK_PROJECT_ID", "proj0123");
    assert_eq!(provided.decrypt(&sealed).unwrap(), PLAIN);
    let heard = vendor.heard();
    assert_eq!(heard[0].json(), json!({ "auth": { "id_token": { "id": "a.b.c" } } }));
    assert_eq!(heard[2].header("x-security-token"), "lent");

    let pod =
        lab(&vendor).env("HC_CONTAINER_CREDENTIALS_FULL_URI", format!("http://127.0.0.1:{}/pod/creds", vendor.clear));
    let token = pod.file("pod", "pod-token\n").display().to_string();
    let pod = pod.env("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", token);
    assert_eq!(pod.decrypt(&sealed).unwrap(), PLAIN);

    let by_file = Lab::new().env("HUAWEICLOUD_SDK_AK", "AKTEST").env("HUAWEICLOUD_SDK_SK", SECRET);
    let by_file = by_file.env("HUAWEICLOUD_SDK_PROJECT_ID", "proj0123");
    by_file.file(
        ".huaweicloud/regions.yaml",
        format!("KMS:\n- id: tr-west-1\n  endpoint: http://127.0.0.1:{}\n", vendor.clear),
    );
    assert_eq!(by_file.decrypt(&sealed).unwrap(), PLAIN);
    assert!(!by_file.home().join(".huaweicloud/application_id").exists(), "nothing is written to the home");
}

#[test]
fn failures_are_worded_as_those_of_sops() {
    let fault = Arc::new(AtomicU16::new(0));
    let vendor = vendor(Arc::clone(&fault));
    let lab = with_keys(&vendor);
    let sealed = lab.encrypt(&key()).unwrap();
    let enc = sealed.split_once("enc: ").unwrap().1.lines().next().unwrap().to_owned();
    fault.store(403, Ordering::SeqCst);
    let said = lab.refusal(&key(), &enc);
    let flat = |text: &str| text.replace('|', " ").split_whitespace().collect::<String>();
    if let Some(sops) = peer("sops") {
        let (code, theirs) = lab.sops_decrypt(&sops, &sealed).unwrap_err();
        assert_eq!(code, 128);
        assert!(flat(&theirs).contains(&flat(&said)), "{said}\nis not in\n{theirs}");
    }
    vendor.heard();
    fault.store(503, Ordering::SeqCst);
    assert!(lab.refusal(&key(), &enc).contains("503"));
    assert_eq!(vendor.heard().len(), 3, "bounded repetitions");
    fault.store(1, Ordering::SeqCst);
    assert!(lab.refusal(&key(), &enc).ends_with("decryption response missing plaintext"));
    let error = lab.keys().wrap(&key(), &SecretBytes::new(vec![7; 32])).unwrap_err().remove(0);
    assert!(error.sops_text().ends_with("encryption response missing ciphertext"));
    let nowhere = Recipient::parse_huawei_kms("mars-1:x").unwrap();
    assert!(lab.refusal(&nowhere, "x").contains("invalid region \"mars-1\": region id 'mars-1' is not in"));
    let wrong = lab.env("HUAWEICLOUD_SDK_SK", "CANARY-heron");
    fault.store(0, Ordering::SeqCst);
    let said = wrong.refusal(&key(), &enc);
    assert!(said.contains("APIGW.0301") && !said.contains("CANARY"), "{said}");
}
