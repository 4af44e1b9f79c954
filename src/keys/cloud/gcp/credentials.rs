//! Where tokens for Google Cloud come from.
//!
//! *Source*: the notes on the wire, section 2.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::external::{self, External};
use crate::keys::Surroundings;
use crate::keys::cloud::again::Again;
use crate::keys::cloud::jwt::{self, Algorithm};
use crate::keys::cloud::kept::Kept;
use crate::keys::cloud::trouble::{Trouble, said};
use crate::secret::SecretString;
use crate::system::files;
use crate::system::wire::{Request, Response, Wire, form};

pub(super) const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
pub(super) const KMS: &str = "https://www.googleapis.com/auth/cloudkms";
/// SOPS's introduction to what keeps it from asking at all.
pub(super) const NO_SERVICE: &str = "cannot create GCP KMS service";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const WAITS: Again = Again::new(3, Duration::from_millis(500));
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Finds tokens, and keeps them until shortly before their end.
pub(super) struct Sources {
    pub(super) surroundings: Surroundings,
    pub(super) wire: Wire,
    kept: Kept<SecretString>,
    /// Whether the variables that only SOPS knows are left out.
    application: bool,
}

pub(super) type Token = (SecretString, Option<Timestamp>);

/// A file of credentials.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Credentials {
    ServiceAccount(ServiceAccount),
    AuthorizedUser(AuthorizedUser),
    ImpersonatedServiceAccount(Box<Impersonated>),
    ExternalAccount(Box<External>),
}

#[derive(Deserialize)]
pub(super) struct ServiceAccount {
    client_email: String,
    private_key: SecretText,
    #[serde(default)]
    private_key_id: String,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct AuthorizedUser {
    client_id: String,
    client_secret: SecretText,
    refresh_token: SecretText,
}

#[derive(Deserialize)]
pub(super) struct Impersonated {
    service_account_impersonation_url: String,
    source_credentials: Credentials,
    #[serde(default)]
    delegates: Vec<String>,
}

/// A secret in a file of credentials.
#[derive(Deserialize)]
#[serde(from = "String")]
pub(super) struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(SecretString::new(text))
    }
}

#[derive(Deserialize)]
struct Universe {
    universe_domain: Option<String>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lent {
    access_token: String,
    expire_time: Option<Timestamp>,
}

impl Sources {
    pub(super) fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        Self { surroundings: surroundings.clone(), wire: wire.clone(), kept: Kept::default(), application: false }
    }

    /// The sources that Google's libraries know by themselves: neither `GOOGLE_CREDENTIALS` nor
    /// `GOOGLE_OAUTH_ACCESS_TOKEN`.
    pub(super) fn of_application(surroundings: &Surroundings, wire: &Wire) -> Self {
        Self { application: true, ..Self::new(surroundings, wire) }
    }

    /// A token for `universe`. A service account signs one itself where SOPS does: over gRPC, and in other universes.
    pub(super) fn token(&self, universe: &str, grpc: bool) -> Result<SecretString, Trouble> {
        let now = self.surroundings.now();
        self.kept.get(&format!("{universe} {grpc}"), now, || self.find(universe, grpc || universe != "googleapis.com"))
    }

    fn find(&self, universe: &str, self_signed: bool) -> Result<Token, Trouble> {
        let surroundings = &self.surroundings;
        if let Some(text) = surroundings.secret("GOOGLE_CREDENTIALS").filter(|_| !self.application) {
            let path = Path::new(text.expose_secret());
            if path.exists() {
                return self.of_file(path, universe, self_signed);
            }
            return self.of_text(text.expose_secret().as_bytes(), "`GOOGLE_CREDENTIALS`", universe, self_signed);
        }
        if let Some(token) = surroundings.secret("GOOGLE_OAUTH_ACCESS_TOKEN").filter(|_| !self.application) {
            same_universe(universe, "googleapis.com")?;
            return Ok((token.clone(), None));
        }
        if let Some(path) = surroundings.text("GOOGLE_APPLICATION_CREDENTIALS") {
            return self.of_file(&surroundings.path(path), universe, self_signed);
        }
        let usual = surroundings.text("CLOUDSDK_CONFIG").map(|folder| surroundings.path(folder));
        let usual = usual.or_else(|| Some(surroundings.home()?.join(".config/gcloud")));
        if let Some(file) = usual.map(|folder| folder.join("application_default_credentials.json"))
            && file.is_file()
        {
            return self.of_file(&file, universe, self_signed);
        }
        same_universe(universe, "googleapis.com")?;
        self.of_metadata()
    }

    fn of_file(&self, path: &Path, universe: &str, self_signed: bool) -> Result<Token, Trouble> {
        let text = files::read(path).map_err(|error| Trouble::usage(error.to_string()))?;
        self.of_text(&text, &format!("`{}`", path.display()), universe, self_signed)
    }

    fn of_text(&self, text: &[u8], place: &str, universe: &str, self_signed: bool) -> Result<Token, Trouble> {
        let unknown =
            || Trouble::usage(format!("{place} holds no credentials of Google Cloud of a kind that is known"));
        let found: Universe = serde_json::from_slice(text).map_err(|_| unknown())?;
        same_universe(universe, found.universe_domain.as_deref().unwrap_or("googleapis.com"))?;
        let credentials: Credentials = serde_json::from_slice(text).map_err(|_| unknown())?;
        self.of_credentials(&credentials, self_signed, &[PLATFORM, KMS])
    }

    pub(super) fn of_credentials(
        &self,
        credentials: &Credentials,
        self_signed: bool,
        scopes: &[&str],
    ) -> Result<Token, Trouble> {
        match credentials {
            Credentials::ServiceAccount(account) if self_signed => self.self_signed(account, scopes),
            Credentials::ServiceAccount(account) => self.of_account(account, scopes),
            Credentials::AuthorizedUser(user) => {
                let pairs = [
                    ("client_id", user.client_id.as_str()),
                    ("client_secret", user.client_secret.0.expose_secret()),
                    ("grant_type", "refresh_token"),
                    ("refresh_token", user.refresh_token.0.expose_secret()),
                ];
                // Google's library for Go does not look at the file's `token_uri` here.
                self.granted(TOKEN_URL, &pairs)
            }
            Credentials::ImpersonatedServiceAccount(lender) => {
                let (token, _) = self.of_credentials(&lender.source_credentials, false, &[PLATFORM])?;
                self.lent(&lender.service_account_impersonation_url, &token, &lender.delegates)
            }
            Credentials::ExternalAccount(account) => external::token(self, account),
        }
    }

    fn self_signed(&self, account: &ServiceAccount, scopes: &[&str]) -> Result<Token, Trouble> {
        let now = self.surroundings.now();
        let mut claims = claims(account, scopes, now, "");
        claims["sub"] = json!(account.client_email);
        let end = now + SignedDuration::from_hours(1);
        Ok((self.assertion(account, &claims)?, Some(end)))
    }

    fn of_account(&self, account: &ServiceAccount, scopes: &[&str]) -> Result<Token, Trouble> {
        let url = account.token_uri.as_deref().unwrap_or(TOKEN_URL);
        let claims = claims(account, scopes, self.surroundings.now(), url);
        let assertion = self.assertion(account, &claims)?;
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        self.granted(url, &[("assertion", assertion.expose_secret()), ("grant_type", grant)])
    }

    fn assertion(&self, account: &ServiceAccount, claims: &serde_json::Value) -> Result<SecretString, Trouble> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": account.private_key_id });
        jwt::signed(Algorithm::Rs256, &header, claims, account.private_key.0.expose_secret().as_bytes())
    }

    /// A token for a form.
    pub(super) fn granted(&self, url: &str, pairs: &[(&str, &str)]) -> Result<Token, Trouble> {
        safe(url)?;
        let answer =
            WAITS.attempt(|| refused(self.wire.send(Request::post(url).form(pairs).time_limit(TIME_LIMIT))?))?;
        self.token_of(&answer)
    }

    /// A token of a service account for the token of somebody who may speak for it.
    pub(super) fn lent(&self, url: &str, token: &SecretString, delegates: &[String]) -> Result<Token, Trouble> {
        safe(url)?;
        let mut body = json!({ "lifetime": "3600s", "scope": [PLATFORM, KMS] });
        if !delegates.is_empty() {
            body["delegates"] = json!(delegates);
        }
        let answer = WAITS.attempt(|| {
            let request =
                Request::post(url).json(&body).time_limit(TIME_LIMIT).header("content-type", "application/json");
            refused(self.wire.send(request.header("authorization", format!("Bearer {}", token.expose_secret())))?)
        })?;
        let lent = answer.json::<Lent>().filter(|lent| !lent.access_token.is_empty());
        let lent =
            lent.ok_or_else(|| Trouble::untrusted("the answer to a request for another account's token holds none"))?;
        Ok((SecretString::new(lent.access_token), lent.expire_time))
    }

    /// *Source*: the notes on the wire, section 2: without credentials there is no wait.
    fn of_metadata(&self) -> Result<Token, Trouble> {
        let named = self.surroundings.text("GCE_METADATA_HOST");
        let product = std::fs::read_to_string("/sys/class/dmi/id/product_name").unwrap_or_default();
        let host = match named {
            Some(host) => host,
            None if product.contains("Google") => "169.254.169.254",
            None => {
                return Err(Trouble::usage("there are no credentials of Google Cloud")
                    .sops("credentials: could not find default credentials")
                    .led(NO_SERVICE)
                    .hint("run `gcloud auth application-default login`, or set `GOOGLE_CREDENTIALS`"));
            }
        };
        let scopes = form(&[("scopes", &format!("{PLATFORM},{KMS}"))]);
        let scopes = String::from_utf8_lossy(&scopes);
        let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token?{scopes}");
        let answer = WAITS.attempt(|| {
            let request = Request::get(&url).header("Metadata-Flavor", "Google").time_limit(Duration::from_secs(5));
            refused(self.wire.send(request)?)
        })?;
        self.token_of(&answer)
    }

    fn token_of(&self, answer: &Response) -> Result<Token, Trouble> {
        let granted = answer.json::<Granted>().filter(|granted| !granted.access_token.is_empty());
        let granted = granted.ok_or_else(|| Trouble::untrusted("the answer to a request for a token holds none"))?;
        let end = self.surroundings.now() + SignedDuration::from_secs(granted.expires_in.unwrap_or(0).clamp(0, 86400));
        Ok((SecretString::new(granted.access_token), Some(end)))
    }
}

fn claims(account: &ServiceAccount, scopes: &[&str], now: Timestamp, audience: &str) -> serde_json::Value {
    let issued = now.as_second() - 10;
    json!({
        "iss": account.client_email,
        "scope": scopes.join(" "),
        "exp": issued + 3600,
        "iat": issued,
        "aud": audience,
    })
}

/// *Source*: the notes on the wire, section 2: checked before any call, also with an endpoint of one's own.
fn same_universe(wanted: &str, found: &str) -> Result<(), Trouble> {
    if wanted == found {
        return Ok(());
    }
    let ours = format!("the credentials are for the universe `{found}`, and `{wanted}` is asked for");
    let theirs = format!(
        "the configured universe domain (\"{wanted}\") does not match the universe domain found in the credentials (\"{found}\"). If you haven't configured the universe domain explicitly, \"googleapis.com\" is the default"
    );
    Err(Trouble::usage(ours).sops(theirs))
}

/// A file of credentials may name any address; what is secret goes out in clear to this machine only.
pub(super) fn safe(url: &str) -> Result<(), Trouble> {
    let host = crate::system::wire::authority(url);
    let near = ["localhost", "127.", "[::1]"].iter().any(|name| host.starts_with(name));
    if url.starts_with("https://") || (url.starts_with("http://") && near) {
        return Ok(());
    }
    Err(Trouble::usage(format!("a token would go in clear to `{host}`")))
}

pub(super) fn refused(answer: Response) -> Result<Response, Trouble> {
    if answer.is_success() {
        return Ok(answer);
    }
    let status = answer.status;
    let body = said(answer.text().unwrap_or_default());
    let theirs = format!("auth: cannot fetch token: {status}\nResponse:\n{body}");
    Err(Trouble::untrusted(format!("no token is granted: status {status}"))
        .sops(theirs)
        .passing(status == 429 || status >= 500))
}
