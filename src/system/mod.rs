//! The machine's doors: files, child processes, JSON over HTTPS.

pub mod files;
pub mod http;
pub mod memory;
pub mod process;
