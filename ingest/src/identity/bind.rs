//! An event against what its session token and its app allow. So one viewer cannot speak for another, and nobody
//! can put bytes on a CDN that the app did not send this session to. Values are not repeated in the reasons: a
//! dead letter must not tell whose id was tried.

use super::apps::App;
use super::token::Claims;
use livemeter_schemas::event::Event;
use livemeter_schemas::record::Bound;
use livemeter_schemas::refusal::{Code, Refusal};

/// Refuses an event by the first field that is not allowed.
pub fn check(event: &Event, app: &App, claims: Option<&Claims>) -> Result<(), Refusal> {
    let ids = Ids {
        user_id: claims.map(|claims| claims.user_id.as_str()),
        programme_id: claims.map(|claims| claims.programme_id.as_str()),
        session_id: claims.and_then(|claims| claims.session_id.as_deref()),
    };
    let by_token = |cdn: &str| claims.is_none_or(|claims| claims.cdns.iter().any(|allowed| allowed == cdn));
    let by_app = |cdn: &str| app.allowed_cdns.as_ref().is_none_or(|allowed| allowed.contains(cdn));
    allowed(event, &ids, by_token, by_app)
}

/// The same of an event that is put back later, by what was kept of both.
pub fn check_kept(event: &Event, bound: &Bound) -> Result<(), Refusal> {
    let ids =
        Ids { user_id: bound.user_id.as_deref(), programme_id: bound.programme_id.as_deref(), session_id: bound.session_id.as_deref() };
    let among = |cdns: &Option<Vec<String>>, cdn: &str| cdns.as_ref().is_none_or(|cdns| cdns.iter().any(|allowed| allowed == cdn));
    allowed(event, &ids, |cdn| among(&bound.token_cdns, cdn), |cdn| among(&bound.app_cdns, cdn))
}

/// What is kept of both for that; none where nothing is bound.
pub fn kept(app: &App, claims: Option<&Claims>) -> Option<Bound> {
    let app_cdns = app.allowed_cdns.as_ref().map(|cdns| {
        let mut cdns: Vec<String> = cdns.iter().cloned().collect();
        cdns.sort_unstable();
        cdns
    });
    if claims.is_none() && app_cdns.is_none() {
        return None;
    }
    Some(Bound {
        user_id: claims.map(|claims| claims.user_id.clone()),
        programme_id: claims.map(|claims| claims.programme_id.clone()),
        session_id: claims.and_then(|claims| claims.session_id.clone()),
        token_cdns: claims.map(|claims| claims.cdns.clone()),
        app_cdns,
    })
}

/// The ids that an event must have, where they are bound.
struct Ids<'r> {
    user_id: Option<&'r str>,
    programme_id: Option<&'r str>,
    session_id: Option<&'r str>,
}

fn allowed(event: &Event, ids: &Ids, by_token: impl Fn(&str) -> bool, by_app: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    let head = event.head();
    for (field, said, bound) in [
        ("user_id", head.user_id, ids.user_id),
        ("programme_id", head.programme_id, ids.programme_id),
        ("session_id", head.session_id, ids.session_id),
    ] {
        if bound.is_some_and(|bound| bound != said) {
            return Err(Refusal::new(Code::Forbidden, field, format!("{field} is not the one that the session token is bound to")));
        }
    }
    each_cdn(event, |field, index, cdn| {
        let (by_token, by_app) = (by_token(cdn), by_app(cdn));
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
        let event = decode::parse(text).unwrap();
        let said = check(&event, app, claims);
        // What is kept of both for later says the same.
        assert_eq!(kept(app, claims).map_or(Ok(()), |bound| check_kept(&event, &bound)), said);
        let refusal = said.err()?;
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
