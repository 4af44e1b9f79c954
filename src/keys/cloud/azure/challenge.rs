//! What a vault wants a token for, which it says to a request without one.
//!
//! *Source*: the notes on the wire, section 3.

use crate::keys::cloud::trouble::Trouble;
use crate::system::wire::{Response, authority};

/// For whom a token is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// `https://vault.azure.net`.
    pub(super) resource: String,
    /// The directory that gives tokens.
    pub(super) tenant: String,
}

impl Challenge {
    /// The challenge of an answer, if it may be believed: a vault may ask only for tokens of the domain that it is in,
    /// or anybody could collect tokens for everything.
    pub(super) fn of(answer: &Response, url: &str) -> Result<Self, Trouble> {
        let header =
            answer.headers("www-authenticate").find(|header| header.to_ascii_lowercase().starts_with("bearer "));
        let missing = || Trouble::untrusted("the vault does not say what it wants a token for");
        let header = header.ok_or_else(missing)?;
        let (_, parameters) = header.split_once(' ').ok_or_else(missing)?;
        let get = |name: &str| {
            parameters.split(',').find_map(|pair| {
                let (known, value) = pair.trim().split_once('=')?;
                known.eq_ignore_ascii_case(name).then(|| value.trim_matches('"').to_owned())
            })
        };
        let resource = get("scope").or_else(|| get("resource")).ok_or_else(missing)?;
        let resource = resource.strip_suffix("/.default").unwrap_or(&resource).trim_end_matches('/').to_owned();
        let authorization = get("authorization").or_else(|| get("authorization_uri")).unwrap_or_default();
        let tenant = authorization.split('/').nth(3).unwrap_or_default().to_owned();
        // As it stands there: a parser of addresses would make something else of a part of a number.
        let host = resource.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let host = host.strip_suffix(":443").unwrap_or(host).to_ascii_lowercase();
        let asked = authority(url);
        if host.is_empty() || !asked.ends_with(&format!(".{host}")) {
            let theirs = format!(
                "challenge resource \"{host}\" doesn't match the requested domain. See https://aka.ms/azsdk/blog/vault-uri for more information"
            );
            return Err(Trouble::untrusted(format!("`{asked}` asks for a token for `{host}`, which it is no part of"))
                .sops(theirs));
        }
        Ok(Self { resource, tenant })
    }
}
