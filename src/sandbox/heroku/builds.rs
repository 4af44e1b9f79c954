//! Sources, their upload, and builds of them.

use std::collections::BTreeMap;

use ring::digest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, POLLS, Refusal, Request, moment};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::state::{Artifact, ArtifactKind, Build, Source, Stack, Status, hex};

#[derive(Deserialize)]
struct Wanted {
    source_blob: SourceBlob,
}

#[derive(Deserialize)]
struct SourceBlob {
    url: Option<String>,
    version: Option<String>,
    version_description: Option<String>,
    checksum: Option<String>,
}

impl Heroku<'_> {
    /// `POST /sources`: two addresses that need no token, for anybody who knows them.
    pub(super) fn create_source(&mut self) -> Answer {
        let id = self.state.new_id();
        let url = format!("{}/uploads/{id}", self.base);
        self.state.sources.insert(id.clone(), Source { id, sha256: None, size: 0, gzip: false });
        Answer::json(201, json!({ "source_blob": { "get_url": url, "put_url": url } }))
    }

    /// `PUT` of the archive. Its bytes are not kept: a build needs to know only what they were.
    pub(super) fn upload(&mut self, source: &str, request: &Request) -> Answered {
        let source = self.state.sources.get_mut(source).ok_or_else(|| Refusal::not_found("source"))?;
        source.sha256 = Some(hex(digest::digest(&digest::SHA256, &request.body).as_ref()));
        source.size = request.body.len() as u64;
        source.gzip = request.body.starts_with(&[0x1f, 0x8b]);
        Ok(Answer::empty(200))
    }

    /// `POST /apps/{app}/builds`.
    pub(super) fn create_build(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let blob = request.body::<Wanted>().map_err(|_| Refusal::invalid("Require params: source_blob."))?.source_blob;
        let url = blob.url.ok_or_else(|| Refusal::invalid("Require params: source_blob.url."))?;
        let id = self.state.new_id();
        let stream = self.state.new_id();
        let doom = match self.state.fault_of(&app.name, |kind| matches!(kind, FaultKind::BuildFails)) {
            Some(_) => Some("the build command exits with status 1".to_owned()),
            None => self.source_trouble(&url, blob.checksum.as_deref()),
        };
        let build = Build {
            id: id.clone(),
            app: app.id,
            status: Status::Pending,
            stack: app.stack,
            url,
            version: blob.version,
            version_description: blob.version_description,
            checksum: blob.checksum,
            artifact: None,
            release: None,
            stream,
            left: POLLS,
            doom,
            created_at: self.now,
            updated_at: self.now,
        };
        let view = self.view_build(&build);
        self.state.builds.insert(id, build);
        Ok(Answer::json(201, view))
    }

    /// `GET /apps/{app}/builds`.
    pub(super) fn list_builds(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?.id;
        let ids: Vec<String> =
            self.state.builds.values().filter(|row| row.app == app).map(|row| row.id.clone()).collect();
        for id in &ids {
            self.advance_build(id)?;
        }
        let mut rows: Vec<&Build> = ids.iter().filter_map(|id| self.state.builds.get(id)).collect();
        rows.sort_by_key(|build| build.created_at);
        page(request, rows.into_iter().map(|row| self.view_build(row)).collect(), &["created_at", "id"])
    }

    /// `GET /apps/{app}/builds/{build}`.
    pub(super) fn show_build(&mut self, app: &str, build: &str) -> Answered {
        let app = self.app(app)?.id;
        let found = self.state.builds.get(build).filter(|row| row.app == app).map(|row| row.id.clone());
        let id = found.ok_or_else(|| Refusal::not_found("build"))?;
        self.advance_build(&id)?;
        let build = self.state.builds.get(&id).ok_or_else(|| Refusal::not_found("build"))?;
        Ok(Answer::ok(self.view_build(build)))
    }

    /// What a build says; brings it nearer to its end as any question does.
    pub(super) fn build_stream(&mut self, stream: &str) -> Answered {
        let found = self.state.builds.values().find(|build| build.stream == stream).map(|build| build.id.clone());
        let id = found.ok_or_else(|| Refusal::not_found("stream"))?;
        self.advance_build(&id)?;
        let build = self.state.builds.get(&id).ok_or_else(|| Refusal::not_found("stream"))?;
        let mut text = format!("Fetching source code... {}\n", build.version.as_deref().unwrap_or("unknown version"));
        match (build.status, &build.doom) {
            (Status::Pending, _) => {}
            (Status::Failed, Some(doom)) => text.push_str(&format!("Build failed: {doom}\n")),
            _ => text.push_str("Built and pushed.\n"),
        }
        Ok(Answer::text(text))
    }

    /// Why no build can come of this source, if so.
    fn source_trouble(&self, url: &str, checksum: Option<&str>) -> Option<String> {
        let id = url.strip_prefix(self.base).and_then(|path| path.strip_prefix("/uploads/"));
        let Some(source) = id.and_then(|id| self.state.sources.get(id)) else {
            return Some("the source cannot be fetched".to_owned());
        };
        let Some(sha256) = &source.sha256 else {
            return Some("the source was never uploaded".to_owned());
        };
        if !source.gzip {
            return Some("the source is not a gzipped tar archive".to_owned());
        }
        let wanted = checksum.and_then(|text| text.strip_prefix("SHA256:"));
        (checksum.is_some() && wanted != Some(sha256)).then(|| "the source's checksum differs".to_owned())
    }

    fn advance_build(&mut self, id: &str) -> Result<(), Refusal> {
        let Some(build) = self.state.builds.get_mut(id).filter(|build| build.status == Status::Pending) else {
            return Ok(());
        };
        build.left = build.left.saturating_sub(1);
        if build.left == 0 {
            self.finish_build(id)?;
        }
        Ok(())
    }

    /// Ends a build; the id of its release where it succeeds.
    pub(in crate::sandbox) fn finish_build(&mut self, id: &str) -> Result<Option<String>, Refusal> {
        let now = self.now;
        let build = self.state.builds.get_mut(id).ok_or_else(|| Refusal::not_found("build"))?;
        build.updated_at = now;
        if build.doom.is_some() {
            build.status = Status::Failed;
            return Ok(None);
        }
        build.status = Status::Succeeded;
        let build = build.clone();
        let formation = self.app(&build.app)?.formation;
        let artifact = Artifact {
            id: self.state.new_id(),
            app: build.app.clone(),
            kind: if build.stack == Stack::Container { ArtifactKind::OciImage } else { ArtifactKind::Slug },
            stack: build.stack,
            commit: build.version.clone(),
            commit_description: build.version_description,
            checksum: build.checksum,
            // What the source declares is not read: a new build has the processes of the one before.
            process_types: formation
                .into_iter()
                .map(|process| (process.kind, process.command))
                .collect::<BTreeMap<_, _>>(),
            created_at: now,
        };
        let commit = build.version.as_deref().map_or("source", |commit| commit.get(..8).unwrap_or(commit)).to_owned();
        let made = artifact.id.clone();
        self.state.artifacts.insert(made.clone(), artifact);
        let release = self.release(&build.app, &format!("Deploy {commit}"), Some(made.clone()))?;
        if let Some(build) = self.state.builds.get_mut(id) {
            build.artifact = Some(made);
            build.release = Some(release.clone());
        }
        Ok(Some(release))
    }

    /// The build as the vendor shows it.
    pub(super) fn view_build(&self, build: &Build) -> Value {
        let slug = build.artifact.as_ref().filter(|_| build.stack == Stack::Slug);
        json!({
            "app": { "id": build.app },
            "buildpacks": null,
            "created_at": moment(build.created_at),
            "generation": "cedar",
            "id": build.id,
            "output_stream_url": format!("{}/streams/{}", self.base, build.stream),
            "release": build.release.as_ref().map(|id| json!({ "id": id })),
            "slug": slug.map(|id| json!({ "id": id })),
            "source_blob": {
                "checksum": build.checksum,
                "url": build.url,
                "version": build.version,
                "version_description": build.version_description,
            },
            "stack": build.stack.name(),
            "status": build.status.word(),
            "updated_at": moment(build.updated_at),
            "user": { "email": self.state.about.email, "id": self.state.id_of("account") },
        })
    }
}
