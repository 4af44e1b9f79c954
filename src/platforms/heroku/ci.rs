//! What Heroku CI says of a commit. There is none for the container stack.

use super::App;
use super::api::{Coupling, TestRun};
use crate::promote::{PlatformError, Stack, Tests, Verdict};
use crate::system::http::Call;

/// Runs that are looked through, newest first: one page.
const NEWEST: &str = "number ..; order=desc,max=1000";

impl App {
    /// The status of the newest test run of `commit` in the app's pipeline.
    ///
    /// *Source*: the run's own status counts. The vendor's client exits by the first node's exit code, and so with 0 for a
    /// failed run that has none.
    pub(super) async fn tests_of(&self, commit: &str) -> Result<Tests, PlatformError> {
        if self.stack().await? == Stack::Container {
            return Ok(Tests::None);
        }
        let segments = ["apps", &self.name, "pipeline-couplings"];
        let coupling = match self.http.get(&Call::new(&segments)).await {
            Err(error) if error.status() == Some(404) => return Ok(Tests::None),
            answer => answer.and_then(|answer| answer.json::<Coupling>()),
        };
        let coupling = coupling.map_err(|error| self.failed("read the pipeline", error))?;
        let segments = ["pipelines", &coupling.pipeline.id, "test-runs"];
        let call = Call::new(&segments).header("range", NEWEST);
        let answer = self.http.get(&call).await.and_then(|answer| answer.json::<Vec<TestRun>>());
        let runs = answer.map_err(|error| self.failed("read the test runs", error))?;
        if runs.is_empty() {
            return Ok(Tests::None);
        }
        let newest = runs.iter().filter(|run| run.commit_sha == commit).max_by_key(|run| run.number);
        let Some(run) = newest else {
            return Ok(Tests::Absent(format!("no test run of {}", commit.get(..12).unwrap_or(commit))));
        };
        let what = format!("test run {}", run.number);
        Ok(Tests::Asked(match run.status.as_str() {
            "succeeded" => Verdict::Good(format!("{what} succeeded")),
            "failed" | "errored" | "cancelled" => Verdict::Bad(format!("{what} is `{}`", run.status)),
            // An open list: what is not known to have ended has not.
            _ => Verdict::Waiting(format!("{what} has not ended")),
        }))
    }
}
