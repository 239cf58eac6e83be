//! A certificate of one's own for a service on this machine, and a client that trusts it and no other.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// It signs itself and is no authority, as rustls wants it.
const OPENSSL: &str = "[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n[dn]\nCN=localhost\n[v3]\nsubjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n";

/// A certificate and its key, in a folder that goes when this is dropped.
pub struct Certificate {
    folder: TempDir,
    client: TlsConnector,
}

impl Certificate {
    /// A new one for 127.0.0.1, by `openssl`.
    pub fn make() -> Certificate {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("openssl.cnf"), OPENSSL).expect("written");
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-config"]);
        command.arg(path("openssl.cnf")).arg("-keyout").arg(path("key.pem")).arg("-out").arg(path("cert.pem"));
        let out = command.output().expect("openssl, of the Debian package of that name, is installed");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(path("cert.pem")).expect("a certificate")).expect("good");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions that the provider has")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Certificate { client: TlsConnector::from(Arc::new(config)), folder }
    }

    /// The chain, in PEM; whoever trusts this file trusts the service.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Ingest's flags.
    pub fn flags(&self) -> [String; 4] {
        let path = |name: &str| self.folder.path().join(name).to_str().expect("a plain path").to_owned();
        ["--tls-cert-file".into(), path("cert.pem"), "--tls-key-file".into(), path("key.pem")]
    }

    /// # Errors
    /// A service that shows another certificate, or none.
    pub async fn handshake(&self, at: IpAddr, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.client.connect(ServerName::from(at), stream).await
    }
}
