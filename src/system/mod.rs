//! The machine's doors: files, child processes, HTTP, and the runtime behind it.

pub mod at_once;
pub mod background;
pub mod files;
pub mod http;
pub mod memory;
pub mod process;
pub mod wire;
