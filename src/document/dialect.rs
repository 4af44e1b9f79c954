//! Environment files with quotes: our extension of dotenv, of which SOPS knows the bare lines only.
//!
//! Each reader has its own idea of quotes; a file is of one dialect, which stands in its metadata
//! (`sops_dotenv_dialect`). What a dialect's reader would not take as the file says it is refused. A token holds the
//! text between the quotes, so that it comes back byte for byte; the MAC covers what the text means.

mod kind;
mod scan;
mod value;

use std::borrow::Cow;
use std::ops::Range;

pub use kind::Dialect;
use kind::Form;
use scan::{Entry, Fault, Scanner, Statement, inside};

use super::edit::{MetadataEdit, Replacement};
use super::flat::{Unflatten, flatten, spell};
use super::graft::{Change, Graft};
use super::key_path::{KeyPath, PathPart};
use super::outline::{Comment, CommentId, Leaf, LeafId, Metadata, Node, Outline, Style};
use super::scalar::{Kind, Scalar};
use super::syntax::{Format, Syntax, SyntaxError, SyntaxErrorKind, error};
use super::trailer::{self, PREFIX};

/// The syntax of one dialect.
pub(crate) struct InDialect(Dialect);

/// Said to who opens such a file under the name `sops`.
pub(super) const NOT_SOPS: &str =
    "this file has quotes in a dialect that SOPS does not know; it is an extension, so call the program `lockage`";

/// The entry of the metadata that names the dialect.
const ENTRY: &str = "dotenv_dialect";

/// The syntax of that dialect.
pub(super) const fn syntax(dialect: Dialect) -> &'static InDialect {
    match dialect {
        Dialect::Compose => &InDialect(Dialect::Compose),
        Dialect::Docker => &InDialect(Dialect::Docker),
        Dialect::Shell => &InDialect(Dialect::Shell),
        Dialect::Node => &InDialect(Dialect::Node),
        Dialect::Systemd => &InDialect(Dialect::Systemd),
    }
}

/// The dialect that an encrypted text names in the metadata lines at its end.
pub(super) fn announced(text: &[u8]) -> Option<Dialect> {
    let lines = text.rsplit(|byte| *byte == b'\n').skip_while(|line| line.trim_ascii().is_empty());
    let block = lines.map_while(|line| line.trim_ascii_end().strip_prefix(PREFIX.as_bytes()));
    let words = block.filter_map(|line| line.strip_prefix(ENTRY.as_bytes())?.strip_prefix(b"="));
    words.filter_map(|word| Dialect::of_word(std::str::from_utf8(word).ok()?)).last()
}

impl InDialect {
    fn located(&self, text: &[u8], (at, kind): Fault) -> SyntaxError {
        error(Format::Dialect(self.0), text, at, kind)
    }

    fn read(&self, text: &[u8]) -> Result<Outline, Fault> {
        let mut outline = Outline { nodes: vec![Node::Open { list: false }], ..Outline::default() };
        let mut names = Unflatten::default();
        let mut runs: Vec<Range<usize>> = Vec::new();
        let mut scanner = Scanner::new(self.0, text);
        while let Some(statement) = scanner.next()? {
            match statement {
                Statement::Comment(range) => comment(&mut outline, range),
                Statement::Metadata { name, value, line } => {
                    let name = String::from_utf8_lossy(&text[name]).into_owned();
                    let content = String::from_utf8_lossy(&text[value.clone()]).replace("\\n", "\n");
                    names.add(&name, content, value).map_err(|kind| (line.start, kind))?;
                    match runs.last_mut() {
                        Some(run) if run.end == line.start => run.end = line.end,
                        _ => runs.push(line),
                    }
                }
                Statement::Entry(Entry { name, value, form, comment: behind, .. }) => {
                    let text_of_name = String::from_utf8_lossy(&text[name.clone()]);
                    if let Some(behind) = behind {
                        comment(&mut outline, behind);
                    }
                    let key = outline.push_key(name, &text_of_name);
                    outline.nodes.push(Node::Key(key));
                    outline.nodes.push(Node::Leaf(LeafId(u32::try_from(outline.leaves.len()).unwrap_or(u32::MAX))));
                    outline.leaves.push(leaf(value, form));
                }
            }
        }
        outline.nodes.push(Node::Close);
        if let Some(first) = runs.first().cloned() {
            let tree = names.finish().map_err(|kind| (first.start, kind))?;
            outline.metadata = Some(Metadata { range: first, tree });
            outline.more_metadata = runs.split_off(1);
        }
        Ok(outline)
    }

    /// Appends a value in that form, or in the first that can hold it; bare not where what stands `behind` it would
    /// become a part of it.
    fn write(&self, value: &str, form: Form, behind: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxErrorKind> {
        let comment = behind.trim_ascii_start().starts_with(b"#");
        let swallows = self.0 == Dialect::Compose && (behind.starts_with(b"#") || comment && value.is_empty());
        for form in std::iter::once(form).chain(Form::ALL) {
            if swallows && form == Form::Bare {
                continue;
            }
            let Some(spelled) = value::spell(self.0, form, value) else { continue };
            // The reader has the last word.
            if value::read(self.0, form, spelled.as_bytes()).is_ok_and(|read| *read == *value.as_bytes()) {
                enclose(form, spelled.as_bytes(), out);
                return Ok(());
            }
        }
        Err(SyntaxErrorKind::NotAllowed(self.0.refusal()))
    }

    fn write_value(
        &self,
        value: &Replacement<'_>,
        form: Form,
        behind: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxErrorKind> {
        let refused = SyntaxErrorKind::NotAllowed("the value is not of its own kind");
        match value {
            Replacement::Token(token) => enclose(form, token, out),
            Replacement::Value { kind: Kind::Null, .. } => {
                return Err(SyntaxErrorKind::NotAllowed(
                    "a null cannot be written: every value is a text in this format",
                ));
            }
            Replacement::Value { kind, bytes } => {
                let spelled = if *kind == Kind::Str {
                    Cow::Borrowed(*bytes)
                } else {
                    Cow::Owned(spell(*kind, bytes).ok_or(refused)?)
                };
                let text = std::str::from_utf8(&spelled)
                    .map_err(|_| SyntaxErrorKind::NotAllowed("bytes that are no UTF-8"))?;
                self.write(text, form, behind, out)?;
            }
        }
        Ok(())
    }

    fn changed(&self, text: &[u8], outline: &Outline, path: &KeyPath, change: Change<'_>) -> Result<Vec<u8>, Fault> {
        let refused = |reason| Err((0, SyntaxErrorKind::Path(reason)));
        let [PathPart::Key(key)] = path.parts() else { return refused("a dotenv file has no nesting") };
        let mut found = None;
        let mut scanner = Scanner::new(self.0, text);
        while let Some(statement) = scanner.next()? {
            match statement {
                Statement::Entry(entry) if text[entry.name.clone()] == *key.as_bytes() => found = Some(entry.lines),
                _ => {}
            }
        }
        let value = match (change, found) {
            (Change::Remove, Some(lines)) => return Ok([&text[..lines.start], &text[lines.end..]].concat()),
            (Change::Remove, None) => return refused("there is nothing at this path"),
            (Change::Insert(Graft::Leaf(value)), None) => value,
            (Change::Insert(_), Some(_)) => return refused("there is a value already"),
            _ => return refused("a dotenv file has no nesting"),
        };
        let fits = key.bytes().enumerate().all(|(at, byte)| byte != b'=' && self.0.in_name(byte, at == 0));
        if !fits || key.is_empty() || key.starts_with(PREFIX) {
            return refused("readers of this dialect refuse this name, or it begins with `sops_`");
        }
        let mut line = format!("{key}=").into_bytes();
        self.write_value(value, Form::Bare, b"", &mut line).map_err(|kind| (0, kind))?;
        Ok(trailer::insert_line(text, outline, &line))
    }
}

impl Syntax for InDialect {
    fn parse(&self, text: &[u8]) -> Result<Outline, SyntaxError> {
        self.read(text).map_err(|fault| self.located(text, fault))
    }

    fn scalar<'t>(&self, text: &'t [u8], leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError> {
        let form = form_of(leaf);
        let inside = inside(&leaf.range, form);
        let raw = &text[inside.clone()];
        let canonical = value::read(self.0, form, raw)
            .map_err(|reason| self.located(text, (inside.start, SyntaxErrorKind::NotAllowed(reason))))?;
        Ok(Scalar { kind: Kind::Str, canonical, token: Cow::Borrowed(raw) })
    }

    fn canonical<'b>(&self, _text: &[u8], leaf: &Leaf, kind: Kind, bytes: &'b [u8]) -> Option<Cow<'b, [u8]>> {
        if kind == Kind::Str { value::read(self.0, form_of(leaf), bytes).ok() } else { None }
    }

    fn write_leaf(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        let behind = text[leaf.range.end..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        self.write_value(value, form_of(leaf), behind, out).map_err(|kind| self.located(text, (leaf.range.start, kind)))
    }

    fn write_opened(
        &self,
        text: &[u8],
        leaf: &Leaf,
        value: &Replacement<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        let (Replacement::Token(bytes) | Replacement::Value { bytes, .. }) = value;
        let form = form_of(leaf);
        let from = out.len();
        enclose(form, bytes, out);
        // Whoever made the token might have put anything into it; it must not become another entry.
        let whole = Scanner::new(self.0, &[b"A=", &out[from..]].concat()).next().is_ok_and(|statement| {
            matches!(statement, Some(Statement::Entry(entry))
                if entry.form == form && entry.comment.is_none() && entry.value == (2..out.len() - from + 2))
        });
        if whole {
            return Ok(());
        }
        let kind = SyntaxErrorKind::NotAllowed("what was encrypted cannot stand in these quotes");
        Err(self.located(text, (leaf.range.start, kind)))
    }

    fn write_comment(&self, text: &[u8], comment: &Comment, new: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        if new.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            let kind = SyntaxErrorKind::NotAllowed("a comment of more than one line");
            return Err(self.located(text, (comment.range.start, kind)));
        }
        out.extend_from_slice(new);
        Ok(())
    }

    fn metadata_splices(
        &self,
        text: &[u8],
        outline: &Outline,
        edit: &MetadataEdit,
    ) -> Result<Vec<(Range<usize>, String)>, SyntaxError> {
        let newline = if self.0 != Dialect::Shell && text.windows(2).any(|two| two == b"\r\n") { "\r\n" } else { "\n" };
        Ok(trailer::splices(text, outline, edit, newline, |tree| {
            let mut entries = flatten(tree);
            entries.retain(|(name, _)| name != ENTRY);
            entries.push((ENTRY.to_owned(), self.0.word().to_owned()));
            entries.sort();
            entries
        }))
    }

    fn change(
        &self,
        text: &[u8],
        outline: &Outline,
        path: &KeyPath,
        change: Change<'_>,
    ) -> Result<Vec<u8>, SyntaxError> {
        self.changed(text, outline, path, change).map_err(|fault| self.located(text, fault))
    }
}

fn comment(outline: &mut Outline, range: Range<usize>) {
    let id = u32::try_from(outline.comments.len()).unwrap_or(u32::MAX);
    outline.nodes.push(Node::Comment(CommentId(id)));
    outline.comments.push(Comment { range, inline: false, dropped: false, item: false });
}

fn leaf(range: Range<usize>, form: Form) -> Leaf {
    let style = match form {
        Form::Bare => Style::Plain,
        Form::Single => Style::SingleQuoted,
        Form::Double | Form::Backquoted => Style::DoubleQuoted,
    };
    let context = u32::from(form == Form::Backquoted);
    Leaf { range, kind: Kind::Str, style, tagged: true, context }
}

const fn form_of(leaf: &Leaf) -> Form {
    match leaf.style {
        Style::SingleQuoted => Form::Single,
        Style::DoubleQuoted if leaf.context == 1 => Form::Backquoted,
        Style::DoubleQuoted => Form::Double,
        _ => Form::Bare,
    }
}

fn enclose(form: Form, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(form.mark());
    out.extend_from_slice(bytes);
    out.extend_from_slice(form.mark());
}
