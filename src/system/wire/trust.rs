//! Whom to believe to be who they say they are, and which way to go to them.

use std::net::ToSocketAddrs as _;
use std::path::{Path, PathBuf};

use reqwest::{Certificate, Client, NoProxy, Proxy};

use super::{CONNECT_LIMIT, WireError};
use crate::system::files;
use crate::system::http::install_ring;

/// Certificates and proxies, as the usual variables name them; by default those of the machine, and none.
///
/// *Source*: the notes on the wire, section 0: Go's rules, by which a loopback address is never asked for through a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Trust {
    /// `SSL_CERT_FILE`: authorities that stand in for those of the machine.
    pub authorities: Option<PathBuf>,
    /// `SSL_CERT_DIR`: folders of authorities, parted by `:`; they, too, stand in for those of the machine.
    pub folders: Option<String>,
    /// No certificate is looked at; a user asks for it by name (`VAULT_SKIP_VERIFY`).
    pub blind: bool,
    /// The certificate and the key by which we are known, as PEM files.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// A name by which another host is called, and that host: its certificate is for the name.
    pub alias: Option<(String, String)>,
    /// A proxy for every address, those of this machine included.
    pub only_proxy: Option<String>,
    /// `HTTPS_PROXY`, for `https` addresses.
    pub secure_proxy: Option<String>,
    /// `HTTP_PROXY`, for `http` addresses.
    pub clear_proxy: Option<String>,
    /// `NO_PROXY`: names, domains, addresses and networks that are reached directly.
    pub direct: Option<String>,
}

impl Trust {
    /// The authorities that were named, `None` for those of the machine.
    ///
    /// # Errors
    /// [`WireError::Settings`] for a named file that cannot be read or holds no certificate.
    pub fn named_authorities(&self) -> Result<Option<Vec<u8>>, WireError> {
        if self.authorities.is_none() && self.folders.is_none() {
            return Ok(None);
        }
        let mut bundle = Vec::new();
        if let Some(file) = &self.authorities {
            let unreadable = |error| WireError::Settings(format!("the certificates cannot be read: {error}"));
            bundle.extend_from_slice(&files::read(file).map_err(unreadable)?);
            bundle.push(b'\n');
        }
        for folder in self.folders.iter().flat_map(|list| list.split(':')).filter(|folder| !folder.is_empty()) {
            for file in certificates_in(Path::new(folder)) {
                if let Ok(text) = files::read(&file) {
                    bundle.extend_from_slice(&text);
                    bundle.push(b'\n');
                }
            }
        }
        Ok(Some(bundle))
    }

    fn proxies(&self) -> Result<Vec<Proxy>, WireError> {
        let none = || WireError::Settings("a proxy is named by something that is no address".into());
        // Go's rule for this machine; the metadata services of the clouds live on link-local addresses.
        let direct = format!("localhost,127.0.0.0/8,::1,169.254.0.0/16,{}", self.direct.as_deref().unwrap_or_default());
        if let Some(proxy) = &self.only_proxy {
            return Ok(vec![Proxy::all(proxy).map_err(|_| none())?]);
        }
        let mut proxies = Vec::new();
        if let Some(proxy) = &self.secure_proxy {
            proxies.push(Proxy::https(proxy).map_err(|_| none())?);
        }
        if let Some(proxy) = &self.clear_proxy {
            proxies.push(Proxy::http(proxy).map_err(|_| none())?);
        }
        Ok(proxies.into_iter().map(|proxy| proxy.no_proxy(NoProxy::from_string(&direct))).collect())
    }
}

fn certificates_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

pub(super) fn client(trust: &Trust) -> Result<Client, WireError> {
    install_ring();
    let mut builder = Client::builder()
        .user_agent(concat!("lockage/", env!("CARGO_PKG_VERSION")))
        // A redirect could carry a token to another host.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_LIMIT)
        .no_proxy();
    for proxy in trust.proxies()? {
        builder = builder.proxy(proxy);
    }
    if let Some(bundle) = trust.named_authorities()? {
        let none = || WireError::Settings("the named certificates are no PEM certificates".into());
        let certificates = Certificate::from_pem_bundle(&bundle).map_err(|_| none())?;
        builder = builder.tls_certs_only(certificates);
    }
    if let Some((certificate, key)) = &trust.identity {
        let none = || WireError::Settings("the client certificate and its key cannot be used".into());
        let mut pem = files::read(key).map_err(|_| none())?;
        pem.push(b'\n');
        pem.extend_from_slice(&files::read(certificate).map_err(|_| none())?);
        builder = builder.identity(reqwest::Identity::from_pem(&pem).map_err(|_| none())?);
    }
    if let Some((name, host)) = &trust.alias {
        let unknown = |_| WireError::Settings(format!("`{host}` is not known"));
        let addresses: Vec<_> = (host.as_str(), 0).to_socket_addrs().map_err(unknown)?.collect();
        builder = builder.resolve_to_addrs(name, &addresses);
    }
    if trust.blind {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    builder.build().map_err(|_| {
        WireError::Settings("no TLS client can be made: are there root certificates on this machine?".into())
    })
}
