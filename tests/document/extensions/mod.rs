//! What SOPS does not know: TOML, lists at the top, and dotenv with quotes.

mod dialects;
pub(crate) mod generate;
mod lists;
mod oracle;
mod readers;
mod toml;
mod toml_changes;
