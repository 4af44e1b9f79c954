//! `KEY=value` lines as SOPS writes them.

use super::EmitError;
use crate::document::buffer::Buffer;
use crate::document::flat::spell;
use crate::document::owned::{OwnedTree, Part};

/// SOPS writes the first document only.
pub(super) fn file(tree: &OwnedTree, out: &mut Buffer) -> Result<(), EmitError> {
    let mut key: &[u8] = b"";
    let root = tree.roots().next().unwrap_or(0);
    for part in tree.parts().iter().skip(root + 1) {
        match *part {
            Part::Key(span) => key = tree.text(span),
            Part::Open { .. } => return Err(EmitError::Complex { key: String::from_utf8_lossy(key).into_owned() }),
            Part::Comment { span, .. } => {
                out.push(b'#');
                out.extend(tree.text(span));
                out.push(b'\n');
            }
            Part::Scalar { kind, span } => {
                out.extend(key);
                out.push(b'=');
                let spelled = zeroize::Zeroizing::new(spell(kind, tree.text(span)).unwrap_or_default());
                for (position, line) in spelled.split(|byte| *byte == b'\n').enumerate() {
                    out.extend(if position > 0 { b"\\n" } else { b"" });
                    out.extend(line);
                }
                out.push(b'\n');
            }
            Part::Close => return Ok(()),
        }
    }
    Ok(())
}
