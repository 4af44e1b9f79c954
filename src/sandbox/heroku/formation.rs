//! Formation: how many dynos of which size run each process type.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, Refusal, Request, moment};
use crate::sandbox::state::{App, Process};

/// Sizes that an app outside private spaces can have.
const SIZES: [&str; 8] = [
    "eco",
    "basic",
    "standard-1x",
    "standard-2x",
    "performance-m",
    "performance-l",
    "performance-l-ram",
    "performance-xl",
];

#[derive(Deserialize)]
struct Batch {
    updates: Vec<Update>,
}

#[derive(Deserialize)]
struct Update {
    #[serde(rename = "type", alias = "process")]
    kind: Option<String>,
    quantity: Option<Quantity>,
    dyno_size: Option<Size>,
    size: Option<Size>,
}

/// The vendor's client sends the number as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Quantity {
    Number(u32),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Name(String),
    Row { name: String },
}

impl Heroku<'_> {
    /// `GET /apps/{app}/formation`.
    pub(super) fn list_formation(&self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        page(request, app.formation.iter().map(|process| self.view_process(&app, process)).collect(), &["id"])
    }

    /// `GET /apps/{app}/formation/{id or type}`.
    pub(super) fn show_process(&self, app: &str, kind: &str) -> Answered {
        let app = self.app(app)?;
        let process = app.formation.iter().find(|process| process.kind == kind || process.id == kind);
        process
            .map(|process| Answer::ok(self.view_process(&app, process)))
            .ok_or_else(|| Refusal::not_found("process type"))
    }

    /// `PATCH /apps/{app}/formation`: all updates or none; answers those that were asked for.
    pub(super) fn update_formation(&mut self, app: &str, request: &Request) -> Answered {
        let mut app = self.app(app)?;
        let batch: Batch = request.body().map_err(|_| Refusal::invalid("Require params: updates."))?;
        let mut changed = Vec::new();
        for update in &batch.updates {
            let kind = update.kind.as_deref().ok_or_else(|| Refusal::invalid("Require params: type."))?;
            changed.push(self.scale(&mut app, kind, update)?);
        }
        self.app_mut(&app.id)?.formation.clone_from(&app.formation);
        let rows = app.formation.iter().filter(|process| changed.contains(&process.id));
        Ok(Answer::ok(rows.map(|process| self.view_process(&app, process)).collect()))
    }

    /// `PATCH /apps/{app}/formation/{id or type}`.
    pub(super) fn update_process(&mut self, app: &str, kind: &str, request: &Request) -> Answered {
        let mut app = self.app(app)?;
        let update: Update = request.body()?;
        self.scale(&mut app, kind, &update)?;
        self.app_mut(&app.id)?.formation.clone_from(&app.formation);
        self.show_process(&app.id, kind)
    }

    fn scale(&self, app: &mut App, kind: &str, update: &Update) -> Result<String, Refusal> {
        let process = app.formation.iter_mut().find(|process| process.kind == kind || process.id == kind);
        let process = process.ok_or_else(|| Refusal::not_found("process type"))?;
        let quantity = match &update.quantity {
            None => Some(process.quantity),
            Some(Quantity::Number(number)) => Some(*number),
            Some(Quantity::Text(text)) => text.parse().ok(),
        };
        process.quantity =
            quantity.filter(|number| *number <= 100).ok_or_else(|| Refusal::invalid("Invalid quantity."))?;
        if let Some(size) = update.dyno_size.as_ref().or(update.size.as_ref()) {
            let (Size::Name(name) | Size::Row { name }) = size;
            if !SIZES.contains(&name.to_lowercase().as_str()) {
                return Err(Refusal::invalid(format!("No such size as {name}.")));
            }
            process.size.clone_from(name);
        }
        process.updated_at = self.now;
        Ok(process.id.clone())
    }

    /// After a release: the process types of what it serves, with the quantities there were.
    pub(super) fn adopt_process_types(&mut self, app: &str, types: &BTreeMap<String, String>) {
        let now = self.now;
        let missing = match self.state.apps.get(app) {
            Some(app) => types.keys().filter(|kind| app.formation.iter().all(|process| &process.kind != *kind)).count(),
            None => return,
        };
        let mut ids: Vec<String> = (0..missing).map(|_| self.state.new_id()).collect();
        let Some(app) = self.state.apps.get_mut(app) else { return };
        app.formation.retain(|process| types.contains_key(&process.kind));
        for (kind, command) in types {
            match app.formation.iter_mut().find(|process| &process.kind == kind) {
                Some(process) => process.command.clone_from(command),
                None => app.formation.push(Process {
                    id: ids.pop().unwrap_or_default(),
                    kind: kind.clone(),
                    command: command.clone(),
                    quantity: u32::from(kind == "web"),
                    size: "Basic".to_owned(),
                    created_at: now,
                    updated_at: now,
                }),
            }
        }
    }

    fn view_process(&self, app: &App, process: &Process) -> Value {
        json!({
            "app": { "id": app.id, "name": app.name },
            "command": process.command,
            "created_at": moment(process.created_at),
            "dyno_size": { "id": self.state.id_of(&format!("size {}", process.size)), "name": process.size },
            "id": process.id,
            "quantity": process.quantity,
            "size": process.size,
            "type": process.kind,
            "updated_at": moment(process.updated_at),
        })
    }
}
