//! Yaml (skeleton).

mod comments;
mod token;

use std::ops::Range;

use super::edit::{MetadataEdit, Replacement};
use super::key_path::KeyPath;
use super::outline::{Comment, Leaf, Outline};
use super::scalar::Scalar;
use super::syntax::{Syntax, SyntaxError};

pub(crate) struct Yaml;

impl Syntax for Yaml {
    fn parse(&self, _text: &[u8]) -> Result<Outline, SyntaxError> {
        todo!()
    }
    fn scalar<'t>(&self, _text: &'t [u8], _leaf: &Leaf) -> Result<Scalar<'t>, SyntaxError> {
        todo!()
    }
    fn write_leaf(
        &self,
        _text: &[u8],
        _leaf: &Leaf,
        _value: &Replacement<'_>,
        _out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        todo!()
    }
    fn write_comment(
        &self,
        _text: &[u8],
        _comment: &Comment,
        _new: &[u8],
        _out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        todo!()
    }
    fn metadata_splices(
        &self,
        _text: &[u8],
        _outline: &Outline,
        _edit: &MetadataEdit,
    ) -> Result<Vec<(Range<usize>, String)>, SyntaxError> {
        todo!()
    }
    fn insert(
        &self,
        _text: &[u8],
        _outline: &Outline,
        _path: &KeyPath,
        _value: &Replacement<'_>,
    ) -> Result<Vec<u8>, SyntaxError> {
        todo!()
    }
}
