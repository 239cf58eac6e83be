//! An event as it is stored for an app whose users have pseudonyms. Pure.
//!
//! The event is written anew from what was understood of it, so fields that this version does not know are not
//! kept: nobody can say whether they name the user. Free texts lose the user's id where they repeat it.

use super::ring::Ring;
use livemeter_schemas::event::Event;
use std::borrow::Cow;

/// The event's text under the user's other name; `None` when there is no key to name anyone with.
pub fn rewritten(event: &Event, app: &str, ring: &Ring, received_at_ms: i64) -> Option<String> {
    let key = ring.choose(began_at_ms(event), received_at_ms)?;
    let user_id = event.head().user_id;
    let name = key.pseudonym(app, user_id)?;
    let mut stored = event.clone();
    let free: [Option<&mut Cow<str>>; 2] = match &mut stored {
        Event::Stall(e) => [e.cause.as_mut(), None],
        Event::Error(e) => [Some(&mut e.code), e.message.as_mut()],
        Event::Cmcd(e) => {
            // Keys that nobody here knows may name the user.
            e.report = None;
            [e.error.as_mut(), e.event.as_mut()]
        }
        _ => [None, None],
    };
    for text in free.into_iter().flatten().filter(|text| text.contains(user_id)) {
        *text = Cow::Owned(text.replace(user_id, &name));
    }
    stored.set_user_id(Cow::Owned(name));
    serde_json::to_string(&stored).ok()
}

/// When the session began, as its own clock has it. Events without counters do not say: theirs is when they
/// happened, so those of a session that is open while keys are rotated may go under the next name. Nothing is
/// billed by them.
fn began_at_ms(event: &Event) -> i64 {
    match event {
        Event::Heartbeat(e) => e.session_started_at_ms,
        Event::SessionEnd(e) => e.session_started_at_ms,
        other => other.head().at_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use livemeter_schemas::decode;

    const HEAD: &str = r#""session_id":"s","seq":1,"at_ms":0,"user_id":"ada@example","programme_id":"p""#;

    fn stored(text: &str) -> String {
        let ring = format!("[[key]]\nid = 'k'\nvalid_from = 1970-01-01\nsecret = '{}'\n", "ab".repeat(32));
        let ring = Ring::parse(&ring, 0).unwrap();
        rewritten(&decode::parse(text).unwrap(), "demo", &ring, 0).unwrap()
    }

    #[test]
    fn the_id_is_gone_wherever_it_stood_and_the_rest_is_as_it_was() {
        let error = format!(
            r#"{{"type":"error",{HEAD},"code":"licence:ada@example","message":"no licence for ada@example, sorry","fatal":true,"account":"ada@example"}}"#
        );
        let stall = format!(
            r#"{{"type":"stall",{HEAD},"cdn":"a","began_at_ms":0,"stall_ms":1,"kind":"rebuffer","media":"video","threshold_ms":1,"cause":"ada@example"}}"#
        );
        for text in [error, stall] {
            let stored = stored(&text);
            assert!(!stored.contains("ada@example"), "{stored}");
            let (before, mut after) = (decode::parse(&text).unwrap(), decode::parse(&stored).unwrap());
            assert!(after.head().user_id.starts_with("k."));
            assert_eq!((after.type_name(), after.head().seq), (before.type_name(), before.head().seq));
            after.set_user_id("ada@example".into());
            assert_eq!(after.head(), before.head());
        }
    }

    #[test]
    fn an_escaped_id_is_the_same_user() {
        let plain = format!(r#"{{"type":"session_start",{HEAD}}}"#);
        let escaped = plain.replace("ada@example", "ada\\u0040example");
        let user = |text: &str| decode::parse(&stored(text)).unwrap().head().user_id.to_owned();
        assert_eq!(user(&plain), user(&escaped));
    }
}
