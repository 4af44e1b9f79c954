//! `lockage log`.

use serde_json::json;

use crate::cli::promotion::{Place, Session, show, stage_name};
use crate::cli::{Context, Failed, report};
use crate::error::Outcome;
use crate::promote::Recorded;

/// Show what the ledger has of a stage, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  lockage log staging\n  lockage log prod --limit 3 --json")]
pub(crate) struct Log {
    /// The stage.
    stage: String,
    /// At most so many entries.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    place: Place,
}

impl Log {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let stage = stage_name(&self.stage)?;
        let session = Session::open(context, &self.place)?;
        let pipeline = session.pipeline_of(self.place.pipeline.as_deref(), &stage)?;
        let entries = session.engine()?.ledger.entries(&pipeline.name, &stage, self.limit)?;
        if context.json {
            let rows: Vec<_> =
                entries.iter().map(|Recorded { commit, entry }| json!({ "commit": commit, "entry": entry })).collect();
            report::json("lockage.log/1", &json!({ "pipeline": pipeline.name, "stage": stage, "entries": rows }))?;
            return Ok(0);
        }
        let mut text = String::new();
        for Recorded { commit, entry } in &entries {
            let when = entry.ended.strftime("%Y-%m-%d %H:%M:%S");
            let took = entry.ended.duration_since(entry.began).unsigned_abs();
            text.push_str(&format!(
                "{when}  {}  {}  {} by {}, {}\n",
                commit.get(..12).unwrap_or(commit),
                show::headline(&entry.plan),
                word(entry.outcome),
                entry.by,
                show::duration(took)
            ));
            if let Some(why) = &entry.why {
                text.push_str(&format!("    {why}\n"));
            }
        }
        if entries.is_empty() {
            text.push_str(&format!("the ledger has nothing of {stage} yet\n"));
        }
        report::data(text.as_bytes())?;
        Ok(0)
    }
}

/// An outcome for people.
pub(super) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unchanged => "unchanged",
        Outcome::Applied => "applied",
        Outcome::RolledBack => "failed and rolled back",
        Outcome::Partial => "partial",
        Outcome::Unknown => "unknown",
    }
}
