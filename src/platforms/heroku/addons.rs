//! Add-ons: read and compared, never created: they cost money and hold data.

use std::collections::BTreeMap;

use super::App;
use super::api::Addon;
use crate::promote::{Observed, PlatformError, State, Value};
use crate::system::http::Call;

impl App {
    /// The plan of each wanted add-on (`postgres: standard-0` is the plan `heroku-postgresql:standard-0`).
    pub(super) async fn observe_addons(&self, wanted: &State) -> Result<Observed, PlatformError> {
        let segments = ["apps", &self.name, "addons"];
        let call = Call::new(&segments).header("accept-expansion", "plan,addon_service");
        let live: Vec<Addon> = self.http.list(&call).await.map_err(|error| self.failed("read the add-ons", error))?;
        let mut fields = BTreeMap::new();
        match wanted {
            State::Fields(wanted) => {
                for (name, value) in wanted {
                    fields.insert(name.clone(), seen(&live, name, value));
                }
            }
            _ => {
                for addon in &live {
                    fields.insert(addon.addon_service.name.clone(), Value::Text(plan(addon).to_owned()));
                }
            }
        }
        Ok(super::observed(State::Fields(fields)))
    }
}

/// The plan of the add-on called `name`; where an app has several of a kind, the wanted one if it is among them.
fn seen(live: &[Addon], name: &str, wanted: &Value) -> Value {
    let ready =
        |addon: &&Addon| serves(addon, name) && !matches!(addon.state.as_str(), "deprovisioned" | "deprovisioning");
    let plans: Vec<Value> = live.iter().filter(ready).map(|addon| Value::Text(plan(addon).to_owned())).collect();
    plans.iter().find(|plan| *plan == wanted).or(plans.first()).cloned().unwrap_or(Value::Absent)
}

/// The vendor's own services may be named without its prefix.
fn serves(addon: &Addon, name: &str) -> bool {
    let service = addon.addon_service.name.as_str();
    let short = service.strip_prefix("heroku-").unwrap_or(service);
    service == name || short == name || (short == "postgresql" && name == "postgres")
}

fn plan(addon: &Addon) -> &str {
    addon.plan.name.split_once(':').map_or(addon.plan.name.as_str(), |(_, plan)| plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_the_wanted_one_of_several() {
        let addon = |service: &str, plan: &str| -> Addon {
            let text = serde_json::json!({ "addon_service": { "name": service }, "plan": { "name": format!("{service}:{plan}") } });
            serde_json::from_value(text).unwrap()
        };
        let live = [
            addon("heroku-postgresql", "basic"),
            addon("heroku-postgresql", "standard-0"),
            addon("papertrail", "choklad"),
        ];
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(seen(&live, "postgres", &text("standard-0")), text("standard-0"));
        assert_eq!(seen(&live, "heroku-postgresql", &text("hobby-0")), text("basic"));
        assert_eq!(seen(&live, "papertrail", &text("choklad")), text("choklad"));
        assert_eq!(seen(&live, "redis", &text("mini")), Value::Absent);
    }
}
