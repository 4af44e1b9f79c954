//! What a backend says of itself: its words, their shapes, its credentials. Validation of pipeline files, completion, the
//! reference page and missing-credential hints all walk the descriptors.

use std::sync::Arc;
use std::time::Duration;

use super::platform::{PlatformError, Reader, Target, Writer};
use crate::secret::SecretString;

/// One backend. A backend is one file, whose public part ends with one constant of this type.
#[derive(Debug)]
pub struct Descriptor {
    /// The word in `targets:` (`heroku`).
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// The vendor's documentation.
    pub docs: &'static str,
    /// What stands at the word itself: an app's name, a map of zone, servers and key.
    pub address: Shape,
    /// Further words of the target (`pipeline`, `login`).
    pub options: &'static [Word],
    /// What is needed to log in.
    pub credentials: &'static [Credential],
    /// Words of an `apply:` step (`config`, `release`, `records`).
    pub applies: &'static [Word],
    /// Addresses that `deliver: … to:` may name (`config-vars`), each with the resource it writes. `*`: any text.
    pub delivers: &'static [Word],
    /// Words of a `check:` (`dynos`, `release`).
    pub checks: &'static [Word],
    /// Facts that `${target.fact}` may name (`domain.cname`). A `*` stands for one part (`service/*.address`).
    pub facts: &'static [&'static str],
    /// Whether it can be the target of `edit: … in:`, `run: … in:`, `scale:`.
    pub verbs: &'static [&'static str],
    /// How often a wait asks again.
    pub interval: Duration,
    /// How long a wait may take where the pipeline file says nothing.
    pub timeout: Duration,
    /// The environment variable by which the vendor's own client is led to another address of the platform. Which addresses
    /// a credential may be sent to is the backend's to say.
    pub host: Option<&'static str>,
    /// How a client is made; `None` while the word is known to the vocabulary only.
    pub client: Option<Client>,
}

impl Descriptor {
    /// The name of the backend that answers `check: "https://…"`; it is never a target.
    pub const PROBER: &'static str = "https";
}

/// The two constructors of a backend. They make no request.
#[derive(Clone, Copy)]
pub struct Client {
    /// A client that can only ask.
    pub reader: fn(&Connection) -> Result<Arc<dyn Reader>, PlatformError>,
    /// A client that can also write.
    pub writer: fn(&Connection) -> Result<Arc<dyn Writer>, PlatformError>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

/// Everything a client is made from.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The target.
    pub target: Target,
    /// Credentials by the descriptor's key.
    pub credentials: std::collections::BTreeMap<&'static str, SecretString>,
    /// Where the platform is, in place of the vendor's own address (`http://127.0.0.1:4100`, `127.0.0.1:5300`), one or
    /// several; empty: the vendor's own.
    pub endpoints: Vec<String>,
    /// A certificate authority to trust beside the usual ones, PEM.
    pub authority: Option<String>,
    /// How often a wait asks again.
    pub interval: Duration,
    /// The time now, from the one room that reads it: a signed DNS message carries it (RFC 8945).
    pub clock: fn() -> jiff::Timestamp,
}

/// One credential.
#[derive(Debug)]
pub struct Credential {
    /// Its key in the stage's encrypted file (`heroku-api-key`).
    pub key: &'static str,
    /// What a person calls it.
    pub label: &'static str,
    /// Whether it is secret (a user name is not).
    pub secret: bool,
    /// The environment variable that can hold it (`HEROKU_API_KEY`).
    pub variable: &'static str,
    /// Whether the backend works without it.
    pub optional: bool,
}

/// One word that a backend understands.
#[derive(Debug)]
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// The shape of its value.
    pub shape: Shape,
    /// In `applies` and `delivers`: the kind of [`super::Resource`] it writes, and how its value becomes a state. Two words
    /// of one kind (`deliver … config-vars`, `config`) are one write when they are adjacent.
    pub writes: Option<(&'static str, Reading)>,
    /// Facts that are known, or known anew, only after this word was applied.
    pub produces: &'static [&'static str],
    /// What else a write of it does, said in the plan (`a release of the current build; its release command runs`).
    pub effect: &'static str,
}

impl Word {
    /// A word without a resource: an option or a check.
    #[must_use]
    pub const fn plain(name: &'static str, about: &'static str, shape: Shape) -> Self {
        Self { name, about, shape, writes: None, produces: &[], effect: "" }
    }

    /// A word that writes a resource of this kind.
    #[must_use]
    pub const fn writes(
        name: &'static str,
        about: &'static str,
        shape: Shape,
        kind: &'static str,
        reading: Reading,
        produces: &'static [&'static str],
    ) -> Self {
        Self { name, about, shape, writes: Some((kind, reading)), produces, effect: "" }
    }

    /// The same word, with what else a write of it does.
    #[must_use]
    pub const fn with_effect(mut self, effect: &'static str) -> Self {
        self.effect = effect;
        self
    }

    /// The kind of resource it writes.
    #[must_use]
    pub fn resource(&self) -> Option<&'static str> {
        self.writes.map(|(kind, _)| kind)
    }
}

/// The shape of a value in a pipeline file.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// One text (numbers and truth values are refused).
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list.
    List(&'static Self),
    /// A map with free names.
    Map(&'static Self),
    /// A map with these words; the flag says whether the word must be there.
    Record(&'static [(&'static str, Self, bool)]),
    /// Any of these shapes.
    Either(&'static [Self]),
    /// Anything: a document that the platform itself defines.
    Any,
}

/// How a word's value becomes the wanted state of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A map: its entries are the fields.
    Fields,
    /// A list of names: each is a field with the text `present`.
    Members,
    /// One text: the field `""`.
    Switch,
    /// `${build}`: the artifact.
    Build,
    /// A list of `{name, type, ttl, data}`: one record set for each name and type.
    RecordSets,
    /// A list of one-entry maps or a map, read and compared and never written; a difference stops the plan.
    Compared,
}
