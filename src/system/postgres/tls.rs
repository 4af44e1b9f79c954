//! TLS to a database, as its `sslmode` asks for it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

/// Whom to believe that they are the database.
pub(super) enum Trusted {
    /// Whoever answers: what `sslmode=require` means.
    Anybody,
    /// Whoever has a certificate of these authorities, under any name.
    Issuer(Vec<u8>),
    /// The bearer of the host's name, by these authorities or those of the machine.
    Named(Option<Vec<u8>>),
}

/// Connects in TLS, or not at all.
#[derive(Clone)]
pub(super) struct Tls(Option<Arc<ClientConfig>>);

impl Tls {
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// `identity`: certificate and key, as PEM, by which we are known.
    pub(super) fn new(trusted: Trusted, identity: Option<(Vec<u8>, Vec<u8>)>) -> Result<Self, String> {
        let unusable = |_| "no TLS client can be made: are there root certificates on this machine?".to_owned();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
        let builder = match trusted {
            Trusted::Named(None) => builder.with_platform_verifier().map_err(unusable)?,
            Trusted::Named(Some(pem)) => {
                let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(&pem)?), provider).build();
                builder.with_webpki_verifier(verifier.map_err(|_| "the authorities cannot be used".to_owned())?)
            }
            Trusted::Issuer(pem) => {
                let verifier = Nameless { roots: Some(roots(&pem)?), provider };
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
            Trusted::Anybody => {
                let verifier = Nameless { roots: None, provider };
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let wrong = || "the client's certificate and its key cannot be used".to_owned();
                let chain = CertificateDer::pem_slice_iter(&certificate).flatten().collect();
                let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| wrong())?;
                builder.with_client_auth_cert(chain, key).map_err(|_| wrong())?
            }
        };
        Ok(Self(Some(Arc::new(config))))
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten());
    if added == 0 { Err("`sslrootcert` holds no certificate".to_owned()) } else { Ok(roots) }
}

/// Looks at who signed a certificate, if at anything, and not at its name.
#[derive(Debug)]
struct Nameless {
    roots: Option<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Nameless {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// TLS to one host.
pub(super) struct ToHost {
    config: Option<Arc<ClientConfig>>,
    host: String,
}

/// What the driver reads and writes.
pub(super) struct Stream(tokio_rustls::client::TlsStream<Socket>);

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Stream;
    type TlsConnect = ToHost;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<ToHost> {
        Ok(ToHost { config: self.0.clone(), host: domain.to_owned() })
    }
}

impl TlsConnect<Socket> for ToHost {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move {
            let config = self.config.ok_or_else(|| io::Error::other("TLS is not allowed"))?;
            let name = ServerName::try_from(self.host).map_err(|_| io::Error::other("the host's name is none"))?;
            tokio_rustls::TlsConnector::from(config).connect(name, stream).await.map(Stream)
        })
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, part: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, part)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
