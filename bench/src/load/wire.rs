//! A connection of the load: plain, or TLS that trusts one file. What is sent over it is not here.

use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Either kind of connection.
pub trait Both: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Both for T {}

pub type Stream = Box<dyn Both>;

/// How to connect.
pub struct Wire {
    to: SocketAddr,
    tls: Option<TlsConnector>,
}

impl Wire {
    pub fn new(to: SocketAddr, trusted_file: Option<&Path>) -> Result<Wire> {
        Ok(Wire { to, tls: trusted_file.map(connector).transpose()? })
    }

    pub async fn connect(&self) -> Result<Stream> {
        let stream = TcpStream::connect(self.to).await.with_context(|| format!("connecting to {}", self.to))?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => {
                let name = ServerName::from(self.to.ip());
                Ok(Box::new(tls.connect(name, stream).await.context("the TLS handshake")?))
            }
        }
    }
}

fn connector(trusted_file: &Path) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(trusted_file).context("the trusted certificate")? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    // Every connection is that of another player: none has a session to resume.
    config.resumption = tokio_rustls::rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}
