//! Custom domains: their DNS target comes a moment after them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, Refusal, Request, moment};
use crate::sandbox::state::{App, Domain, Status};
use crate::sandbox::targets;

#[derive(Deserialize)]
struct Wanted {
    hostname: String,
}

impl Heroku<'_> {
    /// `GET /apps/{app}/domains`.
    pub(super) fn list_domains(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let ids: Vec<String> = self.domains_of(&app.id).map(|domain| domain.id.clone()).collect();
        for id in &ids {
            self.advance_domain(id);
        }
        let mut rows: Vec<Value> = self.domains_of(&app.id).map(|domain| self.view_domain(&app, domain)).collect();
        rows.push(self.view_own_domain(&app));
        page(request, rows, &["hostname", "id"])
    }

    /// `POST /apps/{app}/domains`.
    pub(super) fn create_domain(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let wanted: Wanted = request.body().map_err(|_| Refusal::invalid("Require params: hostname."))?;
        let hostname = wanted.hostname.to_lowercase();
        if !is_hostname(&hostname) || hostname.ends_with(".herokuapp.com") {
            return Err(Refusal::invalid(format!("{hostname} is not a valid domain name.")));
        }
        if let Some(taken) = self.state.domains.values().find(|domain| domain.hostname == hostname) {
            let message = if taken.app == app.id {
                "Domain already added to this app.".to_owned()
            } else {
                format!("{hostname} is currently in use by another app.")
            };
            return Err(Refusal::invalid(message));
        }
        let domain = Domain {
            id: self.state.new_id(),
            app: app.id.clone(),
            hostname,
            cname: None,
            status: Status::Pending,
            acm_status: app.acm.then(|| "pending".to_owned()),
            acm_reason: None,
            stuck: None,
            failing: 0,
            certificate: None,
            created_at: self.now,
            updated_at: self.now,
        };
        let view = self.view_domain(&app, &domain);
        self.state.domains.insert(domain.id.clone(), domain);
        Ok(Answer::json(201, view))
    }

    /// `GET /apps/{app}/domains/{id or hostname}`.
    pub(super) fn show_domain(&mut self, app: &str, domain: &str) -> Answered {
        let app = self.app(app)?;
        if domain == own_hostname(&app) {
            return Ok(Answer::ok(self.view_own_domain(&app)));
        }
        let id = self.domain_named(&app.id, domain)?.id;
        self.advance_domain(&id);
        Ok(Answer::ok(self.view_domain(&app, &self.domain_named(&app.id, &id)?)))
    }

    /// `PATCH /apps/{app}/domains/{id or hostname}`: certificates here are the platform's own, so it changes nothing.
    pub(super) fn update_domain(&mut self, app: &str, domain: &str) -> Answered {
        let app = self.app(app)?;
        Ok(Answer::ok(self.view_domain(&app, &self.domain_named(&app.id, domain)?)))
    }

    /// `DELETE /apps/{app}/domains/{id or hostname}`.
    pub(super) fn delete_domain(&mut self, app: &str, domain: &str) -> Answered {
        let app = self.app(app)?;
        let domain = self.domain_named(&app.id, domain)?;
        let view = self.view_domain(&app, &domain);
        self.state.domains.remove(&domain.id);
        if let Some(certificate) = &domain.certificate {
            self.state.certificates.remove(certificate);
        }
        Ok(Answer::ok(view))
    }

    /// One question about a domain: its target appears, then its status, then its certificate comes step by step.
    fn advance_domain(&mut self, id: &str) {
        let Some(domain) = self.state.domains.get_mut(id) else { return };
        let acm = self.state.apps.get(&domain.app).is_some_and(|app| app.acm);
        if domain.cname.is_none() {
            domain.cname = Some(targets::target(&domain.hostname, acm));
        } else {
            domain.status = Status::Succeeded;
        }
        self.advance_certificate(id);
    }

    /// The custom domains of an app.
    pub(super) fn domains_of<'a>(&'a self, app: &'a str) -> impl Iterator<Item = &'a Domain> {
        self.state.domains.values().filter(move |domain| domain.app == app)
    }

    fn domain_named(&self, app: &str, wanted: &str) -> Result<Domain, Refusal> {
        let hostname = wanted.to_lowercase();
        let found = self.domains_of(app).find(|domain| domain.id == wanted || domain.hostname == hostname).cloned();
        found.ok_or_else(|| Refusal::not_found("domain"))
    }

    fn view_domain(&self, app: &App, domain: &Domain) -> Value {
        let certificate = domain.certificate.as_ref().and_then(|id| self.state.certificates.get(id));
        json!({
            "acm_status": domain.acm_status,
            "acm_status_reason": domain.acm_reason,
            "app": { "id": app.id, "name": app.name },
            "cname": domain.cname,
            "created_at": moment(domain.created_at),
            "hostname": domain.hostname,
            "id": domain.id,
            "kind": "custom",
            "sni_endpoint": certificate.map(|certificate| json!({ "id": certificate.id, "name": certificate.name })),
            "status": domain.status.word(),
            "updated_at": moment(domain.updated_at),
        })
    }

    /// The name under the vendor's own domain that every app has.
    fn view_own_domain(&self, app: &App) -> Value {
        json!({
            "acm_status": null,
            "acm_status_reason": null,
            "app": { "id": app.id, "name": app.name },
            "cname": null,
            "created_at": moment(app.created_at),
            "hostname": own_hostname(app),
            "id": self.state.id_of(&format!("own domain {}", app.id)),
            "kind": "heroku",
            "sni_endpoint": null,
            "status": "succeeded",
            "updated_at": moment(app.created_at),
        })
    }
}

fn own_hostname(app: &App) -> String {
    format!("{}.herokuapp.com", app.name)
}

/// Labels of letters, digits and inner hyphens (RFC 1123), at least two; `*` may stand first.
fn is_hostname(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let rest = name.strip_prefix("*.").unwrap_or(name);
    name.len() <= 253 && rest.contains('.') && rest.split('.').all(label)
}
