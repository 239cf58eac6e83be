//! An event against what its session token and its app allow. So one viewer cannot speak for another, and nobody
//! can put bytes on a CDN that the app did not send this session to. Values are not repeated in the reasons: a
//! dead letter must not tell whose id was tried.

use super::apps::App;
use super::token::Claims;
use livemeter_schemas::event::Event;
use livemeter_schemas::refusal::{Code, Refusal};

/// Refuses an event by the first field that is not allowed.
pub fn check(event: &Event, app: &App, claims: Option<&Claims>) -> Result<(), Refusal> {
    if let Some(claims) = claims {
        let head = event.head();
        for (field, said, allowed) in [
            ("user_id", head.user_id, Some(claims.user_id.as_str())),
            ("programme_id", head.programme_id, Some(claims.programme_id.as_str())),
            ("session_id", head.session_id, claims.session_id.as_deref()),
        ] {
            if allowed.is_some_and(|allowed| allowed != said) {
                return Err(Refusal::new(Code::Forbidden, field, format!("{field} is not the one that the session token is bound to")));
            }
        }
    }
    each_cdn(event, |field, index, cdn| {
        let by_token = claims.is_none_or(|claims| claims.cdns.iter().any(|allowed| allowed == cdn));
        let by_app = app.allowed_cdns.as_ref().is_none_or(|allowed| allowed.contains(cdn));
        if by_token && by_app {
            return Ok(());
        }
        let field = index.map_or_else(|| field.to_owned(), |index| format!("counters[{index}].cdn"));
        let by = if by_token { "app" } else { "session token" };
        Err(Refusal::new(Code::Forbidden, field.clone(), format!("{field} is {cdn:?}, which is not among the CDNs of the {by}")))
    })
}

/// Every CDN that the event names: the field, its place in the counters, the name.
fn each_cdn(event: &Event, mut check: impl FnMut(&str, Option<usize>, &str) -> Result<(), Refusal>) -> Result<(), Refusal> {
    for (index, counters) in event.counters().iter().enumerate() {
        check("counters", Some(index), &counters.cdn)?;
    }
    match event {
        Event::Heartbeat(e) => e.cdn.as_deref().map_or(Ok(()), |cdn| check("cdn", None, cdn)),
        Event::Stall(e) => check("cdn", None, &e.cdn),
        Event::SessionStart(e) => e.cdn.as_deref().map_or(Ok(()), |cdn| check("cdn", None, cdn)),
        Event::PlaybackStart(e) => check("cdn", None, &e.cdn),
        Event::SessionEnd(_) => Ok(()),
        Event::CdnSwitch(e) => check("from_cdn", None, &e.from_cdn).and_then(|()| check("to_cdn", None, &e.to_cdn)),
        Event::Error(e) => e.cdn.as_deref().map_or(Ok(()), |cdn| check("cdn", None, cdn)),
        Event::Cmcd(e) => {
            let counted = e.bytes.iter().filter_map(|said| said.cdn.as_deref());
            e.cdn.as_deref().into_iter().chain(counted).try_for_each(|cdn| check("cdn", None, cdn))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::apps::UserIds;
    use livemeter_schemas::decode;
    use proptest::prelude::*;

    const HEAD: &str = r#""session_id":"s","seq":1,"at_ms":0,"user_id":"u","programme_id":"p""#;

    fn app(cdns: Option<&[&str]>) -> App {
        App {
            id: "demo".into(),
            allowed_origins: None,
            allowed_cdns: cdns.map(|cdns| cdns.iter().map(|c| (*c).to_owned()).collect()),
            heartbeat_ms: None,
            sampling: 1.0,
            cmcd: true,
            token_required: false,
            token_keys: vec![],
            user_ids: UserIds::AsSent,
        }
    }

    fn claims() -> Claims {
        Claims {
            user_id: "u".into(),
            programme_id: "p".into(),
            cdns: vec!["a".into(), "b".into()],
            session_id: Some("s".into()),
            not_before_ms: None,
            until_ms: 0,
        }
    }

    fn heartbeat(cdn: &str, counted: &str) -> String {
        format!(
            r#"{{"type":"heartbeat",{HEAD},"session_started_at_ms":0,"state":"p","cdn":"{cdn}","counters":[
            {{"cdn":"a","first_used_at_ms":0,"bytes":1,"play_ms":0,"stall_ms":0,"stalls":0}},
            {{"cdn":"{counted}","first_used_at_ms":0,"bytes":1,"play_ms":0,"stall_ms":0,"stalls":0}}]}}"#
        )
    }

    fn field(text: &str, app: &App, claims: Option<&Claims>) -> Option<String> {
        let refusal = check(&decode::parse(text).unwrap(), app, claims).err()?;
        assert_eq!(refusal.code, Code::Forbidden);
        refusal.field
    }

    #[test]
    fn whoever_it_is_bound_to_and_nobody_else() {
        let (open, good) = (app(None), heartbeat("a", "b"));
        assert_eq!(field(&good, &open, Some(&claims())), None);
        assert_eq!(field(&good, &open, None), None);
        for (from, to, expected) in [
            (r#""user_id":"u""#, r#""user_id":"v""#, "user_id"),
            (r#""programme_id":"p""#, r#""programme_id":"q""#, "programme_id"),
            (r#""session_id":"s""#, r#""session_id":"t""#, "session_id"),
        ] {
            assert_eq!(field(&good.replace(from, to), &open, Some(&claims())).as_deref(), Some(expected));
        }
        let unbound = Claims { session_id: None, ..claims() };
        assert_eq!(field(&good.replace(r#""session_id":"s""#, r#""session_id":"t""#), &open, Some(&unbound)), None);
    }

    #[test]
    fn every_place_where_a_cdn_stands_is_looked_at() {
        let open = app(None);
        assert_eq!(field(&heartbeat("a", "c"), &open, Some(&claims())).as_deref(), Some("counters[1].cdn"));
        assert_eq!(field(&heartbeat("c", "b"), &open, Some(&claims())).as_deref(), Some("cdn"));
        let stall = |cdn| {
            format!(
                r#"{{"type":"stall",{HEAD},"cdn":"{cdn}","began_at_ms":0,"stall_ms":1,"kind":"rebuffer","media":"video","threshold_ms":1}}"#
            )
        };
        let switch = |from, to| format!(r#"{{"type":"cdn_switch",{HEAD},"from_cdn":"{from}","to_cdn":"{to}","reason":"user"}}"#);
        for (text, expected) in [
            (stall("c"), Some("cdn")),
            (switch("c", "a"), Some("from_cdn")),
            (switch("a", "c"), Some("to_cdn")),
            (switch("a", "b"), None),
            (format!(r#"{{"type":"session_start",{HEAD},"cdn":"c"}}"#), Some("cdn")),
            (format!(r#"{{"type":"playback_start",{HEAD},"cdn":"c","startup_ms":1}}"#), Some("cdn")),
            (format!(r#"{{"type":"error",{HEAD},"cdn":"c","code":"x","fatal":false}}"#), Some("cdn")),
            (format!(r#"{{"type":"error",{HEAD},"code":"x","fatal":false}}"#), None),
        ] {
            assert_eq!(field(&text, &open, Some(&claims())).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_apps_own_list_holds_with_and_without_a_token() {
        let narrow = app(Some(&["a"]));
        assert_eq!(field(&heartbeat("a", "b"), &narrow, None).as_deref(), Some("counters[1].cdn"));
        assert_eq!(field(&heartbeat("a", "b"), &narrow, Some(&claims())).as_deref(), Some("counters[1].cdn"));
        assert_eq!(field(&heartbeat("a", "a"), &narrow, None), None);
    }

    proptest! {
        /// An event passes exactly when each of its words is the token's.
        #[test]
        fn nothing_but_what_the_token_says_passes(user in "[uv]", programme in "[pq]", cdn in "[abc]", counted in "[abc]") {
            let text = heartbeat(&cdn, &counted)
                .replace(r#""user_id":"u""#, &format!(r#""user_id":"{user}""#))
                .replace(r#""programme_id":"p""#, &format!(r#""programme_id":"{programme}""#));
            let right = user == "u" && programme == "p" && cdn != "c" && counted != "c";
            prop_assert_eq!(field(&text, &app(None), Some(&claims())).is_none(), right);
        }
    }
}
