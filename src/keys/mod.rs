//! keys (skeleton).
