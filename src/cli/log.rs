//! The log on stderr.

use std::sync::OnceLock;

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Metadata};
use tracing_subscriber::filter::LevelFilter;

use super::context::Context;

/// Starts the log: `-v`, `-vv`, or `LOCKAGE_LOG` with a level's name.
pub(super) fn start(context: &Context, verbose: u8) {
    let level = match (verbose, context.variable("LOCKAGE_LOG")) {
        (0, Some(word)) => word.parse().unwrap_or(LevelFilter::WARN),
        (0, None) => LevelFilter::WARN,
        (1, _) => LevelFilter::INFO,
        (_, _) => LevelFilter::TRACE,
    };
    let _ = tracing::subscriber::set_global_default(Log { level, color: context.color, lines: OnceLock::new() });
}

/// The log; what writes its lines is made for the first of them, because most commands have nothing to say and end sooner
/// than it is made.
struct Log {
    level: LevelFilter,
    color: bool,
    lines: OnceLock<Box<dyn Subscriber + Send + Sync>>,
}

impl Log {
    fn lines(&self) -> &(dyn Subscriber + Send + Sync) {
        let make = || {
            let lines = tracing_subscriber::fmt().with_max_level(self.level).with_writer(std::io::stderr);
            Box::new(lines.with_ansi(self.color).with_target(false).finish()) as Box<_>
        };
        self.lines.get_or_init(make).as_ref()
    }
}

impl Subscriber for Log {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.lines().new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.lines().record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.lines().record_follows_from(span, follows);
    }

    fn event(&self, event: &Event<'_>) {
        self.lines().event(event);
    }

    fn enter(&self, span: &Id) {
        self.lines().enter(span);
    }

    fn exit(&self, span: &Id) {
        self.lines().exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.lines().clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.lines().try_close(id)
    }
}
