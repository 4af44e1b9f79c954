//! Where credentials of AWS come from, in the order of AWS's own programs.
//!
//! *Source*: the notes on the wire, section 1.

use jiff::Timestamp;

use super::profile::{Section, Shared};
use super::{machine, sts};
use crate::keys::Surroundings;
use crate::keys::cloud::kept::Kept;
use crate::keys::cloud::trouble::Trouble;
use crate::secret::SecretString;
use crate::system::files;
use crate::system::wire::Wire;

/// What signs a request.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret_key: SecretString,
    pub(super) token: Option<SecretString>,
    /// When they end; `None` for those that do not.
    pub(super) expires: Option<Timestamp>,
}

/// Finds credentials, and keeps those that were fetched until shortly before their end.
pub(super) struct Chain {
    pub(super) surroundings: Surroundings,
    pub(super) wire: Wire,
    kept: Kept<Credentials>,
}

impl Chain {
    pub(super) fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        Self { surroundings: surroundings.clone(), wire: wire.clone(), kept: Kept::default() }
    }

    /// The credentials under `name`: those that are kept, else what `fetch` gives.
    pub(super) fn kept(
        &self,
        name: &str,
        fetch: impl FnOnce() -> Result<Credentials, Trouble>,
    ) -> Result<Credentials, Trouble> {
        self.kept.get(name, self.surroundings.now(), || {
            let fetched = fetch()?;
            let end = fetched.expires;
            Ok((fetched, end))
        })
    }

    /// The credentials for a key that names `profile`, or none.
    pub(super) fn find(&self, shared: &Shared, profile: &str, region: &str) -> Result<Credentials, Trouble> {
        if !profile.is_empty() {
            return self.of_chain(shared, profile, region);
        }
        if let Some(found) = self.of_variables() {
            return Ok(found);
        }
        if let Some(file) = self.surroundings.text("AWS_WEB_IDENTITY_TOKEN_FILE") {
            let role = self.surroundings.text("AWS_ROLE_ARN").ok_or_else(|| {
                Trouble::usage("`AWS_WEB_IDENTITY_TOKEN_FILE` is set, and `AWS_ROLE_ARN` is not")
                    .sops("role ARN is not set")
            })?;
            let session = self.surroundings.text("AWS_ROLE_SESSION_NAME");
            return self.web_identity(file, role, session, region);
        }
        self.of_chain(shared, self.default_profile(), region)
    }

    /// The credentials of a profile, if those that it leads to come to an end. It is seen to before anything is fetched:
    /// what is being fetched under a name is not fetched again by another thread, nor by this one.
    fn of_chain(&self, shared: &Shared, profile: &str, region: &str) -> Result<Credentials, Trouble> {
        let mut passed = vec![profile];
        while let Some(next) = passed.last().and_then(|name| source_of(shared, name)) {
            if passed.contains(&next) {
                return Err(Trouble::usage(format!("the AWS profile `{next}` leads round in a circle")).led(""));
            }
            passed.push(next);
        }
        self.of_profile(shared, profile, region)
    }

    /// The profile that is meant where none is named.
    pub(super) fn default_profile(&self) -> &str {
        self.surroundings.first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]).unwrap_or("default")
    }

    fn of_variables(&self) -> Option<Credentials> {
        let access = self.surroundings.first(&["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"])?;
        let secret =
            ["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"].iter().find_map(|name| self.surroundings.secret(name))?;
        Some(Credentials {
            access_key: access.to_owned(),
            secret_key: secret.clone(),
            token: self.surroundings.secret("AWS_SESSION_TOKEN").cloned(),
            expires: None,
        })
    }

    fn of_profile(&self, shared: &Shared, name: &str, region: &str) -> Result<Credentials, Trouble> {
        let nothing = Section::default();
        let profile = match shared.profile(name) {
            Some(profile) => profile,
            None if name == "default" => &nothing,
            None => {
                let theirs = format!("could not load AWS config: failed to get shared config profile, {name}");
                return Err(Trouble::usage(format!("there is no AWS profile `{name}`")).sops(theirs).led(""));
            }
        };
        let Some(role) = profile.get("role_arn").filter(|_| profile.get("web_identity_token_file").is_none()) else {
            return self.base_of(shared, profile, name, region);
        };
        if profile.get("mfa_serial").is_some() {
            return Err(Trouble::usage(format!(
                "the role of the AWS profile `{name}` wants a code of a second factor"
            ))
            .hint("get a session first, and hand it over in `AWS_SESSION_TOKEN`"));
        }
        let assume = sts::Assume {
            role,
            session: profile.get("role_session_name").map_or_else(|| self.session("aws-go-sdk-"), str::to_owned),
            external_id: profile.get("external_id"),
            seconds: Some(profile.get("duration_seconds").unwrap_or("900")),
            everywhere: false,
            profile: None,
            region,
        };
        self.kept(&format!("profile {name} {region}"), || {
            let base = self.base_of(shared, profile, name, region)?;
            sts::assume(self, shared, &base, &assume)
        })
    }

    /// What a profile has of its own, before it takes on its role.
    fn base_of(&self, shared: &Shared, profile: &Section, name: &str, region: &str) -> Result<Credentials, Trouble> {
        if let Some(source) = source_of(shared, name) {
            return self.of_profile(shared, source, region);
        }
        if let (Some(access), Some(secret)) =
            (profile.get("aws_access_key_id"), profile.secret("aws_secret_access_key"))
        {
            return Ok(Credentials {
                access_key: access.to_owned(),
                secret_key: secret.clone(),
                token: profile.secret("aws_session_token").cloned(),
                expires: None,
            });
        }
        match profile.get("credential_source") {
            Some("Environment") => {
                return self.of_variables().ok_or_else(|| none("the environment holds no AWS credentials"));
            }
            Some("EcsContainer") => return machine::container(self),
            Some("Ec2InstanceMetadata") => return machine::instance(self),
            Some(other) => return Err(Trouble::usage(format!("`{other}` is no source of AWS credentials"))),
            None => {}
        }
        if let Some(file) = profile.get("web_identity_token_file") {
            let role = profile.get("role_arn").ok_or_else(|| none("the profile names a token file and no role"))?;
            return self.web_identity(file, role, profile.get("role_session_name"), region);
        }
        if profile.get("sso_account_id").is_some() || profile.get("sso_session").is_some() {
            return self.kept(&format!("sso {name}"), || machine::single_sign_on(self, shared, profile, name));
        }
        if let Some(command) = profile.get("credential_process") {
            return self.kept(&format!("process {name}"), || machine::process(self, command));
        }
        if machine::has_container(self) {
            return self.kept("container", || machine::container(self));
        }
        self.kept("instance", || machine::instance(self))
    }

    fn web_identity(
        &self,
        file: &str,
        role: &str,
        session: Option<&str>,
        region: &str,
    ) -> Result<Credentials, Trouble> {
        self.kept(&format!("web {role} {region}"), || {
            let bytes =
                files::read(&self.surroundings.path(file)).map_err(|error| Trouble::usage(error.to_string()))?;
            let token = std::str::from_utf8(&bytes).map_err(|_| Trouble::usage(format!("`{file}` holds no token")))?;
            let session = session.map_or_else(|| self.session(""), str::to_owned);
            sts::assume_with_web_identity(self, region, role, &session, token.trim())
        })
    }

    /// A session's name that nobody else has: the time in nanoseconds.
    fn session(&self, before: &str) -> String {
        format!("{before}{}", self.surroundings.now().as_nanosecond())
    }
}

/// The other profile that one builds on.
fn source_of<'s>(shared: &'s Shared, name: &str) -> Option<&'s str> {
    shared.profile(name)?.get("source_profile").filter(|source| *source != name)
}

/// No credentials, and what to do about it.
pub(super) fn none(why: &str) -> Trouble {
    Trouble::usage(why)
        .hint("set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_PROFILE`; or run `aws sso login`")
}
