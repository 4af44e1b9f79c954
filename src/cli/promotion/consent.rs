//! Consent: a plain change asks yes or no, a protected stage asks for its name; flags answer, a rehearsal answers itself.

use crate::cli::{Context, Failed, report, terminal};
use crate::error::Class;
use crate::promote::Plan;

/// `--yes`, or `--yes=prod` for a protected stage.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Yes {
    /// Do not ask; a protected stage has to be named: `--yes=prod`.
    #[arg(short = 'y', long = "yes", value_name = "STAGE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    yes: Option<String>,
}

impl Yes {
    /// Whether the user wants `plan` done.
    ///
    /// # Errors
    /// Exit 2 where an answer is missing and nobody can be asked, or the flag names another stage.
    pub(crate) fn consent(&self, context: &Context, plan: &Plan, rehearsal: bool) -> Result<bool, Failed> {
        let stage = plan.stage.to_string();
        match self.yes.as_deref() {
            Some(named) if !named.is_empty() && named != stage => {
                let message = format!("`--yes={named}` names another stage than `{stage}`");
                return Err(Failed::new(Class::Usage, message));
            }
            _ if rehearsal => {
                if !context.quiet {
                    report::say("--sandbox: every target is its twin on loopback; the question is answered with yes");
                }
                return Ok(true);
            }
            Some(named) if !plan.protected || named == stage => return Ok(true),
            Some(_) => {
                let message = format!("`{stage}` is protected: `--yes` alone is not enough");
                return Err(Failed::new(Class::Usage, message).hint(format!("`--yes={stage}`")));
            }
            None => {}
        }
        if plan.protected {
            let typed = terminal::typed(context, &format!("This changes {}. Type its name", stage.to_uppercase()))?;
            return Ok(typed.trim() == stage);
        }
        terminal::confirm(context, &format!("Apply this to {stage}?"))
    }
}
