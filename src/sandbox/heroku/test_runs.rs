//! Heroku CI: the runs of a pipeline's tests. An app on the container stack has none.

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::page;
use super::{Answer, Answered, Heroku, POLLS, Refusal, Request, moment};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::state::{Stack, Status, TestRun};

#[derive(Deserialize)]
struct NewRun {
    commit_branch: String,
    commit_message: String,
    commit_sha: String,
    pipeline: String,
    source_blob_url: String,
}

impl Heroku<'_> {
    /// `POST /test-runs`.
    pub(super) fn create_test_run(&mut self, request: &Request) -> Answered {
        let wanted: NewRun = request.body()?;
        let pipeline = self.pipeline(&wanted.pipeline)?.id;
        let id = self.begin_test_run(&pipeline, wanted);
        Ok(Answer::json(201, self.view_test_run(self.test_run(&id)?)))
    }

    /// `GET /pipelines/{id}/test-runs`; brings each nearer to its end.
    pub(super) fn list_test_runs(&mut self, pipeline: &str, request: &Request) -> Answered {
        let pipeline = self.pipeline(pipeline)?.id;
        let runs: Vec<String> = self.test_runs_of(&pipeline).map(|run| run.id.clone()).collect();
        runs.iter().for_each(|run| self.advance_test_run(run));
        page(request, self.test_runs_of(&pipeline).map(|run| self.view_test_run(run)).collect(), &["number", "id"])
    }

    /// `GET /pipelines/{id}/test-runs/{number}`.
    pub(super) fn show_test_run_of(&mut self, pipeline: &str, number: &str) -> Answered {
        let pipeline = self.pipeline(pipeline)?.id;
        let found = self.test_runs_of(&pipeline).find(|run| run.number.to_string() == number).map(|run| run.id.clone());
        self.show_test_run(&found.unwrap_or_default())
    }

    /// `GET /test-runs/{id}`.
    pub(super) fn show_test_run(&mut self, id: &str) -> Answered {
        self.advance_test_run(id);
        Ok(Answer::ok(self.view_test_run(self.test_run(id)?)))
    }

    /// What the vendor does with a pull request's head on the slug stack: its tests have run before anybody looks.
    pub(in crate::sandbox) fn test_head(&mut self, app: &str, commit: &str) {
        let Some(coupling) = self.state.coupling_of(app).filter(|coupling| coupling.stage == "review") else { return };
        if self.state.apps.get(app).is_none_or(|app| app.stack != Stack::Slug) {
            return;
        }
        let pipeline = coupling.pipeline.clone();
        let wanted = NewRun {
            commit_branch: "topic".to_owned(),
            commit_message: "A change".to_owned(),
            commit_sha: commit.to_owned(),
            source_blob_url: format!("{}/uploads/{}", self.base, self.state.id_of(commit)),
            pipeline: pipeline.clone(),
        };
        let id = self.begin_test_run(&pipeline, wanted);
        if let Some(run) = self.state.test_runs.get_mut(&id) {
            (run.left, run.status) = (0, if run.doomed { Status::Failed } else { Status::Succeeded });
        }
    }

    fn begin_test_run(&mut self, pipeline: &str, wanted: NewRun) -> String {
        let name = self.state.pipelines.get(pipeline).map(|row| row.name.clone()).unwrap_or_default();
        let doomed = self.state.fault_of(&name, |kind| matches!(kind, FaultKind::TestsFail)).is_some();
        let number = self.test_runs_of(pipeline).map(|run| run.number).max().unwrap_or(0) + 1;
        let id = self.state.new_id();
        let run = TestRun {
            id: id.clone(),
            pipeline: pipeline.to_owned(),
            number,
            branch: wanted.commit_branch,
            message: wanted.commit_message,
            commit: wanted.commit_sha,
            url: wanted.source_blob_url,
            status: Status::Pending,
            left: POLLS,
            doomed,
            created_at: self.now,
            updated_at: self.now,
        };
        self.state.test_runs.insert(id.clone(), run);
        id
    }

    fn advance_test_run(&mut self, id: &str) {
        let now = self.now;
        let Some(run) = self.state.test_runs.get_mut(id).filter(|run| run.status == Status::Pending) else { return };
        if run.left == 0 {
            (run.status, run.updated_at) = (if run.doomed { Status::Failed } else { Status::Succeeded }, now);
        }
        run.left = run.left.saturating_sub(1);
    }

    fn test_run(&self, id: &str) -> Result<&TestRun, Refusal> {
        self.state.test_runs.get(id).ok_or_else(|| Refusal::not_found("test run"))
    }

    fn test_runs_of<'a>(&'a self, pipeline: &'a str) -> impl Iterator<Item = &'a TestRun> {
        self.state.test_runs.values().filter(move |run| run.pipeline == pipeline)
    }

    fn view_test_run(&self, run: &TestRun) -> Value {
        json!({
            "actor_email": self.state.about.email,
            "app_setup": null,
            "clear_cache": false,
            "commit_branch": run.branch,
            "commit_message": run.message,
            "commit_sha": run.commit,
            "created_at": moment(run.created_at),
            "debug": false,
            "dyno": null,
            "id": run.id,
            "message": null,
            "number": run.number,
            "organization": null,
            "pipeline": { "id": run.pipeline },
            "source_blob_url": run.url,
            "status": if run.status == Status::Pending && run.left < POLLS { "running" } else { run.status.word() },
            "updated_at": moment(run.updated_at),
            "user": self.view_account(),
            "warning_message": null,
        })
    }
}
