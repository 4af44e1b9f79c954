//! Writing a tree as SOPS writes it: where input and output are of different types there is no text to keep.
//!
//! *Source*: the SOPS format, section 7; what SOPS's stores give up on is given up on here, with their words.

mod binary;
mod dotenv;
mod go_json;
mod ini;
mod json;
mod merge;
mod number;
mod select;

use zeroize::Zeroizing;

use super::buffer::Buffer;
use super::owned::OwnedTree;
use super::syntax::Format;
use super::tree::Tree;
use super::yaml;

pub(super) use number::general;
pub use select::{SelectError, Selected};

/// The key and section of the metadata.
const SOPS: &str = "sops";

/// What SOPS does not know has no form that it would be converted to.
const EXTENSION: &str = "only SOPS's own types are written from another one, and TOML and dialects of dotenv are none";

/// Settings of the writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmitOptions {
    /// Columns of one level: of YAML 0 is SOPS's default, four; of JSON -1 is a tab. `None` is the format's default.
    pub indent: Option<i64>,
}

/// Why a tree cannot be written in a format. `sops` exits 4 then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// A mapping or list, where the format has none.
    #[error("cannot use complex value in dotenv file; offending key {key}")]
    Complex {
        /// Its key.
        key: String,
    },
    /// A value in the place of a section.
    #[error("Error marshaling to INI: Error encoding section: Section values should always be TreeBranches")]
    NoSection,
    /// A section or key without a name.
    #[error("Error marshaling to INI: {0}")]
    EmptyName(&'static str),
    /// SOPS crashes over an empty comment in INI.
    #[error("Error marshaling to INI: a comment with an empty line cannot be written")]
    EmptyComment,
    /// JSON has no infinity and no NaN.
    #[error("Error marshaling to json: json: unsupported value: {0}")]
    NotFinite(&'static str),
    /// A tree that is no binary file.
    #[error("error emitting binary store: {0}")]
    NotBinary(&'static str),
    /// A value that a format can write only as part of a file.
    #[error("{0}")]
    NoValue(&'static str),
    /// An indentation that is refused.
    #[error("{0}")]
    Indent(&'static str),
    /// A text that SOPS's YAML writer loses.
    #[error("Error marshaling to YAML: yaml: cannot encode node with unknown kind 0")]
    Unwritable,
    /// The reserved key, in a later document.
    #[error("Error marshaling metadata: Found key \"sops\" in encrypted data, which is reserved")]
    Reserved,
}

/// The text of `tree` in `format`, with `metadata` as its `sops` block if it is an encrypted one.
///
/// # Errors
/// [`EmitError`] where the format has no place for something.
pub fn emit(
    format: Format,
    tree: &OwnedTree,
    metadata: Option<&Tree>,
    options: EmitOptions,
) -> Result<Zeroizing<Vec<u8>>, EmitError> {
    let with_metadata;
    let tree = match metadata {
        None => tree,
        Some(metadata) => {
            with_metadata = tree.with_metadata(metadata, format)?;
            &with_metadata
        }
    };
    let mut out = Buffer::with_capacity(tree.size() + tree.size() / 2);
    match format {
        Format::Yaml => yaml::emit(tree, options.indent.unwrap_or(0), &mut out)?,
        Format::Json => json::file(tree, options, &mut out)?,
        Format::Binary if metadata.is_some() => json::file(tree, options, &mut out)?,
        Format::Binary => binary::file(tree, &mut out)?,
        Format::Dotenv => dotenv::file(tree, &mut out)?,
        Format::Ini => ini::file(tree, &mut out)?,
        Format::Toml | Format::Dialect(_) => return Err(EmitError::NoValue(EXTENSION)),
    }
    Ok(out.into_bytes())
}

impl OwnedTree {
    /// The tree with the metadata as the last entry of every document.
    fn with_metadata(&self, metadata: &Tree, format: Format) -> Result<Self, EmitError> {
        let mut whole = Self::default();
        for root in self.roots() {
            let end = self.behind(root);
            if self.has_root_key(root, end, SOPS.as_bytes()) {
                return Err(EmitError::Reserved);
            }
            whole.append(self, root, end - 1);
            match format {
                Format::Dotenv => {
                    for (name, value) in super::flat::flatten_sorted(metadata) {
                        whole.push_key(&format!("{SOPS}_{name}"));
                        whole.push_tree(&Tree::text(value));
                    }
                }
                Format::Ini => {
                    let flat = super::flat::flatten_sorted(metadata);
                    let entries = flat.into_iter().map(|(name, value)| (name, Tree::text(value.replace('\n', "\\n"))));
                    whole.push_key(SOPS);
                    whole.push_entries(entries);
                }
                _ => {
                    whole.push_key(SOPS);
                    whole.push_tree(metadata);
                }
            }
            whole.append(self, end - 1, end);
        }
        Ok(whole)
    }
}
