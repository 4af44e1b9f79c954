//! TLS for protocols that are not spoken through the HTTP client.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::net::TcpStream;

use super::{CONNECT_LIMIT, Wire, WireError};

/// A connection in TLS.
pub type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// Connects to servers of one name, speaking HTTP/2.
pub struct TlsConnector {
    connector: tokio_rustls::TlsConnector,
    name: ServerName<'static>,
}

impl Wire {
    /// A connector that trusts whom this wire trusts.
    ///
    /// # Errors
    /// [`WireError::Settings`] for certificates that cannot be used, or a name that no certificate can be for.
    pub fn tls_connector(&self, name: &str) -> Result<TlsConnector, WireError> {
        let unusable =
            || WireError::Settings("no TLS client can be made: are there root certificates on this machine?".into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|_| unusable())?;
        let mut config = match self.trust().named_authorities()? {
            Some(bundle) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bundle).flatten());
                builder.with_root_certificates(roots).with_no_client_auth()
            }
            None => builder.with_platform_verifier().map_err(|_| unusable())?.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| WireError::Settings(format!("`{name}` is no name of a host")))?;
        Ok(TlsConnector { connector: Arc::new(config).into(), name })
    }
}

impl TlsConnector {
    /// Connects to `HOST:PORT`.
    ///
    /// # Errors
    /// When there is no connection within ten seconds, or no trust.
    pub async fn connect(&self, address: &str) -> io::Result<TlsStream> {
        let connected = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            self.connector.connect(self.name.clone(), stream).await
        };
        let limit: Duration = CONNECT_LIMIT;
        tokio::time::timeout(limit, connected).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}
