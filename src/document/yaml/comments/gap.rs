//! The comments between two tokens, cut into groups.

use std::collections::HashMap;
use std::ops::Range;

use crate::document::yaml::token::{RawComment, Scan, Token, TokenKind};

/// To which side of a node a group belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Above it.
    Head,
    /// Behind it on its line.
    Trailing,
    /// Below it.
    Foot,
}

/// Comments that go the same way.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) side: Side,
    /// The offset from which a token may pick it up.
    pub(super) offset: u32,
    pub(super) comments: Range<u32>,
}

/// Everything the walk needs to know of the layout.
pub(super) struct Gaps {
    /// In source order.
    pub(super) groups: Vec<Group>,
    /// Of each END in order, the offset where it counts as standing.
    pub(super) ends: Vec<u32>,
    /// Of each comment, whether a blank line follows.
    pub(super) blank_after: Vec<bool>,
    /// Of each comment, whether its gap is of a kind whose rules are not carried here.
    pub(super) unsure: Vec<bool>,
}

/// The blanks and line breaks after which go-yaml's look-ahead gives up: its buffer of 512 characters.
const LONGEST_RUN: usize = 511;

impl Gaps {
    pub(super) fn find(text: &[u8], scan: &Scan) -> Self {
        let comments = scan.comments.len();
        let gaps = Self {
            groups: Vec::with_capacity(comments),
            ends: Vec::new(),
            blank_after: vec![false; comments],
            unsure: vec![false; comments],
        };
        let mut finder = Finder { text, scan, gaps, levels: Vec::new(), comment: 0, flow: 0 };
        finder.run();
        finder.gaps
    }
}

struct Finder<'s> {
    text: &'s [u8],
    scan: &'s Scan,
    gaps: Gaps,
    /// Columns of the open block collections.
    levels: Vec<u32>,
    /// The first comment that no gap had yet.
    comment: usize,
    /// How many brackets are open.
    flow: usize,
}

/// The tokens around a gap.
struct Around {
    /// The last token before it that has a width.
    last: Token,
    /// The one before that.
    before: Token,
    next: Token,
    /// Column of the innermost block collection that is open where the gap begins.
    indent: u32,
}

/// A group that may still grow.
struct Open {
    first: usize,
    column: u32,
    /// Whether it is the first of its gap.
    leading: bool,
}

/// Why a group ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Head,
    /// Something further left follows.
    Dedent,
    Blank,
    Bracket,
}

const fn has_width(token: &Token) -> bool {
    token.start != token.end || matches!(token.kind, TokenKind::StreamEnd)
}

impl Finder<'_> {
    fn run(&mut self) {
        let tokens = &self.scan.tokens;
        let (mut last, mut before) = (0, 0);
        for index in 1..tokens.len() {
            let next = tokens[index];
            if !has_width(&next) {
                continue;
            }
            let around = Around {
                last: tokens[last],
                before: tokens[before],
                next,
                indent: self.levels.last().copied().unwrap_or(0),
            };
            let own = self.gap(&around);
            self.levels_between(last + 1..index, &around, own);
            match next.kind {
                TokenKind::FlowSequenceStart | TokenKind::FlowMappingStart => self.flow += 1,
                TokenKind::FlowSequenceEnd | TokenKind::FlowMappingEnd => self.flow = self.flow.saturating_sub(1),
                _ => {}
            }
            (before, last) = (last, index);
        }
    }

    /// Opens and closes levels, and finds for each END where it stands among the groups of this gap.
    fn levels_between(&mut self, tokens: Range<usize>, around: &Around, own: Range<usize>) {
        let ends_stream = matches!(
            around.next.kind,
            TokenKind::StreamEnd | TokenKind::DocumentStart | TokenKind::DocumentEnd | TokenKind::Directive
        );
        let column = around.next.column;
        let mut previous = around.last.start;
        let mut first_in_column: Option<HashMap<u32, u32>> = None;
        for token in &self.scan.tokens[tokens] {
            match token.kind {
                TokenKind::BlockMapping | TokenKind::BlockSequence => self.levels.push(token.column),
                TokenKind::End => {
                    let level = self.levels.pop().unwrap_or(0);
                    let firsts = first_in_column.get_or_insert_with(|| self.first_in_column(own.clone()));
                    previous = match firsts.get(&level) {
                        Some(first) => *first,
                        None if ends_stream && level <= column => around.next.start.saturating_sub(1),
                        None => previous,
                    };
                    self.gaps.ends.push(previous);
                }
                _ => {}
            }
        }
    }

    /// Of each column in which a group begins, the offset of the first one.
    fn first_in_column(&self, groups: Range<usize>) -> HashMap<u32, u32> {
        let mut first = HashMap::new();
        for group in &self.gaps.groups[groups] {
            let comment = &self.scan.comments[group.comments.start as usize];
            first.entry(comment.column).or_insert(comment.start);
        }
        first
    }

    /// Groups the comments before `around.next`; gives back which groups are not trailing.
    fn gap(&mut self, around: &Around) -> Range<usize> {
        let comments = &self.scan.comments;
        let first = self.comment;
        while self.comment < comments.len() && comments[self.comment].start < around.next.start {
            self.comment += 1;
        }
        let past = self.comment;
        if first == past {
            return 0..0;
        }
        self.blank_lines(first..past, around.next.line);
        if self.is_unsure(first..past, around) {
            self.gaps.unsure[first..past].fill(true);
        }
        let own = self.trailing(first, around);
        let begin = self.gaps.groups.len();
        if own < past {
            self.own(own..past, around);
        }
        begin..self.gaps.groups.len()
    }

    /// A comment line that ends with CR LF counts as followed by a blank line.
    fn blank_lines(&mut self, gap: Range<usize>, next_line: u32) {
        let comments = &self.scan.comments;
        for index in gap.clone() {
            let RawComment { line, end, .. } = comments[index];
            let following = if index + 1 < gap.end { comments[index + 1].line } else { next_line };
            let crlf = self.text[end as usize..].starts_with(b"\r\n");
            self.gaps.blank_after[index] = crlf || following > line + 1;
        }
    }

    /// Takes the comment behind `around.last`, if there is one; gives back the first own comment.
    fn trailing(&mut self, first: usize, around: &Around) -> usize {
        let last = &around.last;
        let line = if is_block(last) { last.line } else { last.end_line };
        let never = [TokenKind::Entry, TokenKind::DocumentStart, TokenKind::DocumentEnd, TokenKind::StreamStart];
        if self.scan.comments[first].line != line || never.contains(&last.kind) {
            return first;
        }
        let behind = match last.kind {
            TokenKind::Comma => &around.before,
            TokenKind::Value if self.flow == 0 => &around.before,
            _ => last,
        };
        if last.kind != TokenKind::Directive {
            let comments = range(first, first + 1);
            self.gaps.groups.push(Group { side: Side::Trailing, offset: behind.start, comments });
        }
        first + 1
    }

    fn own(&mut self, gap: Range<usize>, around: &Around) {
        let comments = &self.scan.comments;
        let Around { last, next, indent, .. } = around;
        let start = &comments[gap.start];
        let end_line = self.content_end_line(last);
        let mut clean = start.line <= end_line + 1;
        let below =
            start.line == end_line + 1 && last.kind != TokenKind::Value && (end_line > 0 || self.ends_its_line(last));

        let is_foot = |group: &Open| group.column < *indent || (group.leading && below);
        let mut open: Option<Open> = None;
        for index in gap.clone() {
            let column = comments[index].column;
            if let Some(group) = open.take_if(|group| column < *indent && column != group.column) {
                self.push(&group, index, Cut::Dedent, around);
            }
            let group = open.get_or_insert(Open { first: index, column, leading: index == gap.start });
            if self.gaps.blank_after[index] {
                if clean && is_foot(group) {
                    let group = Open { ..*group };
                    open = None;
                    self.push(&group, index + 1, Cut::Blank, around);
                }
                clean = false;
            }
        }
        let Some(group) = open else { return };
        let cut = match next.kind {
            TokenKind::StreamEnd if clean && is_foot(&group) => Cut::Blank,
            TokenKind::StreamEnd => Cut::Head,
            TokenKind::FlowSequenceEnd | TokenKind::FlowMappingEnd => Cut::Bracket,
            _ if next.column < *indent && next.column != group.column => Cut::Dedent,
            _ => Cut::Head,
        };
        self.push(&group, gap.end, cut, around);
    }

    fn push(&mut self, group: &Open, past: usize, cut: Cut, around: &Around) {
        let Around { last, before, indent, .. } = around;
        let content = if last.kind == TokenKind::Comma { before } else { last };
        let own = self.scan.comments[group.first].start;
        let (side, offset) = match cut {
            Cut::Head => (Side::Head, own),
            _ if group.leading && (cut == Cut::Dedent || group.column >= *indent) => (Side::Foot, content.start),
            _ => (Side::Foot, own),
        };
        self.gaps.groups.push(Group { side, offset, comments: range(group.first, past) });
    }

    /// The line on which a token ends; lines of a block's content that hold only blanks count as blank lines here.
    fn content_end_line(&self, token: &Token) -> u32 {
        let mut line = token.end_line;
        if is_block(token) {
            let lines = self.text[token.range()].rsplit(|byte| *byte == b'\n');
            let blank = |line: &&[u8]| line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
            line -= u32::try_from(lines.take_while(blank).count()).unwrap_or(0);
        }
        line
    }

    /// On the first line of a stream only these can have a foot right below.
    fn ends_its_line(&self, token: &Token) -> bool {
        match token.kind {
            TokenKind::Literal | TokenKind::Folded | TokenKind::Directive => true,
            TokenKind::Plain => {
                let rest = &self.text[token.end as usize..];
                let first = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
                first.is_none_or(|byte| matches!(byte, b'\r' | b'\n'))
            }
            _ => false,
        }
    }

    /// NEL, U+2028 and U+2029 between comments, and runs of blanks that outgrow go-yaml's look-ahead.
    fn is_unsure(&self, gap: Range<usize>, around: &Around) -> bool {
        let mut from = around.last.end;
        for index in gap {
            let RawComment { start, end, .. } = self.scan.comments[index];
            if from < start && self.is_exotic(from..start) {
                return true;
            }
            from = end.max(from);
        }
        from < around.next.start && self.is_exotic(from..around.next.start)
    }

    fn is_exotic(&self, between: Range<u32>) -> bool {
        let between = &self.text[between.start as usize..between.end as usize];
        between.len() >= LONGEST_RUN || !between.is_ascii()
    }
}

const fn is_block(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Literal | TokenKind::Folded)
}

fn range(first: usize, past: usize) -> Range<u32> {
    u32::try_from(first).unwrap_or(u32::MAX)..u32::try_from(past).unwrap_or(u32::MAX)
}
