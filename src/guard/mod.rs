//! guard (skeleton).
