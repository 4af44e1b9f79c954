//! Releases: a build under a configuration, numbered, with a release command where the app has one.

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, POLLS, Refusal, Request, moment};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::state::{App, ArtifactKind, Release, Status};

#[derive(Deserialize)]
struct Wanted {
    release: Option<String>,
    slug: Option<String>,
    description: Option<String>,
}

impl Heroku<'_> {
    /// `GET /apps/{app}/releases`.
    pub(super) fn list_releases(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let ids: Vec<String> = self.state.releases_of(&app.id).iter().map(|release| release.id.clone()).collect();
        for id in &ids {
            self.advance_release(id);
        }
        let app = self.app(&app.id)?;
        let rows =
            ids.iter().filter_map(|id| self.state.releases.get(id)).map(|row| self.view_release(&app, row)).collect();
        page(request, rows, &["version", "id"])
    }

    /// `GET /apps/{app}/releases/{id or version}`.
    pub(super) fn show_release(&mut self, app: &str, release: &str) -> Answered {
        let app = self.app(app)?.id;
        let id = self.release_named(&app, release)?.id;
        self.advance_release(&id);
        let (app, release) = (self.app(&app)?, self.release_named(&app, &id)?);
        Ok(Answer::ok(self.view_release(&app, &release)))
    }

    /// `POST /apps/{app}/releases`: a slug, or a rollback to an older release.
    pub(super) fn create_release(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let wanted: Wanted = request.body()?;
        let made = match (wanted.release, wanted.slug) {
            (Some(release), None) => self.roll_back(&app, &release)?,
            (None, Some(slug)) => self.release_slug(&app, &slug, wanted.description)?,
            _ => return Err(Refusal::invalid("Require params: slug or release.")),
        };
        let (app, release) = (self.app(&app.id)?, self.release_named(&app.id, &made)?);
        Ok(Answer::json(201, self.view_release(&app, &release)))
    }

    /// `GET /streams/{stream}`: what a release command or a build says; 404 until it has begun.
    pub(super) fn stream(&mut self, stream: &str) -> Answered {
        let release = self.state.releases.values().find(|release| release.stream.as_deref() == Some(stream));
        if let Some(id) = release.map(|release| release.id.clone()) {
            self.advance_release(&id);
            return match self.state.releases.get(&id).map(|release| release.status) {
                Some(Status::Succeeded) => Ok(Answer::text("Running release command...\nDone.\n".to_owned())),
                Some(Status::Failed) => {
                    Ok(Answer::text("Running release command...\nIt failed with exit status 1.\n".to_owned()))
                }
                _ => Err(Refusal::not_found("stream")),
            };
        }
        self.build_stream(stream)
    }

    fn roll_back(&mut self, app: &App, wanted: &str) -> Result<String, Refusal> {
        let target = self.release_named(&app.id, wanted)?;
        if !eligible(&target) {
            return Err(Refusal::invalid("Cannot roll back to a release that did not succeed."));
        }
        self.app_mut(&app.id)?.config.clone_from(&target.config);
        self.release(&app.id, &format!("Rollback to v{}", target.version), target.artifact)
    }

    fn release_slug(&mut self, app: &App, slug: &str, description: Option<String>) -> Result<String, Refusal> {
        let artifact = self.state.artifacts.get(slug).filter(|artifact| artifact.kind == ArtifactKind::Slug);
        let artifact = artifact.cloned().ok_or_else(|| Refusal::not_found("slug"))?;
        if artifact.stack != app.stack {
            return Err(Refusal::invalid(format!("Slug is not compatible with the {} stack.", app.stack.name())));
        }
        let commit = artifact.commit.as_deref().map_or("slug", |commit| commit.get(..8).unwrap_or(commit));
        let description = description.unwrap_or_else(|| format!("Deploy {commit}"));
        self.release(&app.id, &description, Some(artifact.id))
    }

    /// Makes a release of this build under the app's configuration of now.
    pub(super) fn release(
        &mut self,
        app: &str,
        description: &str,
        artifact: Option<String>,
    ) -> Result<String, Refusal> {
        self.finish_releases(app);
        let id = self.state.new_id();
        let name = self.app(app)?.name;
        let row = artifact.as_ref().and_then(|artifact| self.state.artifacts.get(artifact));
        let runs = row.is_some_and(|artifact| artifact.process_types.contains_key("release"));
        let doomed = runs && self.state.fault_of(&name, |kind| matches!(kind, FaultKind::ReleaseFails)).is_some();
        let stream = runs.then(|| self.state.new_id());
        let now = self.now;
        let app = self.app_mut(app)?;
        app.last_version += 1;
        let release = Release {
            id: id.clone(),
            app: app.id.clone(),
            version: app.last_version,
            status: Status::Pending,
            description: description.to_owned(),
            artifact,
            config: app.config.clone(),
            stream,
            left: if runs { POLLS } else { 0 },
            doomed,
            created_at: now,
            updated_at: now,
        };
        self.state.releases.insert(id.clone(), release);
        if !runs {
            self.settle_release(&id);
        }
        Ok(id)
    }

    /// What the app serves, for a release that changes only its configuration.
    pub(super) fn serving_artifact(&mut self, app: &str) -> Option<String> {
        self.finish_releases(app);
        self.state.releases.get(self.state.apps.get(app)?.current.as_ref()?)?.artifact.clone()
    }

    /// One question about a release: brings it nearer to its end.
    pub(super) fn advance_release(&mut self, id: &str) {
        let Some(release) = self.state.releases.get_mut(id) else { return };
        if release.status != Status::Pending {
            return;
        }
        release.left = release.left.saturating_sub(1);
        if release.left == 0 {
            self.settle_release(id);
        }
    }

    /// The vendor runs an app's release commands one after the other: a new one waits for those before it.
    fn finish_releases(&mut self, app: &str) {
        let pending = self.state.releases_of(app).into_iter().filter(|release| release.status == Status::Pending);
        for id in pending.map(|release| release.id.clone()).collect::<Vec<_>>() {
            self.settle_release(&id);
        }
    }

    /// Ends a release; where it succeeds the app serves it.
    pub(in crate::sandbox) fn settle_release(&mut self, id: &str) {
        let now = self.now;
        let Some(release) = self.state.releases.get_mut(id) else { return };
        release.updated_at = now;
        release.left = 0;
        if release.doomed {
            release.status = Status::Failed;
            return;
        }
        release.status = Status::Succeeded;
        let artifact = release.artifact.as_ref().and_then(|id| self.state.artifacts.get(id)).cloned();
        let Some(app) = self.state.apps.get_mut(&release.app) else { return };
        app.current = Some(id.to_owned());
        app.released_at = Some(now);
        app.starting = 1;
        let app = app.id.clone();
        if let Some(artifact) = artifact {
            self.adopt_process_types(&app, &artifact.process_types);
        }
    }

    /// The app's release with this id, number or `v` and number.
    pub(super) fn release_named(&self, app: &str, wanted: &str) -> Result<Release, Refusal> {
        let number = wanted.trim_start_matches('v').parse::<u64>().ok();
        let mut releases = self.state.releases.values().filter(|release| release.app == app);
        releases
            .find(|release| release.id == wanted || Some(release.version) == number)
            .cloned()
            .ok_or_else(|| Refusal::not_found("release"))
    }

    /// The release as the vendor shows it.
    pub(super) fn view_release(&self, app: &App, release: &Release) -> Value {
        let artifact = release.artifact.as_ref().and_then(|id| self.state.artifacts.get(id));
        let slug = artifact.filter(|artifact| artifact.kind == ArtifactKind::Slug);
        let plans: Vec<&str> =
            self.state.addons.values().filter(|addon| addon.app == app.id).map(|addon| addon.plan.as_str()).collect();
        json!({
            "addon_plan_names": plans,
            "app": { "id": app.id, "name": app.name },
            "artifacts": artifact.map(|artifact| json!({ "id": artifact.id, "type": artifact.kind })).into_iter().collect::<Vec<_>>(),
            "created_at": moment(release.created_at),
            "current": app.current.as_ref() == Some(&release.id),
            "description": release.description,
            "eligible_for_rollback": eligible(release),
            "id": release.id,
            "output_stream_url": release.stream.as_ref().map(|stream| format!("{}/streams/{stream}", self.base)),
            "slug": slug.map(|slug| json!({ "id": slug.id })),
            "status": release.status.word(),
            "updated_at": moment(release.updated_at),
            "user": { "email": self.state.about.email, "id": self.state.id_of("account") },
            "version": release.version,
        })
    }
}

/// Whether the app can go back to this release: it served, and it had something to serve.
fn eligible(release: &Release) -> bool {
    release.status == Status::Succeeded && release.artifact.is_some()
}
