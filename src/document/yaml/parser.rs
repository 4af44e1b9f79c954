//! Tokens to events: the grammar, with a stack of states instead of recursion.
//!
//! *Source*: the YAML 1.1 grammar as go-yaml v3 accepts it.

use std::collections::HashMap;

use super::Fault;
use super::event::{Event, EventKind, NONE, Tag};
use super::tags::Tags;
use super::token::{Token, TokenKind};

/// What is expected next in an open collection.
#[derive(Clone, Copy)]
enum State {
    BlockSequence,
    /// A list in the column of its own key, which no token ends.
    IndentlessSequence,
    BlockKey,
    BlockValue,
    FlowSequence {
        first: bool,
    },
    PairKey,
    PairValue,
    PairEnd,
    FlowKey {
        first: bool,
    },
    FlowValue,
    /// Behind a flow key without a `:`.
    FlowNoValue,
}

struct Parser<'t> {
    text: &'t [u8],
    tokens: &'t [Token],
    at: usize,
    events: Vec<Event>,
    states: Vec<State>,
    /// The events of the open collections.
    open: Vec<u32>,
    tags: Tags<'t>,
    /// The newest event of each anchor; an anchor outlives its document.
    anchors: HashMap<&'t [u8], u32>,
}

/// The events of a scanned text.
pub(super) fn parse(text: &[u8], tokens: &[Token]) -> Result<Vec<Event>, Fault> {
    let mut parser = Parser {
        text,
        tokens,
        at: 1,
        events: Vec::with_capacity(tokens.len() / 2 + 8),
        states: Vec::new(),
        open: Vec::new(),
        tags: Tags::new(text),
        anchors: HashMap::new(),
    };
    let bare = !matches!(parser.kind(), TokenKind::Directive | TokenKind::DocumentStart | TokenKind::StreamEnd);
    if bare {
        parser.event(EventKind::Document, NONE);
        parser.document(true)?;
    }
    while parser.begin_document()? {
        let empty = matches!(
            parser.kind(),
            TokenKind::Directive | TokenKind::DocumentStart | TokenKind::DocumentEnd | TokenKind::StreamEnd
        );
        parser.document(!empty)?;
    }
    Ok(parser.events)
}

impl<'t> Parser<'t> {
    fn token(&self) -> Token {
        self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> TokenKind {
        self.token().kind
    }

    /// Passes the token here if it is of that kind.
    fn pass(&mut self, kind: TokenKind) -> bool {
        let here = self.kind() == kind;
        self.at += usize::from(here);
        here
    }

    fn expected(&self, what: &'static str) -> Fault {
        Fault::expected(self.token().start as usize, what)
    }

    fn event(&mut self, kind: EventKind, token: u32) {
        self.events.push(Event { kind, token, tag: Tag::None, link: 0 });
    }

    fn empty(&mut self) {
        self.event(EventKind::Empty, (self.at - 1) as u32);
    }

    /// Ends the innermost collection; the token before this one is its last.
    fn end(&mut self) {
        let index = self.events.len() as u32;
        if let Some(begin) = self.open.pop() {
            self.events[begin as usize].link = index;
        }
        self.event(EventKind::End, (self.at - 1) as u32);
    }

    /// Passes directives and `---`; false at the end.
    fn begin_document(&mut self) -> Result<bool, Fault> {
        while self.pass(TokenKind::DocumentEnd) {}
        if self.kind() == TokenKind::StreamEnd {
            return Ok(false);
        }
        self.tags.begin_document();
        while self.kind() == TokenKind::Directive {
            self.tags.directive(self.token())?;
            self.at += 1;
        }
        self.event(EventKind::Document, self.at as u32);
        if self.pass(TokenKind::DocumentStart) { Ok(true) } else { Err(self.expected("`---`")) }
    }

    fn document(&mut self, content: bool) -> Result<(), Fault> {
        if content {
            self.node(true, false)?;
        } else {
            self.empty();
        }
        while let Some(state) = self.states.pop() {
            self.step(state)?;
        }
        self.pass(TokenKind::DocumentEnd);
        self.tags.begin_document();
        Ok(())
    }

    fn step(&mut self, state: State) -> Result<(), Fault> {
        match state {
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockKey => self.block_key(),
            State::BlockValue => self.block_value(),
            State::FlowSequence { first } => self.flow_sequence(first),
            State::PairKey => self.flow_part(State::PairValue, TokenKind::FlowSequenceEnd),
            State::PairValue => self.flow_value(State::PairEnd, TokenKind::FlowSequenceEnd),
            State::PairEnd => {
                self.end();
                self.states.push(State::FlowSequence { first: false });
                Ok(())
            }
            State::FlowKey { first } => self.flow_key(first),
            State::FlowValue => self.flow_value(State::FlowKey { first: false }, TokenKind::FlowMappingEnd),
            State::FlowNoValue => {
                self.empty();
                self.states.push(State::FlowKey { first: false });
                Ok(())
            }
        }
    }

    fn block_sequence(&mut self) -> Result<(), Fault> {
        if self.pass(TokenKind::Entry) {
            self.states.push(State::BlockSequence);
            if matches!(self.kind(), TokenKind::Entry | TokenKind::End) {
                self.empty();
                return Ok(());
            }
            return self.node(true, false);
        }
        if self.pass(TokenKind::End) {
            self.end();
            return Ok(());
        }
        Err(self.expected("a list item, `-`, in the column of the others"))
    }

    fn indentless_sequence(&mut self) -> Result<(), Fault> {
        if self.pass(TokenKind::Entry) {
            self.states.push(State::IndentlessSequence);
            if matches!(self.kind(), TokenKind::Entry | TokenKind::Key | TokenKind::Value | TokenKind::End) {
                self.empty();
                return Ok(());
            }
            return self.node(true, false);
        }
        self.end();
        Ok(())
    }

    fn block_key(&mut self) -> Result<(), Fault> {
        if self.pass(TokenKind::Key) {
            return self.block_part(State::BlockValue);
        }
        if self.pass(TokenKind::End) {
            self.end();
            return Ok(());
        }
        Err(self.expected("a key in the column of the others"))
    }

    fn block_value(&mut self) -> Result<(), Fault> {
        if self.pass(TokenKind::Value) {
            return self.block_part(State::BlockKey);
        }
        self.empty();
        self.states.push(State::BlockKey);
        Ok(())
    }

    fn block_part(&mut self, then: State) -> Result<(), Fault> {
        self.states.push(then);
        if matches!(self.kind(), TokenKind::Key | TokenKind::Value | TokenKind::End) {
            self.empty();
            return Ok(());
        }
        self.node(true, true)
    }

    fn flow_sequence(&mut self, first: bool) -> Result<(), Fault> {
        if self.kind() != TokenKind::FlowSequenceEnd && !first && !self.pass(TokenKind::Comma) {
            return Err(self.expected("`,` or `]`"));
        }
        if self.pass(TokenKind::FlowSequenceEnd) {
            self.end();
        } else if self.kind() == TokenKind::Key {
            self.begin(EventKind::Mapping, self.at, (NONE, Tag::None));
            self.at += 1;
            self.states.push(State::PairKey);
        } else {
            self.states.push(State::FlowSequence { first: false });
            self.node(false, false)?;
        }
        Ok(())
    }

    fn flow_key(&mut self, first: bool) -> Result<(), Fault> {
        if self.kind() != TokenKind::FlowMappingEnd && !first && !self.pass(TokenKind::Comma) {
            return Err(self.expected("`,` or `}`"));
        }
        if self.pass(TokenKind::FlowMappingEnd) {
            self.end();
            return Ok(());
        }
        if self.pass(TokenKind::Key) {
            return self.flow_part(State::FlowValue, TokenKind::FlowMappingEnd);
        }
        self.states.push(State::FlowNoValue);
        self.node(false, false)
    }

    /// A key or a value in brackets, which may be missing.
    fn flow_part(&mut self, then: State, end: TokenKind) -> Result<(), Fault> {
        self.states.push(then);
        let kind = self.kind();
        if kind == end || matches!(kind, TokenKind::Value | TokenKind::Comma) {
            self.empty();
            return Ok(());
        }
        self.node(false, false)
    }

    fn flow_value(&mut self, then: State, end: TokenKind) -> Result<(), Fault> {
        if self.pass(TokenKind::Value) && self.kind() != end && self.kind() != TokenKind::Comma {
            self.states.push(then);
            return self.node(false, false);
        }
        self.empty();
        self.states.push(then);
        Ok(())
    }

    fn begin(&mut self, kind: EventKind, token: usize, properties: (u32, Tag)) {
        self.open.push(self.events.len() as u32);
        self.node_event(kind, token, properties);
    }

    fn node_event(&mut self, kind: EventKind, token: usize, (anchor, tag): (u32, Tag)) {
        if let Some(name) = self.tokens.get(anchor as usize) {
            let name = &self.text[name.range()][1..];
            self.anchors.insert(name, self.events.len() as u32);
        }
        self.events.push(Event { kind, token: token as u32, tag, link: 0 });
    }

    fn node(&mut self, block: bool, indentless: bool) -> Result<(), Fault> {
        if self.kind() == TokenKind::Alias {
            return self.alias();
        }
        let begin = self.at;
        let properties = self.properties()?;
        let (kind, state) = match self.kind() {
            TokenKind::Entry if indentless => (EventKind::Sequence, State::IndentlessSequence),
            kind if kind.is_scalar() => {
                self.node_event(EventKind::Scalar, self.at, properties);
                self.at += 1;
                return Ok(());
            }
            TokenKind::FlowSequenceStart => (EventKind::Sequence, State::FlowSequence { first: true }),
            TokenKind::FlowMappingStart => (EventKind::Mapping, State::FlowKey { first: true }),
            TokenKind::BlockSequence if block => (EventKind::Sequence, State::BlockSequence),
            TokenKind::BlockMapping if block => (EventKind::Mapping, State::BlockKey),
            _ if self.at > begin => {
                self.node_event(EventKind::Empty, self.at - 1, properties);
                return Ok(());
            }
            _ => return Err(self.expected("a value")),
        };
        self.begin(kind, self.at, properties);
        // The first `-` of a list in its key's column is an item's, not the list's.
        self.at += usize::from(self.kind() != TokenKind::Entry);
        self.states.push(state);
        Ok(())
    }

    fn properties(&mut self) -> Result<(u32, Tag), Fault> {
        let mut anchor = NONE;
        let mut tag = None;
        loop {
            match self.kind() {
                TokenKind::Anchor if anchor == NONE => anchor = self.at as u32,
                TokenKind::Tag if tag.is_none() => tag = Some(self.tags.meaning(self.token())?),
                _ => return Ok((anchor, tag.unwrap_or(Tag::None))),
            }
            self.at += 1;
        }
    }

    fn alias(&mut self) -> Result<(), Fault> {
        let token = self.token();
        let Some(target) = self.anchors.get(&self.text[token.range()][1..]).copied() else {
            return Err(Fault::not_allowed(token.start as usize, "there is no anchor of this name above"));
        };
        let anchored = &self.events[target as usize];
        if matches!(anchored.kind, EventKind::Mapping | EventKind::Sequence) && anchored.link == 0 {
            return Err(Fault::not_allowed(token.start as usize, "this alias stands inside its own anchor"));
        }
        self.event(EventKind::Alias, self.at as u32);
        if let Some(alias) = self.events.last_mut() {
            alias.link = target;
        }
        self.at += 1;
        Ok(())
    }
}
