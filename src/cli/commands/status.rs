//! `lockage status`.

use serde_json::json;

use crate::cli::promotion::{Place, Session, block_on};
use crate::cli::{Context, Failed, report};
use crate::promote::Status as StageStatus;

/// Say what every stage runs, what was done to it last, and what was interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  lockage status\n  lockage status --json")]
pub(crate) struct Status {
    #[command(flatten)]
    place: Place,
}

impl Status {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let session = Session::open(context, &self.place)?;
        let engine = session.engine()?;
        let mut pipelines = Vec::new();
        let mut text = String::new();
        for pipeline in session.pipelines() {
            if self.place.pipeline.as_ref().is_some_and(|named| *named != pipeline.name) {
                continue;
            }
            let stages = block_on(async {
                let mut stages = Vec::new();
                for stage in session.explain(engine.stages(pipeline))? {
                    stages.push(session.explain(engine.status(pipeline, &stage).await)?);
                }
                Ok(stages)
            })?;
            text.push_str(&format!("{}: {}\n", pipeline.name, pipeline.about));
            for stage in &stages {
                text.push_str(&line(stage));
            }
            pipelines.push(json!({ "pipeline": pipeline.name, "stages": stages }));
        }
        if context.json {
            report::json("lockage.status/1", &json!({ "pipelines": pipelines }))?;
        } else {
            report::data(text.as_bytes())?;
        }
        Ok(0)
    }
}

fn line(status: &StageStatus) -> String {
    let runs = match (&status.running, &status.unknown) {
        (Some(build), _) => {
            let commit =
                build.commit.as_deref().map_or("an unknown commit", |commit| commit.get(..12).unwrap_or(commit));
            format!("runs {commit}")
        }
        (None, Some(why)) => format!("cannot be asked: {why}"),
        (None, None) => "runs nothing on a platform".to_owned(),
    };
    let last = status.last.as_ref().map_or_else(
        || "no promotion yet".to_owned(),
        |last| {
            format!("last {} at {} by {}", super::log::word(last.outcome), last.at.strftime("%Y-%m-%d %H:%M"), last.by)
        },
    );
    let mut text = format!("  {:<24} {runs}; {last}\n", status.stage.to_string());
    if status.busy {
        text.push_str("    a promotion is running now\n");
    } else if status.unfinished {
        text.push_str(&format!("    INTERRUPTED: `lockage apply {}` resumes it\n", status.stage));
    }
    if let Some(lock) = &status.lock {
        text.push_str(&format!("    locked by {}: {}\n", lock.owner, lock.reason));
    }
    text
}
