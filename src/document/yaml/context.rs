//! Where a scalar stands, as far as writing over it needs to know; packed into `Leaf::context`.

use super::token::{Scan, Token, TokenKind};
use crate::document::outline::{Leaf, Style};
use crate::document::scalar::Kind;

/// Where a scalar stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    /// Whether its tag is `!!binary`.
    pub(super) binary: bool,
    /// Whether it stands in brackets, where `,`, `[` and `{` end a plain scalar.
    pub(super) flow: bool,
    /// Whether it is the missing value of a key that has no `:` (`{x}`, `? x`).
    pub(super) no_colon: bool,
    /// Whether a tag makes it text whatever it says (`!!str 5`).
    pub(super) tagged_text: bool,
    /// Of a block scalar the column of its content. Of any other scalar 1 + the column of the innermost block mapping
    /// or list around it, 0 outside of all; a list in the column of its own key does not count.
    pub(super) column: u32,
}

/// No file of 256 MiB has a longer line.
const COLUMN_LIMIT: u32 = u32::MAX >> 4;

impl Context {
    pub(super) fn pack(self) -> u32 {
        u32::from(self.binary)
            | u32::from(self.flow) << 1
            | u32::from(self.no_colon) << 2
            | u32::from(self.tagged_text) << 3
            | self.column.min(COLUMN_LIMIT) << 4
    }

    pub(super) const fn unpack(packed: u32) -> Self {
        Self {
            binary: packed & 1 != 0,
            flow: packed & 2 != 0,
            no_colon: packed & 4 != 0,
            tagged_text: packed & 8 != 0,
            column: packed >> 4,
        }
    }
}

/// Completes the context of every leaf but aliases; the parser has set `binary` and the column of blocks.
pub(super) fn complete(scan: &Scan, leaves: &mut [Leaf]) {
    // Only aliases take leaves out of their order.
    let mut order: Vec<usize> = Vec::new();
    if !leaves.is_sorted_by_key(|leaf| leaf.range.start) {
        order.extend(0..leaves.len());
        order.sort_by_key(|index| leaves[*index].range.start);
    }
    let mut done = 0;
    let mut levels: Vec<u32> = Vec::new();
    // The open brackets, and the last token before the properties (anchor, tag) here.
    let mut brackets: Vec<TokenKind> = Vec::new();
    let mut before = TokenKind::StreamStart;
    let mut tagged = false;
    for (index, token) in scan.tokens.iter().enumerate() {
        match token.kind {
            TokenKind::BlockMapping | TokenKind::BlockSequence => levels.push(token.column),
            TokenKind::End => {
                levels.pop();
            }
            TokenKind::FlowSequenceStart | TokenKind::FlowMappingStart => brackets.push(token.kind),
            TokenKind::FlowSequenceEnd | TokenKind::FlowMappingEnd => {
                brackets.pop();
            }
            _ => {}
        }
        if token.is_zero_width() {
            continue;
        }
        let property = matches!(token.kind, TokenKind::Anchor | TokenKind::Tag);
        if !property {
            before = token.kind;
        }
        let in_braces = brackets.last() == Some(&TokenKind::FlowMappingStart);
        let key_expected = matches!(before, TokenKind::FlowMappingStart | TokenKind::Comma) && in_braces;
        // A scalar begins where its token does; nothing stands behind the token before it.
        let solid = scan.tokens[index + 1..].iter().find(|next| !next.is_zero_width());
        let next = solid.map_or(u32::MAX, |next| next.start);
        loop {
            let at = order.get(done).copied().unwrap_or(done);
            let Some(leaf) = leaves.get_mut(at).filter(|leaf| belongs(leaf, token, next)) else { break };
            done += 1;
            if leaf.style == Style::Alias {
                continue;
            }
            let mut context = Context::unpack(leaf.context);
            context.flow = !brackets.is_empty();
            context.tagged_text = tagged && leaf.kind == Kind::Str;
            context.no_colon = leaf.style == Style::Empty && (ends_node(before) || property && key_expected);
            if !matches!(leaf.style, Style::Literal | Style::Folded) {
                context.column = levels.last().map_or(0, |column| column + 1);
            }
            leaf.context = context.pack();
        }
        tagged = token.kind == TokenKind::Tag || (tagged && token.kind == TokenKind::Anchor);
    }
}

fn belongs(leaf: &Leaf, token: &Token, next: u32) -> bool {
    let start = leaf.range.start as u32;
    start < next || (leaf.style == Style::Empty && start == token.end)
}

const fn ends_node(kind: TokenKind) -> bool {
    kind.is_scalar()
        || matches!(kind, TokenKind::Alias | TokenKind::FlowSequenceEnd | TokenKind::FlowMappingEnd | TokenKind::Key)
}
