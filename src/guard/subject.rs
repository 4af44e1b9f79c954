//! One file that is judged: its text, what was read in it, and what the rules demand of it.

use std::cell::OnceCell;

use super::error::GuardError;
use super::reading::{Reading, Worth, worth};
use super::rules::Governing;
use super::world::World;
use crate::document::{CommentId, Document, LeafId, Visit};
use crate::repo::{Change, EntryKind, RepoPath};
use crate::sops::{DecryptedFile, EncryptedFile, SopsError};

/// One changed file in the world it is judged in.
pub(super) struct Subject<'w> {
    pub(super) world: &'w World<'w>,
    pub(super) change: &'w Change,
    /// The rules it is under: of the state that is judged and of the one before, each at most once.
    pub(super) governing: Vec<Governing<'w>>,
    text: OnceCell<Option<Vec<u8>>>,
    reading: OnceCell<Reading>,
    before: OnceCell<Vec<Document>>,
    demand: OnceCell<Demand>,
    opened: OnceCell<Option<Result<DecryptedFile, SopsError>>>,
}

/// What has to be encrypted, by position in the outline.
#[derive(Default)]
pub(super) struct Demand {
    leaves: Vec<bool>,
    comments: Vec<bool>,
}

impl Demand {
    pub(super) fn leaf(&self, id: LeafId) -> bool {
        self.leaves.get(id.0 as usize).copied().unwrap_or(false)
    }

    pub(super) fn comment(&self, id: CommentId) -> bool {
        self.comments.get(id.0 as usize).copied().unwrap_or(false)
    }
}

impl<'w> Subject<'w> {
    pub(super) fn new(world: &'w World<'w>, change: &'w Change) -> Self {
        Self {
            governing: world.governing(&change.path),
            world,
            change,
            text: OnceCell::new(),
            reading: OnceCell::new(),
            before: OnceCell::new(),
            demand: OnceCell::new(),
            opened: OnceCell::new(),
        }
    }

    pub(super) fn path(&self) -> &RepoPath {
        &self.change.path
    }

    /// The staged bytes: of a file its content, of a link its target; `None` where there is no content.
    pub(super) fn text(&self) -> Result<Option<&[u8]>, GuardError> {
        if self.text.get().is_none() {
            let entry = self.change.after.filter(|entry| entry.has_content());
            let text = entry.map(|entry| self.world.repo.content(entry.id)).transpose()?;
            let _ = self.text.set(text);
        }
        Ok(self.text.get().and_then(Option::as_deref))
    }

    /// Whether a regular file stands here; a link or a submodule is judged by what it points to, where that changes.
    pub(super) fn is_file(&self) -> bool {
        self.change.after.is_some_and(|entry| entry.kind == EntryKind::File)
    }

    /// What the staged file holds, read as SOPS would read it; `None` where there is no file.
    pub(super) fn reading(&self) -> Result<Option<&Reading>, GuardError> {
        if !self.is_file() {
            return Ok(None);
        }
        if self.reading.get().is_none() {
            let text = self.text()?.unwrap_or_default().to_vec();
            let _ = self.reading.set(Reading::of(self.path(), text));
        }
        Ok(self.reading.get())
    }

    /// The staged document, where it can be read as one.
    pub(super) fn document(&self) -> Result<Option<&Document>, GuardError> {
        Ok(self.reading()?.and_then(Reading::document))
    }

    /// The staged document, if it has a `sops` block and a rule that the file is under.
    pub(super) fn encrypted(&self) -> Result<Option<&Document>, GuardError> {
        if self.governing.is_empty() {
            return Ok(None);
        }
        Ok(self.document()?.filter(|document| document.metadata().is_some()))
    }

    /// The staged file, opened with the keys at hand; `None` where it is not encrypted or the guard was given no keys.
    pub(super) fn opened(&self) -> Result<Option<&Result<DecryptedFile, SopsError>>, GuardError> {
        let (Some(keys), Some(document)) = (self.world.keys, self.encrypted()?) else { return Ok(None) };
        let opened = self.opened.get_or_init(|| {
            let file = EncryptedFile::parse(document.format(), document.text().to_vec()).ok()?;
            let keys = keys(file.metadata());
            Some(file.decrypt(&keys))
        });
        Ok(opened.as_ref())
    }

    /// The encrypted versions this file can come from: HEAD's, and those of the commits that are being merged in.
    pub(super) fn earlier(&self) -> Result<&[Document], GuardError> {
        if self.before.get().is_none() {
            let mut versions = Vec::new();
            let merged = self.world.repo.merged_versions(self.world.comparison, self.path());
            for entry in self.change.before.into_iter().chain(merged) {
                if entry.kind != EntryKind::File {
                    continue;
                }
                let reading = Reading::of(self.path(), self.world.repo.content(entry.id)?);
                versions.extend(reading.into_document().filter(|document| document.metadata().is_some()));
            }
            let _ = self.before.set(versions);
        }
        Ok(self.before.get().map(Vec::as_slice).unwrap_or_default())
    }

    /// The leaves of `document` that are in clear and must not be.
    pub(super) fn clear(&self, document: &Document) -> Vec<LeafId> {
        let demand = self.demand(document);
        let leaves = (0..).map(LeafId).take(document.outline().leaves.len());
        leaves.filter(|id| demand.leaf(*id) && worth(document, *id) == Worth::Clear).collect()
    }

    /// What the rules demand of `document`: whatever one of them wants encrypted has to be.
    pub(super) fn demand(&self, document: &Document) -> &Demand {
        self.demand.get_or_init(|| {
            let outline = document.outline();
            let mut demand =
                Demand { leaves: vec![false; outline.leaves.len()], comments: vec![false; outline.comments.len()] };
            for governing in &self.governing {
                demanded(document, governing, &mut demand);
            }
            demand
        })
    }
}

fn demanded(document: &Document, governing: &Governing<'_>, demand: &mut Demand) {
    let mut root_comments = false;
    let never: Result<(), std::convert::Infallible> = governing.scope().walk(document, |visit, must| {
        match visit {
            Visit::Leaf { id, .. } => demand.leaves[id.0 as usize] |= must,
            Visit::Comment { id, path } => {
                demand.comments[id.0 as usize] |= must;
                root_comments |= must && path.depth() <= 1;
            }
            _ => {}
        }
        Ok(())
    });
    let Ok(()) = never;
    // A comment that SOPS drops has no place in the walk; it counts as one at the top.
    let everywhere = root_comments || governing.wants_comments();
    for (comment, must) in document.outline().comments.iter().zip(&mut demand.comments) {
        *must |= comment.dropped && everywhere;
    }
}
