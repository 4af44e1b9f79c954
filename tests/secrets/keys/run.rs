//! One encrypted file in a home of its own, for the real sops and for ours.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lockage::document::{Document, Format};
use lockage::keys::{KeyServices, Keyring, Recipient};
use lockage::sops::{Encryption, encrypt};

use crate::common::peer;
use crate::support::now;

pub const PLAIN: &str = "a: CANARY-heron\n";

/// A home folder with an encrypted file in it, and the variables of a run.
pub struct Run {
    pub home: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Run {
    pub fn new(recipient: &Recipient) -> Self {
        let home = tempfile::tempdir().unwrap();
        let document = Document::parse(Format::Yaml, PLAIN.into()).unwrap();
        let keys = KeyServices::from(Keyring::new());
        let file = encrypt(&document, &Encryption::to([recipient.clone()]), &keys, now()).unwrap();
        std::fs::write(home.path().join("f.yaml"), file).unwrap();
        Self { home, variables: Vec::new() }
    }

    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A program on the path.
    pub fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.file(&format!("bin/{name}"), script);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub fn set(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().display().to_string()));
        self
    }

    /// A program with these variables and no other.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", format!("{}:/usr/bin:/bin", self.home.path().join("bin").display()))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
    }

    /// Exit code, stdout and stderr.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(program).arg0("sops").args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    pub fn opens(&self) {
        let (code, out, err) = self.run(ours(), &["decrypt", "f.yaml"]);
        assert_eq!((code, out.as_str()), (0, PLAIN), "{err}");
        if let Some(sops) = peer("sops") {
            let (code, out, err) = self.run(&sops, &["decrypt", "f.yaml"]);
            assert_eq!((code, out.as_str()), (0, PLAIN), "the real one: {err}");
        }
    }

    /// Both fail, with the same words.
    pub fn fails_alike(&self) {
        let (code, _, said) = self.run(ours(), &["decrypt", "f.yaml"]);
        assert_eq!(code, 128, "{said}");
        if let Some(sops) = peer("sops") {
            let (_, _, theirs) = self.run(&sops, &["decrypt", "f.yaml"]);
            assert_eq!(said, theirs);
        }
    }
}

pub fn ours() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_lockage"))
}
