//! What the commands over encrypted files share: whose keys, which rule, from where, to where.

mod agent;
pub(crate) mod batch;
pub(crate) mod child;
pub(crate) mod clouds;
pub(crate) mod desk;
pub(crate) mod editor;
mod fetching;
pub(crate) mod identities;
pub(crate) mod in_place;
pub(crate) mod input;
pub(crate) mod layout;
pub(crate) mod opening;
pub(crate) mod output;
pub(crate) mod private;
mod prompt;
pub(crate) mod publishing;
pub(crate) mod recipients;
pub(crate) mod rules;
pub(crate) mod services;
pub(crate) mod sets;
pub(crate) mod several;
pub(crate) mod value;
pub(crate) mod walk;

use crate::cli::Failed;
use input::Source;

/// A failure over a file, with the file's name before the message.
pub(crate) fn in_file(source: &Source, error: impl Into<Failed>) -> Failed {
    let mut failed = error.into();
    let name = match source {
        Source::File(path) => path.display().to_string(),
        Source::Stdin => "stdin".to_owned(),
    };
    failed.message = format!("`{name}`: {}", failed.message);
    failed
}
