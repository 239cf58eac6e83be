//! Tests of `apps`: what a file may say, and what is refused by name.

use super::*;
use crate::identity::config::Config;
use proptest::prelude::*;

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn parsed(text: &str) -> Result<Apps, String> {
    let config = Config { apps_max: 3, app_keys_max: 2, ..Config::default() };
    parse(text, &config, &|secret| match secret {
        Secret::Environment("SECRET") => Ok(b"0123456789abcdef0123456789abcdef\n".to_vec()),
        Secret::File("short") => Ok(b"short".to_vec()),
        other => Err(format!("{other:?} is not there")),
    })
}

#[test]
fn several_keys_of_an_app_are_good_at_once_each_until_its_end() {
    let (old, new) = (key::compose([1; 4], [1; 32]), key::compose([2; 4], [2; 32]));
    let text = format!(
        "[[app]]\nid = 'demo'\nheartbeat_ms = 20000\nsampling = 0.5\n\
         [[app.key]]\nid = '01010101'\nsha256 = '{}'\nnot_after = 1970-01-02\n\
         [[app.key]]\nid = '02020202'\nsha256 = '{}'\n\
         [[app]]\nid = 'other'\n",
        hex::encode(key::hash(&old)),
        hex::encode(key::hash(&new))
    );
    let apps = parsed(&text).unwrap();
    let holder = |key: &str, now| apps.holder(key, now).map(|app| app.id.clone());
    assert_eq!([holder(&old, 0), holder(&new, 0)], [Some("demo".into()), Some("demo".into())]);
    assert_eq!([holder(&old, 86_400_001), holder(&new, 86_400_001)], [None, Some("demo".into())]);
    let forged = key::compose([1; 4], [2; 32]);
    assert_eq!(holder(&forged, 0), None, "the id of one key with the secret of another");
    let demo = apps.get("demo").unwrap();
    assert_eq!((demo.heartbeat_ms, demo.sampling, demo.token_required), (Some(20_000), 0.5, false));
    assert_eq!((apps.len(), apps.keys("demo").count(), apps.keys("other").count()), (2, 2, 0));
}

#[test]
fn what_is_wrong_is_named() {
    let app = |rest: &str| format!("[[app]]\nid = 'demo'\n{rest}");
    let key = |id: &str| format!("[[app.key]]\nid = '{id}'\nsha256 = '{HASH}'\n");
    let token = |rest: &str| app(&format!("[[app.token_key]]\nid = 'k'\n{rest}\n"));
    for (text, words) in [
        ("nonsense".to_owned(), "line 1"),
        (app("heartbeat = 5\n"), "heartbeat"),
        (app("heartbeat_ms = 5\n"), "heartbeat_ms is 5; accepted: 1000 to 300000"),
        (app("sampling = 1.5\n"), "sampling is 1.5"),
        (app("token_required = true\n"), "no token_key"),
        (app("[[app]]\nid = 'demo'\n"), "twice"),
        (app("[[app]]\nid = ''\n"), "1 to 128 bytes"),
        (app("[[app]]\nid = 'b'\n[[app]]\nid = 'c'\n[[app]]\nid = 'd'\n"), "4 apps; the limit is 3"),
        (app(&(key("01010101") + &key("02020202") + &key("03030303"))), "3 keys; the limit is 2"),
        (app(&(key("01010101") + "[[app]]\nid = 'b'\n" + &key("01010101"))), "is one of app \"demo\" too"),
        (app("[[app.key]]\nid = 'main'\nsha256 = ''\n"), "8 hex digits"),
        (app("[[app.key]]\nid = '01010101'\nsha256 = 'ab'\n"), "64 hex digits"),
        (app(&(key("01010101") + "not_after = 'soon'\n")), "not_after"),
        (token("alg = 'RS256'"), "accepted: EdDSA or HS256"),
        (token("alg = 'EdDSA'"), "public_key or public_key_file"),
        (token("alg = 'EdDSA'\nsecret_env = 'SECRET'"), "public_key or public_key_file"),
        (token("alg = 'HS256'\npublic_key = 'x'"), "secret_file or secret_env"),
        (token("alg = 'HS256'\nsecret_file = 'short'"), "5 bytes; at least 32"),
        (token("alg = 'HS256'\nsecret_env = 'NONE'"), "is not there"),
    ] {
        let why = parsed(&text).expect_err(&text);
        assert!(why.contains(words), "{text}\n→ {why}");
    }
    assert_eq!(parsed(&token("alg = 'HS256'\nsecret_env = 'SECRET'")).unwrap().get("demo").unwrap().token_keys.len(), 1);
}

#[test]
fn a_file_over_its_size_is_refused_before_it_is_read() {
    let config = Config { apps_file_bytes_max: 10, ..Config::default() };
    let why = parse("# eleven...", &config, &|_| Err(String::new())).unwrap_err();
    assert_eq!(why, "it is 11 bytes; the limit is 10");
}

proptest! {
    #[test]
    fn any_text_is_taken_or_refused_without_panic(text in ".{0,200}") {
        let _ = parsed(&text);
        let _ = parsed(&format!("[[app]]\nid = 'a'\n{text}"));
    }

    #[test]
    fn no_key_but_the_right_one_opens(secret in any::<[u8; 32]>(), tried in any::<[u8; 32]>()) {
        let right = key::compose([1; 4], secret);
        let text = format!("[[app]]\nid = 'demo'\n[[app.key]]\nid = '01010101'\nsha256 = '{}'\n", hex::encode(key::hash(&right)));
        let apps = parsed(&text).unwrap();
        prop_assert!(apps.holder(&right, 0).is_some());
        prop_assert_eq!(apps.holder(&key::compose([1; 4], tried), 0).is_some(), tried == secret);
    }
}
