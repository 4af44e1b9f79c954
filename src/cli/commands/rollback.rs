//! `lockage rollback`.

use super::promote::{carry_out, resume};
use crate::cli::promotion::consent::Yes;
use crate::cli::promotion::{Place, Session, block_on, stage_name};
use crate::cli::{Context, Failed};

/// Undo the last promotion of a stage: code, configuration, domains and DNS.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lockage rollback staging\n  lockage rollback staging --dry-run\n  lockage rollback prod --yes=prod"
)]
pub(crate) struct Rollback {
    /// The stage.
    stage: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    yes: Yes,
    /// Show the plan and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

impl Rollback {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let stage = stage_name(&self.stage)?;
        let session = Session::open(context, &self.place)?;
        let named = self.place.pipeline.as_deref();
        block_on(async {
            if !self.dry_run
                && let Some(code) = resume(context, &session, named, &stage).await?
            {
                return Ok(code);
            }
            let pipeline = session.pipeline_of(named, &stage)?;
            let plan = session.explain(session.engine()?.plan_rollback(&pipeline.name, &stage).await)?;
            carry_out(context, &session, &plan, &self.yes, self.dry_run).await
        })
    }
}
