//! The compact form of a signed token (RFC 7515): three parts of base64url, and what signs and verifies them. Only the two
//! algorithms that session tokens may have. The arithmetic is aws-lc's and RustCrypto's; nothing of it is ours.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Sha256;
use std::fmt;

const EDDSA: &str = "EdDSA";
const HS256: &str = "HS256";

/// What is read of a header.
#[derive(Debug, Deserialize)]
pub struct Header {
    pub alg: String,
    pub kid: Option<String>,
    /// Extensions that must be understood; none are.
    pub crit: Option<Box<RawValue>>,
}

/// A token taken apart; nothing of it is verified yet.
#[derive(Debug)]
pub struct Parts<'t> {
    pub header: Header,
    pub body: Vec<u8>,
    signed: &'t str,
    signature: Vec<u8>,
}

impl<'t> Parts<'t> {
    pub fn of(token: &'t str) -> Result<Self, &'static str> {
        let (signed, signature) = token.rsplit_once('.').ok_or("it has no three parts")?;
        let (header, body) = signed.split_once('.').ok_or("it has no three parts")?;
        // Exactly one text for the same bytes: padding, and spare bits that are set, are refused.
        let bytes = |part: &str| BASE64URL.decode(part).map_err(|_| "its parts are not base64url");
        let header = serde_json::from_slice(&bytes(header)?).map_err(|_| "its header is not one")?;
        Ok(Parts { header, body: bytes(body)?, signed, signature: bytes(signature)? })
    }

    pub fn verified_by(&self, verifier: &Verifier) -> bool {
        verifier.verify(self.signed.as_bytes(), &self.signature)
    }
}

/// A key that verifies, for one algorithm.
#[derive(Clone)]
pub enum Verifier {
    Ed25519([u8; 32]),
    Hs256(Box<Hmac<Sha256>>),
}

impl Verifier {
    pub fn hs256(secret: &[u8]) -> Result<Self, String> {
        Hmac::new_from_slice(secret).map(|mac| Verifier::Hs256(Box::new(mac))).map_err(|e| e.to_string())
    }

    /// Its name in a token's header.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Verifier::Ed25519(_) => EDDSA,
            Verifier::Hs256(_) => HS256,
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Verifier::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
            // In constant time, whatever is wrong with it.
            Verifier::Hs256(mac) => mac.as_ref().clone().chain_update(message).verify_slice(signature).is_ok(),
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm())
    }
}

/// A key that signs: for tests, and for those who try things by hand.
pub enum Signer {
    Ed25519(Box<Ed25519KeyPair>),
    Hs256(Box<Hmac<Sha256>>),
}

impl Signer {
    pub fn hs256(secret: &[u8]) -> Result<Self, String> {
        Hmac::new_from_slice(secret).map(|mac| Signer::Hs256(Box::new(mac))).map_err(|e| e.to_string())
    }

    /// From PKCS #8.
    pub fn ed25519(der: &[u8]) -> Result<Self, String> {
        Ed25519KeyPair::from_pkcs8(der).map(|pair| Signer::Ed25519(Box::new(pair))).map_err(|e| e.to_string())
    }

    pub fn sign(&self, kid: &str, body: &impl Serialize) -> Result<String, String> {
        let alg = match self {
            Signer::Ed25519(_) => EDDSA,
            Signer::Hs256(_) => HS256,
        };
        let header = serde_json::json!({ "typ": "JWT", "alg": alg, "kid": kid }).to_string();
        let body = serde_json::to_vec(body).map_err(|e| e.to_string())?;
        let signed = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(body));
        let signature = match self {
            Signer::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
            Signer::Hs256(mac) => mac.as_ref().clone().chain_update(signed.as_bytes()).finalize().into_bytes().to_vec(),
        };
        Ok(format!("{signed}.{}", BASE64URL.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.4: a signature that others made.
    #[test]
    fn the_standards_own_example_is_verified() {
        let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let key: [u8; 32] = BASE64URL.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap().try_into().unwrap();
        let parts = Parts::of(token).unwrap();
        assert_eq!((parts.header.alg.as_str(), parts.body.as_slice()), (EDDSA, b"Example of Ed25519 signing".as_slice()));
        assert!(parts.verified_by(&Verifier::Ed25519(key)));
        let mut other = key;
        other[0] ^= 1;
        assert!(!parts.verified_by(&Verifier::Ed25519(other)));
    }

    /// RFC 7515, appendix A.1.
    #[test]
    fn and_so_is_the_one_with_a_shared_secret() {
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let verifier = Verifier::hs256(&BASE64URL.decode(secret).unwrap()).unwrap();
        assert!(Parts::of(token).unwrap().verified_by(&verifier));
        assert!(!Parts::of(token).unwrap().verified_by(&Verifier::hs256(b"another").unwrap()));
        assert_eq!(format!("{verifier:?}"), "HS256", "no secret is ever printed");
    }
}
