//! The comments among plain lines, in so far as their places are beyond doubt.
//!
//! *Source*: the rules of the [general way](crate::document::yaml::comments), of which these are a part: a group of
//! comments is the foot of the scalar before it, or the head of the key or item behind it, or stands at the end.

use std::ops::Range;

use super::line::{Lines, Shape};
use crate::document::outline::{Comment, CommentId, Node};

/// Where go-yaml's look-ahead gives up, and nobody should carry the rules any further.
const LONGEST_RUN: usize = 511;

/// A comment on a line of its own.
struct Own {
    id: CommentId,
    column: usize,
    /// Whether a blank line follows.
    blank_after: bool,
}

/// What stands before a gap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// The beginning of the text, or `---`.
    Edge,
    Key,
    Scalar,
}

/// What is between two lines with keys, items or `---`.
pub(super) struct Gap {
    before: Before,
    /// Whether a comment on the next line could be the foot of what stands before.
    below: bool,
    /// Whether a blank line is before the first comment.
    blank_before: bool,
    own: Vec<Own>,
    /// Whether there is any comment, on a line of its own or not.
    commented: bool,
    /// Where the blanks and line breaks here begin.
    blanks: usize,
}

impl Gap {
    pub(super) const fn new(before: Before, below: bool, at: usize) -> Self {
        Self { before, below, blank_before: false, own: Vec::new(), commented: false, blanks: at }
    }

    /// How many comments are the foot of the scalar before the gap; the rest is the head of what is in column `next`.
    /// `None` where that is not all there is to say. `indent` is the column of the innermost collection before the gap.
    fn feet(&self, indent: usize, next: usize) -> Option<usize> {
        let mut clean = !self.blank_before;
        let mut feet = 0;
        // The first comment of the group that may still grow.
        let mut open = None;
        for (index, comment) in self.own.iter().enumerate() {
            let group = open.map(|first: usize| self.own[first].column);
            if comment.column < indent && group.is_some_and(|column| column != comment.column) {
                feet = self.foot(open, index)?;
                open = None;
            }
            let first = *open.get_or_insert(index);
            if comment.blank_after {
                let further_left = self.own[first].column < indent;
                if clean && (further_left || first == 0 && self.below) {
                    feet = if further_left { None } else { self.foot(open, index + 1) }?;
                    open = None;
                }
                clean = false;
            }
        }
        match open {
            Some(first) if next < indent && next != self.own[first].column => self.foot(open, self.own.len()),
            _ => Some(feet),
        }
    }

    /// The foot of a scalar is the first group of its gap.
    fn foot(&self, first: Option<usize>, past: usize) -> Option<usize> {
        (first == Some(0) && self.before == Before::Scalar).then_some(past)
    }
}

impl Lines<'_> {
    /// Begins a gap behind a scalar or a key that ends at `end`, in which nothing is known of a comment.
    pub(super) fn begin_gap(&mut self, before: Before, below: bool, end: usize) {
        let gap = &mut self.gap;
        (gap.before, gap.below, gap.blank_before, gap.commented, gap.blanks) = (before, below, false, false, end);
    }

    pub(super) fn blank_line(&mut self) {
        match self.gap.own.last_mut() {
            Some(last) => last.blank_after = true,
            None => self.gap.blank_before = true,
        }
    }

    /// Takes the comment whose `#` is at `at`.
    pub(super) fn own_comment(&mut self, at: usize, column: usize) -> Option<usize> {
        let end = super::bytes::line_end(self.text, at);
        let id = self.comment(at, end, false)?;
        self.gap.own.push(Own { id, column, blank_after: false });
        Some((end + 1).min(self.text.len()))
    }

    /// Takes the comment behind the last leaf, or if there is none yet the last key, on its line.
    pub(super) fn trailing_comment(&mut self, at: usize) -> Option<usize> {
        let end = super::bytes::line_end(self.text, at);
        let id = self.comment(at, end, self.gap.before == Before::Scalar)?;
        let nodes = &mut self.outline.nodes;
        let behind = nodes.pop_if(|node| !matches!(node, Node::Key(_)));
        let key = nodes.pop_if(|node| matches!(node, Node::Key(_)));
        nodes.push(Node::Comment(id));
        nodes.extend(key);
        nodes.extend(behind);
        Some((end + 1).min(self.text.len()))
    }

    fn comment(&mut self, at: usize, end: usize, inline: bool) -> Option<CommentId> {
        self.pass_blanks(at)?;
        self.gap.commented = true;
        self.gap.blanks = end;
        Some(self.push_comment(at + 1..end, inline, false))
    }

    pub(super) fn push_comment(&mut self, range: Range<usize>, inline: bool, item: bool) -> CommentId {
        let id = CommentId(self.outline.comments.len() as u32);
        self.outline.comments.push(Comment { range, inline, dropped: false, item });
        id
    }

    fn pass_blanks(&self, to: usize) -> Option<()> {
        (to - self.gap.blanks < LONGEST_RUN).then_some(())
    }

    /// Puts the feet of the gap where they belong, before something in that column at `at` closes collections.
    pub(super) fn end_gap(&mut self, at: usize, column: usize) -> Option<()> {
        if !self.gap.commented {
            return Some(());
        }
        self.pass_blanks(at)?;
        if self.gap.own.is_empty() {
            return Some(());
        }
        let feet = self.gap.feet(self.frames.last()?.column, column)?;
        let feet = self.gap.own.drain(..feet).map(|comment| Node::Comment(comment.id));
        self.outline.nodes.extend(feet);
        Some(())
    }

    /// Puts the other comments of the gap here.
    pub(super) fn heads(&mut self) {
        let heads = self.gap.own.drain(..).map(|comment| Node::Comment(comment.id));
        self.outline.nodes.extend(heads);
    }

    /// Ends a document at `at`: comments in column 0 stand at the end of its root, with a `sops` block behind them or not.
    pub(super) fn end_document(&mut self, at: usize) -> Option<()> {
        if self.gap.commented {
            self.pass_blanks(at)?;
        }
        if !self.gap.own.is_empty() {
            let in_key_column = self.frames.last()?.shape == Shape::KeyColumnList;
            // The end of a text stands in a column as well: behind a line break it is the first one.
            let in_column = at == self.text.len() && !self.text.ends_with(b"\n");
            if in_key_column || in_column || self.gap.own.iter().any(|comment| comment.column > 0) {
                return None;
            }
        }
        self.close_to_root()?;
        self.heads();
        Some(())
    }
}
