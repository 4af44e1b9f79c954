//! Where credentials for AWS come from: a stand-in for its services, a container's agent and an instance's metadata,
//! asked by us and by the real `sops`.

use std::collections::BTreeMap;

use lockage::keys::Recipient;
use serde_json::json;

use super::both::Both;
use super::lab::Lab;
use super::stand_in::{Heard, Said, StandIn};
use super::symmetric::{open_text, seal_text};

const ARN: &str = "arn:aws:kms:us-east-1:123456789012:key/k";
const ROLE: &str = "arn:aws:iam::123456789012:role/r1";
/// Opens the cached login of the single sign-on.
const LOGIN: &str = "CANARY-heron-login";

pub fn handed(access: &str) -> Said {
    Said::json(
        200,
        &json!({ "Code": "Success", "AccessKeyId": access, "SecretAccessKey": "s", "Token": "t", "Expiration": "2035-01-01T00:00:00Z" }),
    )
}

pub fn vendor() -> StandIn {
    StandIn::start(|_, _, heard| answer(heard))
}

pub fn answer(heard: &Heard) -> Said {
    let text = |status, body: &str| Said { status, headers: Vec::new(), body: body.to_owned() };
    match (heard.method.as_str(), heard.path.as_str()) {
        ("POST", "/") if !heard.header("x-amz-target").is_empty() => kms(heard),
        ("POST", "/") => {
            let access = if heard.form("Action") == "AssumeRole" { "AKIDROLE" } else { "AKIDWEB" };
            let action = heard.form("Action");
            text(
                200,
                &format!(
                    "<{action}Response><{action}Result><Credentials><AccessKeyId>{access}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2035-01-01T00:00:00Z</Expiration></Credentials></{action}Result></{action}Response>"
                ),
            )
        }
        ("GET", "/federation/credentials") if heard.header("x-amz-sso_bearer_token") == LOGIN => {
            let credentials = json!({ "accessKeyId": "AKIDSSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": 2_051_222_400_000_u64 });
            Said::json(200, &json!({ "roleCredentials": credentials }))
        }
        ("GET", "/v2/container") if heard.header("authorization") == "agent" => handed("AKIDCONTAINER"),
        ("GET", "/v2/open") => handed("AKIDOPEN"),
        ("PUT", "/latest/api/token") => {
            text(200, "metadata-token").header("x-aws-ec2-metadata-token-ttl-seconds", "300")
        }
        ("GET", path) if heard.header("x-aws-ec2-metadata-token") == "metadata-token" => match path {
            "/latest/meta-data/iam/security-credentials/" => text(200, "role1"),
            "/latest/meta-data/iam/security-credentials/role1" => handed("AKIDINSTANCE"),
            _ => text(404, ""),
        },
        _ => text(404, ""),
    }
}

fn kms(heard: &Heard) -> Said {
    let body = heard.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    match heard.header("x-amz-target") {
        "TrentService.Encrypt" => Said::json(200, &json!({ "CiphertextBlob": seal_text(ARN, &text("Plaintext")) })),
        _ => Said::json(200, &json!({ "Plaintext": open_text(ARN, &text("CiphertextBlob")) })),
    }
}

/// A request with whatever says whose it is.
pub fn shown(heard: &Heard) -> Option<String> {
    let signed = heard.header("authorization").split_once("Credential=").and_then(|(_, rest)| rest.split('/').next());
    let by = signed.unwrap_or("nobody");
    let token = heard.header("x-amz-security-token");
    if heard.path != "/" {
        return Some(format!("{} {} {}", heard.method, heard.path, heard.query));
    }
    if !heard.header("x-amz-target").is_empty() {
        return Some(format!("{} by {by} {token}", heard.header("x-amz-target")));
    }
    let parts = ["Action", "RoleArn", "ExternalId", "DurationSeconds", "WebIdentityToken"];
    let parts = parts.map(|name| heard.form(name)).join(" ");
    Some(format!("{parts} by {by} {token}"))
}

pub fn key() -> Recipient {
    Recipient::parse_aws_kms(ARN, &BTreeMap::new(), "")
}

fn near(vendor: &StandIn) -> String {
    format!("http://127.0.0.1:{}", vendor.clear)
}

/// A home without credentials.
fn nobody(vendor: &StandIn) -> Lab {
    let url = near(vendor);
    let lab = Lab::new().env("AWS_ENDPOINT_URL", &url).env("AWS_ENDPOINT_URL_STS", &url);
    lab.env("AWS_ENDPOINT_URL_SSO", &url).env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_MAX_ATTEMPTS", "1")
}

fn configured(vendor: &StandIn, config: &str) -> Lab {
    let lab = nobody(vendor);
    lab.file(".aws/config", config);
    lab
}

fn sealed(vendor: &StandIn) -> String {
    let lab = nobody(vendor).env("AWS_ACCESS_KEY_ID", "AKIDVARIABLE").env("AWS_SECRET_ACCESS_KEY", "s");
    lab.encrypt(&key()).unwrap()
}

#[test]
fn variables_and_profiles() {
    let vendor = vendor();
    let sealed = sealed(&vendor);
    let both = Both::new(&vendor, shown);
    let with_keys = |lab: Lab| lab.env("AWS_ACCESS_KEY_ID", "AKIDVARIABLE").env("AWS_SECRET_ACCESS_KEY", "s");
    let opens =
        |lab: Lab, what: &str, by: &str| both.open(&lab, &sealed, what, &[&format!("TrentService.Decrypt by {by}")]);

    opens(with_keys(nobody(&vendor)), "variables", "AKIDVARIABLE ");
    opens(with_keys(nobody(&vendor)).env("AWS_SESSION_TOKEN", "t"), "a session", "AKIDVARIABLE t");
    let legacy = nobody(&vendor).env("AWS_ACCESS_KEY", "AKIDOLD").env("AWS_SECRET_KEY", "s");
    opens(legacy, "the old variables", "AKIDOLD ");
    let dev = "[profile dev]\naws_access_key_id = AKIDDEV\naws_secret_access_key = s\naws_session_token = t\n";
    opens(configured(&vendor, dev).env("AWS_PROFILE", "dev"), "a profile", "AKIDDEV t");
    opens(configured(&vendor, dev).env("AWS_DEFAULT_PROFILE", "dev"), "a profile by its old variable", "AKIDDEV t");
    let elsewhere = nobody(&vendor);
    let config = elsewhere.file("c", "[profile dev]\nregion = x\n").display().to_string();
    let keys =
        elsewhere.file("k", "[dev]\naws_access_key_id=AKIDFILE\naws_secret_access_key=s\n").display().to_string();
    let elsewhere = elsewhere.env("AWS_CONFIG_FILE", config).env("AWS_SHARED_CREDENTIALS_FILE", keys);
    opens(elsewhere.env("AWS_PROFILE", "dev"), "files elsewhere", "AKIDFILE ");

    both.refuse(&nobody(&vendor).env("AWS_PROFILE", "missing"), &sealed, "no such profile", true);
    both.refuse(&nobody(&vendor), &sealed, "nothing at all", false);
    both.refuse(&nobody(&vendor).env("AWS_ACCESS_KEY_ID", "x"), &sealed, "half of the keys", false);
    both.done();
}

#[test]
fn programs_and_logins() {
    let vendor = vendor();
    let sealed = sealed(&vendor);
    let both = Both::new(&vendor, shown);
    let decrypt = |by: &str| format!("TrentService.Decrypt by {by} t");
    let process = configured(&vendor, "");
    let printed = process
        .file("p", "{\"Version\":1,\"AccessKeyId\":\"AKIDPROCESS\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\"}");
    process.file(".aws/config", format!("[default]\ncredential_process = cat \"{}\"\n", printed.display()));
    both.open(&process, &sealed, "a program", &[&decrypt("AKIDPROCESS")]);
    both.refuse(
        &configured(&vendor, "[default]\ncredential_process = false\n"),
        &sealed,
        "a program that fails",
        false,
    );
    both.refuse(&configured(&vendor, "[default]\ncredential_process = echo hi\n"), &sealed, "a program's words", false);

    let login = |lab: &Lab, of: &str, ends: &str| {
        use ring::digest;
        let name = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, of.as_bytes());
        let name: String = name.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let cached = json!({ "startUrl": of, "region": "eu-west-1", "accessToken": LOGIN, "expiresAt": ends });
        lab.file(&format!(".aws/sso/cache/{name}.json"), cached.to_string());
    };
    let asked = ["GET /federation/credentials account_id=1&role_name=r", &decrypt("AKIDSSO")];
    let by_session = "[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n\
                      [sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\n";
    let lab = configured(&vendor, by_session);
    both.refuse(&lab, &sealed, "no login", false);
    login(&lab, "s", "2035-01-01T00:00:00Z");
    both.open(&lab, &sealed, "a login of a session", &asked);
    login(&lab, "s", "2020-01-01T00:00:00Z");
    both.refuse(&lab, &sealed, "a login that ended", false);
    let old = "[default]\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\nsso_account_id = 1\nsso_role_name = r\n";
    let lab = configured(&vendor, old);
    login(&lab, "https://x.awsapps.com/start", "2035-01-01T00:00:00Z");
    both.open(&lab, &sealed, "a login of a start page", &asked);
    both.done();
}

#[test]
fn agents_and_metadata() {
    let vendor = vendor();
    let sealed = sealed(&vendor);
    let both = Both::new(&vendor, shown);
    let decrypt = |by: &str| format!("TrentService.Decrypt by {by} t");
    let url = near(&vendor);
    let agent = |path: &str| nobody(&vendor).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{url}{path}"));
    let contained = ["GET /v2/container ", &decrypt("AKIDCONTAINER")];
    both.open(&agent("/v2/open"), &sealed, "an agent", &["GET /v2/open ", &decrypt("AKIDOPEN")]);
    let by_token = agent("/v2/container").env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "agent");
    both.open(&by_token, &sealed, "an agent that wants a token", &contained);
    let by_file = agent("/v2/container");
    let file = by_file.file("token", "agent").display().to_string();
    let by_file = by_file.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file);
    both.open(&by_file, &sealed, "the token in a file", &contained);
    both.refuse(&agent("/v2/container"), &sealed, "an agent without its token", false);
    let far = nobody(&vendor).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x");
    both.refuse(&far, &sealed, "an agent elsewhere", false);

    let instance =
        |lab: Lab| lab.env("AWS_EC2_METADATA_DISABLED", "false").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url);
    let metadata = "/latest/meta-data/iam/security-credentials/";
    let asked = ["PUT /latest/api/token ", &format!("GET {metadata} "), &format!("GET {metadata}role1 ")];
    let by_instance = [asked[0], asked[1], asked[2], &decrypt("AKIDINSTANCE")];
    both.open(&instance(nobody(&vendor)), &sealed, "an instance", &by_instance);
    both.open(&instance(by_token), &sealed, "an agent before the instance", &contained);

    let source =
        |name: &str| configured(&vendor, &format!("[default]\nrole_arn = {ROLE}\ncredential_source = {name}\n"));
    let role = "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr1";
    let assumed = |by: &str| [format!("AssumeRole {role}  900  by {by}"), decrypt("AKIDROLE")];
    let by_variables = source("Environment").env("AWS_ACCESS_KEY_ID", "AKIDV").env("AWS_SECRET_ACCESS_KEY", "s");
    // Variables come before the profile that would make use of them.
    both.open(&by_variables, &sealed, "the environment", &[]);
    let by_instance = assumed("AKIDINSTANCE t");
    let wanted = [asked[0], asked[1], asked[2], &by_instance[0], &by_instance[1]];
    both.open(&instance(source("Ec2InstanceMetadata")), &sealed, "a role over an instance", &wanted);
    let contained = source("EcsContainer").env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{url}/v2/open"));
    let [one, two] = assumed("AKIDOPEN t");
    both.open(&contained, &sealed, "a role over an agent", &["GET /v2/open ", &one, &two]);
    both.refuse(&source("Nonsense"), &sealed, "an unknown source", false);
    both.done();
}

#[test]
fn roles() {
    let vendor = vendor();
    let sealed = sealed(&vendor);
    let both = Both::new(&vendor, shown);
    let keys = "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n";
    let role = format!("[default]\nsource_profile = base\nrole_arn = {ROLE}\n");
    let lab =
        configured(&vendor, &format!("{keys}{role}external_id = e\nduration_seconds = 1200\nrole_session_name = me\n"));
    both.open(&lab, &sealed, "a role with everything", &[]);
    both.open(&configured(&vendor, &format!("{keys}{role}")), &sealed, "a role", &[]);
    both.refuse(&configured(&vendor, &format!("{keys}{role}mfa_serial = x\n")), &sealed, "a second factor", false);
    both.refuse(&configured(&vendor, &role), &sealed, "a source that is missing", false);
    let round = format!(
        "[default]\nsource_profile = b\nrole_arn = {ROLE}\n[profile b]\nsource_profile = default\nrole_arn = {ROLE}\n"
    );
    both.refuse(&configured(&vendor, &round), &sealed, "round in a circle", false);

    let by_variables = nobody(&vendor).env("AWS_ROLE_ARN", ROLE).env("AWS_ROLE_SESSION_NAME", "me");
    let file = by_variables.file("token", "a.b.c").display().to_string();
    both.open(&by_variables.env("AWS_WEB_IDENTITY_TOKEN_FILE", &file), &sealed, "a token of another provider", &[]);
    let by_profile = configured(&vendor, &format!("[default]\nrole_arn = {ROLE}\nweb_identity_token_file = {file}\n"));
    std::fs::write(by_profile.home().join("token"), "a.b.c").unwrap();
    let file = by_profile.home().join("token").display().to_string();
    by_profile.file(".aws/config", format!("[default]\nrole_arn = {ROLE}\nweb_identity_token_file = {file}\n"));
    both.open(&by_profile, &sealed, "the same by a profile", &[]);
    let missing = nobody(&vendor).env("AWS_ROLE_ARN", ROLE).env("AWS_WEB_IDENTITY_TOKEN_FILE", "/missing");
    both.refuse(&missing, &sealed, "a token that is missing", false);
    let no_role = nobody(&vendor).env("AWS_WEB_IDENTITY_TOKEN_FILE", &file);
    both.refuse(&no_role, &sealed, "a token for no role", false);
    both.done();
}
