//! Name, connection, TLS: all that comes before the first byte of a request.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::gate::Stream;
use super::reach::Reach;
use super::request::Origin;

/// How long one address may stay silent before the next is tried beside it (RFC 8305, section 8).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// Trusts Mozilla's list of authorities, and `more` (a private authority's certificates).
///
/// # Errors
/// Where one of `more` is no certificate.
pub(crate) fn tls_settings(more: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in more {
        roots.add(certificate.clone())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Early data may be replayed by anybody between us and the provider.
    settings.enable_early_data = false;
    Ok(Arc::new(settings))
}

pub(super) async fn connect(origin: &Origin, tls: &TlsConnector, reach: Reach) -> Result<Stream, String> {
    let failed = |error: io::Error| format!("{origin}: {error}");
    let stream = dial(origin.host(), origin.port(), reach).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    if !origin.https() {
        return Ok(Stream::Plain(stream));
    }
    let name = ServerName::try_from(origin.host().to_owned()).map_err(|error| format!("{origin}: {error}"))?;
    let stream = tls.connect(name, stream).await.map_err(failed)?;
    Ok(Stream::Tls(Box::new(stream)))
}

/// Takes the first of the name's addresses that answers.
async fn dial(host: &str, port: u16, reach: Reach) -> io::Result<TcpStream> {
    let mut addresses = lookup_host((host, port)).await?;
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        match addresses.next() {
            // It names none of the addresses: whoever chose the name is not to learn about the network here.
            Some(address) if !reach.admits(address.ip()) => {
                failure = io::Error::new(io::ErrorKind::PermissionDenied, "it leads to a private address");
            }
            Some(address) => attempts.push(TcpStream::connect(address)),
            None if attempts.is_empty() => return Err(failure),
            None => {}
        }
        match timeout(NEXT_ADDRESS_AFTER, attempts.next()).await {
            Ok(Some(Ok(stream))) => return Ok(stream),
            Ok(Some(Err(error))) => failure = error,
            Ok(None) | Err(_) => {}
        }
    }
}
