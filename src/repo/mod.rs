//! repo (skeleton).

pub mod refs;
