//! Add-ons, attached to an app by the config vars they own.

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, POLLS, Refusal, Request, moment};
use crate::sandbox::state::{AddOn, App};
use crate::secret::SecretString;

/// The services there are, with the plans that can be ordered and the config var each sets.
const CATALOGUE: [(&str, &[&str], &str); 2] = [
    (
        "heroku-postgresql",
        &["hobby-dev", "hobby-basic", "hobby-0", "essential-0", "essential-1", "standard-0", "standard-2", "premium-0"],
        "DATABASE_URL",
    ),
    ("heroku-redis", &["mini", "premium-0"], "REDIS_URL"),
];

#[derive(Deserialize)]
struct Wanted {
    plan: PlanName,
}

/// The schema has a name; the vendor's client sends an object with it.
#[derive(Deserialize)]
#[serde(untagged)]
enum PlanName {
    Name(String),
    Row { name: String },
}

impl Heroku<'_> {
    /// `GET /apps/{app}/addons`.
    pub(super) fn list_addons(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let ids: Vec<String> = self.addons_of(&app.id).map(|addon| addon.id.clone()).collect();
        for id in &ids {
            self.advance_addon(id);
        }
        page(request, self.addons_of(&app.id).map(|addon| self.view_addon(&app, addon)).collect(), &["id", "name"])
    }

    /// `GET /apps/{app}/addons/{id or name}`.
    pub(super) fn show_addon(&mut self, app: &str, addon: &str) -> Answered {
        let app = self.app(app)?;
        let id = self.addons_of(&app.id).find(|row| row.id == addon || row.name == addon).map(|row| row.id.clone());
        let id = id.ok_or_else(|| Refusal::not_found("add-on"))?;
        self.advance_addon(&id);
        let addon = self.state.addons.get(&id).ok_or_else(|| Refusal::not_found("add-on"))?;
        Ok(Answer::ok(self.view_addon(&app, addon)))
    }

    /// `POST /apps/{app}/addons`.
    pub(super) fn create_addon(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let wanted: Wanted = request.body().map_err(|_| Refusal::invalid("Require params: plan."))?;
        let (PlanName::Name(plan) | PlanName::Row { name: plan }) = wanted.plan;
        let addon = self.provision(&app.id, &plan)?;
        Ok(Answer::json(201, self.view_addon(&app, &addon)))
    }

    /// Makes the add-on and sets its config var; setting it is a release without a release command.
    pub(in crate::sandbox) fn provision(&mut self, app: &str, plan: &str) -> Result<AddOn, Refusal> {
        let (service, level) = plan.split_once(':').unwrap_or((plan, ""));
        let unknown = || Refusal::not_found("add-on plan");
        let (service, plans, variable) =
            CATALOGUE.iter().find(|(name, ..)| *name == service).copied().ok_or_else(unknown)?;
        let level = if level.is_empty() { plans.first().copied().unwrap_or_default() } else { level };
        if !plans.contains(&level) {
            return Err(unknown());
        }
        let id = self.state.new_id();
        let addon = AddOn {
            name: format!("{}-{}", service.trim_start_matches("heroku-"), &id[..5]),
            id: id.clone(),
            app: app.to_owned(),
            service: service.to_owned(),
            plan: format!("{service}:{level}"),
            config_vars: vec![variable.to_owned()],
            left: POLLS,
            created_at: self.now,
            updated_at: self.now,
        };
        let address = SecretString::new(format!("{}://{}@127.0.0.1/{id}", level, self.state.id_of(&id)));
        let sealed = self.vault.seal(variable, &address).map_err(|_| Refusal::internal())?;
        self.app_mut(app)?.config.insert(variable.to_owned(), sealed);
        self.state.addons.insert(id, addon.clone());
        Ok(addon)
    }

    fn addons_of<'a>(&'a self, app: &'a str) -> impl Iterator<Item = &'a AddOn> {
        self.state.addons.values().filter(move |addon| addon.app == app)
    }

    fn advance_addon(&mut self, id: &str) {
        if let Some(addon) = self.state.addons.get_mut(id) {
            addon.left = addon.left.saturating_sub(1);
        }
    }

    fn view_addon(&self, app: &App, addon: &AddOn) -> Value {
        json!({
            "actions": [],
            "addon_service": { "id": self.state.id_of(&addon.service), "name": addon.service },
            "app": { "id": app.id, "name": app.name },
            "billed_price": { "cents": 0, "contract": false, "unit": "month" },
            "billing_entity": { "id": app.id, "name": app.name, "type": "app" },
            "config_vars": addon.config_vars,
            "created_at": moment(addon.created_at),
            "id": addon.id,
            "name": addon.name,
            "plan": { "id": self.state.id_of(&addon.plan), "name": addon.plan },
            "provider_id": addon.id,
            "provision_message": "Nothing is provisioned: this is a stand-in.",
            "state": if addon.left > 0 { "provisioning" } else { "provisioned" },
            "updated_at": moment(addon.updated_at),
            "web_url": null,
        })
    }
}
