//! `publish`, under both names: the same files brought to the same places by the real `sops` and by ours.

mod gcs;
mod own;
pub mod pair;
mod s3;
mod vault;
