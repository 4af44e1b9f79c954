//! `lockage plan`.

use std::path::PathBuf;

use super::route::{Route, Words};
use crate::cli::promotion::{Place, Session, block_on, show};
use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::promote::{Plan as Planned, Request, StageName};
use crate::system::files;

/// Show what a promotion would change, and change nothing.
///
/// Two stages plan a promotion; one stage plans to make it as declared with the build that it runs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lockage plan review staging\n  lockage plan review staging -o plan.json && lockage apply plan.json\n  \
lockage plan prod --detailed-exitcode"
)]
pub(crate) struct Plan {
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    place: Place,
    /// Write the plan to this file, for `lockage apply`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit 0 without changes, 2 with changes, 1 on an error, as Terraform does.
    #[arg(long)]
    detailed_exitcode: bool,
    /// Pending changes are the expected "no": exit 1.
    #[arg(long, conflicts_with = "detailed_exitcode")]
    expect_no_changes: bool,
}

impl Plan {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let detailed = self.detailed_exitcode;
        let result = self.plan(context);
        match result {
            Err(mut failed) if detailed => {
                failed.class = Class::No;
                Err(failed)
            }
            other => other,
        }
    }

    fn plan(self, context: &Context) -> Result<u8, Failed> {
        let route = self.words.route()?;
        let session = Session::open(context, &self.place)?;
        let plan = block_on(make(&session, self.place.pipeline.as_deref(), &route, Wish::AsDeclared))?;
        if let Some(path) = &self.output {
            let text =
                plan.to_json().map_err(|error| Failed::new(Class::Bug, format!("the plan is not JSON: {error}")))?;
            let target = files::Target::hold(&context.path(path))?;
            target.replace(text.as_bytes(), None, files::Mode::KeptOr(0o644))?;
        }
        if context.json {
            report::json("lockage.plan/1", &plan)?;
        } else {
            let mut text = show::plan(&plan);
            if plan.is_empty() {
                text.push_str(&format!("{} is as declared: nothing to do\n", plan.stage));
            } else if let Some(path) = &self.output {
                let flag = if self.place.sandbox { " --sandbox" } else { "" };
                text.push_str(&format!("apply it with: lockage apply {}{flag}\n", path.display()));
            }
            report::data(text.as_bytes())?;
        }
        let changes = !plan.is_empty();
        Ok(match (changes, self.detailed_exitcode, self.expect_no_changes) {
            (true, true, _) => 2,
            (true, _, true) => Class::No.code(),
            _ => 0,
        })
    }
}

/// What one stage alone means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// The stage with the build it runs.
    AsDeclared,
    /// A promotion from the stage before.
    FromBefore,
}

/// Plans what the words say.
///
/// # Errors
/// The engine's, and exit 2 when the stages are in no pipeline or in several.
pub(super) async fn make(session: &Session, named: Option<&str>, route: &Route, wish: Wish) -> Result<Planned, Failed> {
    let stages: Vec<&StageName> = route.from.iter().chain([&route.to]).collect();
    let pipeline = match stages.as_slice() {
        [one] => session.pipeline_of(named, one)?,
        several => session.pipeline(named, several)?,
    };
    session.refuse_published(pipeline, &route.to)?;
    let before = pipeline.stage(&route.to.stage).and_then(|stage| stage.after.as_deref());
    let from = match (&route.from, wish, before) {
        (Some(from), _, _) => Some(from.clone()),
        (None, Wish::FromBefore, Some(before)) => Some(StageName::plain(before)),
        (None, Wish::FromBefore, None) => {
            return Err(Failed::new(Class::Usage, format!("no stage leads to `{}`", route.to))
                .hint(format!("`lockage apply {}` makes it as declared", route.to)));
        }
        (None, Wish::AsDeclared, _) => None,
    };
    let request = Request { pipeline, from, to: route.to.clone(), approved: session.rehearsal };
    let engine = session.engine()?;
    session.explain(engine.plan(&request).await)
}
