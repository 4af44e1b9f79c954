//! Credentials that this machine hands out: a program, a container's agent, the instance's metadata, a browser's login.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::credentials::{Chain, Credentials, none};
use super::profile::{Section, Shared};
use crate::keys::cloud::again::Again;
use crate::keys::cloud::trouble::Trouble;
use crate::keys::cloud::{hex, run};
use crate::secret::SecretString;
use crate::system::files;
use crate::system::wire::{Request, Response, authority, form};

/// The agents and the metadata are on this machine or beside it.
const NEAR: Duration = Duration::from_secs(2);
const WAITS: Again = Again::new(3, Duration::from_millis(100));

/// What a program, an agent and the metadata answer; each has its own word for the token.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Handed {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "Token")]
    session_token: Option<String>,
    expiration: Option<String>,
}

impl Handed {
    fn credentials(self) -> Credentials {
        Credentials {
            access_key: self.access_key_id,
            secret_key: SecretString::new(self.secret_access_key),
            token: self.session_token.filter(|token| !token.is_empty()).map(SecretString::new),
            expires: self.expiration.and_then(|text| text.parse::<Timestamp>().ok()),
        }
    }
}

/// `credential_process`: the user's own program, through a shell, as AWS has it.
pub(super) fn process(chain: &Chain, command: &str) -> Result<Credentials, Trouble> {
    let output = run(&chain.surroundings, "sh", &["-c", command])?;
    let handed = serde_json::from_slice::<Handed>(output.expose_secret());
    handed
        .map(Handed::credentials)
        .map_err(|_| Trouble::untrusted("what `credential_process` prints is no credentials in JSON"))
}

/// Whether a container's agent was named.
pub(super) fn has_container(chain: &Chain) -> bool {
    let names = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    chain.surroundings.first(&names).is_some()
}

/// Asks a container's agent.
pub(super) fn container(chain: &Chain) -> Result<Credentials, Trouble> {
    let surroundings = &chain.surroundings;
    let url = match surroundings.text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        Some(path) => format!("http://169.254.170.2{path}"),
        None => {
            let url = surroundings.text("AWS_CONTAINER_CREDENTIALS_FULL_URI");
            let url = url.ok_or_else(|| none("no agent of a container is named"))?.to_owned();
            if !url.starts_with("https://") && !is_agent(&authority(&url)) {
                return Err(Trouble::usage(format!("`{url}` is neither https nor an agent on this machine")));
            }
            url
        }
    };
    let token = match surroundings.text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => {
            let bytes = files::read(&surroundings.path(file)).map_err(|error| Trouble::usage(error.to_string()))?;
            Some(SecretString::new(String::from_utf8_lossy(&bytes).trim().to_owned()))
        }
        None => surroundings.secret("AWS_CONTAINER_AUTHORIZATION_TOKEN").cloned(),
    };
    let answer = WAITS.attempt(|| {
        let mut request = Request::get(&url).time_limit(NEAR);
        if let Some(token) = &token {
            request = request.header("Authorization", token.expose_secret());
        }
        near(chain.wire.send(request)?, "the container's agent")
    })?;
    let handed = answer.json::<Handed>();
    handed.map(Handed::credentials).ok_or_else(|| Trouble::untrusted("the container's agent gave no credentials"))
}

/// This machine, or one of the fixed addresses of the agents of ECS and EKS.
fn is_agent(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(name, _)| !name.ends_with(':')).map_or(host, |(name, _)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.parse::<IpAddr>().is_ok_and(|address| {
            address.is_loopback() || ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(&name)
        })
}

/// Asks the metadata of the instance, second version.
pub(super) fn instance(chain: &Chain) -> Result<Credentials, Trouble> {
    let surroundings = &chain.surroundings;
    let nowhere =
        "there are no AWS credentials: not in the environment, not in a profile, and this is no instance of AWS";
    if surroundings.flag("AWS_EC2_METADATA_DISABLED") {
        return Err(none("there are no AWS credentials, and the instance's metadata are turned off"));
    }
    let base = match surroundings.text("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None if surroundings.text("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE") == Some("IPv6") => {
            "http://[fd00:ec2::254]".to_owned()
        }
        None => "http://169.254.169.254".to_owned(),
    };
    let ask = |request: &dyn Fn() -> Request| {
        WAITS.attempt(|| near(chain.wire.send(request().time_limit(NEAR))?, "the instance's metadata"))
    };
    let token = ask(&|| {
        Request::new("PUT", format!("{base}/latest/api/token")).header("X-Amz-Ec2-Metadata-Token-Ttl-Seconds", "300")
    });
    let token = token.map_err(|trouble| {
        let missing = none(nowhere);
        Trouble { problem: format!("{} ({})", missing.problem, trouble.problem), sops: trouble.sops, ..missing }
    })?;
    let token = SecretString::new(token.text().unwrap_or_default().to_owned());
    let roles = format!("{base}/latest/meta-data/iam/security-credentials/");
    let get = |url: &str| ask(&|| Request::get(url).header("X-Aws-Ec2-Metadata-Token", token.expose_secret()));
    let role = get(&roles)?;
    let role = role.text().and_then(|text| text.lines().next()).map(str::trim).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if role.is_empty() || !role.bytes().all(plain) {
        return Err(none("this instance has no role"));
    }
    let handed = get(&format!("{roles}{role}"))?.json::<Handed>();
    handed.map(Handed::credentials).ok_or_else(|| Trouble::untrusted("the instance's metadata hold no credentials"))
}

fn near(answer: Response, who: &str) -> Result<Response, Trouble> {
    if answer.is_success() {
        return Ok(answer);
    }
    let status = answer.status;
    Err(Trouble::untrusted(format!("{who} answers with status {status}")).passing(status == 429 || status >= 500))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    access_token: String,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleCredentials {
    role_credentials: OfRole,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfRole {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    /// Milliseconds since 1970.
    expiration: i64,
}

/// A login of `aws sso login`, which keeps its token in the home folder; it is read there and never renewed.
pub(super) fn single_sign_on(
    chain: &Chain,
    shared: &Shared,
    profile: &Section,
    name: &str,
) -> Result<Credentials, Trouble> {
    let incomplete = || Trouble::usage(format!("the AWS profile `{name}` lacks a part of its `sso_…` settings"));
    let session = profile.get("sso_session");
    let section = match session {
        Some(session) => shared.sso_session(session).ok_or_else(incomplete)?,
        None => profile,
    };
    let region = section.get("sso_region").ok_or_else(incomplete)?;
    let start = section.get("sso_start_url").ok_or_else(incomplete)?;
    let account = profile.get("sso_account_id").ok_or_else(incomplete)?;
    let role = profile.get("sso_role_name").ok_or_else(incomplete)?;
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, session.unwrap_or(start).as_bytes());
    let home = chain.surroundings.home().ok_or_else(incomplete)?;
    let file = home.join(".aws/sso/cache").join(format!("{}.json", hex(digest.as_ref())));
    let login = || {
        Trouble::usage(format!("the AWS profile `{name}` has no login that is still good"))
            .hint(format!("run `aws sso login --profile {name}`"))
    };
    let bytes = files::read(&file).map_err(|_| login())?;
    let kept: Login = serde_json::from_slice(&bytes).map_err(|_| login())?;
    if kept.expires_at <= chain.surroundings.now() {
        return Err(login());
    }
    let token = SecretString::new(kept.access_token);
    let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !word(region) || !word(account) {
        return Err(incomplete());
    }
    let query = String::from_utf8_lossy(&form(&[("account_id", account), ("role_name", role)])).into_owned();
    let base = chain.surroundings.text("AWS_ENDPOINT_URL_SSO").map(|url| url.trim_end_matches('/').to_owned());
    let base = base.unwrap_or_else(|| format!("https://portal.sso.{region}.amazonaws.com"));
    let answer = WAITS.attempt(|| {
        let request = Request::get(format!("{base}/federation/credentials?{query}"));
        let request = request.header("x-amz-sso_bearer_token", token.expose_secret()).time_limit(super::TIME_LIMIT);
        let answer = chain.wire.send(request)?;
        if answer.status == 401 { Err(login()) } else { near(answer, "AWS's single sign-on") }
    })?;
    let handed = answer.json::<RoleCredentials>().map(|handed| handed.role_credentials);
    let handed = handed.ok_or_else(|| Trouble::untrusted("AWS's single sign-on gave no credentials"))?;
    Ok(Credentials {
        access_key: handed.access_key_id,
        secret_key: SecretString::new(handed.secret_access_key),
        token: Some(SecretString::new(handed.session_token)),
        expires: Timestamp::from_millisecond(handed.expiration).ok(),
    })
}
