//! `lockage apply`.

use std::path::PathBuf;

use super::plan::{Wish, make};
use super::promote::{carry_out, resume};
use super::route::Route;
use crate::cli::promotion::consent::Yes;
use crate::cli::promotion::{Place, Session, block_on};
use crate::cli::{Context, Failed};
use crate::error::Class;
use crate::promote::{Plan, StageName};
use crate::system::files;

/// Apply a plan that was written to a file, or make a stage as declared with the build that it runs.
///
/// A plan is refused when anything that it saw has changed since.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lockage apply plan.json\n  lockage apply staging\n  lockage apply prod --yes=prod"
)]
pub(crate) struct Apply {
    /// A plan file (`plan.json`), or a stage.
    #[arg(value_name = "PLAN|STAGE")]
    what: PathBuf,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    yes: Yes,
}

impl Apply {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let stage = self.what.to_str().and_then(|word| word.parse::<StageName>().ok());
        let path = context.path(&self.what);
        match stage.filter(|_| !path.is_file()) {
            Some(stage) => self.stage(context, stage),
            None => self.file(context, &path),
        }
    }

    fn stage(&self, context: &Context, stage: StageName) -> Result<u8, Failed> {
        let session = Session::open(context, &self.place)?;
        let named = self.place.pipeline.as_deref();
        block_on(async {
            if let Some(code) = resume(context, &session, named, &stage).await? {
                return Ok(code);
            }
            let route = Route { from: None, to: stage };
            let plan = make(&session, named, &route, Wish::AsDeclared).await?;
            carry_out(context, &session, &plan, &self.yes, false).await
        })
    }

    fn file(&self, context: &Context, path: &std::path::Path) -> Result<u8, Failed> {
        let text = files::read(path)?;
        let text = std::str::from_utf8(&text)
            .map_err(|_| Failed::new(Class::Usage, format!("`{}` is not text", self.what.display())))?;
        let plan = Plan::from_json(text)?;
        let session = Session::open(context, &self.place)?;
        block_on(async {
            if let Some(code) = resume(context, &session, Some(&plan.pipeline), &plan.stage).await? {
                return Ok(code);
            }
            carry_out(context, &session, &plan, &self.yes, false).await
        })
    }
}
