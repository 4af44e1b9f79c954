//! Where tokens for Google Cloud come from: for us and for the real `sops`, at the same addresses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::both::Both;
use super::gcp::{account, key, lab, vendor, with_token};
use super::lab::Lab;
use super::stand_in::{Heard, StandIn};

/// A request with whatever says whose it is.
fn shown(heard: &Heard) -> Option<String> {
    let names =
        ["audience", "grant_type", "scope", "subject_token", "subject_token_type", "client_id", "refresh_token"];
    let form: Vec<String> = names.map(|name| heard.form(name)).into_iter().filter(|value| !value.is_empty()).collect();
    let bearer = heard.header("authorization").trim_start_matches("Bearer ");
    let lent = heard.json();
    let lent = ["delegates", "lifetime", "scope"].map(|name| lent[name].to_string());
    let body = if heard.path == "/lend" { lent.join(" ") } else { String::new() };
    let query =
        if heard.path.starts_with("/computeMetadata") { heard.query.replace("%2C", ",") } else { String::new() };
    let signed = format!("{}{}", claims(&heard.form("assertion")), claims(bearer));
    let host = heard.host.split(':').next().unwrap_or_default();
    Some(format!("{} {host} {} {query} {} {body} {signed}", heard.method, heard.path, form.join(" ")))
}

/// What a signed token says, but for the time; of any other one itself.
fn claims(token: &str) -> String {
    let mut parts = token.split('.').filter_map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    });
    let (Some(header), Some(claims)) = (parts.next(), parts.next()) else { return token.to_owned() };
    let named = ["iss", "sub", "aud", "scope"].map(|name| claims[name].to_string());
    format!("{} {} {}", header["alg"], header["kid"], named.join(" "))
}

fn near(vendor: &StandIn, path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", vendor.clear)
}

/// Led to the stand-in by a proxy, because the address of the request is fixed.
fn proxied(vendor: &StandIn) -> Lab {
    lab(vendor).env("HTTPS_PROXY", format!("http://127.0.0.1:{}", vendor.proxy))
}

fn user(token: &str) -> Value {
    json!({ "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": token, "token_uri": "http://127.0.0.1:1/no" })
}

#[test]
fn places() {
    let vendor = vendor(std::sync::Arc::default());
    let sealed = with_token(&vendor).encrypt(&key()).unwrap();
    let both = Both::new(&vendor, shown);
    let account = account(&vendor).to_string();
    let open = |lab: Lab, what: &str| both.open(&lab, &sealed, what, &[]);
    let by_file = |variable: &str| {
        let lab = lab(&vendor);
        let file = lab.file("account.json", &account).display().to_string();
        lab.env(variable, file)
    };
    open(with_token(&vendor), "a token");
    open(lab(&vendor).env("GOOGLE_CREDENTIALS", &account).env("GOOGLE_OAUTH_ACCESS_TOKEN", "x"), "JSON before a token");
    open(by_file("GOOGLE_CREDENTIALS"), "the path of a file");
    open(by_file("GOOGLE_APPLICATION_CREDENTIALS"), "the default file");
    open(
        by_file("GOOGLE_APPLICATION_CREDENTIALS").env("GOOGLE_OAUTH_ACCESS_TOKEN", super::gcp::TOKEN),
        "a token first",
    );
    let usual = lab(&vendor);
    usual.file(".config/gcloud/application_default_credentials.json", &account);
    open(usual, "the file of gcloud");
    open(lab(&vendor).env("GCE_METADATA_HOST", format!("127.0.0.1:{}", vendor.clear)), "the metadata of a machine");
    both.refuse(&lab(&vendor).env("GOOGLE_CREDENTIALS", "nonsense"), &sealed, "no credentials at all", false);
    let missing = lab(&vendor).env("GOOGLE_APPLICATION_CREDENTIALS", "/missing.json");
    both.refuse(&missing, &sealed, "a file that is missing", false);
    let account: Value = serde_json::from_str(&account).unwrap();
    let mut foreign = account.clone();
    foreign["universe_domain"] = json!("example.org");
    let elsewhere = lab(&vendor).env("GOOGLE_CREDENTIALS", foreign.to_string());
    both.refuse(&elsewhere, &sealed, "another universe", false);
    let endpoint = lab(&vendor).env("SOPS_GCP_KMS_UNIVERSE_DOMAIN", "example.org");
    open(endpoint.env("GOOGLE_CREDENTIALS", account.to_string()), "an endpoint before a universe");
    both.done();
}

#[test]
fn kinds() {
    let vendor = vendor(std::sync::Arc::default());
    let sealed = with_token(&vendor).encrypt(&key()).unwrap();
    let both = Both::new(&vendor, shown);
    let open = |lab: Lab, json: &Value, what: &str| {
        both.open(&lab.env("GOOGLE_CREDENTIALS", json.to_string()), &sealed, what, &[]);
    };
    open(proxied(&vendor), &user("CANARY-heron"), "a user");
    let refused = proxied(&vendor).env("GOOGLE_CREDENTIALS", user("x").to_string());
    both.refuse(&refused, &sealed, "a user who is refused", false);

    let lent = |source: Value, delegates: Value| {
        json!({
            "type": "impersonated_service_account",
            "service_account_impersonation_url": near(&vendor, "/lend"),
            "source_credentials": source,
            "delegates": delegates,
        })
    };
    open(lab(&vendor), &lent(account(&vendor), json!([])), "another account");
    open(
        lab(&vendor),
        &lent(account(&vendor), json!(["projects/-/serviceAccounts/a"])),
        "another account, by delegates",
    );
    open(proxied(&vendor), &lent(user("CANARY-heron"), json!([])), "another account, by a user");

    let external = |source: Value, lends: bool| {
        let mut json = json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/x",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": near(&vendor, "/v1/token"),
            "credential_source": source,
        });
        if lends {
            json["service_account_impersonation_url"] = json!(near(&vendor, "/lend"));
        }
        json
    };
    for lends in [false, true] {
        let lab_of = |name: &str, content: &str| {
            let lab = lab(&vendor);
            let file = lab.file(name, content);
            (lab, file)
        };
        let (lab_with_text, file) = lab_of("subject.txt", "subject");
        open(lab_with_text, &external(json!({ "file": file }), lends), "a token in a file");
        let (lab_with_json, file) = lab_of("subject.json", "{\"token\":\"subject\"}");
        let format = json!({ "type": "json", "subject_token_field_name": "token" });
        open(lab_with_json, &external(json!({ "file": file, "format": format }), lends), "a token in JSON");
        let source = json!({ "url": near(&vendor, "/subject"), "headers": { "X-Mine": "yes" }, "format": format });
        open(lab(&vendor), &external(source, lends), "a token at an address");
    }
    let away = external(json!({ "file": "/missing" }), false);
    both.refuse(&lab(&vendor).env("GOOGLE_CREDENTIALS", away.to_string()), &sealed, "a token that is missing", false);
    both.done();
}
