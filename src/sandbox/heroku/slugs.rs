//! What builds make: slugs, and images.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Answered, Heroku, Refusal, Request, moment};
use crate::sandbox::state::{Artifact, ArtifactKind};

#[derive(Deserialize)]
struct Wanted {
    process_types: BTreeMap<String, String>,
    commit: Option<String>,
    commit_description: Option<String>,
    checksum: Option<String>,
}

impl Heroku<'_> {
    /// `POST /apps/{app}/slugs`.
    pub(super) fn create_slug(&mut self, app: &str, request: &Request) -> Answered {
        let app = self.app(app)?;
        let wanted: Wanted = request.body().map_err(|_| Refusal::invalid("Require params: process_types."))?;
        let slug = Artifact {
            id: self.state.new_id(),
            app: app.id,
            kind: ArtifactKind::Slug,
            stack: app.stack,
            commit: wanted.commit,
            commit_description: wanted.commit_description,
            checksum: wanted.checksum,
            process_types: wanted.process_types,
            created_at: self.now,
        };
        let view = self.view_slug(&slug);
        self.state.artifacts.insert(slug.id.clone(), slug);
        Ok(Answer::json(201, view))
    }

    /// `GET /apps/{app}/slugs/{slug}`.
    pub(super) fn show_slug(&self, app: &str, slug: &str) -> Answered {
        self.app(app)?;
        let slug = self.state.artifacts.get(slug).filter(|artifact| artifact.kind == ArtifactKind::Slug);
        slug.map(|slug| Answer::ok(self.view_slug(slug))).ok_or_else(|| Refusal::not_found("slug"))
    }

    /// `GET /apps/{app}/oci-images/{image}`, which the vendor answers with a list.
    pub(super) fn show_images(&self, app: &str, image: &str) -> Answered {
        let app = self.app(app)?.id;
        let found = self.state.artifacts.get(image).filter(|row| row.kind == ArtifactKind::OciImage && row.app == app);
        found.map(|image| Answer::ok(json!([self.view_image(image)]))).ok_or_else(|| Refusal::not_found("image"))
    }

    fn view_slug(&self, slug: &Artifact) -> Value {
        json!({
            "blob": { "method": "GET", "url": format!("{}/uploads/{}", self.base, slug.id) },
            "buildpack_provided_description": null,
            "checksum": slug.checksum,
            "commit": slug.commit,
            "commit_description": slug.commit_description.as_deref().unwrap_or_default(),
            "created_at": moment(slug.created_at),
            "deleted_at": null,
            "id": slug.id,
            "process_types": slug.process_types,
            "size": 0,
            "stack": { "id": self.state.id_of(slug.stack.name()), "name": slug.stack.name() },
            "updated_at": moment(slug.created_at),
        })
    }

    fn view_image(&self, image: &Artifact) -> Value {
        let process = |(kind, command): (&String, &String)| {
            let body = json!({ "command": command, "default": kind == "web", "display_cmd": command, "name": kind, "working_dir": "/app" });
            (kind.clone(), body)
        };
        // An image is named by what it holds; here that is its commit on its app.
        let digest = format!("{}{}", self.state.id_of(&image.id), self.state.id_of(&image.app)).replace('-', "");
        json!({
            "architecture": "amd64",
            "base_image_name": "heroku/heroku:24",
            "base_top_layer": format!("sha256:{digest}"),
            "buildpacks": [],
            "commit": image.commit.as_deref().unwrap_or_default(),
            "commit_description": image.commit_description.as_deref().unwrap_or_default(),
            "created_at": moment(image.created_at),
            "deleted_at": null,
            "digest": format!("sha256:{digest}"),
            "id": image.id,
            "image_repo": format!("{}/builds", image.app),
            "process_types": image.process_types.iter().map(process).collect::<Map<_, _>>(),
            "stack": { "id": self.state.id_of(image.stack.name()), "name": image.stack.name() },
            "updated_at": moment(image.created_at),
        })
    }
}
