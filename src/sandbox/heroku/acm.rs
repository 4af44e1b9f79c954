//! Automated certificates: on or off for an app, step by step for each of its domains.
//!
//! `pending` → `in-progress` → `verified` → `dns-verified` → `cert issued`, one step a question, as long as the zone says
//! what it must; `failing` while it does not, `failed` when that was found too often, and then only a refresh helps.

use serde_json::{Value, json};

use super::range::page;
use super::{Answered, Heroku, Refusal, Request, moment};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::state::Certificate;
use crate::sandbox::{dns, targets};

/// Questions that find a domain failing before the platform gives up on it.
const PATIENCE: u32 = 200;

impl Heroku<'_> {
    /// `POST /apps/{app}/acm`. The targets of domains that are there already change.
    pub(super) fn enable_acm(&mut self, app: &str) -> Answered {
        let app = self.app(app)?;
        if !app.acm {
            for domain in self.state.domains.values_mut().filter(|domain| domain.app == app.id) {
                domain.cname = domain.cname.as_ref().map(|_| targets::target(&domain.hostname, true));
                domain.acm_status = Some("pending".to_owned());
            }
        }
        self.app_mut(&app.id)?.acm = true;
        self.show_app(&app.id)
    }

    /// `PATCH /apps/{app}/acm`: what failed is tried again.
    pub(super) fn refresh_acm(&mut self, app: &str) -> Answered {
        let app = self.app(app)?;
        if !app.acm {
            return Err(Refusal::invalid("Automated Certificate Management is not enabled for this app."));
        }
        for domain in self.state.domains.values_mut().filter(|domain| domain.app == app.id) {
            if matches!(domain.acm_status.as_deref(), Some("failing" | "failed")) {
                domain.acm_status = Some("pending".to_owned());
                domain.acm_reason = None;
                domain.stuck = None;
                domain.failing = 0;
            }
        }
        self.show_app(&app.id)
    }

    /// `DELETE /apps/{app}/acm`: its certificates go with it.
    pub(super) fn disable_acm(&mut self, app: &str) -> Answered {
        let id = self.app(app)?.id;
        for domain in self.state.domains.values_mut().filter(|domain| domain.app == id) {
            domain.acm_status = None;
            domain.acm_reason = None;
            domain.certificate = None;
        }
        self.state.certificates.retain(|_, certificate| certificate.app != id);
        self.app_mut(&id)?.acm = false;
        self.show_app(&id)
    }

    /// `GET /apps/{app}/sni-endpoints`.
    pub(super) fn list_sni_endpoints(&self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let own = self.state.certificates.values().filter(|certificate| certificate.app == app.id);
        page(request, own.map(|certificate| self.view_endpoint(certificate)).collect(), &["name", "id"])
    }

    /// One question about a domain whose app has automated certificates.
    pub(super) fn advance_certificate(&mut self, id: &str) {
        let Some(mut domain) = self.state.domains.get(id).cloned() else { return };
        let Some(app) = self.state.apps.get(&domain.app).filter(|app| app.acm).map(|app| app.name.clone()) else {
            return;
        };
        let status = domain.acm_status.clone().unwrap_or_else(|| "pending".to_owned());
        if status == "failed" || domain.certificate.is_some() {
            return;
        }
        let Some(target) = &domain.cname else { return };
        if let Some(FaultKind::AcmFails { reason }) =
            self.state.fault_of(&app, |kind| matches!(kind, FaultKind::AcmFails { .. }))
        {
            domain.stuck = Some(reason);
        }
        let by_zone = dns::certificate_trouble(self.state, &domain.hostname, target).map(str::to_owned);
        let trouble = domain.stuck.clone().or(by_zone);
        let next = match (&trouble, status.as_str()) {
            (Some(_), _) if domain.failing + 1 >= PATIENCE => "failed",
            (Some(_), _) => "failing",
            (None, "pending") => "in-progress",
            (None, "in-progress" | "failing") => "verified",
            (None, "verified") => "dns-verified",
            (None, _) => "cert issued",
        };
        domain.failing = if trouble.is_some() { domain.failing + 1 } else { 0 };
        domain.acm_reason = trouble;
        domain.acm_status = Some(next.to_owned());
        domain.updated_at = self.now;
        if next == "cert issued" {
            domain.certificate = self.issue(&domain.app, &domain.hostname);
            if domain.certificate.is_none() {
                domain.acm_status = Some("dns-verified".to_owned());
            }
        }
        self.state.domains.insert(id.to_owned(), domain);
    }

    fn issue(&mut self, app: &str, hostname: &str) -> Option<String> {
        let issued = self.authority.issue(hostname, self.now).ok()?;
        let id = self.state.new_id();
        let certificate = Certificate {
            name: format!("caribou-{}", &id[..5]),
            id: id.clone(),
            app: app.to_owned(),
            hostname: hostname.to_owned(),
            chain: issued.chain,
            key: self.vault.seal(hostname, &issued.key).ok()?,
            starts_at: issued.starts_at,
            expires_at: issued.expires_at,
        };
        self.state.certificates.insert(id.clone(), certificate);
        Some(id)
    }

    fn view_endpoint(&self, certificate: &Certificate) -> Value {
        let domains = self.domains_of(&certificate.app).filter(|row| row.certificate.as_ref() == Some(&certificate.id));
        let domains: Vec<&str> = domains.map(|domain| domain.id.as_str()).collect();
        json!({
            "app": self.view_app_name(&certificate.app),
            "certificate_chain": certificate.chain,
            "created_at": moment(certificate.starts_at),
            "display_name": null,
            "domains": domains,
            "id": certificate.id,
            "name": certificate.name,
            "ssl_cert": {
                "acm": true,
                "ca_signed?": true,
                "cert_domains": [certificate.hostname],
                "expires_at": moment(certificate.expires_at),
                "id": self.state.id_of(&format!("certificate {}", certificate.id)),
                "issuer": crate::sandbox::authority::NAME,
                "self_signed?": false,
                "starts_at": moment(certificate.starts_at),
                "subject": format!("CN={}", certificate.hostname),
            },
            "updated_at": moment(certificate.starts_at),
        })
    }
}
