//! Releases: the current one, newer ones than a watermark, and what became of one.

use std::collections::BTreeMap;

use super::App;
use super::api::{Id, Release};
use crate::promote::{PlatformError, Receipt, Settled, Verdict};
use crate::system::http::{Body, Call, WriteClient};

/// Enough to find the current release behind a run of failed ones.
const NEWEST: &str = "version ..; order=desc,max=50";

impl App {
    /// The newest releases, newest first.
    pub(super) async fn newest_releases(&self) -> Result<Vec<Release>, PlatformError> {
        let segments = ["apps", &self.name, "releases"];
        let call = Call::new(&segments).header("range", NEWEST);
        // One page on purpose, though the answer says 206.
        let answer = self.http.get(&call).await.and_then(|answer| answer.json());
        answer.map_err(|error| self.failed("read the releases", error))
    }

    /// The release that serves now.
    pub(super) async fn current_release(&self) -> Result<Option<Release>, PlatformError> {
        Ok(current(&self.newest_releases().await?).cloned())
    }

    /// The newest release's number, 0 before the first.
    pub(super) async fn release_watermark(&self) -> Result<u64, PlatformError> {
        Ok(self.newest_releases().await?.first().map_or(0, |release| release.version))
    }

    /// Every release after number `since`, oldest first.
    pub(super) async fn releases_after(&self, since: u64) -> Result<Vec<Release>, PlatformError> {
        let segments = ["apps", &self.name, "releases"];
        let call = Call::new(&segments).header("range", format!("version {since}..; max=1000"));
        let releases: Vec<Release> =
            self.http.list(&call).await.map_err(|error| self.failed("read the releases", error))?;
        let mut newer: Vec<_> = releases.into_iter().filter(|release| release.version > since).collect();
        newer.sort_by_key(|release| release.version);
        Ok(newer)
    }

    /// One release, by its id or its number.
    pub(super) async fn release(&self, id: &str) -> Result<Release, PlatformError> {
        self.get_made(&["apps", &self.name, "releases", id], "read a release").await
    }

    /// Whether a release has ended, its release command included.
    pub(super) async fn release_settled(
        &self,
        id: &str,
        mut notes: BTreeMap<String, String>,
    ) -> Result<Settled, PlatformError> {
        let release = self.release(id).await?;
        let version = format!("v{}", release.version);
        Ok(match release.status.as_str() {
            "succeeded" => {
                notes.insert("release".into(), version);
                if let Some(Id { id }) = release.slug {
                    notes.insert("slug".into(), id);
                }
                Settled::Done(Receipt { id: format!("release/{id}"), notes })
            }
            "failed" => Settled::Failed(format!(
                "the release command of {version} failed, and the release before it still serves: see `heroku releases:output {version} -a {}`",
                self.name
            )),
            "expired" => Settled::Failed(format!("{version} has expired")),
            // "pending", and whatever is added later.
            _ => Settled::Waiting(format!("the release command of {version}")),
        })
    }

    /// Whether the newest release is there and well: the check `release: succeeded`.
    pub(super) async fn release_verdict(&self) -> Result<Verdict, PlatformError> {
        let releases = self.newest_releases().await?;
        let Some(newest) = releases.first() else { return Ok(Verdict::Bad("there is no release".into())) };
        let version = newest.version;
        Ok(match newest.status.as_str() {
            "succeeded" => Verdict::Good(format!("v{version} succeeded")),
            "failed" | "expired" => Verdict::Bad(format!("v{version} {}", newest.status)),
            _ => Verdict::Waiting(format!("the release command of v{version}")),
        })
    }

    /// Whether a rollback to `version` was made after number `since`.
    pub(super) async fn adopt_rollback(&self, version: &str, since: u64) -> Result<Option<Receipt>, PlatformError> {
        let newer = self.releases_after(since).await?;
        if newer.is_empty() {
            return Ok(None);
        }
        let target = self.release(version).await?;
        let words = format!("rollback to v{}", target.version);
        let made = newer.into_iter().find(|release| release.description.to_lowercase().starts_with(&words));
        Ok(made.map(|release| receipt_of_release(&release.id)))
    }

    /// Whether a release of `slug` was made after number `since`.
    pub(super) async fn adopt_slug(&self, slug: &str, since: u64) -> Result<Option<Receipt>, PlatformError> {
        let newer = self.releases_after(since).await?;
        let made = newer.into_iter().find(|release| release.slug.as_ref().is_some_and(|id| id.id == slug));
        Ok(made.map(|release| receipt_of_release(&release.id)))
    }

    /// Makes a release again of what an older one ran, code and config: Heroku's rollback.
    pub(super) async fn roll_back(&self, http: &WriteClient, version: &str) -> Result<Receipt, PlatformError> {
        self.create_release(http, &serde_json::json!({ "release": version }), "roll back the release").await
    }

    /// Makes a release of a slug that was built elsewhere.
    pub(super) async fn release_slug(
        &self,
        http: &WriteClient,
        slug: &str,
        commit: Option<&str>,
    ) -> Result<Receipt, PlatformError> {
        let description = format!("Promote {}", commit.and_then(|commit| commit.get(..8)).unwrap_or("a slug"));
        let body = serde_json::json!({ "slug": slug, "description": description });
        self.create_release(http, &body, "release the reviewed slug").await
    }

    async fn create_release(
        &self,
        http: &WriteClient,
        body: &serde_json::Value,
        action: &str,
    ) -> Result<Receipt, PlatformError> {
        let segments = ["apps", &self.name, "releases"];
        let body = Body::json(body).map_err(|error| self.failed(action, error))?;
        let answer = http.post(&Call::new(&segments), &body).await.map_err(|error| self.failed(action, error))?;
        // It was made; an answer that cannot be read is the same as none.
        let release: Release = answer.json().map_err(|error| self.failed(action, error).fate_unknown())?;
        Ok(receipt_of_release(&release.id))
    }
}

/// The release that serves among `releases`, newest first.
pub(super) fn current(releases: &[Release]) -> Option<&Release> {
    let marked = releases.iter().find(|release| release.current);
    marked.or_else(|| releases.iter().find(|release| release.status == "succeeded"))
}

fn receipt_of_release(id: &str) -> Receipt {
    Receipt { id: format!("release/{id}"), notes: BTreeMap::new() }
}
