//! What the three forms become, what is passed over, and what is refused.

use super::*;
use livemeter_schemas::event::{Cmcd, State};
use livemeter_schemas::limits::Limits;
use proptest::prelude::*;

const NOW: i64 = 1_790_000_000_000;
const LIMITS: fn() -> Limits = Limits::default;

fn form(kind: Kind) -> Form<'static> {
    Form { kind, app: Some("demo".into()), target: None, query: None }
}

fn hosts() -> Hosts {
    "127.0.0.1:8081=cdn-a, *.edge.example=cdn-b".parse().unwrap()
}

fn read_as(body: &str, form: &Form) -> Result<Reports, Refusal> {
    let limits = LIMITS();
    let rules = Rules { limits: &limits, events_max: 10, received_at_ms: NOW };
    read(body, form, Sender { app: None, user_id: None }, &hosts(), &rules)
}

/// A report's event, or the code and field that it was refused by.
type Said = Result<Cmcd<'static>, (Code, String)>;

/// Every report's event, or the code and field it was refused by; and what was passed over.
fn judged(body: &str, form: &Form) -> (Vec<Said>, Ignored) {
    let limits = LIMITS();
    let rules = Rules { limits: &limits, events_max: 10, received_at_ms: NOW };
    let reports = read_as(body, form).unwrap();
    let batch = reports.batch(&rules);
    let events = batch.events.into_iter().map(|judged| match judged.verdict {
        Ok(Event::Cmcd(event)) => {
            let text: &'static str = Box::leak(serde_json::to_string(&Event::Cmcd(event)).unwrap().into_boxed_str());
            let Ok(Event::Cmcd(event)) = decode::parse(text) else { panic!("{text}") };
            Ok(event)
        }
        Ok(other) => panic!("{}", other.type_name()),
        Err(refusal) => Err((refusal.code, refusal.field.unwrap_or_default())),
    });
    (events.collect(), reports.ignored)
}

fn one(body: &str, kind: Kind) -> (Cmcd<'static>, Ignored) {
    let (mut events, ignored) = judged(body, &form(kind));
    assert_eq!(events.len(), 1, "{events:?}");
    (events.remove(0).unwrap(), ignored)
}

fn refused(body: &str, kind: Kind) -> (Code, String) {
    let (mut events, _) = judged(body, &form(kind));
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0).unwrap_err()
}

/// A report as the encoder of the Common Media Library writes it.
const PLAYING: &str = r#"bl=(2100),br=(1500;v),cid="news",e=ps,h="127.0.0.1:8081",ltc=3200,msd=740,pr=1.05,sf=h,sid="s-1",sn=7,st=l,sta=p,ts=1789999999000,v=2"#;

#[test]
fn a_report_in_event_mode_says_what_it_says() {
    let (event, ignored) = one(PLAYING, Kind::Lines);
    assert_eq!((&*event.session_id, event.seq, event.at_ms, &*event.programme_id), ("s-1", 7, NOW - 1000, "news"));
    assert_eq!((event.event.as_deref(), event.state, event.cdn.as_deref()), (Some("ps"), Some(State::Playing), Some("cdn-a")));
    assert_eq!((event.startup_ms, event.buffer_ms, event.bitrate_kbps, event.latency_ms), (Some(740), Some(2100), Some(1500), Some(3200)));
    assert_eq!((&*event.user_id, event.bytes.len(), event.report.as_deref()), ("anonymous", 0, Some(PLAYING)));
    assert_eq!(ignored, Ignored::default());
}

#[test]
fn one_report_a_line_each_trimmed_whatever_ends_it() {
    let body = format!("  {PLAYING}\r\n\r\n\t{PLAYING} \n{PLAYING}\n");
    let (events, _) = judged(&body, &form(Kind::Lines));
    assert_eq!(events.iter().filter(|e| e.is_ok()).count(), 3);
    assert!(events.iter().all(|e| e.as_ref().unwrap().report.as_deref() == Some(PLAYING)));
    assert_eq!(judged("", &form(Kind::Lines)).0.len(), 0);
}

#[test]
fn json_is_the_same_as_an_object_an_array_and_lines() {
    let object = r#"{"bl":[2100],"br":[1500],"cid":"news","e":"ps","h":"127.0.0.1:8081","ltc":3200,"msd":740,"pr":1.05,"sid":"s-1","sn":7,"sta":"p","ts":1789999999000,"v":2}"#;
    let (mut expected, _) = one(PLAYING, Kind::Lines);
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(object).unwrap()).unwrap();
    for (body, count) in [(object.to_owned(), 1), (format!("[{object}, {object}]"), 2), (format!("{object}\n {object} \n"), 2), (pretty, 1)]
    {
        let (events, ignored) = judged(&body, &form(Kind::Json));
        assert_eq!((events.len(), ignored), (count, Ignored::default()), "{body}");
        for event in events {
            let event = event.unwrap();
            expected.report.clone_from(&event.report);
            assert_eq!(event, expected);
        }
    }
}

#[test]
fn version_1_is_read_from_a_body_and_from_the_url() {
    let text = r#"bl=21300,br=3200,bs,cid="faec5fc2",d=4004,mtp=25400,nor="..%2Fseg36.m4v",ot=v,sf=h,sid="s-1",st=v,tb=6000"#;
    let encoded = url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let in_url = Form { query: Some(text.into()), ..form(Kind::Lines) };
    for (body, form) in [(text.to_owned(), form(Kind::Lines)), (format!("CMCD={encoded}"), form(Kind::Lines)), (String::new(), in_url)] {
        let (mut events, ignored) = judged(&body, &form);
        let event = events.remove(0).unwrap();
        assert_eq!((&*event.session_id, event.starved, event.state, event.buffer_ms), ("s-1", true, None, Some(21_300)));
        assert_eq!((event.seq, event.at_ms), (NOW as u64, NOW), "the receipt's, where it has none");
        assert_eq!((events.len(), ignored, event.report.as_deref()), (0, Ignored::default(), Some(text)));
    }
}

#[test]
fn what_is_unknown_or_wrong_costs_itself_alone_and_is_counted() {
    let (event, ignored) = one(r#"br=tok,e=ps,msd=-5,sid="s-1",sn=1,sta=z,ts=1790000000000,v=2,xyz=1,zz=2,com.other-key="a""#, Kind::Lines);
    assert_eq!(ignored, Ignored { unknown_keys: 2, bad_values: 3 });
    assert_eq!((event.bitrate_kbps, event.startup_ms, event.state), (None, None, None));
    let (event, ignored) = one(r#"{"sid":"s-1","sn":"7","sta":7,"bl":{"a":1},"cid":"","ts":1.7e300}"#, Kind::Json);
    assert_eq!((event.seq, ignored.bad_values, &*event.programme_id), (NOW as u64, 5, "unknown"));
}

#[test]
fn a_report_is_refused_for_its_version_its_session_and_its_text() {
    assert_eq!(refused(&PLAYING.replace("v=2", "v=3"), Kind::Lines), (Code::UnsupportedVersion, "v".into()));
    assert_eq!(refused(&PLAYING.replace(r#"sid="s-1","#, ""), Kind::Lines), (Code::MissingField, "sid".into()));
    assert_eq!(refused(&PLAYING.replace(r#"sid="s-1""#, "sid=5"), Kind::Lines), (Code::MissingField, "sid".into()));
    for wrong in ["sid=\"a", "=", "A=1", "sid=\"a\" v=2", "\u{7f}"] {
        assert_eq!(refused(wrong, Kind::Lines), (Code::Malformed, "report".into()), "{wrong}");
    }
    assert_eq!(refused("[1]", Kind::Json), (Code::Malformed, "report".into()));
    assert_eq!(refused(r#"{"sid":"s","sn":9999999999999999}"#, Kind::Json), (Code::OutOfRange, "seq".into()));
    let (mixed, _) = judged(&format!("{PLAYING}\n{}", PLAYING.replace("1789999999000", "1690000000000")), &form(Kind::Lines));
    assert_eq!(mixed[1].as_ref().unwrap_err(), &(Code::Clock, "at_ms".into()), "no queue is years older than what comes with it");
    // One bad line never costs the others.
    let (events, _) = judged(&format!("{PLAYING}\nnonsense(\n{PLAYING}"), &form(Kind::Lines));
    assert_eq!(events.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn bytes_are_those_of_the_custom_key_and_of_nothing_else() {
    let (event, ignored) =
        one(r#"com.livemeter-bytes="1200",com.livemeter-bytes.cdn-b=77,d=4000,sid="s",sn=1,ts=1790000000000,v=2"#, Kind::Lines);
    let bytes: Vec<_> = event.bytes.iter().map(|said| (said.cdn.as_deref(), said.bytes)).collect();
    assert_eq!((bytes, ignored), (vec![(None, 1200), (Some("cdn-b"), 77)], Ignored::default()));
    let (event, ignored) = one(r#"com.livemeter-bytes="many",sid="s",sn=1,ts=1790000000000,v=2"#, Kind::Lines);
    assert_eq!((event.bytes.len(), ignored.bad_values), (0, 1));
}

#[test]
fn the_cdn_is_named_or_that_of_the_host() {
    let cdn = |keys: &str| one(&format!(r#"{keys},sid="s",sn=1,ts=1790000000000,v=2"#), Kind::Lines).0.cdn.map(Cow::into_owned);
    for (keys, expected) in [
        (r#"h="x.edge.example""#, Some("cdn-b")),
        (r#"h="stranger.example""#, Some("stranger.example")),
        (r#"cdn="own",h="127.0.0.1:8081""#, Some("own")),
        (r#"cdn="old",com.livemeter-cdn="own""#, Some("own")),
        (r#"e=rr,h="x.edge.example",url="http://127.0.0.1:8081/loop/1.ts?a=b""#, Some("cdn-a")),
        ("e=t", None),
    ] {
        assert_eq!(cdn(keys).as_deref(), expected, "{keys}");
    }
}

#[test]
fn targets_of_one_session_are_told_apart_and_a_user_comes_from_the_token_or_a_key() {
    let limits = LIMITS();
    let rules = Rules { limits: &limits, events_max: 10, received_at_ms: NOW };
    let form = Form { target: Some("rr".into()), app: None, ..form(Kind::Lines) };
    let sender = Sender { app: Some("keyed"), user_id: Some("ada") };
    let head = |body: &str| {
        let reports = read(body, &form, sender, &hosts(), &rules).unwrap();
        let batch = reports.batch(&rules);
        let head = batch.events[0].verdict.as_ref().unwrap().head();
        (reports.app.clone(), head.session_id.to_owned(), head.user_id.to_owned())
    };
    assert_eq!(head(PLAYING), ("keyed".into(), "s-1~rr".into(), "ada".into()));
    assert_eq!(head(&format!(r#"{PLAYING},com.livemeter-user="bob""#)).2, "bob");
}

#[test]
fn a_body_without_an_app_or_with_too_many_reports_is_refused_whole() {
    let nameless = Form { app: None, ..form(Kind::Lines) };
    assert_eq!(read_as(PLAYING, &nameless).unwrap_err().field.as_deref(), Some("app"));
    let line = format!("{PLAYING}\n");
    let object = r#"{"sid":"s"}"#;
    for (body, kind) in [
        (line.repeat(11), Kind::Lines),
        (format!("{object}\n").repeat(11), Kind::Json),
        (format!("[{}]", [object; 11].join(",")), Kind::Json),
    ] {
        let refusal = read_as(&body, &form(kind)).unwrap_err();
        assert_eq!((refusal.code, refusal.value, refusal.limit), (Code::TooMany, Some(11), Some(10)));
    }
}

#[test]
fn a_wrong_clock_is_corrected_by_the_newest_report_and_a_slow_network_is_not() {
    let sent = |ts: i64| read_as(&PLAYING.replace("1789999999000", &ts.to_string()), &form(Kind::Lines)).unwrap().sent_at_ms;
    assert_eq!([sent(NOW - 30_000), sent(NOW + 50_000), sent(NOW - 500_000)], [None; 3]);
    assert_eq!([sent(NOW + 70_000), sent(NOW - 700_000)], [Some(NOW + 70_000), Some(NOW - 700_000)]);
}

#[test]
fn a_report_posted_as_an_event_is_refused() {
    let (event, _) = one(PLAYING, Kind::Lines);
    let event = serde_json::to_string(&Event::Cmcd(event)).unwrap();
    let body = format!(r#"{{"v":1,"app":"demo","events":[{event}]}}"#);
    let limits = LIMITS();
    let rules = Rules { limits: &limits, events_max: 10, received_at_ms: NOW };
    let batch = batch::json(&body, &rules).unwrap();
    let refusal = batch.events[0].verdict.as_ref().unwrap_err();
    assert_eq!((refusal.code, refusal.field.as_deref()), (Code::UnknownType, Some("type")));
}

proptest! {
    /// Any text in any form: no panic, and whatever is accepted passes the same checks as any event.
    #[test]
    fn any_text_is_taken_or_refused(text in "(\\PC|[a-z]{1,3}=|\"|,|\n|\\(|\\)){0,80}", json in any::<bool>()) {
        let kind = if json { Kind::Json } else { Kind::Lines };
        if let Ok(reports) = read_as(&text, &form(kind)) {
            let limits = LIMITS();
            let batch = reports.batch(&Rules { limits: &limits, events_max: 10, received_at_ms: NOW });
            for judged in &batch.events {
                prop_assert!(judged.verdict.is_err() || decode::event(judged.text, &limits).is_ok());
            }
        }
    }

    #[test]
    fn what_a_structured_dictionary_says_json_says_too(sn in 0i64..1_000_000, ts in NOW - 1000..NOW, br in 0i64..99_999, sid in "[a-z0-9-]{1,40}",
                                                       sta in "[spkraefqd]", bytes in 0u64..1 << 50) {
        let lines = format!(r#"br=({br}),com.livemeter-bytes="{bytes}",e=ps,sid="{sid}",sn={sn},sta={sta},ts={ts},v=2"#);
        let json = format!(r#"{{"br":[{br}],"com.livemeter-bytes":"{bytes}","e":"ps","sid":"{sid}","sn":{sn},"sta":"{sta}","ts":{ts},"v":2}}"#);
        let (mut a, mut b) = (one(&lines, Kind::Lines).0, one(&json, Kind::Json).0);
        (a.report, b.report) = (None, None);
        prop_assert_eq!(a, b);
    }
}

/// What the Common Media Library encodes, and what its own decoder makes of it: read as lines and as JSON, the same.
#[test]
fn the_librarys_encoder_and_decoder_agree_with_what_is_read_here() {
    let (lines, json) = (include_str!("../../testdata/cmcd.lines"), include_str!("../../testdata/cmcd.json"));
    let (of_lines, ignored) = judged(lines, &form(Kind::Lines));
    assert_eq!((of_lines.len(), ignored), (7, Ignored::default()));
    let of_json = judged(json, &form(Kind::Json)).0;
    for (a, b) in of_lines.into_iter().zip(of_json) {
        let (mut a, mut b) = (a.unwrap(), b.unwrap());
        (a.report, b.report) = (None, None);
        assert_eq!(a, b);
    }
    let (events, _) = judged(lines, &form(Kind::Lines));
    let [start, play, stall, _, response, error, custom] = &events[..] else { panic!("{events:?}") };
    let of = |event: &Result<Cmcd<'static>, _>| event.as_ref().unwrap().clone();
    assert_eq!((of(start).state, of(stall).state), (Some(State::Starting), Some(State::Rebuffering)));
    assert_eq!(
        (of(play).programme_id, of(play).startup_ms, of(play).buffer_ms),
        ("with \"quotes\" and \\ in it".into(), Some(740), Some(2100))
    );
    assert_eq!(
        (of(stall).cdn, of(stall).starved, of(response).cdn),
        (Some("edge.example:8081".into()), true, Some("edge.example:8081".into()))
    );
    assert_eq!(
        (of(error).error, of(error).state, of(custom).bytes[0].bytes),
        (Some("fragLoadError".into()), Some(State::Fatal), 1_596_684)
    );
}
