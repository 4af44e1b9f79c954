//! Pipelines and the apps' places in them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, Refusal, Request, moment};
use crate::sandbox::state::{Coupling, Pipeline};

const STAGES: [&str; 5] = ["test", "review", "development", "staging", "production"];

#[derive(Deserialize)]
struct NewPipeline {
    name: String,
}

#[derive(Deserialize)]
struct NewCoupling {
    app: String,
    pipeline: String,
    stage: String,
}

#[derive(Deserialize)]
struct NewStage {
    stage: String,
}

impl Heroku<'_> {
    /// `GET /pipelines`, with the client's undocumented `eq[name]`.
    pub(super) fn list_pipelines(&self, request: &Request) -> Answered {
        let wanted = request.query.iter().find(|(name, _)| name == "eq[name]").map(|(_, value)| value);
        let rows = self.state.pipelines.values().filter(|row| wanted.is_none_or(|name| &row.name == name));
        page(request, rows.map(|row| self.view_pipeline(row)).collect(), &["id", "name"])
    }

    /// `GET /pipelines/{id or name}`.
    pub(super) fn show_pipeline(&self, pipeline: &str) -> Answered {
        Ok(Answer::ok(self.view_pipeline(&self.pipeline(pipeline)?)))
    }

    /// `POST /pipelines`.
    pub(super) fn create_pipeline(&mut self, request: &Request) -> Answered {
        let wanted: NewPipeline = request.body().map_err(|_| Refusal::invalid("Require params: name."))?;
        let fits = (3..=30).contains(&wanted.name.len())
            && wanted.name.starts_with(|first: char| first.is_ascii_lowercase())
            && wanted.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !fits {
            return Err(Refusal::invalid("Name is invalid."));
        }
        let id = self.state.new_id();
        let row = Pipeline { id: id.clone(), name: wanted.name, created_at: self.now, updated_at: self.now };
        let view = self.view_pipeline(&row);
        self.state.pipelines.insert(id, row);
        Ok(Answer::json(201, view))
    }

    /// `GET /pipelines/{id}/pipeline-couplings`.
    pub(super) fn list_couplings(&self, pipeline: &str, request: &Request) -> Answered {
        let pipeline = self.pipeline(pipeline)?;
        page(request, self.couplings_of(&pipeline.id).map(|row| self.view_coupling(row)).collect(), &["id"])
    }

    /// `GET /pipelines/{id}/latest-releases`.
    pub(super) fn list_latest_releases(&self, pipeline: &str, request: &Request) -> Answered {
        let pipeline = self.pipeline(pipeline)?;
        let latest = |coupling: &Coupling| {
            let app = self.state.apps.get(&coupling.app)?;
            // Here the artifacts are one object, not a list: so the vendor's schema has it.
            let mut view = self.view_release(app, self.state.releases_of(&app.id).last()?);
            if let Some(artifacts) = view.get_mut("artifacts") {
                *artifacts = artifacts.get(0).cloned().unwrap_or_else(|| json!({}));
            }
            Some(view)
        };
        page(request, self.couplings_of(&pipeline.id).filter_map(latest).collect(), &["id"])
    }

    /// `GET /pipelines/{id}/latest-builds`.
    pub(super) fn list_latest_builds(&self, pipeline: &str, request: &Request) -> Answered {
        let pipeline = self.pipeline(pipeline)?;
        let latest = |coupling: &Coupling| {
            let builds = self.state.builds.values().filter(|build| build.app == coupling.app);
            builds.max_by_key(|build| build.created_at).map(|build| self.view_build(build))
        };
        page(request, self.couplings_of(&pipeline.id).filter_map(latest).collect(), &["id"])
    }

    /// `GET /pipelines/{id}/repo`: the repository that the pipeline is connected to.
    pub(super) fn show_repository(&self, pipeline: &str) -> Answered {
        let pipeline = self.pipeline(pipeline)?;
        Ok(Answer::ok(json!({
            "full_name": format!("example/{}", pipeline.name),
            "id": self.state.id_of(&format!("repository {}", pipeline.id)),
            "type": "github",
        })))
    }

    /// `GET /apps/{app}/pipeline-couplings`: one object, or 404.
    pub(super) fn show_coupling_of(&self, app: &str) -> Answered {
        let app = self.app(app)?;
        let coupling = self.state.coupling_of(&app.id).ok_or_else(|| Refusal::not_found("pipeline coupling"))?;
        Ok(Answer::ok(self.view_coupling(coupling)))
    }

    /// `POST /pipeline-couplings`.
    pub(super) fn create_coupling(&mut self, request: &Request) -> Answered {
        let wanted: NewCoupling =
            request.body().map_err(|_| Refusal::invalid("Require params: app, pipeline, stage."))?;
        let (app, pipeline) = (self.app(&wanted.app)?, self.pipeline(&wanted.pipeline)?);
        check_stage(&wanted.stage)?;
        if self.state.coupling_of(&app.id).is_some() {
            return Err(Refusal::invalid("App is already added to a pipeline."));
        }
        let coupling = Coupling {
            id: self.state.new_id(),
            app: app.id,
            pipeline: pipeline.id,
            stage: wanted.stage,
            created_at: self.now,
            updated_at: self.now,
        };
        let view = self.view_coupling(&coupling);
        self.state.couplings.insert(coupling.id.clone(), coupling);
        Ok(Answer::json(201, view))
    }

    /// `GET /pipeline-couplings/{id}`.
    pub(super) fn show_coupling(&self, coupling: &str) -> Answered {
        Ok(Answer::ok(self.view_coupling(&self.coupling(coupling)?)))
    }

    /// `PATCH /pipeline-couplings/{id}`.
    pub(super) fn update_coupling(&mut self, coupling: &str, request: &Request) -> Answered {
        let mut coupling = self.coupling(coupling)?;
        let wanted: NewStage = request.body().map_err(|_| Refusal::invalid("Require params: stage."))?;
        check_stage(&wanted.stage)?;
        coupling.stage = wanted.stage;
        coupling.updated_at = self.now;
        let view = self.view_coupling(&coupling);
        self.state.couplings.insert(coupling.id.clone(), coupling);
        Ok(Answer::ok(view))
    }

    /// `DELETE /pipeline-couplings/{id}`.
    pub(super) fn delete_coupling(&mut self, coupling: &str) -> Answered {
        let coupling = self.coupling(coupling)?;
        let view = self.view_coupling(&coupling);
        self.state.couplings.remove(&coupling.id);
        Ok(Answer::ok(view))
    }

    /// The pipeline with this id, or the first with this name.
    pub(super) fn pipeline(&self, id_or_name: &str) -> Result<Pipeline, Refusal> {
        let row = self.state.pipelines.get(id_or_name);
        let row = row.or_else(|| self.state.pipelines.values().find(|row| row.name == id_or_name));
        row.cloned().ok_or_else(|| Refusal::not_found("pipeline"))
    }

    /// The places in a pipeline.
    pub(super) fn couplings_of<'a>(&'a self, pipeline: &'a str) -> impl Iterator<Item = &'a Coupling> {
        self.state.couplings.values().filter(move |coupling| coupling.pipeline == pipeline)
    }

    fn coupling(&self, id: &str) -> Result<Coupling, Refusal> {
        self.state.couplings.get(id).cloned().ok_or_else(|| Refusal::not_found("pipeline coupling"))
    }

    fn view_pipeline(&self, pipeline: &Pipeline) -> Value {
        json!({
            "created_at": moment(pipeline.created_at),
            "generation": { "id": self.state.id_of("cedar"), "name": "cedar" },
            "id": pipeline.id,
            "name": pipeline.name,
            "owner": { "id": self.state.id_of("account"), "type": "user" },
            "updated_at": moment(pipeline.updated_at),
        })
    }

    /// With the pipeline's name, which the schema leaves out and the vendor's client prints.
    fn view_coupling(&self, coupling: &Coupling) -> Value {
        let name = self.state.pipelines.get(&coupling.pipeline).map(|pipeline| pipeline.name.as_str());
        json!({
            "app": { "id": coupling.app },
            "created_at": moment(coupling.created_at),
            "id": coupling.id,
            "pipeline": { "id": coupling.pipeline, "name": name },
            "stage": coupling.stage,
            "updated_at": moment(coupling.updated_at),
        })
    }
}

fn check_stage(stage: &str) -> Result<(), Refusal> {
    if STAGES.contains(&stage) { Ok(()) } else { Err(Refusal::invalid(format!("{stage} is not a valid stage."))) }
}
