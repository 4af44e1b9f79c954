//! What only tests and our own command may ask: paths under `/_admin/`, with a token of their own.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::heroku::{Answer, Heroku, Refusal, Request};
use super::state::State;
use super::vault::{Sealed, Vault};

/// What the server has to do besides answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    Stop,
}

#[derive(Deserialize)]
struct Head {
    app: String,
    commit: String,
}

impl Heroku<'_> {
    /// Answers a request under `/_admin/`.
    pub(super) fn administer(&mut self, request: &Request) -> (Answer, Then) {
        let answer = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/_admin/health") => Ok(Answer::ok(json!({ "world": self.state.about.id }))),
            ("GET", "/_admin/world") => Ok(Answer::ok(facts(self.state, self.vault))),
            ("GET", "/_admin/faults") => Ok(Answer::ok(json!(self.state.faults.values().collect::<Vec<_>>()))),
            ("POST", "/_admin/faults") => self.add_fault(request),
            ("DELETE", "/_admin/faults") => {
                self.state.faults.clear();
                Ok(Answer::empty(204))
            }
            ("POST", "/_admin/heads") => self.move_head(request),
            ("POST", "/_admin/stop") => return (Answer::empty(204), Then::Stop),
            _ => Err(Refusal::not_found("admin path")),
        };
        (answer.unwrap_or_else(Answer::from), Then::Nothing)
    }

    fn add_fault(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let fault: Fault = request.body()?;
        let id = self.state.new_id();
        // Faults happen in the order they were set: the key sorts so.
        self.state.faults.insert(format!("{:08}", self.state.about.ids), fault);
        Ok(Answer::json(201, json!({ "id": id })))
    }

    fn move_head(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let head: Head = request.body()?;
        self.deploy(&head.app, &head.commit).ok_or_else(|| Refusal::not_found("app"))?;
        Ok(Answer::empty(204))
    }
}

/// What is true in the world, without ids, versions and times: equal facts are an equal world. Values are told apart
/// under the world's key, not shown.
fn facts(state: &State, vault: &Vault) -> Value {
    let mut apps = Map::new();
    for app in state.apps.values() {
        let fingerprint = |(name, sealed): (&String, &Sealed)| {
            let value = vault.open(name, sealed).ok();
            (name.clone(), Value::from(value.map(|value| vault.fingerprint(name, &value))))
        };
        let artifact =
            app.current.as_ref().and_then(|id| state.artifacts.get(state.releases.get(id)?.artifact.as_ref()?));
        let domains = state.domains.values().filter(|domain| domain.app == app.id);
        let addons = state.addons.values().filter(|addon| addon.app == app.id);
        let body = json!({
            "acm": app.acm,
            "addons": addons.map(|addon| addon.plan.as_str()).collect::<Vec<_>>(),
            "commit": artifact.and_then(|artifact| artifact.commit.as_deref()),
            "config": app.config.iter().map(fingerprint).collect::<Map<_, _>>(),
            "domains": domains
                .map(|domain| json!({ "hostname": domain.hostname, "cname": domain.cname, "acm_status": domain.acm_status }))
                .collect::<Vec<_>>(),
            "formation": app.formation.iter().map(|row| json!([row.kind, row.quantity, row.size])).collect::<Vec<_>>(),
            "maintenance": app.maintenance,
            "stack": app.stack,
        });
        apps.insert(app.name.clone(), body);
    }
    let records = |zone: &super::state::Zone| {
        let sets = zone.sets.values().filter(|set| set.kind != "SOA");
        sets.map(|set| json!([set.name, set.kind, set.ttl, super::dns::shown(set)])).collect::<Vec<_>>()
    };
    let zones: Map<String, Value> =
        state.zones.values().map(|zone| (zone.name.clone(), json!(records(zone)))).collect();
    json!({ "apps": apps, "zones": zones })
}
