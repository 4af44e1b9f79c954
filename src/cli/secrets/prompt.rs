//! The questions of keys and plugins, asked on the terminal.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cli::{Context, report, terminal};
use crate::keys::Prompt;
use crate::secret::SecretString;

/// The terminal, at which one question is asked at a time.
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
        terminal::passphrase(&self.context, question).ok()
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
        terminal::confirm(&self.context, &question).ok()
    }

    fn line(&self, question: &str) -> Option<String> {
        let _turn = self.turn();
        terminal::typed(&self.context, question).ok()
    }
}
