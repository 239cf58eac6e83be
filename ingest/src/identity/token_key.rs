//! The keys that session tokens are signed with. Each is for one algorithm, whatever a token says of itself:
//! that is what keeps a public key from being used as a shared secret.

use super::jws::{Signer, Verifier};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

/// RFC 7518: as long as the hash at least.
pub const SECRET_BYTES_MIN: usize = 32;
/// What stands before the 32 bytes of an Ed25519 public key in its usual file (SPKI, RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key that verifies.
#[derive(Debug, Clone)]
pub struct TokenKey {
    /// The `kid` of the tokens it has signed.
    pub id: String,
    pub verifier: Verifier,
    pub not_after_ms: Option<i64>,
}

/// An Ed25519 public key: PEM (`openssl pkey -pubout`), or a JWK's `x`.
pub fn ed25519_public(text: &str) -> Result<Verifier, String> {
    let bytes = match pem(text, "PUBLIC KEY") {
        Some(der) => der.strip_prefix(&SPKI).map(<[u8]>::to_vec).ok_or("it is no Ed25519 public key")?,
        None => BASE64_URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).map_err(|_| "it is neither PEM nor base64url")?,
    };
    let size = bytes.len();
    bytes.try_into().map(Verifier::Ed25519).map_err(|_| format!("it is {size} bytes; an Ed25519 public key is 32"))
}

/// An Ed25519 private key in PKCS #8 (`openssl genpkey -algorithm ed25519`): for those who sign.
pub fn ed25519_private(text: &str) -> Result<Signer, String> {
    Signer::ed25519(&pem(text, "PRIVATE KEY").ok_or("it is no PEM file with a PRIVATE KEY")?)
}

/// A shared secret, as the bytes of its text.
pub fn hs256_secret(text: &[u8]) -> Result<&[u8], String> {
    let secret = text.trim_ascii();
    if secret.len() < SECRET_BYTES_MIN {
        return Err(format!("it is {} bytes; at least {SECRET_BYTES_MIN} are needed", secret.len()));
    }
    Ok(secret)
}

fn pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let inner = text.split_once(&format!("-----BEGIN {label}-----"))?.1.split_once(&format!("-----END {label}-----"))?.0;
    BASE64_STANDARD.decode(inner.split_ascii_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_read_from_pem_and_from_a_jwk() {
        let mut der = SPKI.to_vec();
        der.extend([9; 32]);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64_STANDARD.encode(der));
        let x = BASE64_URL_SAFE_NO_PAD.encode([9; 32]);
        for text in [pem.as_str(), x.as_str()] {
            assert!(matches!(ed25519_public(text), Ok(Verifier::Ed25519(key)) if key == [9; 32]));
        }
        assert!(ed25519_public("AAAA").is_err_and(|e| e.contains("3 bytes")));
        assert!(hs256_secret(b" short \n").is_err_and(|e| e.contains("5 bytes")));
    }
}
