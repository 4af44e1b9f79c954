//! A value as Go's `encoding/json` writes SOPS's own tree: on one line, a mapping as a list of its items, an empty list as
//! null. So SOPS shows a value that is taken out of an INI file.

use super::{EmitError, json};
use crate::document::buffer::Buffer;
use crate::document::owned::{OwnedTree, Part, Span};

pub(super) fn value(tree: &OwnedTree, out: &mut Buffer) -> Result<(), EmitError> {
    // Of each open container whether it is a list, and whether it has an item yet.
    let mut open: Vec<(bool, bool)> = Vec::new();
    for (at, part) in tree.parts().iter().enumerate() {
        let list = open.last().is_some_and(|(list, _)| *list);
        let begins = match part {
            Part::Key(_) | Part::Comment { .. } => true,
            Part::Close => false,
            Part::Open { .. } | Part::Scalar { .. } => list,
        };
        if begins
            && let Some((_, filled)) = open.last_mut()
            && std::mem::replace(filled, true)
        {
            out.push(b',');
        }
        match *part {
            Part::Open { list: true } if tree.parts().get(at + 1) == Some(&Part::Close) => {
                out.extend(b"null");
                open.push((true, true));
            }
            Part::Open { list } => {
                out.push(b'[');
                open.push((list, false));
            }
            Part::Close => {
                let empty = at > 0 && tree.parts()[at - 1] == Part::Open { list: true };
                if !empty {
                    out.push(b']');
                }
                open.pop();
                end_item(&open, out);
            }
            Part::Key(span) => {
                out.extend(b"{\"Key\":");
                json::quote(tree.text(span), out);
                out.extend(b",\"Value\":");
            }
            Part::Scalar { kind, span } => {
                json::scalar(kind, tree.text(span), out)?;
                end_item(&open, out);
            }
            Part::Comment { span, inline } if list => comment(tree, span, inline, out),
            Part::Comment { span, inline } => {
                out.extend(b"{\"Key\":");
                comment(tree, span, inline, out);
                out.extend(b",\"Value\":null}");
            }
        }
    }
    Ok(())
}

fn comment(tree: &OwnedTree, span: Span, inline: bool, out: &mut Buffer) {
    out.extend(b"{\"Value\":");
    json::quote(tree.text(span), out);
    out.extend(if inline { b",\"Inline\":true}" } else { b",\"Inline\":false}" });
}

/// A mapping's item ends with its value.
fn end_item(open: &[(bool, bool)], out: &mut Buffer) {
    if open.last().is_some_and(|(list, _)| !*list) {
        out.push(b'}');
    }
}
