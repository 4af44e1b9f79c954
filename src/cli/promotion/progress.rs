//! Progress while a promotion runs: one line a step on stderr, what it waits for on a terminal only.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{Context, report};
use crate::promote::{News, Observer, Way};

/// Tells a person how far it is.
pub(crate) struct Teller {
    quiet: bool,
    bar: Option<ProgressBar>,
    last: Mutex<String>,
}

impl Teller {
    /// A teller on stderr.
    pub(crate) fn new(context: &Context) -> Self {
        let bar = (context.terminal && !context.quiet).then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(
                ProgressStyle::with_template("  {spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { quiet: context.quiet, bar, last: Mutex::default() }
    }

    /// Takes what moves off the terminal.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.suspend(|| report::say(text)),
            None => report::say(text),
        }
    }

    fn waiting(&self, text: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != text {
            text.clone_into(&mut last);
            match &self.bar {
                Some(bar) => bar.set_message(text.to_owned()),
                None => tracing::info!("{text}"),
            }
        }
    }
}

impl Observer for Teller {
    fn tell(&self, news: &News<'_>) {
        match news {
            News::Resumed => self.line("resuming from the journal: what was sent is not sent again"),
            News::Begins { what, way, .. } => {
                let verb = if *way == Way::Back { "undo " } else { "" };
                self.waiting(&format!("{verb}{what}"));
                if self.bar.is_none() {
                    tracing::info!("{verb}{what}");
                }
            }
            News::Waits { why } => self.waiting(why),
            News::Done { step, way, receipt } => {
                let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let word = match (way, receipt) {
                    (_, None) => "as it shall be",
                    (Way::Forward, Some(_)) => "done",
                    (Way::Back, Some(_)) => "undone",
                };
                let notes = receipt.map(|receipt| {
                    let notes: Vec<String> =
                        receipt.notes.iter().map(|(name, value)| format!("{name} {value}")).collect();
                    notes.join(", ")
                });
                let notes =
                    notes.filter(|notes| !notes.is_empty()).map(|notes| format!(" ({notes})")).unwrap_or_default();
                let _ = last;
                self.line(&format!("  step {} {word}{notes}", step + 1));
            }
            News::Checks { check } => self.waiting(&format!("verify {}", check.subject)),
            News::Checked { check, answer } => self.line(&format!("  verified {}: {answer}", check.subject)),
            News::Turns { why } => self.line(&format!("  FAILED: {why}; undoing what was applied")),
            News::Recorded { commit } => {
                self.line(&format!("  recorded as {}", commit.get(..12).unwrap_or(commit)));
            }
        }
    }
}
