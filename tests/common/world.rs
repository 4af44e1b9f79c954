//! The server of a rehearsal's world.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts the real binary as the server of the world in a folder.
pub fn serve(dir: &Path) -> std::io::Result<Child> {
    let errors = std::fs::File::create(dir.join("serve.log"))?;
    Command::new(env!("CARGO_BIN_EXE_lockage"))
        .args(["sandbox", "serve", "--world"])
        .arg(dir)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
}
