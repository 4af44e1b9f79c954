//! A tree as SOPS writes it in YAML: block style, its comments as heads, line ends and feet of nodes.
//!
//! *Source*: SOPS's YAML store on go-yaml's node writer; held by runs beside the real program. Where go-yaml misplaces a
//! comment, so does this.

use super::emit_style::Styled;
use super::emit_writer::{Comments, Writer};
use crate::document::buffer::Buffer;
use crate::document::emit::EmitError;
use crate::document::owned::{OwnedTree, Part, Span};
use crate::document::scalar::Kind;

/// SOPS's columns of one level, unless it is told others.
const COLUMNS: usize = 4;

/// Every document of `tree`.
pub(in crate::document) fn emit(tree: &OwnedTree, indent: i64, out: &mut Buffer) -> Result<(), EmitError> {
    let unit = match usize::try_from(indent) {
        Ok(0) => COLUMNS,
        Ok(columns) if (2..=9).contains(&columns) => columns,
        Ok(_) => 2,
        Err(_) => return Err(EmitError::Indent("YAML Negative indentation not accepted")),
    };
    let mut emitter = Emitter { tree, writer: Writer::new(unit, out), open: Vec::new() };
    for (position, root) in tree.roots().enumerate() {
        emitter.document(root, position > 0)?;
    }
    Ok(())
}

/// One value as a document of its own.
pub(in crate::document) fn emit_value(tree: &OwnedTree, out: &mut Buffer) -> Result<(), EmitError> {
    Emitter { tree, writer: Writer::new(COLUMNS, out), open: Vec::new() }.document(0, false)
}

struct Emitter<'t, 'o> {
    tree: &'t OwnedTree,
    writer: Writer<'o>,
    open: Vec<Frame>,
}

/// An open block.
struct Frame {
    list: bool,
    indent: usize,
    /// Whether the next value's key had a `?`.
    complex: bool,
    /// Comments since the last item.
    own: Vec<Span>,
    inline: Vec<Span>,
    /// Comments for the block's own line, which go-yaml has at its end.
    end: Comments,
}

impl Emitter<'_, '_> {
    fn document(&mut self, root: usize, divided: bool) -> Result<(), EmitError> {
        if divided {
            self.writer.indent(0);
            self.writer.indicator("---", true, false);
            self.writer.indent(0);
        }
        if self.writer.has_head() {
            self.writer.head(0);
            self.writer.line_break();
        }
        let mut at = root;
        loop {
            at = self.step(at)?;
            if self.open.is_empty() {
                break;
            }
        }
        self.writer.document_end();
        Ok(())
    }

    /// Takes the part at `at`, and tells which comes next.
    fn step(&mut self, at: usize) -> Result<usize, EmitError> {
        match self.tree.parts()[at] {
            Part::Comment { span, inline } => {
                if let Some(frame) = self.open.last_mut() {
                    if inline { &mut frame.inline } else { &mut frame.own }.push(span);
                }
                Ok(at + 1)
            }
            Part::Key(span) => {
                self.key(span)?;
                Ok(at + 1)
            }
            Part::Scalar { kind, span } => {
                let mut comments = self.comments_of_item();
                comments.foot = self.foot(at + 1);
                let Some(scalar) = Styled::new(kind, self.tree.text(span)) else {
                    // Without a comment a lost text is written as a null.
                    if [&comments.head, &comments.line, &comments.foot].iter().any(|text| !text.is_empty()) {
                        return Err(EmitError::Unwritable);
                    }
                    self.scalar(&Styled::null(), comments);
                    return Ok(at + 1);
                };
                self.scalar(&scalar, comments);
                Ok(at + 1)
            }
            Part::Open { list } => Ok(self.open(at, list)),
            Part::Close => {
                self.close(at);
                Ok(at + 1)
            }
        }
    }

    fn indent(&self) -> usize {
        self.open.last().map_or(0, |frame| frame.indent)
    }

    /// Where what stands in the innermost block has its own lines; `flow` for a scalar or brackets.
    fn deeper(&self, flow: bool) -> usize {
        let unit = self.writer.unit;
        match self.open.last() {
            None if flow => unit,
            None => 0,
            Some(frame) if frame.list => frame.indent + 2,
            Some(frame) => (frame.indent / unit + 1) * unit,
        }
    }

    /// The comments that SOPS gives to the item that comes now: what stands before it. Keys take their own.
    fn comments_of_item(&mut self) -> Comments {
        let Some(frame) = self.open.last_mut() else { return Comments::default() };
        let inline = std::mem::take(&mut frame.inline);
        let own = if frame.list { std::mem::take(&mut frame.own) } else { Vec::new() };
        Comments { head: self.joined(&own), line: self.joined(&inline), ..Comments::default() }
    }

    /// The comments from `at` to the end of the innermost block, if that is a list and nothing else comes in it.
    fn foot(&self, at: usize) -> Buffer {
        if !self.open.last().is_some_and(|frame| frame.list) {
            return Buffer::default();
        }
        let (mut own, mut inline) = (Vec::new(), Vec::new());
        for part in &self.tree.parts()[at..] {
            match part {
                Part::Comment { span, inline: false } => own.push(*span),
                Part::Comment { span, inline: true } => inline.push(*span),
                Part::Close => break,
                _ => return Buffer::default(),
            }
        }
        own.append(&mut inline);
        self.joined(&own)
    }

    fn joined(&self, comments: &[Span]) -> Buffer {
        let mut text = Buffer::default();
        for (position, span) in comments.iter().enumerate() {
            text.extend(if position > 0 { b"\n#" } else { b"#" });
            text.extend(self.tree.text(*span));
        }
        text
    }

    fn key(&mut self, span: Span) -> Result<(), EmitError> {
        let Some(frame) = self.open.last_mut() else { return Ok(()) };
        let (own, indent) = (std::mem::take(&mut frame.own), frame.indent);
        let head = self.joined(&own);
        let key = match Styled::new(Kind::Str, self.tree.text(span)) {
            Some(key) => key,
            None if head.is_empty() => Styled::null(),
            None => return Err(EmitError::Unwritable),
        };
        let simple = Writer::is_simple(&key);
        if let Some(frame) = self.open.last_mut() {
            frame.complex = !simple;
        }
        self.writer.take(Comments { head, ..Comments::default() });
        self.writer.head(indent);
        self.writer.indent(indent);
        self.writer.keep_line_for_value();
        if !simple {
            self.writer.indicator("?", true, true);
        }
        self.writer.scalar(&key, self.deeper(true));
        Ok(())
    }

    /// What stands before a value: its key's colon or its item's dash.
    fn before_value(&mut self, scalar: bool) {
        let indent = self.indent();
        match self.open.last() {
            None => self.writer.head(0),
            Some(frame) if frame.list => {
                self.writer.head(indent);
                self.writer.indent(indent);
                self.writer.indicator("-", true, true);
            }
            Some(frame) => {
                if frame.complex {
                    self.writer.indent(indent);
                    self.writer.indicator(":", true, true);
                } else {
                    self.writer.indicator(":", false, false);
                }
                self.writer.line_of_key(scalar, indent);
            }
        }
    }

    fn after_value(&mut self) {
        let indent = self.indent();
        self.writer.line(indent);
        self.writer.foot(indent);
    }

    fn scalar(&mut self, scalar: &Styled<'_>, comments: Comments) {
        self.writer.take(comments);
        self.before_value(true);
        let indent = self.deeper(true);
        self.writer.scalar(scalar, indent);
        self.after_value();
    }

    /// Begins a block, or writes brackets where there is nothing in it but comments.
    fn open(&mut self, at: usize, list: bool) -> usize {
        let Comments { head: above, line, .. } = self.comments_of_item();
        // The comments before the first item are the block's own.
        let (mut own, mut inline, mut next) = (Vec::new(), Vec::new(), at + 1);
        while let Some(Part::Comment { span, inline: behind }) = self.tree.parts().get(next) {
            if *behind { &mut inline } else { &mut own }.push(*span);
            next += 1;
        }
        let empty = self.tree.parts().get(next) == Some(&Part::Close);
        if empty {
            own.append(&mut inline);
        }
        let mut head = above;
        if !own.is_empty() {
            head.extend(if head.is_empty() { b"" } else { b"\n" });
            head.extend(&self.joined(&own));
        }
        self.writer.take(Comments { head, ..Comments::default() });
        self.before_value(false);
        if empty {
            let (indent, inner) = (self.indent(), self.deeper(true));
            self.after_value();
            self.writer.bracket(if list { "[" } else { "{" });
            self.writer.take(Comments { line, foot: self.foot(next + 1), ..Comments::default() });
            if !list {
                self.writer.head(inner);
            }
            self.writer.close_bracket(if list { "]" } else { "}" }, list, indent);
            self.writer.line(indent);
            self.writer.foot(indent);
            return next + 1;
        }
        let indent = self.deeper(false);
        self.after_value();
        let end = Comments { line, ..Comments::default() };
        self.open.push(Frame { list, indent, complex: false, own: Vec::new(), inline, end });
        next
    }

    fn close(&mut self, at: usize) {
        let Some(frame) = self.open.pop() else { return };
        let Frame { list, indent, mut own, mut inline, mut end, .. } = frame;
        end.foot = self.foot(at + 1);
        if !list {
            own.append(&mut inline);
            end.tail = self.joined(&own);
        }
        self.writer.take(end);
        if !list {
            self.writer.head(indent);
        }
    }
}
