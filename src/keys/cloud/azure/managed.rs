//! The identity that a machine of Azure has: App Service, Azure ML, Cloud Shell, or the metadata of a virtual machine.

use std::time::Duration;

use super::chain::{Chain, Link};
use super::challenge::Challenge;
use super::{TIME_LIMIT, WAITS};
use crate::keys::cloud::trouble::Trouble;
use crate::system::wire::{Request, form};

const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// The probe of the metadata may take no longer: on other machines nobody answers.
const PROBE: Duration = Duration::from_secs(1);

pub(super) fn token(chain: &Chain, challenge: &Challenge) -> Result<Link, Trouble> {
    let surroundings = &chain.surroundings;
    let resource = challenge.resource.as_str();
    let client = surroundings.text("AZURE_CLIENT_ID");
    let query = |pairs: &[(&str, &str)]| String::from_utf8_lossy(&form(pairs)).into_owned();
    let request: Box<dyn Fn() -> Request> =
        match (surroundings.text("IDENTITY_ENDPOINT"), surroundings.text("MSI_ENDPOINT")) {
            (Some(endpoint), _) => {
                let Some(header) = surroundings.secret("IDENTITY_HEADER") else {
                    return Ok(Link::Absent("the managed identity of Azure Arc is not supported".into()));
                };
                if surroundings.text("IDENTITY_SERVER_THUMBPRINT").is_some() {
                    return Ok(Link::Absent("the managed identity of Service Fabric is not supported".into()));
                }
                let mut pairs = vec![("api-version", "2019-08-01"), ("resource", resource)];
                pairs.extend(client.map(|client| ("client_id", client)));
                let url = format!("{endpoint}?{}", query(&pairs));
                Box::new(move || Request::get(&url).header("X-IDENTITY-HEADER", header.expose_secret()))
            }
            (None, Some(endpoint)) => match surroundings.secret("MSI_SECRET") {
                Some(secret) => {
                    let pairs = [
                        ("api-version", "2017-09-01"),
                        ("clientid", client.unwrap_or_default()),
                        ("resource", resource),
                    ];
                    let url = format!("{endpoint}?{}", query(&pairs));
                    Box::new(move || Request::get(&url).header("secret", secret.expose_secret()))
                }
                None => {
                    Box::new(move || Request::post(endpoint).header("Metadata", "true").form(&[("resource", resource)]))
                }
            },
            (None, None) => {
                if chain.wire.send(Request::get(METADATA).time_limit(PROBE)).is_err() {
                    return Ok(Link::Absent("no response from the IMDS endpoint".into()));
                }
                let mut pairs = vec![("api-version", "2018-02-01"), ("resource", resource)];
                pairs.extend(client.map(|client| ("client_id", client)));
                let url = format!("{METADATA}?{}", query(&pairs));
                Box::new(move || Request::get(&url).header("Metadata", "true"))
            }
        };
    let answer = WAITS.attempt(|| {
        let answer = chain.wire.send(request().time_limit(TIME_LIMIT))?;
        if answer.is_success() {
            return Ok(answer);
        }
        let status = answer.status;
        let passing = matches!(status, 404 | 410 | 429 | 500..=599);
        Err(Trouble::untrusted(format!("the managed identity is refused: status {status}"))
            .sops("ManagedIdentityCredential authentication failed.")
            .passing(passing))
    })?;
    chain.granted(&answer).map(Link::Token)
}
