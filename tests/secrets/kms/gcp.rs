//! Google Cloud KMS: a stand-in with a real key, asked by us, by the real `sops` and by Google's own client.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lockage::keys::{Recipient, WrappedKey};
use lockage::secret::SecretBytes;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use serde_json::json;

use super::lab::{Lab, PLAIN, python};
use super::stand_in::{Heard, Said, StandIn};
use super::symmetric::{open_text, seal_text};
use crate::common::peer;

pub const NAME: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
pub const TOKEN: &str = "token-of-the-stand-in";

/// An answer without a key.
const NO_KEY: u16 = 1;

fn private_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
    })
}

pub fn vendor(fault: Arc<AtomicU16>) -> StandIn {
    StandIn::start(move |_, _, heard| answer(fault.load(Ordering::SeqCst), heard))
}

fn answer(fault: u16, heard: &Heard) -> Said {
    let granted = json!({ "access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer", "issued_token_type": "urn:ietf:params:oauth:token-type:access_token" });
    let bearer = heard.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    match heard.path.as_str() {
        "/token" if heard.form("assertion").split('.').count() == 3 => return Said::json(200, &granted),
        "/token" if heard.form("refresh_token") == "CANARY-heron" => return Said::json(200, &granted),
        "/token" => return Said::json(401, &json!({ "error": "invalid_grant" })),
        "/subject" if heard.header("x-mine") == "yes" => return Said::json(200, &json!({ "token": "subject" })),
        "/v1/token" if heard.form("subject_token") == "subject" => return Said::json(200, &granted),
        "/computeMetadata/v1/instance/service-accounts/default/token"
            if heard.header("metadata-flavor") == "Google" =>
        {
            return Said::json(200, &granted);
        }
        "/lend" if bearer == TOKEN => {
            return Said::json(200, &json!({ "accessToken": TOKEN, "expireTime": "2035-01-01T00:00:00Z" }));
        }
        _ => {}
    }
    let refused = |status: u16, word: &str| {
        Said::json(status, &json!({ "error": { "code": status, "message": "fault", "status": word } }))
    };
    if bearer != TOKEN && bearer.split('.').count() != 3 {
        return refused(401, "UNAUTHENTICATED");
    }
    let Some((name, operation)) = heard.path.trim_start_matches("/v1/").rsplit_once(':') else {
        return refused(404, "NOT_FOUND");
    };
    let body = heard.json();
    match (fault, operation) {
        (NO_KEY, _) => Said::json(200, &json!({ "name": name })),
        (403, _) => refused(403, "PERMISSION_DENIED"),
        (503, _) => refused(503, "UNAVAILABLE"),
        (_, "encrypt") => {
            let sealed = seal_text(name, body["plaintext"].as_str().unwrap_or_default());
            Said::json(200, &json!({ "name": format!("{name}/cryptoKeyVersions/1"), "ciphertext": sealed }))
        }
        (_, "decrypt") => match open_text(name, body["ciphertext"].as_str().unwrap_or_default()) {
            Some(plain) => Said::json(200, &json!({ "plaintext": plain })),
            None => refused(400, "INVALID_ARGUMENT"),
        },
        _ => refused(404, "NOT_FOUND"),
    }
}

pub fn lab(vendor: &StandIn) -> Lab {
    Lab::new()
        .env("SOPS_GCP_KMS_CLIENT_TYPE", "rest")
        .env("SOPS_GCP_KMS_ENDPOINT", format!("http://127.0.0.1:{}", vendor.clear))
        .env("SSL_CERT_FILE", vendor.authority().display().to_string())
}

pub fn with_token(vendor: &StandIn) -> Lab {
    lab(vendor).env("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN)
}

pub fn key() -> Recipient {
    Recipient::parse_gcp_kms(NAME)
}

pub fn account(vendor: &StandIn) -> serde_json::Value {
    json!({
        "type": "service_account",
        "client_email": "sa@p.iam.gserviceaccount.com",
        "private_key": private_key(),
        "private_key_id": "k1",
        "token_uri": format!("http://127.0.0.1:{}/token", vendor.clear),
    })
}

fn enc_of(sealed: &str) -> String {
    sealed.split_once("enc: ").unwrap().1.lines().next().unwrap().to_owned()
}

#[test]
fn what_one_seals_the_other_opens() {
    let vendor = vendor(Arc::default());
    with_token(&vendor).interoperates(&key(), &["--gcp-kms", NAME]);
    let secure = with_token(&vendor).env("SOPS_GCP_KMS_ENDPOINT", format!("127.0.0.1:{}", vendor.secure));
    secure.interoperates(&key(), &["--gcp-kms", NAME]);
}

#[test]
fn the_vendors_own_client_opens_ours_and_we_open_its() {
    let vendor = vendor(Arc::default());
    let lab = with_token(&vendor);
    let enc = lab.keys().wrap(&key(), &SecretBytes::new(vec![7; 32])).unwrap();
    let program = r#"
import base64, sys
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import kms
from google.cloud.kms_v1.services.key_management_service.transports.rest import KeyManagementServiceRestTransport
from google.oauth2.credentials import Credentials
host, token, name, enc = sys.argv[1:]
transport = KeyManagementServiceRestTransport(host=host, url_scheme="http", credentials=Credentials(token))
client = kms.KeyManagementServiceClient(transport=transport)
print(client.decrypt(name=name, ciphertext=base64.b64decode(enc)).plaintext.hex())
print(base64.b64encode(client.encrypt(name=name, plaintext=bytes([9]) * 32).ciphertext).decode())
"#;
    let host = format!("127.0.0.1:{}", vendor.clear);
    let Some(said) = python(&lab, program, &[&host, TOKEN, NAME, &enc]) else { return };
    let (opened, theirs) = said.split_once('\n').unwrap();
    assert_eq!(opened, "07".repeat(32));
    let wrapped = WrappedKey { recipient: key(), created_at: None, enc: theirs.to_owned() };
    assert_eq!(lab.keys().unwrap(&wrapped).unwrap().expose_secret(), [9; 32]);
}

#[test]
fn tokens_come_from_where_google_has_them_in_its_order() {
    let vendor = vendor(Arc::default());
    let sealed = with_token(&vendor).encrypt(&key()).unwrap();
    let base = format!("http://127.0.0.1:{}", vendor.clear);
    let opens = |lab: &Lab| assert_eq!(lab.decrypt(&sealed).unwrap(), PLAIN);
    vendor.heard();

    // The literal JSON comes before the token, which would be refused.
    opens(&lab(&vendor).env("GOOGLE_CREDENTIALS", account(&vendor).to_string()).env("GOOGLE_OAUTH_ACCESS_TOKEN", "x"));
    let heard = vendor.heard();
    assert_eq!(heard[0].path, "/token");
    let part = |index: usize| {
        let text = heard[0].form("assertion");
        let bytes = URL_SAFE_NO_PAD.decode(text.split('.').nth(index).unwrap()).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
    };
    assert_eq!(part(0), json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
    assert_eq!(part(1)["aud"], format!("{base}/token"));
    assert_eq!(part(1)["exp"].as_i64().unwrap() - part(1)["iat"].as_i64().unwrap(), 3600);

    let by_file = lab(&vendor);
    let file = by_file.file("account.json", account(&vendor).to_string()).display().to_string();
    opens(&by_file.env("GOOGLE_CREDENTIALS", file.clone()));
    let by_default = lab(&vendor);
    let file = by_default.file("account.json", account(&vendor).to_string()).display().to_string();
    opens(&by_default.env("GOOGLE_APPLICATION_CREDENTIALS", file));
    let well_known = lab(&vendor);
    well_known.file(".config/gcloud/application_default_credentials.json", account(&vendor).to_string());
    opens(&well_known);

    let impersonated = json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": format!("{base}/lend"),
        "source_credentials": account(&vendor),
    });
    opens(&lab(&vendor).env("GOOGLE_CREDENTIALS", impersonated.to_string()));
    let external = lab(&vendor);
    let subject = external.file("subject.json", "{\"token\":\"subject\"}");
    let json = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{base}/v1/token"),
        "service_account_impersonation_url": format!("{base}/lend"),
        "credential_source": { "file": subject, "format": { "type": "json", "subject_token_field_name": "token" } },
    });
    opens(&external.env("GOOGLE_CREDENTIALS", json.to_string()));
    opens(&lab(&vendor).env("GCE_METADATA_HOST", format!("127.0.0.1:{}", vendor.clear)));
    // The default transport of SOPS does not ask for a token: it signs one.
    vendor.heard();
    opens(
        &lab(&vendor).env("SOPS_GCP_KMS_CLIENT_TYPE", "grpc").env("GOOGLE_CREDENTIALS", account(&vendor).to_string()),
    );
    let heard = vendor.heard();
    assert_eq!(heard.len(), 1, "no request for a token");
    if !std::fs::read_to_string("/sys/class/dmi/id/product_name").unwrap_or_default().contains("Google") {
        let said = lab(&vendor).refusal(&key(), &enc_of(&sealed));
        assert!(said.contains("could not find default credentials"), "{said}");
    }
}

#[test]
fn failures_are_worded_as_those_of_sops() {
    let fault = Arc::new(AtomicU16::new(0));
    let vendor = vendor(Arc::clone(&fault));
    let lab = with_token(&vendor);
    let sealed = lab.encrypt(&key()).unwrap();
    let enc = enc_of(&sealed);
    fault.store(403, Ordering::SeqCst);
    let said = lab.refusal(&key(), &enc);
    assert_eq!(said, "failed to decrypt sops data key with GCP KMS key: googleapi: Error 403: fault");
    if let Some(sops) = peer("sops") {
        let (code, theirs) = lab.sops_decrypt(&sops, &sealed).unwrap_err();
        assert_eq!(code, 128);
        let flat = |text: &str| text.replace('|', " ").split_whitespace().collect::<String>();
        assert!(flat(&theirs).contains(&flat(&said)), "{said}\nis not in\n{theirs}");
    }
    fault.store(NO_KEY, Ordering::SeqCst);
    assert!(lab.refusal(&key(), &enc).contains("holds no key"));
    assert!(lab.keys().wrap(&key(), &SecretBytes::new(vec![7; 32])).is_err(), "an empty key would be written");
    let version = Recipient::parse_gcp_kms(&format!("{NAME}/cryptoKeyVersions/1"));
    assert!(
        lab.refusal(&version, &enc).ends_with(&format!("no valid resource ID found in \"{NAME}/cryptoKeyVersions/1\""))
    );
    let elsewhere = lab.env("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.org");
    assert!(elsewhere.refusal(&key(), &enc).contains("universe domain (\"example.org\") does not match"));
}
