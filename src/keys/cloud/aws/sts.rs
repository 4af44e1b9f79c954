//! The token service: roles.

use jiff::Timestamp;

use super::credentials::{Chain, Credentials};
use super::endpoint::endpoint;
use super::profile::{Section, Shared};
use super::sign::{self, Signing};
use super::{TIME_LIMIT, WAITS, passing_status};
use crate::error::Class;
use crate::keys::cloud::trouble::{Trouble, said};
use crate::secret::SecretString;
use crate::system::wire::{Request, Response, authority};

/// A role to take on.
pub(super) struct Assume<'a> {
    pub(super) role: &'a str,
    pub(super) session: String,
    pub(super) external_id: Option<&'a str>,
    pub(super) seconds: Option<&'a str>,
    /// Whether `AWS_ENDPOINT_URL` leads this call, too.
    pub(super) everywhere: bool,
    /// The profile whose settings may lead it.
    pub(super) profile: Option<&'a Section>,
    pub(super) region: &'a str,
}

/// Takes on a role with credentials.
pub(super) fn assume(
    chain: &Chain,
    shared: &Shared,
    with: &Credentials,
    assume: &Assume<'_>,
) -> Result<Credentials, Trouble> {
    let mut form = vec![("Action", "AssumeRole")];
    form.extend(assume.seconds.map(|seconds| ("DurationSeconds", seconds)));
    form.extend(assume.external_id.map(|id| ("ExternalId", id)));
    form.extend([("RoleArn", assume.role), ("RoleSessionName", &assume.session), ("Version", "2011-06-15")]);
    let url = endpoint(&chain.surroundings, shared, assume.profile, "sts", assume.region, assume.everywhere)?;
    let answer = ask(chain, "AssumeRole", || {
        let request = Request::post(format!("{url}/")).form(&form).time_limit(TIME_LIMIT);
        let signing = Signing {
            method: "POST",
            path: "/",
            host: &authority(&url),
            region: assume.region,
            service: "sts",
            content_type: "application/x-www-form-urlencoded",
            target: None,
            body: request.content(),
            digest: false,
        };
        let headers = sign::headers(&signing, with, chain.surroundings.now());
        headers
            .into_iter()
            .filter(|(name, _)| *name != "content-type")
            .fold(request, |request, (name, value)| request.header(name, value))
    });
    answer.map_err(|trouble| {
        let theirs = format!("failed to assume role '{}'", assume.role);
        trouble.within(&format!("the role `{}`", assume.role), &theirs).led("")
    })
}

/// Takes on a role with the token of another identity provider, unsigned.
pub(super) fn assume_with_web_identity(
    chain: &Chain,
    region: &str,
    role: &str,
    session: &str,
    token: &str,
) -> Result<Credentials, Trouble> {
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", role),
        ("RoleSessionName", session),
        ("Version", "2011-06-15"),
        ("WebIdentityToken", token),
    ];
    let url = endpoint(&chain.surroundings, &Shared::default(), None, "sts", region, false)?;
    ask(chain, "AssumeRoleWithWebIdentity", || Request::post(format!("{url}/")).form(&form).time_limit(TIME_LIMIT))
}

fn ask(chain: &Chain, operation: &str, request: impl Fn() -> Request) -> Result<Credentials, Trouble> {
    let answer = WAITS.attempt(|| {
        let answer = chain.wire.send(request())?;
        if answer.is_success() { Ok(answer) } else { Err(refused(operation, &answer)) }
    })?;
    let text = answer.text().unwrap_or_default();
    let parts = (element(text, "AccessKeyId"), element(text, "SecretAccessKey"), element(text, "SessionToken"));
    let (Some(access), Some(secret), Some(token)) = parts else {
        return Err(Trouble::untrusted(format!("the answer to {operation} holds no credentials")));
    };
    Ok(Credentials {
        access_key: access,
        secret_key: SecretString::new(secret),
        token: Some(SecretString::new(token)),
        expires: element(text, "Expiration").and_then(|text| text.parse::<Timestamp>().ok()),
    })
}

fn refused(operation: &str, answer: &Response) -> Trouble {
    let text = answer.text().unwrap_or_default();
    let code = element(text, "Code").unwrap_or_else(|| "UnknownError".to_owned());
    let message = element(text, "Message").unwrap_or_else(|| "UnknownError".to_owned());
    let (code, message) = (said(&code), said(&message));
    let id = element(text, "RequestId").unwrap_or_default();
    let status = answer.status;
    let theirs = format!(
        "operation error STS: {operation}, https response error StatusCode: {status}, RequestID: {}, api error {code}: {message}",
        said(&id)
    );
    let class = if status >= 500 { Class::World } else { Class::Untrusted };
    Trouble::new(class, format!("{operation} is refused: status {status}, {code}: {message}"))
        .sops(theirs)
        .passing(passing_status(status))
}

/// The text of the first element of that name. The answers are flat and come from AWS; no more of XML is needed.
pub(super) fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    Some(text.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements() {
        let xml = "<A><Code>x &lt;&amp;amp;</Code><Message/></A>";
        assert_eq!(element(xml, "Code").as_deref(), Some("x <&amp;"));
        assert_eq!(element(xml, "Message"), None);
    }
}
