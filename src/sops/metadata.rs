//! The `sops` block: who can open the file, what is encrypted in it, and its authentication code.

use std::ops::Range;

use crate::document::{Kind, Tree, canonical};
use crate::keys::{Recipient, WrappedKey};

use super::pattern::Pattern;
use super::scope::{EncryptionScope, Selector};
use super::{SopsError, key_lists};

/// The version that new files carry.
pub const VERSION: &str = "3.13.3";

/// The content of a `sops` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Who can open the file: any key of the only group, or one each of as many groups as the threshold says.
    pub groups: Vec<KeyGroup>,
    /// How many groups it takes.
    pub shamir_threshold: Option<usize>,
    /// What is encrypted.
    pub selector: Selector,
    /// Whether the code covers encrypted values only.
    pub mac_only_encrypted: bool,
    /// When it was last written, as it stands in the file.
    pub lastmodified: String,
    /// The encrypted authentication code, if there is one.
    pub mac: Option<String>,
    /// The version of SOPS that made the file.
    pub version: String,
    source: Option<Source>,
}

/// The block as it was read, so that what we do not know is written back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    tree: Tree,
    groups: Vec<KeyGroup>,
    shamir_threshold: Option<usize>,
    lastmodified: Range<usize>,
    mac: Range<usize>,
}

/// Keys of which one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyGroup {
    /// Its keys, in SOPS's order.
    pub keys: Vec<WrappedKey>,
}

impl Metadata {
    /// The metadata of a new file, its times and code still empty.
    #[must_use]
    pub fn new(groups: Vec<KeyGroup>, scope: &EncryptionScope, mac_only_encrypted: bool) -> Self {
        Self {
            groups,
            shamir_threshold: None,
            selector: scope.selector().clone(),
            mac_only_encrypted,
            lastmodified: String::new(),
            mac: None,
            version: VERSION.to_owned(),
            source: None,
        }
    }

    /// Reads a block as leniently as SOPS does, and no more so.
    ///
    /// *Source*: the SOPS format, section 6.3.
    ///
    /// # Errors
    /// [`SopsError::Metadata`] with the field, [`SopsError::NoKeys`], [`SopsError::Pattern`].
    pub fn from_tree(tree: &Tree) -> Result<Self, SopsError> {
        let metadata = Self::from_tree_as_sops(tree)?;
        match metadata.selector.pattern().and_then(Pattern::problem) {
            Some(problem) => Err(problem),
            None => Ok(metadata),
        }
    }

    /// The same, but an invalid pattern is one that never matches, as SOPS has it.
    ///
    /// # Errors
    /// As for [`Metadata::from_tree`], but for [`SopsError::Pattern`].
    pub fn from_tree_as_sops(tree: &Tree) -> Result<Self, SopsError> {
        if !matches!(tree, Tree::Map(_)) {
            return Err(wrong("sops", "is not a mapping"));
        }
        let (lastmodified, lastmodified_range) = text(tree, "lastmodified")?.unwrap_or_default();
        if associated_data_of(&lastmodified).is_none() {
            return Err(wrong("lastmodified", "is no time in the form of RFC 3339"));
        }
        let mac = text(tree, "mac")?.filter(|(text, _)| !text.is_empty());
        let (mac, mac_range) = mac.map_or((None, 0..0), |(text, range)| (Some(text), range));
        let (version, _) = text(tree, "version")?.unwrap_or_default();
        check_version(&version)?;
        let shamir_threshold = match text(tree, "shamir_threshold")? {
            None => None,
            Some((text, _)) if text.is_empty() => None,
            Some((text, _)) => Some(text.parse().map_err(|_| wrong("shamir_threshold", "is no number"))?),
        };
        let mac_only_encrypted = match text(tree, "mac_only_encrypted")? {
            None => false,
            Some((text, _)) => truth(&text).ok_or_else(|| wrong("mac_only_encrypted", "is neither true nor false"))?,
        };
        let shamir_threshold = shamir_threshold.filter(|threshold| *threshold != 0);
        let groups = key_lists::read(tree)?;
        Ok(Self {
            groups: groups.clone(),
            shamir_threshold,
            selector: selector(tree)?,
            mac_only_encrypted,
            lastmodified,
            mac,
            version,
            source: Some(Source {
                tree: tree.clone(),
                groups,
                shamir_threshold,
                lastmodified: lastmodified_range,
                mac: mac_range,
            }),
        })
    }

    /// The block as it shall be written: new files sorted as SOPS sorts them, read ones as they were but for what has
    /// changed. Where the keys have, everything is sorted; what we do not know stays.
    #[must_use]
    pub fn to_tree(&self) -> Tree {
        let mac = self.mac.clone().unwrap_or_default();
        let changing = [("lastmodified", &self.lastmodified), ("mac", &mac)];
        let mut entries = match &self.source {
            Some(Source { tree: Tree::Map(entries), .. }) => {
                let mut entries = entries.clone();
                for (name, value) in changing {
                    match entries.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
                        Some((_, old)) => *old = Tree::text(value.clone()),
                        None => entries.push((name.to_owned(), Tree::text(value.clone()))),
                    }
                }
                if self.keys_are_as_read() {
                    return Tree::Map(entries);
                }
                let about_keys =
                    |name: &str| key_lists::is_about_keys(name) || name.eq_ignore_ascii_case("shamir_threshold");
                entries.retain(|(name, _)| !about_keys(name));
                entries
            }
            _ => self.scalars(&mac),
        };
        entries.extend(key_lists::written(&self.groups));
        if let Some(threshold) = self.shamir_threshold {
            entries.push(("shamir_threshold".to_owned(), scalar(&threshold.to_string(), Kind::Int)));
        }
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Tree::Map(entries)
    }

    /// The entries of a new block that are not about keys.
    fn scalars(&self, mac: &str) -> Vec<(String, Tree)> {
        let mut entries = vec![
            ("lastmodified".to_owned(), Tree::text(self.lastmodified.clone())),
            ("mac".to_owned(), Tree::text(mac)),
            ("version".to_owned(), Tree::text(self.version.clone())),
        ];
        if let Some((field, value)) = self.selector.field() {
            entries.push((field.to_owned(), Tree::text(value)));
        }
        if self.mac_only_encrypted {
            entries.push(("mac_only_encrypted".to_owned(), scalar("true", Kind::Bool)));
        }
        entries
    }

    /// Whether groups and threshold are those of the text that this was read from.
    fn keys_are_as_read(&self) -> bool {
        self.source
            .as_ref()
            .is_some_and(|source| source.groups == self.groups && source.shamir_threshold == self.shamir_threshold)
    }

    /// Where the time and the code stand in the text that this was read from, with what shall stand there.
    pub(super) fn scalar_edits(&self) -> Option<Vec<(Range<usize>, String)>> {
        let source = self.source.as_ref()?;
        if source.lastmodified.is_empty() || source.mac.is_empty() || !self.keys_are_as_read() {
            return None;
        }
        let mut edits = vec![
            (source.lastmodified.clone(), self.lastmodified.clone()),
            (source.mac.clone(), self.mac.clone().unwrap_or_default()),
        ];
        edits.sort_by_key(|(range, _)| range.start);
        Some(edits)
    }

    /// The associated data of the authentication code: the time, without a fraction.
    ///
    /// *Source*: the SOPS format, section 3.3.
    pub(super) fn mac_associated_data(&self) -> String {
        associated_data_of(&self.lastmodified).unwrap_or_default()
    }

    /// Every key of every group.
    pub fn keys(&self) -> impl Iterator<Item = &WrappedKey> {
        self.groups.iter().flat_map(|group| &group.keys)
    }

    /// The recipients of every group.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.keys().map(|key| &key.recipient)
    }
}

/// The time as SOPS's check spells it: no fraction, the offset kept, a zero offset as `Z`.
pub(super) fn associated_data_of(lastmodified: &str) -> Option<String> {
    let canonical = canonical(Kind::Time, lastmodified.as_bytes())?;
    let text = std::str::from_utf8(&canonical).ok()?;
    Some(match text.split_once('.') {
        None => text.to_owned(),
        Some((seconds, rest)) => format!("{seconds}{}", rest.trim_start_matches(|digit: char| digit.is_ascii_digit())),
    })
}

/// The time of writing as SOPS writes it.
pub(super) fn time_of(now: jiff::Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn wrong(field: impl Into<String>, reason: &'static str) -> SopsError {
    SopsError::Metadata { field: field.into(), reason }
}

fn scalar(text: &str, kind: Kind) -> Tree {
    Tree::Scalar { text: text.to_owned(), kind, range: 0..0 }
}

/// A field, by its exact name or else in any case.
pub(super) fn field<'t>(tree: &'t Tree, name: &str) -> Option<&'t Tree> {
    let Tree::Map(entries) = tree else { return None };
    tree.get(name)
        .or_else(|| entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
        .filter(|value| !matches!(value, Tree::Scalar { kind: Kind::Null, .. }))
}

/// The text of a scalar field. A YAML time is refused, as SOPS 3.13 refuses it: it must be quoted.
pub(super) fn text(tree: &Tree, name: &str) -> Result<Option<(String, Range<usize>)>, SopsError> {
    match field(tree, name) {
        None => Ok(None),
        Some(Tree::Scalar { kind: Kind::Time, .. }) => Err(wrong(name, "is a time, where SOPS wants a quoted text")),
        Some(Tree::Scalar { text, range, .. }) => Ok(Some((text.clone(), range.clone()))),
        Some(_) => Err(wrong(name, "is no scalar")),
    }
}

/// The truth value as a lenient decoder takes it from a text, a number or a truth value.
fn truth(text: &str) -> Option<bool> {
    match text {
        "" => Some(false),
        _ => {
            crate::document::parse_bool(text.as_bytes()).or_else(|| text.parse::<i64>().ok().map(|number| number != 0))
        }
    }
}

/// *Source*: the SOPS format, section 6.3: `x.y.z` with an optional `v`, or anything that begins with `1.`.
fn check_version(version: &str) -> Result<(), SopsError> {
    if version.is_empty() {
        return Err(wrong("version", "is missing"));
    }
    let core = version.strip_prefix('v').unwrap_or(version).split(['-', '+']).next().unwrap_or_default();
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let semantic = core.split('.').count() == 3 && core.split('.').all(number);
    if semantic || version.starts_with("1.") { Ok(()) } else { Err(wrong("version", "is no version such as 3.13.3")) }
}

fn selector(tree: &Tree) -> Result<Selector, SopsError> {
    let mut found = None;
    for name in Selector::FIELDS {
        let Some((value, _)) = text(tree, name)?.filter(|(value, _)| !value.is_empty()) else { continue };
        if found.is_some() {
            return Err(wrong(name, "stands beside another selector; a file has one"));
        }
        found = Selector::of_field_as_sops(name, &value);
    }
    Ok(found.unwrap_or_default())
}
