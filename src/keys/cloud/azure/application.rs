//! Applications that are registered in a directory: by a secret, a certificate, or the token of a workload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;

use super::chain::{Chain, Link};
use super::challenge::Challenge;
use super::{TIME_LIMIT, WAITS};
use crate::keys::cloud::hex;
use crate::keys::cloud::jwt::{self, Algorithm};
use crate::keys::cloud::trouble::{Trouble, said};
use crate::secret::SecretString;
use crate::system::files;
use crate::system::wire::{Request, Response, authority};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Deserialize)]
struct OpenId {
    token_endpoint: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: String,
    error_description: String,
}

/// `AZURE_CLIENT_SECRET` or `AZURE_CLIENT_CERTIFICATE_PATH`, with the application and its directory.
pub(super) fn of_variables(chain: &Chain, challenge: &Challenge) -> Result<Link, Trouble> {
    let surroundings = &chain.surroundings;
    let Some(tenant) = surroundings.text("AZURE_TENANT_ID") else {
        return Ok(Link::Absent("missing environment variable AZURE_TENANT_ID".into()));
    };
    let Some(client) = surroundings.text("AZURE_CLIENT_ID") else {
        return Ok(Link::Absent("missing environment variable AZURE_CLIENT_ID".into()));
    };
    if let Some(secret) = surroundings.secret("AZURE_CLIENT_SECRET") {
        let tenant = allowed(chain, challenge, tenant, "ClientSecretCredential")?;
        let url = endpoint(chain, tenant)?;
        return ask(chain, challenge, &url, &[("client_id", client), ("client_secret", secret.expose_secret())]);
    }
    if let Some(path) = surroundings.text("AZURE_CLIENT_CERTIFICATE_PATH") {
        let tenant = allowed(chain, challenge, tenant, "ClientCertificateCredential")?;
        let url = endpoint(chain, tenant)?;
        let pem = files::read(&surroundings.path(path)).map_err(|error| Trouble::usage(error.to_string()))?;
        let assertion = assertion(chain, client, tenant, &url, &pem)?;
        return ask(chain, challenge, &url, &asserted(client, &assertion));
    }
    Ok(Link::Absent(
        "incomplete environment variable configuration. Only AZURE_TENANT_ID and AZURE_CLIENT_ID are set".into(),
    ))
}

/// The token of a workload, in a file, stands in for a secret.
pub(super) fn of_workload(chain: &Chain, challenge: &Challenge) -> Result<Link, Trouble> {
    let surroundings = &chain.surroundings;
    let names = ["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"];
    let [Some(file), Some(client), Some(tenant)] = names.map(|name| surroundings.text(name)) else {
        return Ok(Link::Absent("no client ID, tenant ID or token file specified".into()));
    };
    let tenant = allowed(chain, challenge, tenant, "WorkloadIdentityCredential")?;
    let bytes = files::read(&surroundings.path(file)).map_err(|error| Trouble::usage(error.to_string()))?;
    let token = SecretString::new(String::from_utf8_lossy(&bytes).trim().to_owned());
    let url = endpoint(chain, tenant)?;
    ask(chain, challenge, &url, &asserted(client, &token))
}

fn asserted<'a>(client: &'a str, assertion: &'a SecretString) -> [(&'a str, &'a str); 4] {
    [
        ("client_assertion", assertion.expose_secret()),
        ("client_assertion_type", ASSERTION),
        ("client_id", client),
        ("client_info", "1"),
    ]
}

/// The directory that is asked: the application's own, unless others were allowed.
fn allowed<'a>(chain: &Chain, challenge: &'a Challenge, tenant: &'a str, who: &str) -> Result<&'a str, Trouble> {
    let wanted = challenge.tenant.as_str();
    if wanted.is_empty() || wanted == tenant || tenant == "adfs" {
        return Ok(tenant);
    }
    let more = chain.surroundings.text("AZURE_ADDITIONALLY_ALLOWED_TENANTS").unwrap_or_default();
    if more.split(';').map(str::trim).any(|name| name == "*" || name == wanted) {
        return Ok(wanted);
    }
    let theirs = format!(
        "{who} isn't configured to acquire tokens for tenant \"{wanted}\". To enable acquiring tokens for this tenant add it to the AdditionallyAllowedTenants on the credential options, or add \"*\" to allow acquiring tokens for any tenant"
    );
    Err(Trouble::usage(format!(
        "the vault wants a token of the directory `{wanted}`, and the application is of `{tenant}`"
    ))
    .sops(theirs)
    .hint("name the directory in `AZURE_ADDITIONALLY_ALLOWED_TENANTS`"))
}

/// Where tokens are given. Only an ADFS has to be asked for it.
fn endpoint(chain: &Chain, tenant: &str) -> Result<String, Trouble> {
    let host = chain.surroundings.text("AZURE_AUTHORITY_HOST").unwrap_or("https://login.microsoftonline.com");
    let host = host.trim_end_matches('/');
    if !host.starts_with("https://") {
        return Err(Trouble::usage(format!("`AZURE_AUTHORITY_HOST` is `{host}`, which is not https")));
    }
    if tenant != "adfs" {
        return Ok(format!("{host}/{}/oauth2/v2.0/token", crate::keys::cloud::escaped(tenant)));
    }
    let url = format!("{host}/adfs/.well-known/openid-configuration");
    let answer = WAITS.attempt(|| granted(chain.wire.send(Request::get(&url).time_limit(TIME_LIMIT))?))?;
    let found = answer.json::<OpenId>().map(|found| found.token_endpoint).unwrap_or_default();
    if found.starts_with("https://") && authority(&found) == authority(host) {
        return Ok(found);
    }
    Err(Trouble::untrusted(format!("`{host}` sends for tokens to another host")))
}

fn ask(chain: &Chain, challenge: &Challenge, url: &str, pairs: &[(&str, &str)]) -> Result<Link, Trouble> {
    let scope = format!("{}/.default", challenge.resource);
    let mut form = vec![("grant_type", "client_credentials"), ("scope", scope.as_str())];
    form.extend(pairs);
    let answer = WAITS.attempt(|| granted(chain.wire.send(Request::post(url).form(&form).time_limit(TIME_LIMIT))?))?;
    chain.granted(&answer).map(Link::Token)
}

fn granted(answer: Response) -> Result<Response, Trouble> {
    if answer.is_success() {
        return Ok(answer);
    }
    let status = answer.status;
    let body = answer.json::<Refused>().unwrap_or_default();
    let text = format!("{}: {}", said(&body.error), said(&body.error_description));
    Err(Trouble::untrusted(format!("no token is granted: status {status}, {text}"))
        .passing(status == 429 || status >= 500))
}

/// A token signed with the application's certificate.
fn assertion(chain: &Chain, client: &str, tenant: &str, url: &str, pem: &[u8]) -> Result<SecretString, Trouble> {
    let none = || Trouble::usage("`AZURE_CLIENT_CERTIFICATE_PATH` holds no certificate in PEM");
    let certificate = CertificateDer::from_pem_slice(pem).map_err(|_| none())?;
    let print = |algorithm| STANDARD.encode(digest::digest(algorithm, certificate.as_ref()));
    let (algorithm, name, print) = if tenant == "adfs" {
        (Algorithm::Rs256, "x5t", print(&digest::SHA1_FOR_LEGACY_USE_ONLY))
    } else {
        (Algorithm::Ps256, "x5t#S256", print(&digest::SHA256))
    };
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| Trouble::usage("there are no random numbers"))?;
    let id = hex(&random);
    let id = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]);
    let now = chain.surroundings.now().as_second();
    let header = json!({ "alg": algorithm.word(), "typ": "JWT", name: print });
    let claims = json!({ "aud": url, "iss": client, "sub": client, "jti": id, "nbf": now, "exp": now + 600 });
    jwt::signed(algorithm, &header, &claims, pem)
}
