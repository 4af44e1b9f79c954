//! Where a running world is reached, and with which keys: one file for its owner only, written when everything listens.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::SandboxError;
use super::store::write_private;
use crate::secret::SecretString;

/// How often a client should ask again: what the sandbox announces in place of the vendor's seconds.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// The name that the TSIG key has.
pub(super) const TSIG_NAME: &str = "lockage-sandbox.";

/// Where a running world is reached.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The world's id, the same for its whole life.
    pub world: String,
    /// The serving process.
    pub pid: u32,
    /// The platform's API, `http://127.0.0.1:<port>`.
    pub heroku_url: String,
    /// The account's token.
    pub heroku_token: SecretString,
    /// The token of the paths under `/_admin/`, which the vendor does not have.
    pub admin_token: SecretString,
    /// The two authoritative name servers, UDP and TCP; only the first takes updates.
    pub dns: [SocketAddr; 2],
    /// The name of the TSIG key, which is for hmac-sha256.
    pub tsig_name: String,
    /// The TSIG key in base64.
    pub tsig_secret: SecretString,
    /// Where the apps' host names are answered over HTTPS.
    pub https: SocketAddr,
    /// The certificate authority of the world, PEM.
    pub authority: PathBuf,
    /// How long a client should wait between two questions.
    pub poll: Duration,
}

/// The same as the file has it.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    world: &'a str,
    pid: u32,
    heroku_url: &'a str,
    heroku_token: &'a str,
    admin_token: &'a str,
    dns: [SocketAddr; 2],
    tsig_name: &'a str,
    tsig_secret: &'a str,
    https: SocketAddr,
    authority: PathBuf,
    poll_milliseconds: u64,
}

impl Endpoint {
    /// The file's place in a world.
    #[must_use]
    pub fn path(dir: &Path) -> PathBuf {
        dir.join("endpoint.json")
    }

    /// Reads the file; none where no server ever wrote one.
    ///
    /// # Errors
    /// When it cannot be read or is not what a server wrote.
    pub fn read(dir: &Path) -> Result<Option<Self>, SandboxError> {
        let path = Self::path(dir);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SandboxError::file(&path, source)),
        };
        let written: Written<'_> = serde_json::from_str(&text).map_err(|_| SandboxError::Damaged { path })?;
        Ok(Some(Self {
            world: written.world.to_owned(),
            pid: written.pid,
            heroku_url: written.heroku_url.to_owned(),
            heroku_token: SecretString::new(written.heroku_token.to_owned()),
            admin_token: SecretString::new(written.admin_token.to_owned()),
            dns: written.dns,
            tsig_name: written.tsig_name.to_owned(),
            tsig_secret: SecretString::new(written.tsig_secret.to_owned()),
            https: written.https,
            authority: written.authority,
            poll: Duration::from_millis(written.poll_milliseconds),
        }))
    }

    /// Writes the file, whole or not at all.
    pub(super) fn write(&self, dir: &Path) -> Result<(), SandboxError> {
        let written = Written {
            world: &self.world,
            pid: self.pid,
            heroku_url: &self.heroku_url,
            heroku_token: self.heroku_token.expose_secret(),
            admin_token: self.admin_token.expose_secret(),
            dns: self.dns,
            tsig_name: &self.tsig_name,
            tsig_secret: self.tsig_secret.expose_secret(),
            https: self.https,
            authority: self.authority.clone(),
            poll_milliseconds: u64::try_from(self.poll.as_millis()).unwrap_or(u64::MAX),
        };
        let text = Zeroizing::new(serde_json::to_vec(&written).map_err(|_| SandboxError::Sealing)?);
        write_private(&Self::path(dir), &text)
    }

    /// Whether this is the account's token.
    pub(super) fn admits_account(&self, token: Option<&str>) -> bool {
        token == Some(self.heroku_token.expose_secret())
    }

    /// Whether this is the token of the server's own paths.
    pub(super) fn admits_administration(&self, token: Option<&str>) -> bool {
        token == Some(self.admin_token.expose_secret())
    }

    /// The header by which a request to the server's own paths is admitted.
    pub(super) fn administration_header(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Authorization: Bearer {}\r\n", self.admin_token.expose_secret()))
    }

    /// The port of the API, to ask for the same one again.
    pub(super) fn heroku_port(&self) -> Option<u16> {
        self.heroku_url.rsplit(':').next()?.parse().ok()
    }
}
