//! promote (skeleton).
