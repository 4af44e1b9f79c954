//! Every recorded exchange of the real `sops` on our routes: our client asks the same, and takes the same answer.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockage::keys::{AwsKmsRecipient, Recipient, WrappedKey};
use lockage::secret::SecretBytes;
use lockage::system::at_once::at_once;
use serde_json::{Value, json};

use super::lab::Lab;
use super::stand_in::{Heard, Said, StandIn};

const RECORDED: &str = include_str!("../../vectors/kms-wire.jsonl");

/// One exchange, with what identifies it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Exchange {
    vendor: String,
    path: String,
    operation: &'static str,
    body: String,
    status: u16,
    answer: String,
}

fn exchange(line: &str) -> Option<Exchange> {
    let line: Value = serde_json::from_str(line).unwrap();
    if line["client"] != "sops" {
        return None;
    }
    let (request, answer) = (&line["request"], &line["answer"]);
    let (vendor, path) = (line["vendor"].as_str()?, request["path"].as_str()?);
    let is = |word: &str| match vendor {
        "aws" => request["headers"]["X-Amz-Target"] == format!("TrentService.{word}"),
        "vault" => path.contains(&format!("/{}/", word.to_lowercase())),
        "gcp" => path.ends_with(&format!(":{}", word.to_lowercase())),
        "azure" => {
            let token = request["headers"].get("Authorization").is_some();
            token && path.ends_with(&format!("/{}", word.to_lowercase()))
        }
        "huawei" => path.ends_with(&format!("/{}-data", word.to_lowercase())),
        _ => false,
    };
    Some(Exchange {
        vendor: vendor.to_owned(),
        path: path.to_owned(),
        operation: ["Encrypt", "Decrypt"].into_iter().find(|word| is(word))?,
        body: request["body"].as_str()?.to_owned(),
        status: u16::try_from(answer["status"].as_u64()?).unwrap(),
        answer: answer["body"].as_str()?.to_owned(),
    })
}

impl Exchange {
    fn recipient(&self, vendor: &StandIn) -> Recipient {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match self.vendor.as_str() {
            "aws" => {
                let context = body["EncryptionContext"].as_object().unwrap().iter();
                let context = context.map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned))).collect();
                Recipient::AwsKms(AwsKmsRecipient { arn: text("KeyId"), context, ..AwsKmsRecipient::default() })
            }
            "vault" => {
                let path = self.path.replace("/encrypt/", "/keys/").replace("/decrypt/", "/keys/");
                Recipient::parse_vault_transit(&format!("http://127.0.0.1:{}{path}", vendor.clear)).unwrap()
            }
            "gcp" => {
                let name = self.path.trim_start_matches("/v1/").rsplit_once(':').unwrap().0;
                Recipient::parse_gcp_kms(name)
            }
            "azure" => {
                let path = self.path.rsplit_once('/').unwrap().0;
                Recipient::parse_azure_key_vault(&format!("https://127.0.0.1:{}{path}", vendor.secure)).unwrap()
            }
            _ => Recipient::parse_huawei_kms(&format!("tr-west-1:{}", text("key_id"))).unwrap(),
        }
    }

    fn lab(&self, vendor: &StandIn) -> Lab {
        let clear = format!("http://127.0.0.1:{}", vendor.clear);
        let project = self.path.split('/').nth(2).unwrap_or_default();
        Lab::new()
            .env("SSL_CERT_FILE", vendor.authority().display().to_string())
            .env("AWS_ENDPOINT_URL", &clear)
            .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
            .env("AWS_SECRET_ACCESS_KEY", "x")
            .env("VAULT_TOKEN", "root")
            .env("SOPS_GCP_KMS_CLIENT_TYPE", "rest")
            .env("SOPS_GCP_KMS_ENDPOINT", &clear)
            .env("GOOGLE_OAUTH_ACCESS_TOKEN", "t")
            .env("IDENTITY_ENDPOINT", format!("{clear}/msi/token"))
            .env("IDENTITY_HEADER", "h")
            .env("HUAWEICLOUD_SDK_REGION_KMS_TR_WEST_1", &clear)
            .env("HUAWEICLOUD_SDK_AK", "AKTEST")
            .env("HUAWEICLOUD_SDK_SK", "x")
            .env("HUAWEICLOUD_SDK_PROJECT_ID", project)
    }

    /// The field of the answer that holds the key, if there is something in it.
    fn holds_a_key(&self) -> bool {
        let Ok(answer) = serde_json::from_str::<Value>(&self.answer) else { return false };
        let encrypt = self.operation == "Encrypt";
        let field = match self.vendor.as_str() {
            "aws" => &answer[if encrypt { "CiphertextBlob" } else { "Plaintext" }],
            "vault" => &answer["data"][if encrypt { "ciphertext" } else { "plaintext" }],
            "gcp" => &answer[if encrypt { "ciphertext" } else { "plaintext" }],
            "azure" => &answer["value"],
            _ => &answer[if encrypt { "cipher_text" } else { "plain_text" }],
        };
        self.status == 200 && field.as_str().is_some_and(|text| !text.is_empty())
    }
}

/// The vendor, which gives this one answer, after whatever the way to it takes.
fn vendor(exchange: &Exchange, key: &str) -> StandIn {
    let (status, body) = (exchange.status, exchange.answer.replace("<b64>", key));
    let azure = exchange.vendor == "azure";
    StandIn::start(move |_, secure, heard: &Heard| {
        if heard.path == "/msi/token" {
            return Said::json(200, &json!({ "access_token": "t", "expires_on": "2100000000" }));
        }
        if azure && heard.header("authorization").is_empty() {
            let challenge = format!(
                "Bearer authorization=\"https://login.microsoftonline.com/t\", resource=\"https://0.0.1:{secure}\""
            );
            return Said::json(401, &json!({})).header("WWW-Authenticate", challenge);
        }
        Said { status, headers: Vec::new(), body: body.clone() }
    })
}

/// Asks what was asked, and says what is wrong about it.
fn replay(exchange: &Exchange) -> Result<(), String> {
    let share = [7; 32];
    let key = STANDARD.encode(share);
    let vendor = vendor(exchange, &key);
    let lab = exchange.lab(&vendor);
    let recipient = exchange.recipient(&vendor);
    let enc = match exchange.vendor.as_str() {
        "vault" => format!("vault:v1:{key}"),
        "azure" => key.trim_end_matches('=').to_owned(),
        _ => key.clone(),
    };
    let outcome = match exchange.operation {
        "Encrypt" => {
            let share = SecretBytes::new(share.to_vec());
            lab.keys().wrap(&recipient, &share).map(drop).map_err(|errors| errors[0].sops_text())
        }
        _ => {
            let wrapped = WrappedKey { recipient, created_at: None, enc };
            lab.keys().unwrap(&wrapped).map(drop).map_err(|refusals| refusals[0].sops.clone())
        }
    };
    let heard: Vec<Heard> = vendor.heard().into_iter().filter(|heard| heard.path == exchange.path).collect();
    let asked = heard.last().ok_or("nothing was asked there")?;
    let said = String::from_utf8_lossy(&asked.body).replace(&key, "<b64>").replace(key.trim_end_matches('='), "<b64>");
    let said: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
    let recorded = exchange.body.replace("vault:v2:", "vault:v1:");
    let recorded: Value = serde_json::from_str(&recorded).map_err(|error| error.to_string())?;
    if said != recorded {
        return Err(format!("asked {said} for {recorded}"));
    }
    match (outcome, exchange.holds_a_key()) {
        (Ok(()), true) => Ok(()),
        (Err(why), false) if exchange.status < 300 || why.contains(&exchange.status.to_string()) => Ok(()),
        (Err(why), false) => Err(format!("the status is not in: {why}")),
        (outcome, _) => Err(format!("the outcome is {outcome:?}")),
    }
}

#[test]
fn recorded_exchanges() {
    let exchanges: BTreeSet<Exchange> = RECORDED.lines().filter_map(exchange).collect();
    let exchanges: Vec<Exchange> = exchanges.into_iter().collect();
    for vendor in ["aws", "azure", "gcp", "huawei", "vault"] {
        assert!(exchanges.iter().filter(|exchange| exchange.vendor == vendor).count() >= 5, "{vendor}");
    }
    let wrong: Vec<String> = at_once(&exchanges, 16, |exchange| {
        let Exchange { vendor, path, operation, status, .. } = exchange;
        replay(exchange).map_err(|why| format!("{vendor} {operation} {path} -> {status}: {why}"))
    })
    .into_iter()
    .filter_map(Result::err)
    .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), exchanges.len(), wrong.join("\n"));
}
