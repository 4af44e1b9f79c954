//! Apps.

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, Refusal, Request, moment};
use crate::sandbox::state::{App, ArtifactKind, Stack};

/// What the vendor's client and ours send to create or change an app.
#[derive(Deserialize)]
struct Wanted {
    name: Option<String>,
    stack: Option<String>,
    build_stack: Option<String>,
    maintenance: Option<bool>,
}

#[derive(Deserialize)]
struct Filter {
    #[serde(rename = "in")]
    within: Within,
}

#[derive(Deserialize)]
struct Within {
    id: Vec<String>,
}

impl Heroku<'_> {
    /// `GET /apps`.
    pub(super) fn list_apps(&self, request: &Request) -> Answered {
        let rows = self.state.apps.values().map(|app| self.view_app(app)).collect();
        page(request, rows, &["name", "id", "updated_at"])
    }

    /// `POST /filters/apps`.
    pub(super) fn filter_apps(&self, request: &Request) -> Answered {
        let filter: Filter = request.body()?;
        let wanted = self.state.apps.values().filter(|app| filter.within.id.contains(&app.id));
        page(request, wanted.map(|app| self.view_app(app)).collect(), &["id", "name", "updated_at"])
    }

    /// `GET /apps/{app}`.
    pub(super) fn show_app(&self, app: &str) -> Answered {
        Ok(Answer::ok(self.view_app(&self.app(app)?)))
    }

    /// `POST /apps`.
    pub(super) fn create_app(&mut self, request: &Request) -> Answered {
        let wanted: Wanted = request.body()?;
        let id = self.state.new_id();
        let name = wanted.name.unwrap_or_else(|| format!("quiet-meadow-{}", &id[..5]));
        check_name(&name)?;
        if self.state.app(&name).is_some() {
            return Err(Refusal::invalid(format!("Name {name} is already taken")));
        }
        let app = App {
            id: id.clone(),
            name,
            stack: stack_named(wanted.stack.as_deref().unwrap_or("heroku-24"))?,
            maintenance: false,
            acm: false,
            config: std::collections::BTreeMap::new(),
            formation: Vec::new(),
            one_offs: Vec::new(),
            current: None,
            starting: 0,
            last_version: 0,
            created_at: self.now,
            updated_at: self.now,
            released_at: None,
        };
        let view = self.view_app(&app);
        self.state.apps.insert(id.clone(), app);
        for description in ["Initial release", "Enable Logplex"] {
            self.release(&id, description, None)?;
        }
        Ok(Answer::json(201, view))
    }

    /// `PATCH /apps/{app}`.
    pub(super) fn update_app(&mut self, app: &str, request: &Request) -> Answered {
        let wanted: Wanted = request.body()?;
        let id = self.app(app)?.id;
        if let Some(name) = &wanted.name {
            check_name(name)?;
            if self.state.app(name).is_some_and(|other| other.id != id) {
                return Err(Refusal::invalid(format!("Name {name} is already taken")));
            }
        }
        let stack = wanted.build_stack.as_deref().map(stack_named).transpose()?;
        let app = self.app_mut(&id)?;
        app.name = wanted.name.unwrap_or_else(|| app.name.clone());
        app.maintenance = wanted.maintenance.unwrap_or(app.maintenance);
        app.stack = stack.unwrap_or(app.stack);
        let app = app.clone();
        Ok(Answer::ok(self.view_app(&app)))
    }

    /// The app as the vendor shows it.
    pub(super) fn view_app(&self, app: &App) -> Value {
        let stack = json!({ "id": self.state.id_of(app.stack.name()), "name": app.stack.name() });
        let slug_size = app
            .current
            .as_ref()
            .and_then(|id| self.state.artifacts.get(self.state.releases.get(id)?.artifact.as_ref()?))
            .filter(|artifact| artifact.kind == ArtifactKind::Slug)
            .map(|_| 0);
        json!({
            "acm": app.acm,
            "archived_at": null,
            "build_stack": stack,
            "buildpack_provided_description": null,
            "created_at": moment(app.created_at),
            "generation": { "id": self.state.id_of("cedar"), "name": "cedar" },
            "git_url": format!("https://git.heroku.com/{}.git", app.name),
            "id": app.id,
            "internal_routing": null,
            "maintenance": app.maintenance,
            "name": app.name,
            "organization": null,
            "owner": { "email": self.state.about.email, "id": self.state.id_of("account") },
            "region": { "id": self.state.id_of("us"), "name": "us" },
            "released_at": app.released_at.map(moment),
            "repo_size": null,
            "slug_size": slug_size,
            "space": null,
            "stack": stack,
            "team": null,
            "updated_at": moment(app.updated_at),
            "web_url": format!("https://{}.herokuapp.com/", app.name),
        })
    }

    /// An app in short, as other resources name it.
    pub(super) fn view_app_name(&self, id: &str) -> Value {
        json!({ "id": id, "name": self.state.apps.get(id).map(|app| app.name.as_str()) })
    }
}

/// The vendor's rule for names: `^[a-z][a-z0-9-]{1,28}[a-z0-9]$`.
fn check_name(name: &str) -> Result<(), Refusal> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (3..=30).contains(&name.len())
        && name.bytes().all(inner)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-');
    if fits {
        return Ok(());
    }
    Err(Refusal::invalid(
        "Name must start with a letter, end with a letter or digit and can only contain lowercase letters, digits, and dashes.",
    ))
}

fn stack_named(name: &str) -> Result<Stack, Refusal> {
    match name {
        "container" => Ok(Stack::Container),
        "heroku-24" => Ok(Stack::Slug),
        _ => Err(Refusal::not_found("stack")),
    }
}
