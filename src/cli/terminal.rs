//! The log on stderr, and questions.

use tracing_subscriber::filter::LevelFilter;

use super::context::Context;

/// Starts the log: `-v`, `-vv`, or `LOCKAGE_LOG` with a level's name.
pub(super) fn start_log(context: &Context, verbose: u8) {
    let level = match (verbose, context.variable("LOCKAGE_LOG")) {
        (0, Some(word)) => word.parse().unwrap_or(LevelFilter::WARN),
        (0, None) => LevelFilter::WARN,
        (1, _) => LevelFilter::INFO,
        (_, _) => LevelFilter::TRACE,
    };
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(context.color)
        .with_target(false)
        .try_init();
}
