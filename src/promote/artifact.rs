//! What moves: one commit, and how the platforms name what was made of it.

use serde::{Deserialize, Serialize};

use super::change::{Build, Stack};

/// The immutable thing that a promotion moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
    /// How its builds move.
    pub stack: Stack,
    /// The reviewed slug, on the slug stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The reviewed image's digest, where the platform says it. On the container stack the target builds the commit again,
    /// so this names what was reviewed, not what will run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The release's tag, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl Artifact {
    /// What a source stage runs, as the thing to move. `None` when it runs nothing with a known commit.
    #[must_use]
    pub fn of(build: &Build) -> Option<Self> {
        Some(Self {
            commit: build.commit.clone()?,
            stack: build.stack,
            slug: build.slug.clone(),
            image: build.image.clone(),
            tag: None,
        })
    }

    /// What the target shall run.
    #[must_use]
    pub fn wanted(&self) -> Build {
        let slug = if self.stack == Stack::Slug { self.slug.clone() } else { None };
        Build { commit: Some(self.commit.clone()), stack: self.stack, slug, image: None, release: None }
    }

    /// `${build.commit}` and its like.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<String> {
        match name {
            "commit" => Some(self.commit.clone()),
            "tag" => self.tag.clone(),
            "version" => self.tag.as_ref().map(|tag| tag.strip_prefix('v').unwrap_or(tag).to_owned()),
            "slug" => self.slug.clone(),
            "image" => self.image.clone(),
            _ => None,
        }
    }

    /// The commit's first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.commit.get(..12).unwrap_or(&self.commit)
    }
}
