//! SOPS's own code at the end of a pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockage::document::Format;
use lockage::keys::published::RECIPIENT;
use serde_json::json;

pub(super) struct Peer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    pub(super) fn start(program: &Path) -> Self {
        let key_file = concat!(env!("CARGO_MANIFEST_DIR"), "/secrets/published-test-key.txt");
        let mut child = Command::new(program)
            .arg(RECIPIENT)
            .env_clear()
            .env("SOPS_AGE_KEY_FILE", key_file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    /// The encrypted file, by a line of a creation rule.
    pub(super) fn encrypt(&mut self, format: Format, rule: &str, text: &[u8]) -> Result<Vec<u8>, String> {
        let fields = rule.lines().filter_map(|line| line.trim().split_once(": "));
        let fields = fields.map(|(name, value)| match value {
            "true" => (name.to_owned(), json!(true)),
            text => (name.to_owned(), json!(text.trim_matches('\''))),
        });
        let rule: serde_json::Map<String, serde_json::Value> = fields.collect();
        self.ask(&json!({"do": "encrypt", "format": format.word(), "rule": rule, "length": text.len()}), text)
    }

    /// The plaintext, if the authentication code is the right one.
    pub(super) fn decrypt(&mut self, format: Format, text: &[u8]) -> Result<Vec<u8>, String> {
        self.ask(&json!({"do": "decrypt", "format": format.word(), "length": text.len()}), text)
    }

    fn ask(&mut self, frame: &serde_json::Value, text: &[u8]) -> Result<Vec<u8>, String> {
        writeln!(self.stdin, "{frame}").unwrap();
        self.stdin.write_all(text).unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&line).unwrap();
        match answer["text64"].as_str() {
            Some(text) => Ok(STANDARD.decode(text).unwrap()),
            None => Err(format!("{}: {}", answer["failed"], answer["error"])),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
