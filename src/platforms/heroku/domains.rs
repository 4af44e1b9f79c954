//! Custom domains: each host name is added or removed by a request of its own.

use std::collections::BTreeMap;

use super::App;
use super::api::Domain;
use crate::promote::{Observed, PlatformError, Receipt, Settled, State, Value};
use crate::system::http::{Body, Call, WriteClient};

const PRESENT: &str = "present";

impl App {
    /// The wanted host names, each present or absent; without a wish all custom ones.
    pub(super) async fn observe_domains(&self, wanted: &State) -> Result<Observed, PlatformError> {
        let live = self.domains().await?;
        let present = |name: &str| if held(&live, name).is_some() { present() } else { Value::Absent };
        let fields: BTreeMap<String, Value> = match wanted {
            State::Fields(fields) => fields.keys().map(|name| (name.clone(), present(name))).collect(),
            _ => live.iter().map(|domain| (domain.hostname.clone(), self::present())).collect(),
        };
        Ok(super::observed(State::Fields(fields)))
    }

    /// The custom domains of the app.
    pub(super) async fn domains(&self) -> Result<Vec<Domain>, PlatformError> {
        let segments = ["apps", &self.name, "domains"];
        let call = Call::new(&segments).header("range", "id ..; max=1000;");
        let all: Vec<Domain> = self.http.list(&call).await.map_err(|error| self.failed("read the domains", error))?;
        Ok(all.into_iter().filter(|domain| domain.kind == "custom").collect())
    }

    /// Adds and removes until the host names are as `after` has them; what is so already is not touched.
    pub(super) async fn change_domains(&self, http: &WriteClient, after: &State) -> Result<Receipt, PlatformError> {
        let wanted = self.host_names(after)?;
        let live = self.domains().await?;
        let mut sent = false;
        for (name, shall) in wanted {
            let result = match (shall, held(&live, name)) {
                (true, None) => self.add_domain(http, name).await,
                (false, Some(_)) => self.remove_domain(http, name).await,
                _ => continue,
            };
            // With an earlier one done, "nothing was processed" would be wrong.
            result.map_err(|error| if sent { error.fate_unknown() } else { error })?;
            sent = true;
        }
        Ok(Receipt::default())
    }

    /// Whether the host names are as `after` has them.
    pub(super) async fn adopt_domains(&self, after: &State) -> Result<Option<Receipt>, PlatformError> {
        let live = self.domains().await?;
        let so = self.host_names(after)?.iter().all(|(name, shall)| held(&live, name).is_some() == *shall);
        Ok(so.then(Receipt::default))
    }

    /// Whether every new host name has its DNS target.
    pub(super) async fn domains_settled(&self, after: &State) -> Result<Settled, PlatformError> {
        let live = self.domains().await?;
        let mut notes = BTreeMap::new();
        for (name, shall) in self.host_names(after)? {
            match (shall, held(&live, name)) {
                (false, None) => {}
                (false, Some(_)) => return Ok(Settled::Waiting(format!("`{name}` to go"))),
                (true, None) => return Ok(Settled::Waiting(format!("`{name}` to appear"))),
                (true, Some(domain)) if domain.status == "failed" => {
                    return Ok(Settled::Failed(format!("Heroku could not set up `{name}`")));
                }
                (true, Some(Domain { cname: Some(cname), status, .. })) if status != "pending" => {
                    notes.insert(format!("cname {name}"), cname.clone());
                }
                (true, Some(_)) => return Ok(Settled::Waiting(format!("the DNS target of `{name}`"))),
            }
        }
        Ok(Settled::Done(Receipt { id: String::new(), notes }))
    }

    /// The DNS target of the only custom domain, or of the one named; `None` while there is none yet.
    pub(super) async fn cname(&self, host: Option<&str>) -> Result<Option<String>, PlatformError> {
        let live = self.domains().await?;
        let domain = match (host, live.as_slice()) {
            (Some(host), live) => held(live, host),
            (None, []) => None,
            (None, [only]) => Some(only),
            (None, several) => {
                let first = &several[0].hostname;
                return Err(self.misconfigured(&format!(
                    "`{}` has several domains: name one, as in `domain/{first}.cname`",
                    self.name
                )));
            }
        };
        Ok(domain.and_then(|domain| domain.cname.as_ref()).map(|name| name.trim_end_matches('.').to_ascii_lowercase()))
    }

    async fn add_domain(&self, http: &WriteClient, name: &str) -> Result<(), PlatformError> {
        let action = format!("add the domain `{name}`");
        let body = Body::json(&serde_json::json!({ "hostname": name, "sni_endpoint": null }))
            .map_err(|error| self.failed(&action, error))?;
        let segments = ["apps", &self.name, "domains"];
        match http.post(&Call::new(&segments), &body).await {
            Ok(_) => Ok(()),
            // Already added, by us a moment ago or by somebody else: to this app, or to another?
            Err(error) if error.status() == Some(422) => match held(&self.domains().await?, name) {
                Some(_) => Ok(()),
                None if error.id() == Some("verification_needed") => Err(self.failed(&action, error)),
                None => Err(self
                    .failed(&action, error)
                    .advise(format!("is `{name}` on another app? One host name can be on one app only"))),
            },
            Err(error) => Err(self.failed(&action, error)),
        }
    }

    async fn remove_domain(&self, http: &WriteClient, name: &str) -> Result<(), PlatformError> {
        let segments = ["apps", &self.name, "domains", name];
        match http.delete(&Call::new(&segments)).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(self.failed(&format!("remove the domain `{name}`"), error)),
        }
    }

    fn host_names<'a>(&self, after: &'a State) -> Result<Vec<(&'a str, bool)>, PlatformError> {
        match after {
            State::Fields(fields) => {
                Ok(fields.iter().map(|(name, value)| (name.as_str(), *value != Value::Absent)).collect())
            }
            _ => Err(self.misconfigured("domains are a list of host names")),
        }
    }
}

fn present() -> Value {
    Value::Text(PRESENT.to_owned())
}

fn held<'a>(live: &'a [Domain], name: &str) -> Option<&'a Domain> {
    live.iter().find(|domain| domain.hostname.eq_ignore_ascii_case(name))
}
