//! One test's home, the real `sops` and our keys under the same variables, and servers that end with the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use lockage::document::{Document, Format};
use lockage::keys::{KeyServices, Keyring, LocalKeys, Recipient, Surroundings, with_clouds};
use lockage::sops::{EncryptedFile, Encryption, SopsError};
use lockage::system::background::Background;

use crate::common::peer;
use crate::support::now;

/// The plaintext of every test.
pub const PLAIN: &[u8] = b"password: CANARY-heron\nport: 5\n";

/// A home, and the variables of both programs.
pub struct Lab {
    home: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Lab {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let variables = [("HOME", home.path().display().to_string()), ("PATH", path)];
        Self { variables: variables.map(|(name, value)| (name.to_owned(), value)).to_vec(), home }
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file below the home.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A program with the variables of this test and no other.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.home()).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Our key services with the same variables.
    pub fn keys(&self) -> KeyServices {
        self.local().into()
    }

    pub fn local(&self) -> LocalKeys {
        let surroundings = Surroundings::new(self.variables.clone(), jiff::Timestamp::now, "test-machine");
        with_clouds(LocalKeys::new(Keyring::new()), &surroundings, &Background::default())
    }

    /// Our encryption of the usual plaintext.
    pub fn encrypt(&self, recipient: &Recipient) -> Result<String, SopsError> {
        let document = Document::parse(Format::Yaml, PLAIN.to_vec()).unwrap();
        let text = lockage::sops::encrypt(&document, &Encryption::to([recipient.clone()]), &self.keys(), now())?;
        Ok(String::from_utf8(text).unwrap())
    }

    /// Our decryption.
    pub fn decrypt(&self, text: &str) -> Result<Vec<u8>, SopsError> {
        let file = EncryptedFile::parse(Format::Yaml, text.as_bytes().to_vec())?;
        Ok(file.decrypt(&self.keys())?.text().to_vec())
    }

    /// The real `sops encrypt` of the usual plaintext, or its exit code and complaint.
    pub fn sops_encrypt(&self, sops: &Path, arguments: &[&str]) -> Result<String, (i32, String)> {
        let file = self.file("plain.yaml", PLAIN);
        let mut command = self.command(sops);
        finish(command.arg("encrypt").args(arguments).arg(file))
    }

    /// The real `sops decrypt`, or its exit code and complaint.
    pub fn sops_decrypt(&self, sops: &Path, text: &str) -> Result<String, (i32, String)> {
        let file = self.file("sealed.yaml", text);
        finish(self.command(sops).arg("decrypt").arg(file))
    }

    /// Both ways over a key: what one seals, the other opens.
    pub fn interoperates(&self, recipient: &Recipient, flags: &[&str]) {
        let Some(sops) = peer("sops") else { return };
        let theirs = self.sops_encrypt(&sops, flags).unwrap();
        assert_eq!(self.decrypt(&theirs).unwrap(), PLAIN, "of theirs");
        let ours = self.encrypt(recipient).unwrap();
        assert_eq!(self.sops_decrypt(&sops, &ours).unwrap().as_bytes(), PLAIN, "of ours");
    }

    /// What our decryption says in the words of SOPS.
    pub fn refusal(&self, recipient: &Recipient, enc: &str) -> String {
        let wrapped = lockage::keys::WrappedKey { recipient: recipient.clone(), created_at: None, enc: enc.to_owned() };
        let refusals = self.keys().unwrap(&wrapped).unwrap_err();
        refusals[0].sops.clone()
    }
}

fn finish(command: &mut Command) -> Result<String, (i32, String)> {
    let out = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if out.status.success() { Ok(text(out.stdout)) } else { Err((out.status.code().unwrap_or(-1), text(out.stderr))) }
}

/// A child that ends with the test.
pub struct Server {
    child: Child,
    /// Ends the server when this process ends, which drops no statics: it waits for its input to close.
    watch: Child,
}

impl Server {
    /// Starts a server and waits until `ready` is on a line of what it says on stdout and stderr.
    pub fn start(mut command: Command, ready: &str) -> Self {
        // One pipe for both, so that no line is missed.
        let (reader, writer) = std::io::pipe().unwrap();
        let child = command.stdout(writer.try_clone().unwrap()).stderr(writer).stdin(Stdio::null()).spawn().unwrap();
        drop(command);
        let watch = Command::new("sh")
            .args(["-c", "read _; kill -9 \"$0\"", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, watch };
        let mut lines = BufReader::new(reader);
        let mut said = String::new();
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap() == 0 {
                panic!("the server ended before `{ready}`: {said}");
            }
            said.push_str(&line);
            if line.contains(ready) {
                break;
            }
        }
        // Nobody reads on, but the server must be able to write on.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        server
    }

    /// Asks it to end, and waits.
    pub fn terminate(mut self) -> i32 {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a Python program of ours with the vendors' packages.
pub fn python(lab: &Lab, program: &str, arguments: &[&str]) -> Option<String> {
    let python = peer("cloud-python")?;
    let mut command = lab.command(python);
    let mut child = command.arg("-").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(program.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "the Python program failed");
    Some(String::from_utf8(out.stdout).unwrap().trim().to_owned())
}
