//! What a failed call to Heroku means, and what to do about it.

use super::App;
use crate::promote::{PlatformError, PlatformFault};
use crate::system::http::HttpError;

impl App {
    /// The failure of a call that was to do `action`.
    pub(super) fn failed(&self, action: &str, error: HttpError) -> PlatformError {
        let unanswered = error.is_unanswered();
        let advice = self.advice(&error);
        let fault = match error {
            HttpError::Refused { status: 429, retry_after, .. } => PlatformFault::RateLimited { retry_after },
            HttpError::Refused { status: status @ 300..=399, .. } => {
                PlatformFault::Untrusted { what: format!("the platform answers {status} and points elsewhere") }
            }
            HttpError::Refused { status, id, request_id, .. } => {
                PlatformFault::Refused { status, code: id, request_id }
            }
            HttpError::Unreachable { why, .. } | HttpError::Broken { why, .. } => {
                PlatformFault::Unreachable { why: why.to_owned() }
            }
            HttpError::Unanswered { why, .. } => PlatformFault::Unreachable { why },
            HttpError::Unreadable { why, .. } => PlatformFault::Senseless { what: why.to_owned() },
            HttpError::Configuration(what) => PlatformFault::Misconfigured { what },
        };
        let mut failed = PlatformError::new(&self.target, format!("{action} of {}", self.name), fault);
        failed.advice = advice;
        if unanswered { failed.fate_unknown() } else { failed }
    }

    fn advice(&self, error: &HttpError) -> Vec<String> {
        let origin = &self.origin;
        let hint = match (error.status(), error.id()) {
            (Some(401), _) => {
                format!("{origin} is wrong or has expired: `heroku authorizations:create` makes a new one")
            }
            (Some(402), _) => "the Heroku account has an unpaid bill".to_owned(),
            (Some(403), Some("two_factor")) => format!(
                "{origin} belongs to a login that needs a second factor: `heroku authorizations:create` makes one that does not"
            ),
            (Some(403), Some("suspended")) => format!("`{}` or its account is suspended", self.name),
            (Some(403), _) => {
                format!("the account behind {origin} may not do this: see `heroku access -a {}`", self.name)
            }
            (Some(404), _) => format!(
                "is `{}` the app's name, and may the account behind {origin} see it? (`heroku apps:info -a {}`)",
                self.name, self.name
            ),
            (Some(409), _) => {
                format!("something else is changing `{}`: wait, then run the same command again", self.name)
            }
            (Some(410), _) => "Heroku has retired this call: use a newer lockage".to_owned(),
            (Some(422), Some("verification_needed")) => {
                "Heroku wants the account verified first: add a payment method at heroku.com/verify".to_owned()
            }
            (Some(422), Some("confirmation_required")) => {
                "Heroku calls this destructive; lockage does not confirm it for you".to_owned()
            }
            _ => return Vec::new(),
        };
        vec![hint]
    }
}
