//! Whom a service must be vouched for by when it is asked over TLS: the authorities of one file, and nobody else. Read
//! for each question, of which there is one in some seconds: a certificate that is replaced needs no restart here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// All authorities of a system are a quarter of this.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why nobody can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("query.refusals_ca_file is not set")]
    Unset,
    #[error("query.refusals_ca_file, {}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
}

/// A client that trusts the authorities in this file. A certificate that signs itself is its own.
pub async fn client(trusted: Option<&Path>) -> Result<TlsConnector, Failure> {
    let path = trusted.ok_or(Failure::Unset)?;
    let wrong = |reason: String| Failure::File { path: path.to_owned(), reason };
    let pem = read(path).await.map_err(|e| wrong(e.to_string()))?;
    if pem.len() as u64 > FILE_BYTES_MAX {
        return Err(wrong(format!("it is more than {FILE_BYTES_MAX} bytes, which is the limit")));
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        certificate.map_err(|e| e.to_string()).and_then(|der| roots.add(der).map_err(|e| e.to_string())).map_err(wrong)?;
    }
    if roots.is_empty() {
        return Err(wrong("it holds no certificate in PEM".into()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    tokio::fs::File::open(path).await?.take(FILE_BYTES_MAX + 1).read_to_end(&mut pem).await?;
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_vouches_for_nobody_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        for (text, says) in [
            (None, "No such file"),
            (Some(String::new()), "no certificate"),
            (Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()), "ca.pem: "),
            (Some("x".repeat(FILE_BYTES_MAX as usize + 1)), "1048576 bytes, which is the limit"),
        ] {
            if let Some(text) = text {
                std::fs::write(&file, text).unwrap();
            }
            let said = client(Some(&file)).await.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(said.contains(says) && said.contains("ca.pem"), "{said:?} lacks {says:?}");
        }
        assert!(matches!(client(None).await, Err(Failure::Unset)));
    }
}
