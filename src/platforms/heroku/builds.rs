//! What an app runs, and how a commit gets there: the source archive is put up, and a build made of it.

use std::collections::BTreeMap;

use super::App;
use super::api::{Build, Release, Slug, Source};
use super::releases::current;
use crate::promote::{self, Observed, PlatformError, Receipt, Settled, Stack, State};
use crate::system::http::{Body, Call, WriteClient};

/// Asking for an address to put an archive to changes nothing and may be repeated.
const ADDRESSES: usize = 3;

impl App {
    /// The build that runs: its commit, slug and release.
    pub(super) async fn observe_build(&self) -> Result<Observed, PlatformError> {
        let stack = self.stack().await?;
        let releases = self.newest_releases().await?;
        let Some(release) = current(&releases) else {
            return Ok(Observed { state: State::Absent, version: None, restores: Vec::new() });
        };
        let slug = release.slug.as_ref().map(|slug| slug.id.clone());
        let commit = match (stack, &slug) {
            (Stack::Slug, Some(slug)) => self.slug_commit(slug).await?,
            _ => self.build_behind(release, &releases).await?,
        };
        let build = promote::Build { commit, stack, slug, image: None, release: Some(release.id.clone()) };
        Ok(Observed { state: State::Build(build), ..super::observed_in(release, State::Absent) })
    }

    pub(super) async fn stack(&self) -> Result<Stack, PlatformError> {
        Ok(if self.app().await?.stack.name == "container" { Stack::Container } else { Stack::Slug })
    }

    async fn slug_commit(&self, slug: &str) -> Result<Option<String>, PlatformError> {
        let segments = ["apps", &self.name, "slugs", slug];
        let answer = self.http.get(&Call::new(&segments)).await.and_then(|answer| answer.json::<Slug>());
        let slug = answer.map_err(|error| self.failed("read a slug", error))?;
        Ok(slug.commit.and_then(whole_commit))
    }

    /// The commit that was built into `release`. A release made by a config change runs the build of the one that served
    /// before it, and a rollback the build of its target.
    async fn build_behind(&self, release: &Release, newest: &[Release]) -> Result<Option<String>, PlatformError> {
        let builds = self.builds().await?;
        let mut release = release.clone();
        // Each step goes to an older release, so that this ends.
        loop {
            let slug = release.slug.as_ref().map(|slug| &slug.id);
            let made = builds.iter().find(|build| {
                let same_slug = slug.is_some() && build.slug.as_ref().map(|slug| &slug.id) == slug;
                same_slug || build.release.as_ref().is_some_and(|made| made.id == release.id)
            });
            if let Some(build) = made {
                return Ok(build.source_blob.version.clone().and_then(whole_commit));
            }
            let target = rollback_target(&release.description).filter(|target| *target < release.version);
            let older = match target {
                Some(target) => self.release(&target.to_string()).await?,
                None => {
                    let before = release.version;
                    match newest.iter().find(|older| older.version < before && older.status == "succeeded") {
                        Some(older) => older.clone(),
                        None => return Ok(None),
                    }
                }
            };
            release = older;
        }
    }

    async fn builds(&self) -> Result<Vec<Build>, PlatformError> {
        let segments = ["apps", &self.name, "builds"];
        let call = Call::new(&segments).header("range", "id ..; max=1000");
        self.http.list(&call).await.map_err(|error| self.failed("read the builds", error))
    }

    /// The newest builds' moment and ids. The moment is in seconds, in which several builds may fall.
    pub(super) async fn build_watermark(&self) -> Result<String, PlatformError> {
        let builds = self.builds().await?;
        let Some(newest) = builds.iter().map(|build| &build.created_at).max() else { return Ok(String::new()) };
        let ids: Vec<_> =
            builds.iter().filter(|build| build.created_at == *newest).map(|build| build.id.as_str()).collect();
        Ok(format!("{newest} {}", ids.join(",")))
    }

    /// Whether a build of `commit` was made since the watermark.
    pub(super) async fn adopt_build(&self, commit: &str, since: &str) -> Result<Option<Receipt>, PlatformError> {
        let (moment, ids) = since.split_once(' ').unwrap_or((since, ""));
        let builds = self.builds().await?;
        let mut newer = builds.iter().filter(|build| {
            let after = build.created_at.as_str() >= moment && !ids.split(',').any(|id| id == build.id);
            after && build.source_blob.version.as_deref() == Some(commit)
        });
        Ok(newer.next().map(|build| receipt_of_build(&build.id)))
    }

    /// Whether a build, and the release that it makes, have ended.
    pub(super) async fn build_settled(&self, id: &str) -> Result<Settled, PlatformError> {
        let build: Build = self.get_made(&["apps", &self.name, "builds", id], "read the build").await?;
        Ok(match (build.status.as_str(), &build.release) {
            ("failed", _) => {
                Settled::Failed(format!("the build failed: see `heroku builds:output {id} -a {}`", self.name))
            }
            ("succeeded", Some(release)) => {
                let notes = BTreeMap::from([("build".to_owned(), id.to_owned())]);
                self.release_settled(&release.id, notes).await?
            }
            ("succeeded", None) => Settled::Waiting("the release of the build".into()),
            _ => Settled::Waiting("the build".into()),
        })
    }

    /// Puts the commit's tree up and makes a build of it.
    pub(super) async fn build(
        &self,
        http: &WriteClient,
        commit: &str,
        source: &dyn promote::Source,
    ) -> Result<Receipt, PlatformError> {
        let action = "build the commit";
        let archive = source.archive(commit).map_err(|error| PlatformError::new(&self.target, action, error))?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &archive);
        let checksum: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let addresses = self.source_addresses(http).await?.source_blob;
        let put = http.upload(&addresses.put_url.0, archive).await;
        put.map_err(|error| self.failed("put up the source archive", error))?;
        let body = serde_json::json!({
            "source_blob": {
                "url": addresses.get_url.0.expose_secret(),
                "version": commit,
                "checksum": format!("SHA256:{checksum}"),
            }
        });
        let body = Body::json(&body).map_err(|error| self.failed(action, error))?;
        let segments = ["apps", &self.name, "builds"];
        let answer = http.post(&Call::new(&segments), &body).await.map_err(|error| self.failed(action, error))?;
        let build: Build = answer.json().map_err(|error| self.failed(action, error).fate_unknown())?;
        Ok(receipt_of_build(&build.id))
    }

    async fn source_addresses(&self, http: &WriteClient) -> Result<Source, PlatformError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match http.post(&Call::new(&["sources"]), &Body::default()).await.and_then(|answer| answer.json()) {
                Err(error) if error.is_unanswered() && tries < ADDRESSES => {}
                Err(error) => {
                    let mut failed = self.failed("ask where to put the source archive", error);
                    failed.fate = promote::Fate::NotProcessed;
                    return Err(failed);
                }
                Ok(source) => return Ok(source),
            }
        }
    }
}

/// `Rollback to v41` → 41.
fn rollback_target(description: &str) -> Option<u64> {
    description.to_lowercase().strip_prefix("rollback to v")?.split_whitespace().next()?.parse().ok()
}

/// Only a whole commit id names a commit for certain.
fn whole_commit(text: String) -> Option<String> {
    (text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())).then_some(text)
}

fn receipt_of_build(id: &str) -> Receipt {
    Receipt { id: format!("build/{id}"), notes: BTreeMap::new() }
}
