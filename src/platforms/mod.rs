//! platforms (skeleton).

pub mod words;
