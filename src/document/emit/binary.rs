//! A whole file, kept as the string `data`.

use super::EmitError;
use crate::document::buffer::Buffer;
use crate::document::owned::{OwnedTree, Part};
use crate::document::scalar::Kind;

pub(super) fn file(tree: &OwnedTree, out: &mut Buffer) -> Result<(), EmitError> {
    if tree.roots().count() != 1 {
        return Err(EmitError::NotBinary("there must be exactly one tree branch"));
    }
    let mut depth = 0_usize;
    for (part, next) in tree.parts().iter().zip(tree.parts().iter().skip(1)) {
        match part {
            Part::Open { .. } => depth += 1,
            Part::Close => depth -= 1,
            Part::Key(span) if depth == 1 && tree.text(*span) == b"data" => {
                let Part::Scalar { kind: Kind::Str, span } = next else {
                    return Err(EmitError::NotBinary("'data' key in tree does not have a string value"));
                };
                out.extend(tree.text(*span));
                return Ok(());
            }
            _ => {}
        }
    }
    Err(EmitError::NotBinary("no binary data found in tree"))
}
