//! Dynos: those of the formation follow from the release that serves; one-off dynos come and go.

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, POLLS, Refusal, Request, moment};
use crate::sandbox::state::{App, OneOff};

#[derive(Deserialize)]
struct Wanted {
    command: String,
}

impl Heroku<'_> {
    /// `GET /apps/{app}/dynos`.
    pub(super) fn list_dynos(&mut self, app: &str, request: &Request) -> Answered {
        let mut app = self.app(app)?;
        let rows = self.view_dynos(&app);
        app.starting = app.starting.saturating_sub(1);
        for dyno in &mut app.one_offs {
            dyno.left = dyno.left.saturating_sub(1);
        }
        app.one_offs.retain(|dyno| dyno.left > 0);
        self.state.apps.insert(app.id.clone(), app);
        page(request, rows, &["id", "name"])
    }

    /// `POST /apps/{app}/dynos`: a detached one-off; nothing runs in it.
    pub(super) fn run_dyno(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let wanted: Wanted = request.body().map_err(|_| Refusal::invalid("Require params: command."))?;
        if app.current.is_none() {
            return Err(Refusal::invalid("Couldn't find that release."));
        }
        let id = self.state.new_id();
        let dyno = OneOff {
            name: format!("run.{}", 1000 + self.state.about.ids % 9000),
            id,
            command: wanted.command,
            created_at: self.now,
            left: POLLS,
        };
        let view = self.view_one_off(&app, &dyno);
        self.app_mut(&app.id)?.one_offs.push(dyno);
        Ok(Answer::json(201, view))
    }

    /// `DELETE /apps/{app}/dynos`: all of them start again.
    pub(super) fn restart_dynos(&mut self, app: &str) -> Answered {
        let id = self.app(app)?.id;
        self.app_mut(&id)?.starting = 1;
        Ok(Answer::json(202, json!({})))
    }

    fn view_dynos(&self, app: &App) -> Vec<Value> {
        let mut rows = Vec::new();
        let Some(release) = app.current.as_ref().and_then(|id| self.state.releases.get(id)) else {
            return rows;
        };
        let state = if app.starting > 0 { "starting" } else { "up" };
        for process in app.formation.iter().filter(|process| process.kind != "release") {
            for number in 1..=process.quantity {
                let name = format!("{}.{number}", process.kind);
                rows.push(json!({
                    "app": { "id": app.id, "name": app.name },
                    "attach_url": null,
                    "command": process.command,
                    "created_at": moment(release.updated_at),
                    "id": self.state.id_of(&format!("{} {} {name}", app.id, release.id)),
                    "name": name,
                    "release": { "id": release.id, "version": release.version },
                    "size": process.size,
                    "state": state,
                    "type": process.kind,
                    "updated_at": moment(release.updated_at),
                }));
            }
        }
        rows.extend(app.one_offs.iter().map(|dyno| self.view_one_off(app, dyno)));
        rows
    }

    fn view_one_off(&self, app: &App, dyno: &OneOff) -> Value {
        let release = app.current.as_ref().and_then(|id| self.state.releases.get(id));
        json!({
            "app": { "id": app.id, "name": app.name },
            "attach_url": null,
            "command": dyno.command,
            "created_at": moment(dyno.created_at),
            "id": dyno.id,
            "name": dyno.name,
            "release": release.map(|release| json!({ "id": release.id, "version": release.version })),
            "size": "Basic",
            "state": if dyno.left == POLLS { "starting" } else { "up" },
            "type": "run",
            "updated_at": moment(dyno.created_at),
        })
    }
}
