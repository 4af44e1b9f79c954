//! repo (skeleton).
