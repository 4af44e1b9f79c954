//! cipher (skeleton).
