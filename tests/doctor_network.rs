//! The doctor's way to endpoints, against real servers: nginx with TLS, squid with a login, and
//! answers as portals and servers in trouble give them.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

mod support;

use runnerup::{
    agent::Token,
    doctor::{Finding, Selection, Status, judge},
    host::{Network, Provenance, Seen, Side, Survey},
    probe::network::{EndpointProbe, QueueQuery, Way, examine, inquire},
};
use std::{collections::BTreeMap, time::Duration};
use support::{
    answers::server,
    bucket::{Bucket, Proxy, free_port},
    certs::Authority,
    interceptor::Interceptor,
};

const TIMEOUT: Duration = Duration::from_secs(2);
const TOKEN: &str =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn ask(name: &str, url: &str) -> EndpointProbe {
    EndpointProbe {
        install: "default".to_owned(),
        side: Side::Service,
        endpoint: name.to_owned(),
        url: url.parse().unwrap(),
        required: true,
        purpose: "a test".to_owned(),
        variables: BTreeMap::new(),
        authorities: None,
        named_by: Provenance::Root,
        bearer: (name == "api").then(|| Token::as_found(TOKEN)),
        path: "/circleci-launch-agent/release.txt".to_owned(),
    }
}

/// A host of which nothing is known but its network.
fn survey(network: Network) -> Survey {
    let mut survey: Survey =
        serde_json::from_str(include_str!("facts/nothing-known.json")).unwrap();
    survey.network = Seen::Known(network);
    survey
}

/// What the connectivity checks make of asks.
fn problems(asks: Vec<EndpointProbe>) -> Vec<Finding> {
    let network = examine(asks, TIMEOUT);
    let only = ["connectivity".to_owned(), "agent/token-accepted".to_owned()].to_vec();
    let selection = Selection::new(only, Vec::new()).unwrap();
    let findings = judge(&survey(network), &selection);
    findings.into_iter().filter(Finding::is_problem).collect()
}

fn told(found: &[Finding]) -> Vec<(&'static str, Status)> {
    found.iter().map(|own| (own.check, own.status)).collect()
}

#[test]
fn a_server_that_is_trusted_raises_no_alarm() {
    let what = "the doctor and a trusted server";
    let Some(authority) = Authority::new(what) else { return };
    let identity = authority.sign("DNS:localhost,IP:127.0.0.1", 2);
    let Some(bucket) = Bucket::start(what, Some(&identity)) else { return };
    bucket.put("release.txt", "1.1.73695-40bf772\n");
    let mut own = ask("releases", &bucket.url("localhost"));
    own.authorities = Some((authority.pem(), "a test".to_owned()));
    let network = examine(vec![own.clone()], TIMEOUT);
    assert_eq!(network.newest.as_deref(), Some("1.1.73695-40bf772"));
    assert_eq!(told(&problems(vec![own])), []);
}

#[test]
fn certificates_that_are_not_trusted_are_told_apart_and_get_no_token() {
    let what = "the doctor and certificates";
    let Some(authority) = Authority::new(what) else { return };
    for (names, days, known, words) in [
        ("DNS:localhost", 2, false, "comes from an authority"),
        ("DNS:localhost", 0, true, "has expired"),
        ("DNS:other.example", 2, true, "is for another name"),
    ] {
        let identity = authority.sign(names, days);
        if days == 0 {
            // It is good to the end of the second in which it was made.
            std::thread::sleep(Duration::from_millis(1100));
        }
        let Some(bucket) = Bucket::start(what, Some(&identity)) else { return };
        bucket.put("release.txt", "x\n");
        let mut own = ask("api", &bucket.url("localhost"));
        own.authorities = known.then(|| (authority.pem(), "a test".to_owned()));
        let network = examine(vec![own.clone()], TIMEOUT);
        let answer = network.endpoints[0].answer.as_ref().unwrap();
        assert!(!answer.outcome.as_ref().unwrap().with_token, "{words}");
        let found = problems(vec![own]);
        assert_eq!(told(&found), [("connectivity/tls-trusted", Status::Fail)], "{words}");
        assert!(found[0].summary.contains(words), "{}", found[0].summary);
        assert!(found[0].evidence.contains("CN=Tests"), "{}", found[0].evidence);
    }
}

#[test]
fn a_proxy_that_wants_a_login_or_is_down_is_told() {
    let what = "the doctor and a proxy";
    let Some(authority) = Authority::new(what) else { return };
    let Some(proxy) = Proxy::start(what, &authority, "me", "let-me-in") else { return };
    let through = |url: String| {
        let mut own = ask("api", "https://runner.example");
        own.variables.insert("HTTPS_PROXY".to_owned(), (url, "/etc/x:1".to_owned()));
        problems(vec![own])
    };
    let found = through(proxy.url(""));
    assert_eq!(told(&found), [("connectivity/proxy-works", Status::Fail)]);
    assert!(found[0].summary.contains("407"), "{}", found[0].summary);
    let found = through(proxy.url("me:wrong-word"));
    assert!(found[0].summary.contains("refuses the login"), "{}", found[0].summary);
    assert!(!format!("{found:?}").contains("wrong-word"));
    let found = through(format!("http://127.0.0.1:{}", free_port()));
    assert_eq!(told(&found), [("connectivity/proxy-works", Status::Fail)]);
    assert!(found[0].evidence.contains("HTTPS_PROXY in /etc/x:1"), "{}", found[0].evidence);
}

#[test]
fn an_interceptor_is_named_and_gets_no_token() {
    let what = "the doctor and an interceptor";
    let Some(interceptor) = Interceptor::start(what) else { return };
    let mut own = ask("api", "https://runner.example");
    own.variables.insert("HTTPS_PROXY".to_owned(), (interceptor.url(), "a test".to_owned()));
    let network = examine(vec![own.clone()], TIMEOUT);
    let answer = network.endpoints[0].answer.as_ref().unwrap();
    assert!(!answer.outcome.as_ref().unwrap().with_token);
    let found = problems(vec![own]);
    assert_eq!(told(&found), [("connectivity/tls-trusted", Status::Fail)]);
    assert!(found[0].evidence.contains("mitmproxy"), "{}", found[0].evidence);
}

#[test]
fn answers_are_told_apart() {
    let none = Duration::ZERO;
    let page = "<!DOCTYPE html><html>Welcome to our hotel</html>";
    let two_hours = jiff::Timestamp::now() + Duration::from_secs(7200);
    let date = format!("Date: {}\r\n", two_hours.strftime("%a, %d %b %Y %H:%M:%S GMT"));
    for (status, headers, body, after, expected) in [
        ("200 OK", "", "{}", none, vec![]),
        (
            "200 OK",
            "Content-Type: text/html\r\n",
            page,
            none,
            vec![("connectivity/api-answers", Status::Fail)],
        ),
        (
            "302 Found",
            "Location: http://login.hotel.example/\r\n",
            "",
            none,
            vec![("connectivity/api-answers", Status::Fail)],
        ),
        ("401 Unauthorized", "", "{}", none, vec![("agent/token-accepted", Status::Fail)]),
        ("403 Forbidden", "", "{}", none, vec![("connectivity/api-answers", Status::Fail)]),
        (
            "500 Internal Server Error",
            "",
            "",
            none,
            vec![("connectivity/api-answers", Status::Warn)],
        ),
        ("200 OK", date.as_str(), "{}", none, vec![("connectivity/clock-agrees", Status::Fail)]),
        (
            "200 OK",
            "",
            "{}",
            Duration::from_millis(1300),
            vec![("connectivity/latency", Status::Warn)],
        ),
    ] {
        let found = problems(vec![ask("api", &server(status, headers, body, after))]);
        assert_eq!(told(&found), expected, "{status} {headers}");
    }
}

#[test]
fn what_is_refused_silent_or_unknown_is_told_in_time() {
    let refused = problems(vec![ask("api", &format!("https://127.0.0.1:{}", free_port()))]);
    assert_eq!(told(&refused), [("connectivity/reachable", Status::Fail)]);
    let unknown = problems(vec![ask("api", "https://no-such-host.invalid")]);
    assert_eq!(told(&unknown), [("connectivity/names-resolve", Status::Fail)]);
    // It takes connections and says nothing: not even TLS begins.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let silent = problems(vec![ask("api", &url)]);
    assert_eq!(told(&silent), [("connectivity/tls-trusted", Status::Fail)]);
    assert!(silent[0].evidence.contains("no answer in time"), "{}", silent[0].evidence);
}

#[test]
fn a_resource_class_is_asked_for_and_refusals_are_told() {
    let body = r#"{"items": [{"resource_class": "acme/linux", "name": "a", "hostname": "h",
        "last_connected": "2026-10-01T00:00:00Z", "version": "1"}],
        "unclaimed_task_count": 3, "running_runner_tasks": 1}"#;
    let asked = |status: &str, class: &str| {
        let queue_query =
            QueueQuery { resource_class: class.to_owned(), token: Token::as_found(TOKEN) };
        let way = Way::of(ask("api", &server(status, "", body, Duration::ZERO))).unwrap();
        let mut survey = survey(Network::default());
        survey.queue = inquire(&queue_query, &way, TIMEOUT);
        let only = Selection::new(vec!["queue".to_owned()], Vec::new()).unwrap();
        let findings = judge(&survey, &only).into_iter().filter(Finding::is_problem);
        told(&findings.collect::<Vec<_>>())
    };
    let found = asked("200 OK", "acme/linux");
    assert!(found.contains(&("queue/work-has-runner", Status::Fail)), "{found:?}");
    let found = asked("200 OK", "acme/linus");
    assert!(found.contains(&("queue/class-exists", Status::Fail)), "{found:?}");
    assert_eq!(asked("401 Unauthorized", "acme/linux"), [("queue/answers", Status::Fail)]);
}

#[test]
fn no_way_that_another_account_could_have_named_takes_a_persons_token() {
    for named_by in [Provenance::Account(7), Provenance::Anybody] {
        assert!(
            Way::of(EndpointProbe { named_by, ..ask("api", "https://runner.example") }).is_none()
        );
    }
}
