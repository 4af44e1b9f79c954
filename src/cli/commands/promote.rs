//! `lockage promote`.

use super::plan::{Wish, make};
use super::redirect::{self, Redirect};
use super::route::{Route, Words};
use crate::cli::promotion::consent::Yes;
use crate::cli::promotion::progress::Teller;
use crate::cli::promotion::{Found, Place, Session, block_on, show, summary};
use crate::cli::{Context, Failed, report};
use crate::promote::{Plan, StageName};

/// Bring a build from one stage to the next: plan, ask, apply, verify, record.
///
/// A promotion of the stage that was interrupted is taken up first: what was sent is not sent again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  lockage promote review staging\n  lockage promote review/pr-80 staging --yes\n  \
lockage promote staging prod --yes=prod\n  lockage promote review staging --sandbox\n\nQuote an arrow ('review->staging'): \
unquoted, the shell takes `>` as \"write to a file\".")]
pub(crate) struct Promote {
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    yes: Yes,
    /// Show the plan and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Only take up what was interrupted.
    #[arg(long)]
    resume: bool,
    /// Write to a file that is named like a stage after all.
    #[arg(long)]
    allow_redirect: bool,
}

impl Promote {
    pub(crate) fn run(mut self, context: &Context) -> Result<u8, Failed> {
        // A malformed file must not hide the trap, and is told after it.
        let found = Found::at(context);
        if !self.allow_redirect {
            let (stages, protected) = found.as_ref().map(Found::stage_names).unwrap_or_default();
            if let Redirect::Meant(words) = redirect::look(context, &self.words.words, &stages, &protected)? {
                self.words.words = words;
            }
        }
        let route = self.words.route()?;
        let session = Session::open_found(context, &self.place, found?)?;
        block_on(self.promote(context, &session, &route))
    }

    async fn promote(&self, context: &Context, session: &Session, route: &Route) -> Result<u8, Failed> {
        let named = self.place.pipeline.as_deref();
        if !self.dry_run
            && let Some(code) = resume(context, session, named, &route.to).await?
        {
            return Ok(code);
        }
        if self.resume {
            report::say(&format!("no promotion of {} was interrupted", route.to));
            return Ok(0);
        }
        let plan = make(session, named, route, Wish::FromBefore).await?;
        carry_out(context, session, &plan, &self.yes, self.dry_run).await
    }
}

/// Takes up an interrupted promotion of a stage, if there is one, and gives its exit code.
///
/// # Errors
/// The engine's.
pub(super) async fn resume(
    context: &Context,
    session: &Session,
    named: Option<&str>,
    stage: &StageName,
) -> Result<Option<u8>, Failed> {
    let Some(pipeline) = session.unfinished(named, stage)? else { return Ok(None) };
    let engine = session.engine()?;
    let teller = Teller::new(context);
    let report = session.explain(engine.resume(&pipeline, stage, &teller).await);
    teller.end();
    match report? {
        Some(report) => summary::print(context, &report, session.rehearsal).map(Some),
        None => Ok(None),
    }
}

/// Shows a plan, asks, and applies it.
///
/// # Errors
/// The engine's, and exit 2 where an answer is missing.
pub(super) async fn carry_out(
    context: &Context,
    session: &Session,
    plan: &Plan,
    yes: &Yes,
    dry_run: bool,
) -> Result<u8, Failed> {
    if plan.is_empty() || dry_run {
        return nothing_sent(context, plan, dry_run);
    }
    if !context.quiet {
        for line in show::plan(plan).lines() {
            report::say(line);
        }
    }
    if !yes.consent(context, plan, session.rehearsal)? {
        report::say("nothing was changed");
        return Ok(1);
    }
    let engine = session.engine()?;
    let teller = Teller::new(context);
    let report = session.explain(engine.apply(plan, &teller).await);
    teller.end();
    summary::print(context, &report?, session.rehearsal)
}

fn nothing_sent(context: &Context, plan: &Plan, dry_run: bool) -> Result<u8, Failed> {
    if context.json {
        let body = serde_json::json!({ "outcome": "unchanged", "plan": plan, "steps": [], "entry": plan.ledger });
        report::json("lockage.promote/1", &body)?;
        return Ok(0);
    }
    let mut text = if dry_run { show::plan(plan) } else { format!("{}\n", show::headline(plan)) };
    if plan.is_empty() {
        text.push_str(&format!("{} is as declared: nothing to do\n", plan.stage));
    }
    report::data(text.as_bytes())?;
    Ok(0)
}
