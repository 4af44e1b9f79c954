//! A change is `before` and `after` of one resource. Plans, undo, drift, journal and DNS diffs are all this one value.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::secret::SecretRef;

/// Names one thing that a platform can replace at once.
///
/// Heroku: `app config`, `app build`, `app formation`, `app domains`, `app certificates`, `app addons` (the name is
/// empty). DNS: one record set, for example `dns records api-staging/CNAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Resource {
    /// The target's name in the pipeline file (`app`, `dns`).
    pub target: String,
    /// What it is, in the backend's own word ([`super::Word::resource`]).
    pub kind: String,
    /// Which one, where a target has several; else empty. Of a record set: `<name>/<type>`, the name as declared.
    pub name: String,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.target, self.kind)?;
        if self.name.is_empty() { Ok(()) } else { write!(f, " {}", self.name) }
    }
}

/// What a resource is, or shall be. Holds no plaintext: safe to print, store and commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is not there.
    Absent,
    /// Named fields. Only the named ones are spoken of: a config variable that nobody declared is not touched.
    ///
    /// A switch (`certificates: automatic`) is the one field `""`; a set (`domains: [a, b]`) has its members as names
    /// and `Text("present")` or `Absent` as values.
    Fields(BTreeMap<String, Value>),
    /// What an app runs.
    Build(Build),
    /// A DNS record set, whole (RFC 9499).
    Records(RecordSet),
}

/// One field's value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// The field is not there, or shall not be.
    Absent,
    /// No secret; shown as it is.
    Text(String),
    /// The value of this leaf in this version of an encrypted file. Shown by name and version only.
    Secret(SecretRef),
    /// A live value that is in no version at hand ("unknown origin"); the platform's own version (Heroku: the release's
    /// id) still holds it, if it keeps versions.
    Held {
        /// The platform's version that holds the value.
        version: Option<String>,
    },
    /// Known after an earlier step; see [`super::Reader::fact`].
    Fact(FactRef),
}

/// `${target.fact}`: something that a platform knows after a step, for example `${app.domain.cname}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FactRef {
    /// The target's name.
    pub target: String,
    /// What follows the first dot (`domain.cname`).
    pub fact: String,
}

impl fmt::Display for FactRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{{}.{}}}", self.target, self.fact)
    }
}

/// What an app runs: a commit, and how the platform names what was made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The commit, 40 hexadecimal digits. `None`: a live release whose commit the platform does not say.
    pub commit: Option<String>,
    /// How builds of this app move.
    pub stack: Stack,
    /// Slug stack: the slug's id. In a wanted state: the reviewed slug that shall be released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Container stack: the image's digest, where the platform says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The release that runs it, in an observed state. The inverse of a change carries it as what to go back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}

impl Build {
    /// Whether both run the same thing: the same slug where both name one, else the same commit. The release's id does
    /// not count: a release of the same build is the same build.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (&self.slug, &other.slug) {
            (Some(one), Some(two)) => one == two,
            _ => self.commit.is_some() && self.commit == other.commit,
        }
    }
}

/// How an app's builds are made and moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stack {
    /// The same commit is built again on every app.
    Container,
    /// The same slug is released on every app.
    Slug,
}

impl Stack {
    /// The word in `artifact: {stack: …}`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Slug => "slug",
        }
    }
}

/// A DNS record set: every record of one name and type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSet {
    /// Seconds.
    pub ttl: u32,
    /// The records' data in presentation form, in order of their text; names absolute, lower case, without the last dot.
    pub data: Vec<Value>,
}

impl State {
    /// Whether nothing is left to do when the resource is `self` and shall be `wanted`.
    ///
    /// A wanted [`Value::Fact`] never counts as met: it has to be known first.
    #[must_use]
    pub fn meets(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Absent, Self::Absent) => true,
            (Self::Build(live), Self::Build(wanted)) => live.same(wanted),
            (Self::Records(live), Self::Records(wanted)) => live == wanted && !wanted.data.iter().any(Value::is_fact),
            (Self::Fields(live), Self::Fields(wanted)) => {
                wanted.iter().all(|(name, value)| !value.is_fact() && live.get(name).unwrap_or(&Value::Absent) == value)
            }
            (Self::Absent, Self::Fields(wanted)) => wanted.values().all(|value| *value == Value::Absent),
            (Self::Fields(live), Self::Absent) => live.values().all(|value| *value == Value::Absent),
            _ => false,
        }
    }

    /// The facts that have to be known before this state can be written.
    pub fn facts(&self) -> impl Iterator<Item = &FactRef> {
        let values: Vec<&Value> = match self {
            Self::Fields(fields) => fields.values().collect(),
            Self::Records(set) => set.data.iter().collect(),
            Self::Absent | Self::Build(_) => Vec::new(),
        };
        values.into_iter().filter_map(|value| if let Value::Fact(fact) = value { Some(fact) } else { None })
    }

    /// The same state with the facts filled in that `known` has.
    pub(crate) fn filled(&self, resource: &Resource, known: &BTreeMap<FactRef, Value>) -> Self {
        let one = |value: &Value| match value {
            Value::Fact(fact) => known.get(fact).cloned().unwrap_or_else(|| value.clone()),
            other => other.clone(),
        };
        match self {
            Self::Fields(fields) => {
                Self::Fields(fields.iter().map(|(name, value)| (name.clone(), one(value))).collect())
            }
            Self::Records(set) => {
                let kind = resource.name.rsplit('/').next().unwrap_or_default();
                Self::Records(RecordSet { ttl: set.ttl, data: set.data.iter().map(one).collect() }.canonical(kind))
            }
            Self::Absent | Self::Build(_) => self.clone(),
        }
    }

    /// Whether some value of it is in no version at hand, so that it cannot be written again.
    #[must_use]
    pub fn holds_unknown_origin(&self) -> bool {
        match self {
            Self::Fields(fields) => fields.values().any(|value| matches!(value, Value::Held { .. })),
            Self::Build(build) => build.commit.is_none() && build.slug.is_none(),
            Self::Absent | Self::Records(_) => false,
        }
    }

    /// Whether this is what a restore had to bring back: as [`State::meets`], but one value of unknown origin is as good as
    /// another, because nobody can compare them.
    pub(crate) fn is_restored(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Fields(live), Self::Fields(wanted)) => wanted.iter().all(|(name, value)| {
                let now = live.get(name).unwrap_or(&Value::Absent);
                now == value || matches!((now, value), (Value::Held { .. }, Value::Held { .. }))
            }),
            (Self::Build(live), Self::Build(wanted)) if wanted.commit.is_none() && wanted.slug.is_none() => {
                live.commit.is_none() && live.slug.is_none()
            }
            _ => self.meets(wanted),
        }
    }
}

impl RecordSet {
    /// The same set as two equal sets of records of this type are both written: host names lower case and without the last
    /// dot, the records in order. Facts stay as they are.
    #[must_use]
    pub fn canonical(mut self, kind: &str) -> Self {
        if matches!(kind, "CNAME" | "NS" | "PTR" | "DNAME" | "ALIAS" | "MX" | "SRV") {
            for value in &mut self.data {
                if let Value::Text(text) = value {
                    *text = text.trim_end_matches('.').to_ascii_lowercase();
                }
            }
        }
        self.data.sort();
        self.data.dedup();
        self
    }
}

impl Value {
    fn is_fact(&self) -> bool {
        matches!(self, Self::Fact(_))
    }
}

/// One resource, what it is and what it shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The resource.
    pub resource: Resource,
    /// What it is. Of fields: the ones that `after` names.
    pub before: State,
    /// What it shall be. Of fields: only the ones that differ.
    pub after: State,
}

impl Change {
    /// The change that undoes this one.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self { resource: self.resource.clone(), before: self.after.clone(), after: self.before.clone() }
    }

    /// The difference between what is and what shall be: `None` when there is nothing to do. Fields that agree are left
    /// out. Written once, here: a platform's `send` never decides.
    #[must_use]
    pub fn between(resource: Resource, live: &State, wanted: &State) -> Option<Self> {
        if live.meets(wanted) {
            return None;
        }
        let (before, after) = match wanted {
            State::Fields(wanted) => {
                let none = BTreeMap::new();
                let live = if let State::Fields(fields) = live { fields } else { &none };
                let mut before = BTreeMap::new();
                let mut after = BTreeMap::new();
                for (name, value) in wanted {
                    let now = live.get(name).unwrap_or(&Value::Absent);
                    if now != value || value.is_fact() {
                        before.insert(name.clone(), now.clone());
                        after.insert(name.clone(), value.clone());
                    }
                }
                (State::Fields(before), State::Fields(after))
            }
            whole => (live.clone(), whole.clone()),
        };
        Some(Self { resource, before, after })
    }
}
