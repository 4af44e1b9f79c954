//! sops (skeleton).
