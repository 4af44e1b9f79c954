//! Certificates that Heroku obtains and renews by itself (ACM).

use std::collections::BTreeMap;

use super::App;
use super::api::Domain;
use crate::promote::{Observed, PlatformError, Receipt, Settled, State, Value, Verdict};
use crate::system::http::{Body, Call, WriteClient};

/// The one word of the switch; its opposite is its absence.
const AUTOMATIC: &str = "automatic";

impl App {
    /// Whether Heroku takes care of the certificates.
    pub(super) async fn observe_certificates(&self) -> Result<Observed, PlatformError> {
        let value = if self.app().await?.acm { Value::Text(AUTOMATIC.to_owned()) } else { Value::Absent };
        Ok(super::observed(State::Fields(BTreeMap::from([(String::new(), value)]))))
    }

    /// Switches it on or off; either may be sent twice.
    pub(super) async fn change_certificates(
        &self,
        http: &WriteClient,
        after: &State,
    ) -> Result<Receipt, PlatformError> {
        let segments = ["apps", &self.name, "acm"];
        let call = Call::new(&segments);
        if self.automatic(after)? {
            let action = "turn on the automatic certificates";
            let body = Body::json(&serde_json::json!({})).map_err(|error| self.failed(action, error))?;
            http.post(&call, &body).await.map_err(|error| self.failed(action, error))?;
        } else {
            match http.delete(&call).await {
                Err(error) if error.status() != Some(404) => {
                    return Err(self.failed("turn off the automatic certificates", error));
                }
                _ => {}
            }
        }
        Ok(Receipt::default())
    }

    /// Whether the switch is as `after` has it.
    pub(super) async fn adopt_certificates(&self, after: &State) -> Result<Option<Receipt>, PlatformError> {
        Ok((self.app().await?.acm == self.automatic(after)?).then(Receipt::default))
    }

    /// Whether the switch shows. Certificates come later: they need the DNS records, which may be a later step, and are
    /// waited for by `certificates: issued`.
    pub(super) async fn certificates_settled(&self, after: &State) -> Result<Settled, PlatformError> {
        Ok(match self.adopt_certificates(after).await? {
            Some(receipt) => Settled::Done(receipt),
            None => Settled::Waiting("the switch to show".into()),
        })
    }

    /// The check `certificates: issued`: every custom domain has its certificate.
    pub(super) async fn certificates_verdict(&self) -> Result<Verdict, PlatformError> {
        let domains = self.domains().await?;
        if domains.is_empty() {
            return Ok(Verdict::Bad("there is no custom domain".into()));
        }
        let mut waiting = None;
        for domain in &domains {
            match progress(domain) {
                Verdict::Good(_) => {}
                bad @ Verdict::Bad(_) => return Ok(bad),
                unfinished @ Verdict::Waiting(_) => waiting = waiting.or(Some(unfinished)),
            }
        }
        let names: Vec<_> = domains.iter().map(|domain| domain.hostname.as_str()).collect();
        Ok(waiting.unwrap_or_else(|| Verdict::Good(format!("certificates issued for {}", names.join(", ")))))
    }

    fn automatic(&self, after: &State) -> Result<bool, PlatformError> {
        let State::Fields(fields) = after else { return Ok(false) };
        match fields.get("") {
            Some(Value::Text(word)) if word == AUTOMATIC => Ok(true),
            Some(Value::Absent) | None => Ok(false),
            _ => Err(self.misconfigured("certificates are `automatic` or not spoken of")),
        }
    }
}

/// Where one domain stands. The vendor's list of words is open: one that is not known is on its way.
fn progress(domain: &Domain) -> Verdict {
    let name = &domain.hostname;
    match domain.acm_status.as_deref() {
        Some("cert issued" | "ok") => Verdict::Good(format!("`{name}` has its certificate")),
        Some("failed") => Verdict::Bad(format!("the certificate of `{name}` failed{}", reason(domain))),
        Some("failing") => Verdict::Waiting(format!("the certificate of `{name}`, which fails{}", reason(domain))),
        Some("verified" | "dns-verified") => Verdict::Waiting(format!("the certificate of `{name}`, DNS verified")),
        _ => Verdict::Waiting(format!("the certificate of `{name}`")),
    }
}

/// Known reasons in our words; what is not known is not repeated.
fn reason(domain: &Domain) -> &'static str {
    match domain.acm_status_reason.as_deref() {
        Some("CDN not returning HTTP challenge") => ": the name does not lead to Heroku, or something stands between",
        Some("Failing CCA check" | "Failing CAA check") => ": a CAA record forbids letsencrypt.org",
        Some(_) => ": see `heroku certs:auto`",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(status: Option<&str>) -> Domain {
        let text = serde_json::json!({ "hostname": "h", "kind": "custom", "acm_status": status });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn every_state_is_known_or_on_its_way() {
        for word in ["cert issued", "ok"] {
            assert!(matches!(progress(&domain(Some(word))), Verdict::Good(_)), "{word}");
        }
        for word in [
            None,
            Some("pending"),
            Some("in-progress"),
            Some("verified"),
            Some("dns-verified"),
            Some("failing"),
            Some("new word"),
        ] {
            assert!(matches!(progress(&domain(word)), Verdict::Waiting(_)), "{word:?}");
        }
        assert!(matches!(progress(&domain(Some("failed"))), Verdict::Bad(_)));
    }
}
