//! system (skeleton).
