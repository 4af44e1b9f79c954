//! Pipeline promotions: a slug of one app released on others, and what the vendor refuses.

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, Refusal, Request, moment};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::state::{App, Promotion, PromotionTarget, Release, Stack, Status};

#[derive(Deserialize)]
struct Wanted {
    pipeline: Id,
    source: Source,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Source {
    app: Id,
    release: Option<Id>,
}

#[derive(Deserialize)]
struct Target {
    app: Id,
}

impl Heroku<'_> {
    /// `POST /pipeline-promotions`.
    pub(super) fn promote(&mut self, request: &Request) -> Answered {
        let wanted: Wanted =
            request.body().map_err(|_| Refusal::invalid("Require params: pipeline, source, targets."))?;
        let pipeline = self.pipeline(&wanted.pipeline.id)?;
        let source = self.app(&wanted.source.app.id)?;
        let release = self.promotable(&pipeline.id, &source, wanted.source.release.map(|release| release.id))?;
        if wanted.targets.is_empty() {
            return Err(Refusal::invalid("Require params: targets."));
        }
        let mut apps = Vec::new();
        for target in &wanted.targets {
            let app = self.app(&target.app.id)?;
            self.check_coupled(&pipeline.id, &app)?;
            if app.id == source.id {
                return Err(Refusal::invalid("Cannot promote an app to itself."));
            }
            if app.stack == Stack::Container {
                return Err(container_refusal());
            }
            apps.push(app);
        }
        let mut targets = Vec::new();
        for app in apps {
            targets.push(self.promote_to(&app, &source, &release)?);
        }
        let promotion = Promotion {
            id: self.state.new_id(),
            pipeline: pipeline.id,
            app: source.id,
            release: release.id,
            targets,
            created_at: self.now,
            updated_at: self.now,
        };
        let view = view_promotion(&promotion);
        self.state.promotions.insert(promotion.id.clone(), promotion);
        Ok(Answer::json(201, view))
    }

    /// `GET /pipeline-promotions/{id}`.
    pub(super) fn show_promotion(&mut self, promotion: &str) -> Answered {
        Ok(Answer::ok(view_promotion(&self.advance_promotion(promotion)?)))
    }

    /// `GET /pipeline-promotions/{id}/promotion-targets`. The first answer has no releases yet.
    pub(super) fn list_targets(&mut self, promotion: &str, request: &Request) -> Answered {
        let promotion = self.advance_promotion(promotion)?;
        let view = |target: &PromotionTarget| {
            let release = target.release.as_ref().filter(|_| target.told);
            json!({
                "app": { "id": target.app },
                "error_message": target.error,
                "id": target.id,
                "pipeline_promotion": { "id": promotion.id },
                "release": release.map(|id| json!({ "id": id })),
                "status": target.status.word(),
            })
        };
        let answer = page(request, promotion.targets.iter().map(view).collect(), &["id"])?;
        if let Some(row) = self.state.promotions.get_mut(&promotion.id) {
            for target in &mut row.targets {
                target.told = true;
            }
        }
        Ok(answer)
    }

    /// The release to promote: succeeded, with a slug, of an app whose stage can be promoted from.
    fn promotable(&mut self, pipeline: &str, source: &App, wanted: Option<String>) -> Result<Release, Refusal> {
        let stage = self.check_coupled(pipeline, source)?;
        if source.stack == Stack::Container {
            return Err(container_refusal());
        }
        if stage == "review" || stage == "test" {
            return Err(Refusal::invalid(format!("Cannot promote from the {stage} stage.")));
        }
        let release = match wanted.or_else(|| source.current.clone()) {
            Some(id) => self.release_named(&source.id, &id)?,
            None => return Err(Refusal::invalid("The source app has no release to promote.")),
        };
        if release.status != Status::Succeeded || release.artifact.is_none() {
            return Err(Refusal::invalid("The source release has nothing to promote."));
        }
        Ok(release)
    }

    fn check_coupled(&self, pipeline: &str, app: &App) -> Result<String, Refusal> {
        let coupling = self.state.coupling_of(&app.id).filter(|coupling| coupling.pipeline == pipeline);
        coupling
            .map(|coupling| coupling.stage.clone())
            .ok_or_else(|| Refusal::invalid(format!("{} is not in the pipeline.", app.name)))
    }

    fn promote_to(&mut self, app: &App, source: &App, release: &Release) -> Result<PromotionTarget, Refusal> {
        let id = self.state.new_id();
        let fault = self.state.fault_of(&app.name, |kind| matches!(kind, FaultKind::PromotionFails { .. }));
        if let Some(FaultKind::PromotionFails { message }) = fault {
            let error = Some(message);
            return Ok(PromotionTarget {
                id,
                app: app.id.clone(),
                release: None,
                told: true,
                status: Status::Failed,
                error,
            });
        }
        let description = format!("Promote {} v{} {}", source.name, release.version, &release.id[..8]);
        let made = self.release(&app.id, &description, release.artifact.clone())?;
        let (release, status) = (Some(made), Status::Pending);
        Ok(PromotionTarget { id, app: app.id.clone(), release, told: false, status, error: None })
    }

    fn advance_promotion(&mut self, id: &str) -> Result<Promotion, Refusal> {
        let mut promotion = self.state.promotions.get(id).cloned().ok_or_else(|| Refusal::not_found("promotion"))?;
        for target in promotion.targets.iter_mut().filter(|target| target.status == Status::Pending && target.told) {
            let Some(release) = target.release.clone() else { continue };
            self.advance_release(&release);
            target.status = self.state.releases.get(&release).map_or(Status::Failed, |release| release.status);
            if target.status == Status::Failed {
                target.error = Some("Release command failed.".to_owned());
            }
            promotion.updated_at = self.now;
        }
        self.state.promotions.insert(id.to_owned(), promotion.clone());
        Ok(promotion)
    }
}

/// *Source*: the API's own words, as a public project recorded them.
fn container_refusal() -> Refusal {
    Refusal::invalid("Pipeline promotions are not supported on apps pushed via Heroku Container Registry.")
}

fn view_promotion(promotion: &Promotion) -> Value {
    let pending = promotion.targets.iter().any(|target| target.status == Status::Pending);
    json!({
        "created_at": moment(promotion.created_at),
        "id": promotion.id,
        "pipeline": { "id": promotion.pipeline },
        "source": { "app": { "id": promotion.app }, "release": { "id": promotion.release } },
        "status": if pending { "pending" } else { "completed" },
        "updated_at": moment(promotion.updated_at),
    })
}
