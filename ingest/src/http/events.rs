//! `POST /v1/events` and `POST /v1/cmcd`: the order of the steps of one request. Cheap refusals come first, the body is
//! let go before the wait for Kafka, and nothing is answered 2xx before that wait is over.

use super::answers::{self, Reply};
use super::{cmcd, cors, credentials};
use crate::address;
use crate::batch::Parameters;
use crate::body::{self, Encoding};
use crate::error::Fault;
use crate::gate::Room;
use crate::identity::{Caller, Known};
use crate::intake::{Intake, Queued, Text};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName};
use hyper::{Request, Uri};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Which of the two: what is read differs, and how it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Events,
    Cmcd,
}

/// A refused body is read on and thrown away up to here, so that a client that sends before it
/// listens gets its answer and may keep the connection. Beyond, the connection is closed.
const DISCARD_BYTES_MAX: usize = 16 << 20;

pub async fn post(intake: &Arc<Intake>, peer: IpAddr, request: Request<Incoming>, door: Door) -> Reply {
    let known = credentials::known(intake, request.uri(), request.headers());
    let origin = match cors::origin(intake, known.as_ref().ok().and_then(Option::as_ref), request.headers()) {
        Ok(origin) => origin,
        Err(fault) => return answers::fault(intake, &fault),
    };
    let peer = client(intake, peer, request.headers());
    let (head, mut body) = request.into_parts();
    let taken = take(intake, known, peer, &head.uri, &head.headers, &mut body, door).await;
    // A client that waits for 100-continue has sent nothing; polling its body would ask for it.
    if !body.is_end_stream() && !head.headers.contains_key("expect") {
        tokio::spawn(discard(body, Duration::from_millis(intake.config.body_timeout_ms)));
    }
    // The head lies in the connection's buffer, which is as large as a body: it is given back before the wait.
    drop(head);
    let settled = match taken {
        Ok((queued, _place)) => intake.settle(queued).await,
        Err(fault) => Err(fault),
    };
    let reply = match settled {
        Ok(answer) if door == Door::Cmcd => answers::taken(&answer),
        Ok(answer) => answers::answer(&answer),
        Err(fault) => answers::fault(intake, &fault),
    };
    cors::allow(reply, origin)
}

/// Reads and queues. With the place of a request in progress, which is held until it is answered.
async fn take(
    intake: &Intake,
    known: Result<Option<Known>, Fault>,
    peer: IpAddr,
    uri: &Uri,
    headers: &HeaderMap,
    body: &mut Incoming,
    door: Door,
) -> Result<(Queued, Room), Fault> {
    intake.doors.request(peer)?;
    // Players with a reporter of their own can set no header.
    let in_url = || (door == Door::Cmcd).then(|| credentials::parameter(uri, credentials::TOKEN_PARAMETER)).flatten();
    let token = credentials::token(headers).map(Cow::Borrowed).or_else(in_url);
    let caller = Caller { peer, known: known?, token: token.as_deref() };
    if door == Door::Cmcd && !caller.takes_cmcd() {
        return Err(Fault::Gone);
    }
    intake.ready()?;
    let place = intake.requests.enter()?;
    let form = form(door, uri, headers)?;
    let encoding = Encoding::named(text(headers, CONTENT_ENCODING))?;
    let mut room = intake.bytes.room();
    let packed = read(intake, headers, body, &mut room).await?;
    let queued = queue(intake, &caller, packed, encoding, form, room)?;
    Ok((queued, place))
}

fn form<'u>(door: Door, uri: &'u Uri, headers: &HeaderMap) -> Result<Text<'u>, Fault> {
    match door {
        Door::Cmcd => cmcd::form(uri, text(headers, CONTENT_TYPE).unwrap_or_default()).map(Text::Cmcd),
        Door::Events if is_ndjson(headers)? => Ok(Text::Ndjson(parameters(uri))),
        Door::Events => Ok(Text::Json),
    }
}

async fn read(intake: &Intake, headers: &HeaderMap, body: &mut Incoming, room: &mut Room) -> Result<Bytes, Fault> {
    let limit_ms = intake.config.body_timeout_ms;
    let declared = text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let read = body::read(body, declared, intake.config.body_bytes_max, room);
    let whole = timeout(Duration::from_millis(limit_ms), read).await.map_err(|_| Fault::BodySlow { limit_ms })??;
    intake.metrics.bytes_received.inc_by(whole.len() as u64);
    Ok(whole)
}

/// Owns the bytes and their room: both are given back when the events are queued.
fn queue(intake: &Intake, caller: &Caller, packed: Bytes, encoding: Encoding, text: Text, mut room: Room) -> Result<Queued, Fault> {
    match encoding {
        Encoding::Identity => intake.queue(&packed, text, caller),
        Encoding::Packed(packing) => {
            let config = &intake.config;
            let inflated = body::inflate(packing, &packed, config.inflated_bytes_max, config.inflate_ratio_max, &mut room);
            let plain = inflated.inspect_err(|fault| {
                if let Fault::Batch(refusal) = fault {
                    intake.keep("", intake.now_ms(), refusal, &packed, caller);
                }
            })?;
            intake.metrics.bytes_inflated.inc_by(plain.len() as u64);
            intake.queue(&plain, text, caller)
        }
    }
}

/// Who is behind the peer: the peer itself, unless it is a proxy that is trusted to say so.
fn client(intake: &Intake, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let trusted = &intake.config.trusted_proxies;
    if trusted.is_empty() {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or_default());
    address::client(peer, forwarded, trusted)
}

/// `text/plain` is what `navigator.sendBeacon` can send to another origin without asking first.
fn is_ndjson(headers: &HeaderMap) -> Result<bool, Fault> {
    let said = text(headers, CONTENT_TYPE).unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") || kind.eq_ignore_ascii_case("text/plain") {
        return Ok(false);
    }
    if kind.eq_ignore_ascii_case("application/x-ndjson") {
        return Ok(true);
    }
    Err(Fault::ContentType(said.chars().take(80).collect()))
}

fn parameters(uri: &Uri) -> Parameters<'_> {
    let mut parameters = Parameters::default();
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "v" => parameters.v = Some(value),
            "app" => parameters.app = Some(value),
            "sent_at_ms" => parameters.sent_at_ms = Some(value),
            _ => {}
        }
    }
    parameters
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("(not text)"))
}

async fn discard(mut body: Incoming, limit: Duration) {
    let rest = async {
        let mut left = DISCARD_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    // Too slow or too much: dropping the body closes the connection.
    let _ = timeout(limit, rest).await;
}
