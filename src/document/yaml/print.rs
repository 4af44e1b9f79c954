//! Printing the `sops` block as SOPS prints it.
//!
//! *Source*: the SOPS format, YAML writer: keys sorted bytewise, four columns a level, lists indented, texts of several
//! lines as literal blocks.

use super::spelling;
use crate::document::scalar::Kind;
use crate::document::tree::Tree;

/// `name:` with `tree` below it, in `column`; each line ends with `newline`.
pub(super) fn block(name: &str, tree: &Tree, column: usize, newline: &str) -> String {
    let mut printer = Printer { out: String::new(), column, newline };
    let entry = (name.to_owned(), tree.clone());
    printer.entries(&[&entry], 0, false);
    printer.out
}

struct Printer<'n> {
    out: String,
    /// The root's column.
    column: usize,
    newline: &'n str,
}

/// The next multiple of four; within a list item, which is two columns deeper, as well.
const fn deeper(indent: usize) -> usize {
    indent / 4 * 4 + 4
}

impl Printer<'_> {
    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', self.column + indent));
    }

    fn end_line(&mut self) {
        self.out.push_str(self.newline);
    }

    /// `continues` if the first entry stands behind a `- `.
    fn entries(&mut self, entries: &[&(String, Tree)], indent: usize, continues: bool) {
        for (position, (key, value)) in entries.iter().enumerate() {
            if position > 0 || !continues {
                self.indent(indent);
            }
            self.scalar(key);
            self.out.push(':');
            match value {
                Tree::Map(inner) if !inner.is_empty() => {
                    self.end_line();
                    self.entries(&sorted(inner), deeper(indent), false);
                }
                Tree::List(items) if !items.is_empty() => {
                    self.end_line();
                    self.items(items, deeper(indent), false);
                }
                _ => {
                    self.out.push(' ');
                    self.leaf(value, indent);
                }
            }
        }
    }

    fn items(&mut self, items: &[Tree], indent: usize, continues: bool) {
        for (position, item) in items.iter().enumerate() {
            if position > 0 || !continues {
                self.indent(indent);
            }
            self.out.push_str("- ");
            match item {
                Tree::Map(inner) if !inner.is_empty() => self.entries(&sorted(inner), indent + 2, true),
                Tree::List(inner) if !inner.is_empty() => self.items(inner, indent + 2, true),
                _ => self.leaf(item, indent),
            }
        }
    }

    /// A scalar or an empty collection, to the end of its line.
    fn leaf(&mut self, tree: &Tree, indent: usize) {
        match tree {
            Tree::Map(_) => self.out.push_str("{}"),
            Tree::List(_) => self.out.push_str("[]"),
            Tree::Scalar { text, kind: Kind::Str, .. } if is_literal(text) => {
                return self.literal(text, deeper(indent));
            }
            Tree::Scalar { text, kind: Kind::Str, .. } => self.scalar(text),
            Tree::Scalar { text, kind: Kind::Bool, .. } => self.out.push_str(&text.to_ascii_lowercase()),
            Tree::Scalar { text, kind, .. } => match spelling::typed(*kind, text.as_bytes()) {
                Some(spelled) => self.out.push_str(&String::from_utf8_lossy(&spelled)),
                None => self.scalar(text),
            },
        }
        self.end_line();
    }

    fn scalar(&mut self, text: &str) {
        let mut out = Vec::new();
        spelling::fresh(text, false, &mut out);
        self.out.push_str(&String::from_utf8_lossy(&out));
    }

    fn literal(&mut self, text: &str, indent: usize) {
        let body = text.trim_end_matches('\n');
        let breaks = text.len() - body.len();
        self.out.push_str(["|-", "|", "|+"][breaks.min(2)]);
        self.end_line();
        for line in body.split('\n') {
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
            }
            self.end_line();
        }
        for _ in 1..breaks {
            self.end_line();
        }
    }
}

fn is_literal(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\t', '\n'])
        && !text.chars().any(|char| char != '\n' && spelling::needs_escape(char))
}

fn sorted(entries: &[(String, Tree)]) -> Vec<&(String, Tree)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    sorted
}
