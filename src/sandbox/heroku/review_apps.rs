//! Review apps: those that the world began with, and how a pipeline makes them.

use ring::digest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, Refusal, Request, moment};
use crate::sandbox::state::{ReviewApp, ReviewAppConfig};

#[derive(Deserialize)]
struct Wanted {
    automatic_review_apps: Option<bool>,
    destroy_stale_apps: Option<bool>,
    stale_days: Option<u32>,
    wait_for_ci: Option<bool>,
}

impl Heroku<'_> {
    /// `GET /pipelines/{id}/review-apps`.
    pub(super) fn list_review_apps(&self, pipeline: &str, request: &Request) -> Answered {
        let pipeline = self.pipeline(pipeline)?;
        let rows = self.state.review_apps.values().filter(|row| row.pipeline == pipeline.id);
        page(request, rows.map(|row| self.view_review_app(row)).collect(), &["id"])
    }

    /// `GET /review-apps/{id}`.
    pub(super) fn show_review_app(&self, id: &str) -> Answered {
        let found = self.state.review_apps.get(id).ok_or_else(|| Refusal::not_found("review app"))?;
        Ok(Answer::ok(self.view_review_app(found)))
    }

    /// `GET /apps/{app}/review-app`.
    pub(super) fn show_review_app_of(&self, app: &str) -> Answered {
        let app = self.app(app)?;
        let found = self.state.review_apps.values().find(|row| row.app == app.id);
        Ok(Answer::ok(self.view_review_app(found.ok_or_else(|| Refusal::not_found("review app"))?)))
    }

    /// `/pipelines/{id}/review-app-config`, with any of its four methods.
    pub(super) fn review_app_config(&mut self, method: &str, pipeline: &str, request: &Request) -> Answered {
        let id = self.pipeline(pipeline)?.id;
        let found = self.state.review_app_configs.get(&id).cloned();
        let mut config = match (method, found) {
            ("POST", Some(_)) => return Err(Refusal::invalid("Review apps are already enabled for this pipeline.")),
            ("POST", None) => ReviewAppConfig {
                pipeline: id.clone(),
                automatic: false,
                destroy_stale: false,
                stale_days: 5,
                wait_for_ci: false,
            },
            (_, Some(config)) => config,
            (_, None) => return Err(Refusal::not_found("review app config")),
        };
        if method == "DELETE" {
            self.state.review_app_configs.remove(&id);
        }
        if method == "POST" || method == "PATCH" {
            let wanted: Wanted = request.body()?;
            config.automatic = wanted.automatic_review_apps.unwrap_or(config.automatic);
            config.destroy_stale = wanted.destroy_stale_apps.unwrap_or(config.destroy_stale);
            config.stale_days = wanted.stale_days.unwrap_or(config.stale_days);
            config.wait_for_ci = wanted.wait_for_ci.unwrap_or(config.wait_for_ci);
            self.state.review_app_configs.insert(id, config.clone());
        }
        Ok(Answer::json(if method == "POST" { 201 } else { 200 }, view_config(&config)))
    }

    fn view_review_app(&self, row: &ReviewApp) -> Value {
        json!({
            "app": { "id": row.app },
            "app_setup": null,
            "branch": row.branch,
            "created_at": moment(row.created_at),
            "creator": { "id": self.state.id_of("account") },
            "error_status": null,
            "fork_repo": null,
            "id": row.id,
            "message": null,
            "pipeline": { "id": row.pipeline },
            "pr_number": row.pr_number,
            "status": "created",
            "updated_at": moment(row.updated_at),
            "wait_for_ci": false,
        })
    }
}

fn view_config(config: &ReviewAppConfig) -> Value {
    let digest = digest::digest(&digest::SHA256, config.pipeline.as_bytes());
    json!({
        "automatic_review_apps": config.automatic,
        "base_name": null,
        "deploy_target": { "id": "us", "type": "region" },
        "destroy_stale_apps": config.destroy_stale,
        "pipeline_id": config.pipeline,
        "repo": { "id": u16::from_be_bytes([digest.as_ref()[0], digest.as_ref()[1]]) },
        "stale_days": config.stale_days,
        "wait_for_ci": config.wait_for_ci,
    })
}
