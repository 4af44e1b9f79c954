//! Accounts of other identity providers: a subject token out of a file or from an address is exchanged.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::credentials::{KMS, PLATFORM, Sources, Token, refused};
use crate::keys::cloud::trouble::Trouble;
use crate::secret::SecretString;
use crate::system::files;
use crate::system::wire::Request;

/// `external_account`.
#[derive(Deserialize)]
pub(super) struct External {
    audience: String,
    subject_token_type: String,
    token_url: String,
    service_account_impersonation_url: Option<String>,
    credential_source: Source,
}

/// Where the subject token is.
#[derive(Deserialize)]
struct Source {
    file: Option<String>,
    url: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    subject_token_field_name: Option<String>,
}

/// Exchanges the subject token, and takes on the service account, if one is named.
pub(super) fn token(sources: &Sources, account: &External) -> Result<Token, Trouble> {
    let subject = subject(sources, &account.credential_source)?;
    let both = format!("{PLATFORM} {KMS}");
    let scope = if account.service_account_impersonation_url.is_some() { PLATFORM } else { &both };
    let pairs = [
        ("audience", account.audience.as_str()),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", scope),
        ("subject_token", subject.expose_secret()),
        ("subject_token_type", account.subject_token_type.as_str()),
    ];
    let exchanged = sources.granted(&account.token_url, &pairs)?;
    match &account.service_account_impersonation_url {
        Some(url) => sources.lent(url, &exchanged.0, &[]),
        None => Ok(exchanged),
    }
}

fn subject(sources: &Sources, source: &Source) -> Result<SecretString, Trouble> {
    let text = match (&source.file, &source.url) {
        (Some(file), _) => {
            let bytes =
                files::read(&sources.surroundings.path(file)).map_err(|error| Trouble::usage(error.to_string()))?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        (None, Some(url)) => {
            let headers = source.headers.iter();
            let request = Request::get(url).time_limit(Duration::from_secs(10));
            let request = headers.fold(request, |request, (name, value)| request.header(name, value));
            refused(sources.wire.send(request)?)?.text().unwrap_or_default().to_owned()
        }
        (None, None) => {
            return Err(Trouble::usage("the source of the external account is neither a file nor an address"));
        }
    };
    let text = SecretString::new(text);
    let missing = || Trouble::usage("the source of the external account holds no subject token");
    let token = match &source.format {
        Some(format) if format.kind == "json" => {
            let name = format.subject_token_field_name.as_deref().ok_or_else(missing)?;
            let fields: BTreeMap<String, serde_json::Value> =
                serde_json::from_str(text.expose_secret()).map_err(|_| missing())?;
            SecretString::new(fields.get(name).and_then(|value| value.as_str()).ok_or_else(missing)?.to_owned())
        }
        _ => text,
    };
    if token.expose_secret().trim().is_empty() { Err(missing()) } else { Ok(token) }
}
