//! Recipients as a user names them.

use crate::cli::Failed;
use crate::error::Class;
use crate::keys::{KeyKind, Recipient};

/// Reads recipients: age as it is, any other kind behind its word (`pgp:`, `kms:`, `gcp_kms:`, `hckms:`, `azure_kv:`,
/// `hc_vault:`).
///
/// # Errors
/// One is none.
pub(crate) fn named(texts: &[String]) -> Result<Vec<Recipient>, Failed> {
    texts.iter().map(|text| one(text)).collect()
}

fn one(text: &str) -> Result<Recipient, Failed> {
    if let Some((word, rest)) = text.split_once(':')
        && let Some(kind) = KeyKind::of_word(word)
    {
        return Ok(Recipient::parse(kind, rest)?);
    }
    Recipient::parse_age(text).map_err(|error| {
        Failed::from(error).hint("a kind other than age stands before its key: `pgp:`, `kms:`, `gcp_kms:`, `hckms:`, `azure_kv:`, `hc_vault:`")
    })
}
