//! Where credentials of HuaweiCloud come from: the variables, a profile, the instance's metadata, a pod.
//!
//! *Source*: the notes on the wire, section 4.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::endpoint;
use crate::keys::Surroundings;
use crate::keys::cloud::trouble::Trouble;
use crate::secret::SecretString;
use crate::system::files;
use crate::system::wire::{Request, Response, Wire};

const NEAR: Duration = Duration::from_secs(3);
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// What signs a request.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret_key: SecretString,
    pub(super) token: Option<SecretString>,
    pub(super) project: Option<String>,
    /// The address of the service for identities, if the source names one.
    pub(super) iam: Option<String>,
}

pub(super) type Found = (Credentials, Option<Timestamp>);

/// Settings by name, whether they come from variables or from a profile.
struct Settings<'a>(Box<Lookup<'a>>);

type Lookup<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

#[derive(Deserialize)]
struct Lent {
    credential: Temporary,
}

#[derive(Deserialize)]
struct Temporary {
    access: String,
    secret: String,
    securitytoken: String,
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct OfPod {
    credentials: Handed,
}

#[derive(Deserialize)]
struct Handed {
    #[serde(alias = "accessKeyId")]
    access_key_id: String,
    #[serde(alias = "secretAccessKey")]
    secret_access_key: String,
    #[serde(alias = "securityToken")]
    security_token: String,
    expiration: Option<Timestamp>,
}

/// The first source that has something; what keeps the others from it is said only where none has.
pub(super) fn find(surroundings: &Surroundings, wire: &Wire, region: &str) -> Result<Found, Trouble> {
    let of_variables =
        Settings(Box::new(|name| surroundings.text(&format!("HUAWEICLOUD_SDK_{}", name.to_ascii_uppercase()))));
    if let Some(found) = of_settings(surroundings, wire, &of_variables, region)? {
        return Ok(found);
    }
    let named = surroundings.text("HUAWEICLOUD_SDK_CREDENTIALS_FILE").map(|path| surroundings.path(path));
    if let Some(path) = named.or_else(|| Some(surroundings.home()?.join(".huaweicloud/credentials")))
        && path.is_file()
    {
        let section = basic(&path)?;
        let of_profile = Settings(Box::new(|name| {
            section.get(name).map(SecretString::expose_secret).filter(|text| !text.is_empty())
        }));
        if let Some(found) = of_settings(surroundings, wire, &of_profile, region)? {
            return Ok(found);
        }
    }
    if let Ok(found) = of_metadata(wire) {
        return Ok(found);
    }
    of_pod(surroundings, wire)?.ok_or_else(|| {
        Trouble::usage("there are no credentials of HuaweiCloud: not in variables, a profile, an instance or a pod")
            .hint("set `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`")
    })
}

fn of_settings(
    surroundings: &Surroundings,
    wire: &Wire,
    settings: &Settings<'_>,
    region: &str,
) -> Result<Option<Found>, Trouble> {
    let get = |name: &str| (settings.0)(name);
    let (project, iam) = (get("project_id").map(str::to_owned), get("iam_endpoint").map(str::to_owned));
    if let (Some(provider), Some(file)) = (get("idp_id"), get("id_token_file")) {
        let address = endpoint::iam(surroundings, iam.as_deref(), region);
        let (mut found, end) = of_provider(wire, &address, provider, &surroundings.path(file))?;
        (found.project, found.iam) = (project, iam);
        return Ok(Some((found, end)));
    }
    let (Some(access), Some(secret)) = (get("ak"), get("sk")) else { return Ok(None) };
    let token = get("security_token").map(|token| SecretString::new(token.to_owned()));
    let secret_key = SecretString::new(secret.to_owned());
    Ok(Some((Credentials { access_key: access.to_owned(), secret_key, token, project, iam }, None)))
}

/// The section `[basic]` of a profile.
fn basic(path: &Path) -> Result<BTreeMap<String, SecretString>, Trouble> {
    let bytes = files::read(path).map_err(|error| Trouble::usage(error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Trouble::usage(format!("`{}` is no text", path.display())))?;
    let mut inside = false;
    let mut found = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = name.trim() == "basic";
        } else if inside && let Some((name, value)) = line.split_once('=') {
            found.insert(name.trim().to_owned(), SecretString::new(value.trim().to_owned()));
        }
    }
    Ok(found)
}

/// Exchanges the token of another identity provider, twice.
fn of_provider(wire: &Wire, iam: &str, provider: &str, file: &Path) -> Result<Found, Trouble> {
    let bytes = files::read(file).map_err(|error| Trouble::usage(error.to_string()))?;
    let token =
        std::str::from_utf8(&bytes).map_err(|_| Trouble::usage(format!("`{}` holds no token", file.display())))?.trim();
    let request = Request::post(format!("{iam}/v3.0/OS-AUTH/id-token/tokens"))
        .header("X-Idp-Id", provider)
        .header("Content-Type", "application/json;charset=UTF-8")
        .json(&json!({ "auth": { "id_token": { "id": token } } }))
        .time_limit(TIME_LIMIT);
    let answer = granted(wire.send(request)?)?;
    let subject =
        answer.header("X-Subject-Token").ok_or_else(|| Trouble::untrusted("HuaweiCloud's answer holds no token"))?;
    let identity = json!({ "methods": ["token"], "token": { "id": subject, "duration_seconds": 21600 } });
    let request = Request::post(format!("{iam}/v3.0/OS-CREDENTIAL/securitytokens"))
        .header("Content-Type", "application/json;charset=UTF-8")
        .json(&json!({ "auth": { "identity": identity } }))
        .time_limit(TIME_LIMIT);
    lent(&granted(wire.send(request)?)?)
}

fn of_metadata(wire: &Wire) -> Result<Found, Trouble> {
    let base = "http://169.254.169.254";
    let request = Request::new("PUT", format!("{base}/meta-data/latest/api/token"));
    let token = wire.send(request.header("X-Metadata-Token-Ttl-Seconds", "21600").time_limit(NEAR))?;
    let mut request = Request::get(format!("{base}/openstack/latest/securitykey")).time_limit(NEAR);
    if token.is_success()
        && let Some(token) = token.text()
    {
        request = request.header("X-Metadata-Token", token);
    }
    lent(&granted(wire.send(request)?)?)
}

fn of_pod(surroundings: &Surroundings, wire: &Wire) -> Result<Option<Found>, Trouble> {
    let names = ("HC_CONTAINER_CREDENTIALS_FULL_URI", "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    let (Some(url), Some(file)) = (surroundings.text(names.0), surroundings.text(names.1)) else { return Ok(None) };
    let bytes = files::read(&surroundings.path(file)).map_err(|error| Trouble::usage(error.to_string()))?;
    let request = Request::post(url)
        .header("Authorization", String::from_utf8_lossy(&bytes).trim())
        .header("Content-Type", "application/json; charset=utf-8")
        .json(&json!({}))
        .time_limit(NEAR);
    let handed = granted(wire.send(request)?)?.json::<OfPod>().map(|answer| answer.credentials);
    let handed = handed.ok_or_else(|| Trouble::untrusted("the pod's agent gave no credentials"))?;
    let found = Credentials {
        access_key: handed.access_key_id,
        secret_key: SecretString::new(handed.secret_access_key),
        token: Some(SecretString::new(handed.security_token)),
        project: None,
        iam: None,
    };
    Ok(Some((found, handed.expiration)))
}

fn lent(answer: &Response) -> Result<Found, Trouble> {
    let lent = answer.json::<Lent>().map(|lent| lent.credential);
    let lent = lent.ok_or_else(|| Trouble::untrusted("HuaweiCloud's answer holds no credentials"))?;
    let found = Credentials {
        access_key: lent.access,
        secret_key: SecretString::new(lent.secret),
        token: Some(SecretString::new(lent.securitytoken)),
        project: None,
        iam: None,
    };
    Ok((found, lent.expires_at))
}

fn granted(answer: Response) -> Result<Response, Trouble> {
    if answer.is_success() { Ok(answer) } else { Err(super::refused(&answer)) }
}
