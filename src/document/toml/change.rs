//! New entries, and entries that go, in the manner of the text around them.

use std::collections::HashSet;
use std::ops::Range;

use super::metadata::line_break;
use super::parse::{Parsed, parse};
use super::tables::{Fault, Item, ItemId, Made, ROOT, Tables};
use super::{write_key, write_value};
use crate::document::graft::{Change, Graft};
use crate::document::key_path::{KeyPath, PathPart};
use crate::document::syntax::SyntaxErrorKind;

pub(super) fn change(text: &[u8], path: &KeyPath, change: Change<'_>) -> Result<Vec<u8>, Fault> {
    let Parsed { tables, blocks, .. } = parse(text)?;
    let end = blocks.iter().map(|block| block.start).next().unwrap_or(text.len());
    let editor = Editor { text, tables, end, newline: line_break(text).as_bytes() };
    match change {
        Change::Insert(graft) => editor.insert(path, graft),
        Change::Remove => editor.remove(path),
        Change::Replace(graft) => {
            let item = editor.find(path.parts()).ok_or_else(nothing)?;
            if let Some(span) = editor.item(item).and_then(Item::span) {
                let mut new = Vec::new();
                value(graft, &text[span.clone()], &mut new)?;
                return Ok(editor.spliced(span, &new));
            }
            if matches!(path.parts().last(), Some(PathPart::Index(_))) {
                return Err(refused("a table of a list of tables is changed value by value"));
            }
            let without = editor.remove(path)?;
            super::change::change(&without, path, Change::Insert(graft))
        }
    }
}

fn refused(reason: &'static str) -> Fault {
    (0, SyntaxErrorKind::Path(reason))
}

fn nothing() -> Fault {
    refused("there is nothing at this path")
}

struct Editor<'t> {
    text: &'t [u8],
    tables: Tables,
    /// Where the `sops` tables begin, or the text ends.
    end: usize,
    newline: &'static [u8],
}

impl Editor<'_> {
    fn item(&self, id: ItemId) -> Option<&Item> {
        self.tables.items.get(id as usize)
    }

    fn spliced(&self, range: Range<usize>, new: &[u8]) -> Vec<u8> {
        [&self.text[..range.start], new, &self.text[range.end..]].concat()
    }

    fn child(&self, container: ItemId, part: &PathPart) -> Option<ItemId> {
        let list = matches!(self.item(container), Some(Item::Array { .. }));
        match part {
            PathPart::Index(index) if list => self.tables.items_of(container).nth(*index).map(|(_, item)| item),
            PathPart::Key(key) if !list => {
                self.tables.items_of(container).find(|(name, _)| name == key).map(|(_, item)| item)
            }
            _ => None,
        }
    }

    fn find(&self, parts: &[PathPart]) -> Option<ItemId> {
        parts.iter().try_fold(ROOT, |at, part| self.child(at, part))
    }

    fn insert(&self, path: &KeyPath, graft: &Graft<'_>) -> Result<Vec<u8>, Fault> {
        let Some((last, parents)) = path.parts().split_last() else { return Err(refused("a value has a name")) };
        let parent = self.find(parents).ok_or_else(nothing)?;
        if self.child(parent, last).is_some() {
            return Err(refused("there is a value already"));
        }
        match (self.item(parent), last) {
            (Some(Item::Array { of_tables, .. }), PathPart::Index(index)) => {
                if *index != self.tables.items_of(parent).count() {
                    return Err(refused("a new item goes to the end of its list"));
                }
                match (of_tables, graft) {
                    (false, _) => self.into_brackets(parent, None, graft),
                    (true, Graft::Map(entries)) => self.section(parents, true, entries),
                    (true, _) => Err(refused("this list holds tables, and nothing else")),
                }
            }
            (Some(Item::Table { made, .. }), PathPart::Key(key)) => match (made, graft) {
                _ if parent == ROOT && key == super::parse::SOPS => Err(refused("the key `sops` is reserved")),
                (Made::Inline, _) => self.into_brackets(parent, Some(key), graft),
                (Made::Dotted, _) => self.dotted(parent, key, graft),
                (Made::Header | Made::Implied, Graft::Map(entries))
                    if !graft.is_empty() && path.parts().iter().all(is_key) =>
                {
                    self.section(path.parts(), false, entries)
                }
                (Made::Header, _) => self.into_body(parent, key, graft),
                (Made::Implied, _) if parents.iter().all(is_key) => {
                    self.section(parents, false, &[(key.clone(), graft.clone())])
                }
                (Made::Implied, _) => Err(refused("a table without a header of its own has no room for a value")),
            },
            _ => Err(refused("what stands above the new value cannot hold it")),
        }
    }

    /// A table of its own at the end.
    fn section(&self, path: &[PathPart], of_array: bool, entries: &[(String, Graft<'_>)]) -> Result<Vec<u8>, Fault> {
        let mut new = Vec::new();
        let before = &self.text[..self.end];
        let trimmed = before.trim_ascii_end().len();
        // What is put between the last table and the metadata takes the empty line before that along.
        let at = if self.end < self.text.len() { self.behind_line(trimmed) } else { before.len() };
        if at > 0 && !self.text[..at].ends_with(b"\n") {
            new.extend_from_slice(self.newline);
        }
        if trimmed > 0 {
            new.extend_from_slice(self.newline);
        }
        new.extend_from_slice(if of_array { b"[[" } else { b"[" });
        for (position, part) in path.iter().enumerate() {
            let PathPart::Key(key) = part else { return Err(refused("a header cannot name an item of a list")) };
            new.extend_from_slice(if position > 0 { b"." } else { b"" });
            write_key(key, &mut new);
        }
        new.extend_from_slice(if of_array { b"]]" } else { b"]" });
        for (key, graft) in entries {
            new.extend_from_slice(self.newline);
            entry(key, graft, &mut new)?;
        }
        if at == 0 || self.end < self.text.len() || self.text.ends_with(b"\n") {
            new.extend_from_slice(self.newline);
        }
        Ok(self.spliced(at..at, &new))
    }

    /// The offset behind the line that `at` is on.
    fn behind_line(&self, at: usize) -> usize {
        memchr::memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |length| at + length + 1)
    }

    /// A line behind the last one of a table's own body.
    fn into_body(&self, table: ItemId, key: &str, graft: &Graft<'_>) -> Result<Vec<u8>, Fault> {
        let statements = &self.tables.statements;
        let header = statements.iter().position(|statement| statement.header && statement.item == table);
        if header.is_none() && table != ROOT {
            return Err(refused("a table without a header of its own has no room for a value"));
        }
        let first = header.map_or(0, |at| at + 1);
        let body = statements[first..].iter().take_while(|statement| !statement.header);
        let behind = body.last().or_else(|| header.map(|at| &statements[at])).map(|statement| statement.range.end);
        let mut line = Vec::new();
        entry(key, graft, &mut line)?;
        Ok(self.with_line(behind, &line))
    }

    /// The text with a new line behind the one that ends at `behind`, or first of all.
    fn with_line(&self, behind: Option<usize>, line: &[u8]) -> Vec<u8> {
        let bom = if self.text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let at = behind.map_or(bom, |at| self.behind_line(at));
        let broken = at == bom || self.text[..at].ends_with(b"\n");
        let (before, after): (&[u8], &[u8]) = if broken { (b"", self.newline) } else { (self.newline, b"") };
        self.spliced(at..at, &[before, line, after].concat())
    }

    /// A line behind the last one with that beginning.
    fn dotted(&self, table: ItemId, key: &str, graft: &Graft<'_>) -> Result<Vec<u8>, Fault> {
        let below = self.below(table);
        let last =
            self.tables.statements.iter().rev().find(|statement| !statement.header && below.contains(&statement.item));
        let Some(last) = last else { return Err(refused("a dotted key in braces has no room for another")) };
        let mut names = vec![key];
        let mut at = table;
        while matches!(self.item(at), Some(Item::Table { made: Made::Dotted, .. })) {
            let (parent, name) = self.tables.place(at);
            names.push(name);
            at = parent;
        }
        let mut line = Vec::new();
        for (position, name) in names.iter().rev().enumerate() {
            line.extend_from_slice(if position > 0 { b"." } else { b"" });
            write_key(name, &mut line);
        }
        line.extend_from_slice(b" = ");
        value(graft, b"", &mut line)?;
        Ok(self.with_line(Some(last.range.end), &line))
    }

    /// A new last item between brackets or braces.
    fn into_brackets(&self, container: ItemId, key: Option<&str>, graft: &Graft<'_>) -> Result<Vec<u8>, Fault> {
        let span = self.item(container).and_then(Item::span).ok_or_else(nothing)?;
        let mut new = Vec::new();
        match key {
            Some(key) => entry(key, graft, &mut new)?,
            None => value(graft, b"", &mut new)?,
        }
        let Some((_, last)) = self.tables.items_of(container).last() else {
            let space: &[u8] = if key.is_some() { b" " } else { b"" };
            let empty = self.text[span.start + 1..span.end - 1].trim_ascii().is_empty();
            let range = if empty { span.start + 1..span.end - 1 } else { span.end - 1..span.end - 1 };
            return Ok(self.spliced(range, &[space, &new, space].concat()));
        };
        let last = self
            .item(last)
            .and_then(Item::span)
            .ok_or_else(|| refused("a dotted key in braces has no room for another"))?;
        let comma = self.comma_behind(last.end);
        let line = self.text[..last.start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let indent = &self.text[line..last.start];
        if line > span.start && indent.trim_ascii().is_empty() {
            // Each on a line of its own: behind the line's comment, and with a comma where the last one has it.
            let end = memchr::memchr(b'\n', &self.text[last.end..]).map_or(span.end - 1, |at| last.end + at);
            let end = if self.text[..end].ends_with(b"\r") { end - 1 } else { end }.min(span.end - 1);
            let behind: &[u8] = if comma.is_some() { b"," } else { b"" };
            let with_line = self.spliced(end..end, &[self.newline, indent, &new, behind].concat());
            return Ok(match comma {
                Some(_) => with_line,
                None => [&with_line[..last.end], b",", &with_line[last.end..]].concat(),
            });
        }
        let (at, before): (usize, &[u8]) = comma.map_or((last.end, b", "), |comma| (comma + 1, b" "));
        Ok(self.spliced(at..at, &[before, &new].concat()))
    }

    /// The comma behind an item, with nothing but blanks, line breaks and comments before it.
    fn comma_behind(&self, mut at: usize) -> Option<usize> {
        loop {
            match self.text.get(at)? {
                b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                b'#' => at += memchr::memchr(b'\n', &self.text[at..])?,
                b',' => return Some(at),
                _ => return None,
            }
        }
    }

    /// An item with everything in it.
    fn below(&self, item: ItemId) -> HashSet<ItemId> {
        let mut found = HashSet::from([item]);
        let mut open = vec![item];
        while let Some(item) = open.pop() {
            for (_, child) in self.tables.items_of(item) {
                found.insert(child);
                open.push(child);
            }
        }
        found
    }

    fn remove(&self, path: &KeyPath) -> Result<Vec<u8>, Fault> {
        let item = self.find(path.parts()).filter(|item| *item != ROOT).ok_or_else(nothing)?;
        let gone = self.below(item);
        let statements = self.tables.statements.iter().filter(|statement| gone.contains(&statement.item));
        let mut out = Vec::with_capacity(self.text.len());
        let mut copied = 0;
        for statement in statements {
            out.extend_from_slice(&self.text[copied..statement.range.start]);
            copied = self.behind_line(statement.range.end);
        }
        if copied == 0 {
            return self.remove_from_brackets(item);
        }
        out.extend_from_slice(&self.text[copied..]);
        if copied == self.text.len() && !self.text.ends_with(b"\n") && out.ends_with(self.newline) {
            out.truncate(out.len() - self.newline.len());
        }
        Ok(out)
    }

    fn remove_from_brackets(&self, item: ItemId) -> Result<Vec<u8>, Fault> {
        let (container, name) = self.tables.place(item);
        let dotted = || refused("a dotted key in braces cannot be taken out by itself");
        let span = self.item(item).and_then(Item::span).ok_or_else(dotted)?;
        let holder = self.item(container).and_then(Item::span).ok_or_else(dotted)?;
        let start = if matches!(self.item(container), Some(Item::Table { .. })) {
            let known = self.tables.names.iter().map(|(range, known)| (range.clone(), known));
            let key = known.filter(|(range, known)| &***known == name && range.end <= span.start).last();
            key.ok_or_else(dotted)?.0.start
        } else {
            span.start
        };
        let mut end = span.end;
        let comma = self.comma_behind(end);
        if let Some(comma) = comma {
            end = comma + 1;
            let blanks =
                |at: usize| at + self.text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            end = blanks(end);
            if self.text.get(end) == Some(&b'#') {
                end += memchr::memchr(b'\n', &self.text[end..]).unwrap_or(0);
            }
            if self.text[end..].starts_with(b"\r\n") || self.text[end..].starts_with(b"\n") {
                let line = self.text[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                if line > holder.start && self.text[line..start].trim_ascii().is_empty() {
                    // Its lines go whole.
                    return Ok(self.spliced(line..self.behind_line(end), b""));
                }
            }
            return Ok(self.spliced(start..end, b""));
        }
        let before = self.tables.items_of(container).take_while(|(_, other)| *other != item).last();
        let from = match before.and_then(|(_, before)| self.item(before)).and_then(Item::span) {
            Some(before) => self.comma_behind(before.end).unwrap_or(before.end),
            None => start,
        };
        Ok([&self.text[..from], &self.text[end..]].concat())
    }
}

const fn is_key(part: &PathPart) -> bool {
    matches!(part, PathPart::Key(_))
}

fn entry(key: &str, graft: &Graft<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    write_key(key, out);
    out.extend_from_slice(b" = ");
    value(graft, b"", out)
}

/// Appends a value on one line; a leaf in the style of `old`.
fn value(graft: &Graft<'_>, old: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    match graft {
        Graft::Leaf(leaf) => write_value(leaf, old, out).map_err(|kind| (0, kind))?,
        Graft::List(items) => {
            out.push(b'[');
            for (position, item) in items.iter().enumerate() {
                out.extend_from_slice(if position > 0 { b", " } else { b"" });
                value(item, b"", out)?;
            }
            out.push(b']');
        }
        Graft::Map(entries) => {
            out.push(b'{');
            for (position, (key, graft)) in entries.iter().enumerate() {
                out.extend_from_slice(if position > 0 { b", " } else { b" " });
                entry(key, graft, out)?;
            }
            out.extend_from_slice(if entries.is_empty() { b"}" } else { b" }" });
        }
    }
    Ok(())
}
