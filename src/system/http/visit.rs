//! One visit to a web address, as its users make it: the server's name in the handshake, its certificate checked.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, Url};

use super::{HttpError, install_ring};

/// Where to go and whom to trust.
#[derive(Clone, Debug)]
pub struct Visit<'a> {
    /// The `https://` address.
    pub url: &'a str,
    /// The machine to connect to, in place of what the name resolves to.
    pub address: SocketAddr,
    /// The only certificate authority that counts, as PEM; without it, those of the machine.
    pub authority: Option<&'a [u8]>,
    /// How long it may take.
    pub time_limit: Duration,
}

/// Why there was no answer that can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VisitError {
    /// No certificate that is valid for the name.
    #[error("{0}")]
    Certificate(&'static str),
    /// No connection, or no answer.
    #[error("{0}")]
    NoAnswer(&'static str),
}

impl Visit<'_> {
    /// Makes the visit and reports the status; redirects are not followed, and the page is not read.
    ///
    /// # Errors
    /// [`VisitError`].
    pub async fn status(&self) -> Result<u16, VisitError> {
        install_ring();
        let malformed = VisitError::NoAnswer("the address is no URL that can be visited");
        let mut url = Url::parse(self.url).map_err(|_| malformed)?;
        let host = url.host_str().map(str::to_owned).ok_or(malformed)?;
        let named = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        url.set_port(Some(self.address.port())).map_err(|()| malformed)?;
        let mut builder = Client::builder()
            .user_agent(concat!("lockage/", env!("CARGO_PKG_VERSION")))
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(self.time_limit)
            .resolve(&host, self.address);
        if let Some(pem) = self.authority {
            builder = builder.tls_certs_only([reqwest::Certificate::from_pem(pem)
                .map_err(|_| VisitError::Certificate("the certificate authority to trust is no PEM certificate"))?]);
        }
        let client = builder.build().map_err(|_| VisitError::Certificate("this machine has no root certificates"))?;
        // The name as it was given: the port may be a stand-in's.
        let response = client.get(url).header("host", named).send().await;
        response.map(|response| response.status().as_u16()).map_err(|error| why(&error))
    }
}

fn why(error: &reqwest::Error) -> VisitError {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        UnknownIssuer,
    };
    match tls_failure(error) {
        Some(rustls::Error::InvalidCertificate(reason)) => VisitError::Certificate(match reason {
            Expired | ExpiredContext { .. } => "the certificate has expired",
            NotValidYet | NotValidYetContext { .. } => "the certificate is not valid yet",
            NotValidForName | NotValidForNameContext { .. } => "the certificate is for another name",
            UnknownIssuer => "the certificate is from an authority that is not trusted",
            _ => "the certificate is not valid",
        }),
        Some(rustls::Error::NoCertificatesPresented) => VisitError::Certificate("the server shows no certificate"),
        Some(_) => VisitError::Certificate("the TLS handshake failed"),
        None => match super::error::transport(error, "") {
            HttpError::Unreachable { why, .. } | HttpError::Broken { why, .. } => VisitError::NoAnswer(why),
            _ => VisitError::NoAnswer("no answer"),
        },
    }
}

/// The TLS failure behind an error, which hides inside an I/O error.
pub(crate) fn tls_failure(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(found) = inner.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        // An I/O error's `source` skips what it wraps.
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        source = wrapped.map(|wrapped| wrapped as _).or_else(|| inner.source());
    }
    None
}
