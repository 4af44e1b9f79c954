//! The machine's doors: files, child processes, HTTP, PostgreSQL, and the runtime behind the last two.

pub mod at_once;
pub mod background;
pub mod files;
pub mod http;
pub mod memory;
pub mod postgres;
pub mod process;
pub mod wire;
