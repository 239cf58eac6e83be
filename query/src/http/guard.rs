//! Who may ask: the `Host` must be ours (a page that has rebound its DNS name to us is refused) and the
//! `Origin`, where a browser sends one, must be our own page (another site's script or form is refused).
//! No CORS header is ever sent, so no other origin can read an answer.

use super::App;
use super::problem::Refused;
use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use livemeter_schemas::answer::Problem;
use std::net::SocketAddr;
use std::sync::Arc;

/// The names we answer to.
pub struct Guard {
    hosts: Vec<String>,
}

impl Guard {
    pub fn new(listen: SocketAddr, allowed: &[String]) -> Guard {
        let port = listen.port();
        let mut hosts = vec![listen.to_string()];
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            hosts.push(format!("{name}:{port}"));
            // Browsers leave out the port that the scheme implies.
            if port == 80 {
                hosts.push(name.to_owned());
            }
        }
        hosts.extend(allowed.iter().map(|host| host.to_ascii_lowercase()));
        Guard { hosts }
    }

    fn knows(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        // An allowed host may be given without a port, and then stands for any.
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        self.hosts.iter().any(|known| *known == host || known == name)
    }

    /// Refuses by naming the header.
    fn judge(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        // HTTP/2 carries the host in the target, not in a header.
        let host = match uri.authority() {
            Some(authority) => authority.as_str().to_owned(),
            None => one(headers, &HOST)?.ok_or_else(|| refused("Host", "the Host header is missing".into()))?.to_owned(),
        };
        if !self.knows(&host) {
            let reason = format!("Host {host:?} is not this service; it answers to {}", self.hosts.join(", "));
            return Err(refused("Host", reason));
        }
        let Some(origin) = one(headers, &ORIGIN)? else { return Ok(()) };
        let same =
            ["http://", "https://"].iter().filter_map(|scheme| origin.strip_prefix(scheme)).any(|from| from.eq_ignore_ascii_case(&host));
        if same { Ok(()) } else { Err(refused("Origin", format!("Origin {origin:?} is not this service's own page"))) }
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(refused(name.as_str(), format!("the header {name} is given twice")));
    }
    first.map(|value| value.to_str().map_err(|_| refused(name.as_str(), format!("the header {name} is not text")))).transpose()
}

fn refused(header: &str, reason: String) -> Problem {
    Problem { error: "not_ours".into(), reason, field: Some(header.into()), value: None, limit: None, retry: false }
}

/// The layer around every route.
pub async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.guard.judge(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            app.metrics.refused(&problem.error);
            Refused { status: StatusCode::FORBIDDEN, problem }.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(target: &str, headers: &[(&str, &str)]) -> Result<(), String> {
        let guard = Guard::new("127.0.0.1:8701".parse().unwrap(), &["Meter.example.org".into(), "other.example.org:444".into()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        guard.judge(&target.parse().unwrap(), &map).map_err(|p| p.field.unwrap())
    }

    #[test]
    fn only_our_own_names_and_our_own_page_may_ask() {
        for host in [
            "127.0.0.1:8701",
            "localhost:8701",
            "LOCALHOST:8701",
            "[::1]:8701",
            "meter.example.org",
            "meter.example.org:9",
            "other.example.org:444",
        ] {
            assert_eq!(judge("/", &[("host", host)]), Ok(()), "{host}");
            assert_eq!(judge("/", &[("host", host), ("origin", &format!("http://{host}"))]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8701",
            "localhost",
            "127.0.0.1:8702",
            "localhost:8701.evil.example",
            "other.example.org",
            "",
            "meter.example.org.evil",
        ] {
            assert_eq!(judge("/", &[("host", host)]), Err("Host".into()), "{host}");
        }
        for origin in [
            "null",
            "http://evil.example",
            "http://localhost:9000",
            "http://127.0.0.1:8701",
            "localhost:8701",
            "http://localhost:8701/",
            "http://localhost:8701.evil",
        ] {
            assert_eq!(judge("/", &[("host", "localhost:8701"), ("origin", origin)]), Err("Origin".into()), "{origin}");
        }
        assert_eq!(judge("/", &[]), Err("Host".into()));
        assert_eq!(judge("/", &[("host", "localhost:8701"), ("host", "localhost:8701")]), Err("host".into()));
        assert_eq!(judge("http://evil.example/", &[("host", "localhost:8701")]), Err("Host".into()));
    }
}
