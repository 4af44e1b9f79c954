//! The default chain of credentials of Azure.
//!
//! *Source*: the notes on the wire, section 3: what is not set up passes on to the next, what is set up and fails ends it.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::challenge::Challenge;
use super::{application, managed};
use crate::keys::Surroundings;
use crate::keys::cloud::kept::Kept;
use crate::keys::cloud::run;
use crate::keys::cloud::trouble::Trouble;
use crate::secret::SecretString;
use crate::system::wire::{Response, Wire};

/// Finds tokens, and keeps them until shortly before their end.
pub(super) struct Chain {
    pub(super) surroundings: Surroundings,
    pub(super) wire: Wire,
    kept: Kept<SecretString>,
}

pub(super) type Token = (SecretString, Option<Timestamp>);

/// What one link of the chain has.
pub(super) enum Link {
    Token(Token),
    /// It is not set up, for this reason.
    Absent(String),
}

type Ask = fn(&Chain, &Challenge) -> Result<Link, Trouble>;

/// The links in their order, with the word that narrows the chain to one of them and the group that it is in.
const LINKS: &[(&str, &str, Ask)] = &[
    ("EnvironmentCredential", "prod", application::of_variables),
    ("WorkloadIdentityCredential", "prod", application::of_workload),
    ("ManagedIdentityCredential", "prod", managed::token),
    ("AzureCLICredential", "dev", az),
    ("AzureDeveloperCLICredential", "dev", azd),
];

/// The answer to a request for a token; the end is in seconds from now, or since 1970, as a number or as a text.
#[derive(Deserialize)]
struct Granted {
    #[serde(alias = "accessToken", alias = "token")]
    access_token: String,
    expires_in: Option<Value>,
    expires_on: Option<Value>,
}

impl Chain {
    pub(super) fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        Self { surroundings: surroundings.clone(), wire: wire.clone(), kept: Kept::default() }
    }

    pub(super) fn token(&self, challenge: &Challenge) -> Result<SecretString, Trouble> {
        self.kept.get(&name(challenge), self.surroundings.now(), || self.find(challenge))
    }

    /// Forgets a token that was refused.
    pub(super) fn forget(&self, challenge: &Challenge) {
        self.kept.forget(&name(challenge));
    }

    /// The links that `AZURE_TOKEN_CREDENTIALS` leaves of the chain.
    fn links(&self) -> impl Iterator<Item = &'static (&'static str, &'static str, Ask)> {
        let narrowed = self.surroundings.text("AZURE_TOKEN_CREDENTIALS").map(str::to_owned);
        LINKS.iter().filter(move |link| {
            narrowed.as_ref().is_none_or(|word| word.eq_ignore_ascii_case(link.0) || word == link.1)
        })
    }

    /// Whether the chain has a link at all, which is seen to before the vault is asked.
    pub(super) fn is_meant(&self, lead: &'static str) -> Result<(), Trouble> {
        let narrowed = self.surroundings.text("AZURE_TOKEN_CREDENTIALS");
        if let (Some(word), None) = (narrowed, self.links().next()) {
            let theirs = format!(
                "invalid AZURE_TOKEN_CREDENTIALS value \"{word}\". Valid values are \"dev\", \"prod\", or the name of a credential type"
            );
            return Err(Trouble::usage(format!("`AZURE_TOKEN_CREDENTIALS` is `{word}`, which names no credential"))
                .sops(theirs)
                .led(lead));
        }
        Ok(())
    }

    fn find(&self, challenge: &Challenge) -> Result<Token, Trouble> {
        let mut absent = String::new();
        for (name, _, ask) in self.links() {
            match ask(self, challenge) {
                Ok(Link::Token(token)) => {
                    tracing::debug!("a token of Azure by {name}");
                    return Ok(token);
                }
                Ok(Link::Absent(why)) => absent.push_str(&format!("\n\t{name}: {why}")),
                Err(trouble) => {
                    let theirs = format!(
                        "DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:{absent}\n\t{name}"
                    );
                    return Err(trouble.within(name, &theirs));
                }
            }
        }
        let theirs = format!("DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:{absent}");
        Err(Trouble::usage("there are no credentials of Azure")
            .sops(theirs)
            .hint("run `az login`, or set `AZURE_CLIENT_ID` and what belongs to it"))
    }

    /// A token out of an answer.
    pub(super) fn granted(&self, answer: &Response) -> Result<Token, Trouble> {
        let granted = answer.json::<Granted>().filter(|granted| !granted.access_token.is_empty());
        self.of_granted(granted.ok_or_else(|| Trouble::untrusted("the answer to a request for a token holds none"))?)
    }

    fn of_granted(&self, granted: Granted) -> Result<Token, Trouble> {
        let number =
            |value: Option<Value>| value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
        let now = self.surroundings.now();
        let end = match (number(granted.expires_in), number(granted.expires_on)) {
            (_, Some(at)) => Timestamp::from_second(at).ok(),
            (Some(seconds), None) => Some(now + SignedDuration::from_secs(seconds.clamp(0, 86400))),
            (None, None) => Some(now + SignedDuration::from_mins(10)),
        };
        Ok((SecretString::new(granted.access_token), end))
    }

    /// A token that a vendor's program prints; `None` where there is no such program, or nobody is logged in to it.
    fn printed(&self, program: &str, arguments: &[&str]) -> Option<Token> {
        let output = run(&self.surroundings, program, arguments).ok()?;
        let granted: Granted = serde_json::from_slice(output.expose_secret()).ok()?;
        self.of_granted(granted).ok()
    }
}

fn name(challenge: &Challenge) -> String {
    format!("{} {}", challenge.tenant, challenge.resource)
}

/// The parts of a challenge go into an argument list: they come from a server.
fn plain(challenge: &Challenge) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:/_-".contains(&byte));
    plain(&challenge.resource) && plain(&challenge.tenant) && !challenge.tenant.starts_with('-')
}

fn az(chain: &Chain, challenge: &Challenge) -> Result<Link, Trouble> {
    let mut arguments = vec!["account", "get-access-token", "-o", "json", "--resource", &challenge.resource];
    if !challenge.tenant.is_empty() {
        arguments.extend(["--tenant", &challenge.tenant]);
    }
    let printed = if plain(challenge) { chain.printed("az", &arguments) } else { None };
    Ok(printed.map_or_else(|| Link::Absent("Azure CLI not found on path, or nobody is logged in".into()), Link::Token))
}

fn azd(chain: &Chain, challenge: &Challenge) -> Result<Link, Trouble> {
    let scope = format!("{}/.default", challenge.resource);
    let mut arguments = vec!["auth", "token", "-o", "json", "--no-prompt", "--scope", &scope];
    if !challenge.tenant.is_empty() {
        arguments.extend(["--tenant-id", &challenge.tenant]);
    }
    let printed = if plain(challenge) { chain.printed("azd", &arguments) } else { None };
    let absent = || Link::Absent("Azure Developer CLI not found on path, or nobody is logged in".into());
    Ok(printed.map_or_else(absent, Link::Token))
}
