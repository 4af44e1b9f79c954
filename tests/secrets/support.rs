//! The real `sops` as a function of bytes, and ours beside it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use lockage::document::{Document, Format};
use lockage::keys::{KeyServices, Keyring, Recipient, published};
use lockage::secret::SecretString;
use lockage::sops::{EncryptedFile, Encryption, SopsError};

use crate::common::peer;

/// The moment at which every test writes.
pub fn now() -> jiff::Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// The identity that everybody has.
pub fn keyring() -> KeyServices {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/secrets/published-test-key.txt");
    let mut keyring = Keyring::new();
    keyring.add_age_text(&SecretString::new(std::fs::read_to_string(path).unwrap()), path).unwrap();
    keyring.into()
}

pub fn recipient() -> Recipient {
    Recipient::parse_age(published::RECIPIENT).unwrap()
}

pub fn encryption() -> Encryption {
    Encryption::to([recipient()])
}

/// Our encryption of a text, for the published key.
pub fn encrypt(format: Format, text: &[u8]) -> Result<Vec<u8>, SopsError> {
    encrypt_with(format, text, &encryption())
}

pub fn encrypt_with(format: Format, text: &[u8], encryption: &Encryption) -> Result<Vec<u8>, SopsError> {
    lockage::sops::encrypt(&Document::parse(format, text.to_vec())?, encryption, &keyring(), now())
}

/// Our decryption of a file, with the published key.
pub fn decrypt(format: Format, text: &[u8]) -> Result<Vec<u8>, SopsError> {
    Ok(EncryptedFile::parse(format, text.to_vec())?.decrypt(&keyring())?.text().to_vec())
}

/// The real program.
pub struct Sops {
    program: PathBuf,
    home: tempfile::TempDir,
    key_file: PathBuf,
    variables: Vec<(String, String)>,
}

impl Sops {
    /// The program with the published key; `None` where it is not to be had.
    pub fn find() -> Option<Self> {
        let program = peer("sops")?;
        let key_file = concat!(env!("CARGO_MANIFEST_DIR"), "/secrets/published-test-key.txt").into();
        Some(Self { program, home: tempfile::tempdir().unwrap(), key_file, variables: Vec::new() })
    }

    /// The same with another identity.
    pub fn with_key_file(mut self, key_file: PathBuf) -> Self {
        self.key_file = key_file;
        self
    }

    /// The same with one more variable.
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Puts a file into its folder, which is its home, too.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Reads a file of its folder.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.home.path().join(name)).unwrap()
    }

    /// What it prints, or its exit code and its complaint.
    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, (i32, String)> {
        let mut child = Command::new(&self.program)
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("SOPS_AGE_KEY_FILE", &self.key_file)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // It stops reading where it has seen enough.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        if output.status.success() {
            Ok(output.stdout)
        } else {
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            Err((output.status.code().unwrap_or(-1), complaint))
        }
    }

    /// `sops encrypt` for the published key.
    pub fn encrypt(&self, format: Format, text: &[u8], more: &[&str]) -> Result<Vec<u8>, (i32, String)> {
        let word = format.word();
        let name = format!("file.{}", if format == Format::Dotenv { "env" } else { word });
        let mut arguments = vec!["encrypt", "--filename-override", &name, "--input-type", word, "--output-type", word];
        arguments.extend(["--age", published::RECIPIENT]);
        arguments.extend(more);
        self.run(&arguments, text)
    }

    /// `sops decrypt`.
    pub fn decrypt(&self, format: Format, text: &[u8]) -> Result<Vec<u8>, (i32, String)> {
        self.decrypt_as(format, text, format)
    }

    /// `sops decrypt` into another format.
    pub fn decrypt_as(&self, format: Format, text: &[u8], output: Format) -> Result<Vec<u8>, (i32, String)> {
        self.run(&["decrypt", "--input-type", format.word(), "--output-type", output.word()], text)
    }
}
