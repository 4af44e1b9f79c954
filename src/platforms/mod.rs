//! platforms (skeleton).
