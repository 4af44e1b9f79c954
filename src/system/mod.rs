//! The machine's doors: files, child processes, JSON over HTTPS.

pub mod http;
pub mod process;
