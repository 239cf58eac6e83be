//! Tests of `token`: what a forger would try, and what an honest server may get wrong.

use super::*;
use crate::identity::jws::Verifier;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use proptest::prelude::*;

const NOW: i64 = 1_790_000_000_000;
const RULES: Rules = Rules { bytes_max: 4_096, lifetime_ms_max: 86_400_000, leeway_ms: 30_000, cdns_max: 4 };
/// RFC 8410's example key and its public half, as PEM and as a JWK's `x` would have it.
const PRIVATE: &str =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----";
const SECRET: &[u8] = b"a secret that is long enough for HS256";

fn keys() -> Vec<TokenKey> {
    let ed = crate::identity::token_key::ed25519_public(PUBLIC).unwrap();
    vec![
        TokenKey { id: "ed".into(), verifier: ed, not_after_ms: None },
        TokenKey { id: "hs".into(), verifier: Verifier::hs256(SECRET).unwrap(), not_after_ms: Some(NOW + 50_000) },
    ]
}

fn body() -> Body {
    let cdns = vec!["cdn-a".into(), "cdn-b".into()];
    Body { aud: "demo".into(), sub: "u-1".into(), prog: "final".into(), cdns, sid: None, exp: NOW / 1000 + 3_600, nbf: None }
}

fn ed(body: &Body) -> String {
    sign(body, "ed", &crate::identity::token_key::ed25519_private(PRIVATE).unwrap()).unwrap()
}

fn hs(body: &Body, kid: &str, secret: &[u8]) -> String {
    sign(body, kid, &Signer::hs256(secret).unwrap()).unwrap()
}

fn verdict(text: &str) -> Result<Claims, TokenFault> {
    verify(text, "demo", &keys(), &RULES, NOW)
}

/// A token with a header of one's own, over the claims and signature of another.
fn reheaded(text: &str, header: &str) -> String {
    format!("{}.{}", BASE64.encode(header), text.split_once('.').unwrap().1)
}

#[test]
fn both_kinds_prove_what_they_say() {
    let claims = verdict(&ed(&body())).unwrap();
    assert_eq!((claims.user_id.as_str(), claims.programme_id.as_str(), claims.cdns.len()), ("u-1", "final", 2));
    assert_eq!(claims.until_ms, NOW + 3_600_000);
    assert_eq!(verdict(&hs(&body(), "hs", SECRET)).unwrap().until_ms, NOW + 50_000, "no longer than the key that signed it");
}

#[test]
fn forgeries_prove_nothing() {
    let good = ed(&body());
    let other = ed(&Body { sub: "u-2".into(), ..body() });
    let (signed, _) = other.rsplit_once('.').unwrap();
    let swapped = format!("{signed}.{}", good.rsplit_once('.').unwrap().1);
    // The classic: the public key, which everyone has, as if it were the secret.
    let confused = hs(&body(), "ed", PUBLIC.as_bytes());
    for (what, text, expected) in [
        ("another's claims under this signature", swapped, TokenFault::Signature),
        ("a secret of one's own", hs(&body(), "hs", b"another secret that is long enough"), TokenFault::Signature),
        ("the public key as a secret", confused, TokenFault::Algorithm),
        ("a key that is not there", hs(&body(), "hs2", SECRET), TokenFault::Key),
        ("no key named", reheaded(&good, r#"{"alg":"EdDSA"}"#), TokenFault::Key),
        ("alg none", reheaded(&good, r#"{"alg":"none","kid":"ed"}"#), TokenFault::Algorithm),
        (
            "extensions",
            reheaded(&good, r#"{"alg":"EdDSA","kid":"ed","crit":["b64"]}"#),
            TokenFault::Malformed("it asks for extensions (crit)"),
        ),
        ("for another app", ed(&Body { aud: "other".into(), ..body() }), TokenFault::Audience),
        ("too long", "x".repeat(5_000), TokenFault::TooLong { size: 5_000, limit: 4_096 }),
    ] {
        assert_eq!(verdict(&text), Err(expected), "{what}");
    }
    let unsigned = good.rsplit_once('.').unwrap().0.to_owned() + ".";
    assert!(verdict(&unsigned).is_err(), "no signature at all");
}

#[test]
fn times_are_judged_with_a_little_leeway_and_a_limit() {
    let with =
        |exp_s: i64, nbf_s: Option<i64>| verdict(&ed(&Body { exp: NOW / 1000 + exp_s, nbf: nbf_s.map(|n| NOW / 1000 + n), ..body() }));
    assert!(with(-29, None).is_ok());
    assert_eq!(with(-31, None), Err(TokenFault::Expired { ago_s: 31 }));
    assert!(with(60, Some(29)).is_ok());
    assert_eq!(with(60, Some(31)), Err(TokenFault::Early { in_s: 31 }));
    assert_eq!(with(90_000, None), Err(TokenFault::LongLived { ahead_s: 90_000, limit_s: 86_400 }));
    assert!(with(i64::MAX / 2000, None).is_err());
}

#[test]
fn claims_that_are_missing_or_too_many_are_named() {
    let many = Body { cdns: vec!["c".into(); 5], ..body() };
    assert_eq!(verdict(&ed(&many)), Err(TokenFault::Cdns { count: 5, limit: 4 }));
    #[derive(Serialize)]
    struct Bare {
        aud: &'static str,
    }
    let bare = Signer::hs256(SECRET).unwrap().sign("hs", &Bare { aud: "demo" }).unwrap();
    assert!(matches!(verdict(&bare), Err(TokenFault::Claims(why)) if why.contains("sub")));
}

proptest! {
    /// No byte of a token can be changed without breaking it.
    #[test]
    fn one_wrong_character_is_one_too_many(at in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.-]") {
        let good = ed(&body());
        let at = at.index(good.len());
        let mut changed = good.clone();
        changed.replace_range(at..=at, &with);
        // The last character of a part may hold spare bits; base64url refuses those that are set.
        if changed != good {
            prop_assert!(verdict(&changed).is_err());
        }
    }

    #[test]
    fn any_text_is_judged_without_panic(text in ".{0,300}") {
        prop_assert!(verdict(&text).is_err());
    }
}
