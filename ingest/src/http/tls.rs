//! Certificates: read at start, looked at again and taken when they have changed, while connections go on.
//! The handshake itself is in [`super::connection`].

use crate::config::TlsFiles;
use crate::error::Error;
use crate::file;
use crate::metrics::Metrics;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

/// How often the files are looked at. By content: links and times say nothing certain.
const LOOK: Duration = Duration::from_secs(2);
/// No chain is larger; a path to something else must not be read into memory.
const FILE_BYTES_MAX: usize = 1 << 20;

/// The certificate in use.
pub struct Tls {
    files: TlsFiles,
    acceptor: RwLock<TlsAcceptor>,
    loaded: Pem,
}

#[derive(Clone, PartialEq, Eq)]
struct Pem {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// # Errors
    /// A file that cannot be read, that holds no certificate or key, or a key of another certificate.
    pub async fn load(files: Option<&TlsFiles>) -> Result<Option<Self>, Error> {
        let Some(files) = files else { return Ok(None) };
        let loaded = read(files).await?;
        let acceptor = RwLock::new(acceptor(files, &loaded)?);
        Ok(Some(Tls { files: files.clone(), acceptor, loaded }))
    }

    /// For one more connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes changed files, for ever. What cannot be used is told once and left: the old certificate stays.
    pub async fn follow(&self, metrics: &Metrics) {
        let (mut seen, mut told) = (self.loaded.clone(), None);
        loop {
            tokio::time::sleep(LOOK).await;
            // Half-written pairs are seen on the way; the next look sees them whole.
            let read = read(&self.files).await;
            if read.as_ref().is_ok_and(|pem| *pem == seen) {
                told = None;
                continue;
            }
            let taken = read.and_then(|pem| {
                seen = pem;
                acceptor(&self.files, &seen)
            });
            match taken {
                Ok(acceptor) => {
                    *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
                    metrics.tls_reloads.inc();
                    tracing::info!(cert = %self.files.cert_file.display(), "a changed certificate is in use");
                }
                Err(error) if told.as_ref() == Some(&error.to_string()) => {}
                Err(error) => {
                    told = Some(error.to_string());
                    metrics.tls_reloads_failed.inc();
                    tracing::warn!(%error, "the changed certificate cannot be used; the one before stays");
                }
            }
        }
    }
}

async fn read(files: &TlsFiles) -> Result<Pem, Error> {
    Ok(Pem { cert: bytes(&files.cert_file).await?, key: bytes(&files.key_file).await? })
}

async fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let file = path.to_owned();
    let read = tokio::task::spawn_blocking(move || file::read(&file, FILE_BYTES_MAX)).await;
    read.map_err(|e| wrong(path, e))?.map_err(|e| wrong(path, e))
}

fn acceptor(files: &TlsFiles, pem: &Pem) -> Result<TlsAcceptor, Error> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.cert).collect();
    let chain = chain.map_err(|e| wrong(&files.cert_file, e))?;
    if chain.is_empty() {
        return Err(wrong(&files.cert_file, "no certificate in PEM"));
    }
    let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|e| wrong(&files.key_file, format!("no private key in PEM: {e}")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| wrong(&files.cert_file, e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Players come again and again: a ticket spares both sides the signature, and costs no memory here.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(|e| wrong(&files.cert_file, e))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn wrong(path: &Path, reason: impl ToString) -> Error {
    Error::Tls { file: path.display().to_string(), reason: reason.to_string() }
}
