//! The questions of keys and plugins, asked on the terminal.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::agent::{Agent, Remembered};
use crate::cli::{Context, report, terminal};
use crate::keys::Prompt;
use crate::secret::SecretString;

/// The terminal, at which one question is asked at a time.
///
/// It is the controlling one, as for age: a plaintext may come by stdin while a passphrase is typed.
pub(super) struct Terminal {
    context: Context,
    asking: Mutex<()>,
}

impl Terminal {
    pub(super) fn new(context: &Context) -> Self {
        Self { context: context.clone(), asking: Mutex::new(()) }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Prompt for Terminal {
    fn passphrase(&self, question: &str) -> Option<SecretString> {
        let _turn = self.turn();
        terminal::passphrase(&self.context, question)
    }

    /// *Source*: the SOPS format, section 5.1: where an agent is reachable, it alone is asked.
    fn identity_passphrase(&self, question: &str, cache_id: &str) -> Option<SecretString> {
        let _turn = self.turn();
        let Some(mut agent) = Agent::reach(&self.context) else {
            return terminal::passphrase(&self.context, question);
        };
        match agent.passphrase(question, cache_id, self.context.attended) {
            Remembered::Passphrase(passphrase) => Some(passphrase),
            Remembered::Nothing(why) => {
                tracing::info!("gpg-agent gives no passphrase: {why}");
                None
            }
        }
    }

    fn forget(&self, cache_id: &str) {
        if let Some(mut agent) = Agent::reach(&self.context) {
            agent.forget(cache_id);
        }
    }

    fn show(&self, message: &str) {
        report::say(message);
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let _turn = self.turn();
        let question = match no {
            Some(no) => format!("{message} (yes: {yes}, no: {no})"),
            None => format!("{message} (yes: {yes})"),
        };
        let terminal = terminal::controlling(&self.context)?;
        dialoguer::Confirm::new().with_prompt(question).default(false).interact_on(&terminal).ok()
    }

    fn line(&self, question: &str) -> Option<String> {
        let _turn = self.turn();
        let terminal = terminal::controlling(&self.context)?;
        dialoguer::Input::<String>::new().with_prompt(question).allow_empty(true).interact_text_on(&terminal).ok()
    }
}
