//! The release client against real servers: nginx as the bucket, with and without TLS, and squid
//! with a login in between.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

mod support;

use runnerup::{
    Code, Error, Result,
    agent::{Kind, Version},
    platform::Platform,
    release::{Client, DownloadProgress, Fetched, Network},
    values::Connections,
};
use std::{
    fs::File,
    io::{Read, Seek},
    process::{Command, Output},
    sync::Once,
    thread,
    time::{Duration, Instant},
};
use support::{
    bucket::{Bucket, Place, Proxy, breaking_line, free_port},
    certs::Authority,
    hostile::{VERSION, agent, gzip, sha256},
};

/// Calls a function when the transfer broke.
struct OnBreak<'a>(&'a (dyn Fn() + Sync));

impl DownloadProgress for OnBreak<'_> {
    fn started(&self, _total: Option<u64>) {}

    fn moved(&self, _total: u64) {}

    fn retrying(&self, _reason: &str, _pause: Duration) {
        (self.0)();
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn platform() -> Platform {
    Platform::of_this_host().unwrap()
}

fn binary_key() -> String {
    format!("{VERSION}/{}/circleci-launch-agent", platform())
}

/// Fills a bucket with one version of `agent`.
fn filled(bucket: Bucket, agent: &[u8]) -> Bucket {
    bucket.put("release.txt", format!("{VERSION}\n"));
    let sums = format!("{} *{}/circleci-launch-agent\n", sha256(agent), platform());
    bucket.put(&format!("{VERSION}/checksums.txt"), sums);
    bucket.put(&binary_key(), gzip(agent));
    bucket
}

fn network(url: &str) -> Network {
    Network {
        base: url.parse().unwrap(),
        proxy: None,
        no_proxy: None,
        ca: None,
        timeout: Duration::from_secs(2),
        connections: Connections::default(),
    }
}

fn fetch(client: &Client, watch: &dyn DownloadProgress) -> Result<(Fetched, Vec<u8>)> {
    let artifact = client.artifact(&client.newest(platform())?, platform(), None)?;
    let mut file: File = tempfile::tempfile().unwrap();
    let fetched = client.fetch(&artifact, file.try_clone().unwrap(), watch)?;
    let mut content = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut content).unwrap();
    Ok((fetched, content))
}

/// What `newest` fails with.
fn failure(network: Network) -> Error {
    Client::new(Kind::LaunchAgent, network).newest(platform()).unwrap_err()
}

fn run(command: &mut Command) -> (Output, String) {
    let output = command.output().unwrap();
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    (output, String::from_utf8(text).unwrap())
}

#[test]
fn the_program_installs_from_nginx() {
    let Some(bucket) = Bucket::start("install from nginx", None) else { return };
    let (bucket, place) = (filled(bucket, &agent()), Place::new());
    let (output, text) = run(&mut place.install(&bucket.url("127.0.0.1")));
    assert!(output.status.success(), "{text}");
    assert!(place.binary() == Some(agent()), "{text}");
}

#[test]
fn a_missing_key_is_a_version_that_does_not_exist() {
    let Some(bucket) = Bucket::start("missing keys of nginx", None) else { return };
    let bucket = filled(bucket, &agent());
    let client = Client::new(Kind::LaunchAgent, network(&bucket.url("127.0.0.1")));
    let missing: Version = "1.1.73189-8792752".parse().unwrap();
    let error = client.artifact(&missing, platform(), None).unwrap_err();
    assert_eq!(error.code(), Code::NoSuchVersion);
    assert!(error.message().contains("403"), "{error}");
    let help = error.help_lines().join("\n");
    assert!(help.contains("1.1.73189-8792751") && help.contains(VERSION), "{help}");
}

#[test]
fn a_break_is_resumed_by_a_range() {
    let Some(bucket) = Bucket::start("ranges of nginx", None) else { return };
    let bucket = filled(bucket, &agent());
    // The two small files and the start of the binary go over the first connections.
    let line = breaking_line(bucket.port(), 2, 120_000);
    let client = Client::new(Kind::LaunchAgent, network(&line));
    let (fetched, content) = fetch(&client, &OnBreak(&|| ())).unwrap();
    assert!(content == agent() && fetched.attempts > 1, "{fetched:?}");
    assert!(bucket.log().contains(&format!("206 /circleci-launch-agent/{}", binary_key())));
}

#[test]
fn an_object_that_changed_after_the_break_is_fetched_anew() {
    let Some(bucket) = Bucket::start("ETags of nginx", None) else { return };
    let bucket = filled(bucket, &agent());
    let mut before = agent();
    before.extend(b"an older build, longer");
    bucket.put(&binary_key(), gzip(&before));
    let line = breaking_line(bucket.port(), 2, 120_000);
    let once = Once::new();
    let replace = || once.call_once(|| bucket.put(&binary_key(), gzip(&agent())));
    let (fetched, content) =
        fetch(&Client::new(Kind::LaunchAgent, network(&line)), &OnBreak(&replace)).unwrap();
    assert!(content == agent() && fetched.attempts > 1, "{fetched:?}");
    let (log, whole) = (bucket.log(), format!("200 /circleci-launch-agent/{}", binary_key()));
    assert_eq!(log.matches(&whole).count(), 2, "{log}");
    // By If-Range nginx saw itself that its file is another one: no rest of that came first.
    let second = log.rfind(&whole);
    assert!(log.find("206 ").is_none_or(|rest| second < Some(rest)), "{log}");
}

#[test]
fn a_private_authority_is_trusted_when_it_is_given() {
    let what = "TLS with a private authority";
    let Some(authority) = Authority::new(what) else { return };
    let identity = authority.sign("DNS:localhost,IP:127.0.0.1", 2);
    let Some(bucket) = Bucket::start(what, Some(&identity)) else { return };
    let bucket = filled(bucket, &agent());
    for host in ["127.0.0.1", "localhost"] {
        let without = network(&bucket.url(host));
        let with = Network { ca: Some(authority.pem()), ..without.clone() };
        let error = failure(without);
        assert_eq!(error.code(), Code::Tls);
        assert!(error.message().contains("this host does not know"), "{error}");
        assert!(error.help_lines().join("\n").contains("--ca-file"), "{error:?}");
        let (_, content) = fetch(&Client::new(Kind::LaunchAgent, with), &OnBreak(&|| ())).unwrap();
        assert!(content == agent(), "{host}");
    }
    let other = Authority::new(what).unwrap().pem();
    let error = failure(Network { ca: Some(other), ..network(&bucket.url("127.0.0.1")) });
    assert_eq!(error.code(), Code::Tls, "{error}");

    let place = Place::new();
    let mut command = place.install(&bucket.url("localhost"));
    let (output, text) = run(command.arg("--ca-file").arg(authority.file()));
    assert!(output.status.success() && place.binary() == Some(agent()), "{text}");
}

#[test]
fn a_wrong_certificate_is_told_by_what_is_wrong() {
    let what = "TLS with wrong certificates";
    let Some(authority) = Authority::new(what) else { return };
    for (names, days, words) in [
        ("DNS:other.example.com", 2, "for another name"),
        ("DNS:localhost,IP:127.0.0.1", 0, "has expired"),
    ] {
        let identity = authority.sign(names, days);
        let Some(bucket) = Bucket::start(what, Some(&identity)) else { return };
        // Those of 0 days are good for the second in which they were made.
        thread::sleep(Duration::from_millis(1100));
        let ca = Some(authority.pem());
        let error = failure(Network { ca, ..network(&bucket.url("127.0.0.1")) });
        assert_eq!(error.code(), Code::Tls);
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn plain_http_where_tls_was_due_is_told_as_tls() {
    let Some(bucket) = Bucket::start("plain http for TLS", None) else { return };
    let error = failure(network(&bucket.url("127.0.0.1").replace("http:", "https:")));
    assert_eq!(error.code(), Code::Tls, "{error}");
    assert!(error.message().contains("does not speak TLS"), "{error}");
}

#[test]
fn the_program_trusts_what_the_system_trusts() {
    let what = "trust from the system's store";
    let Some(authority) = Authority::new(what) else { return };
    let identity = authority.sign("DNS:localhost", 2);
    let Some(bucket) = Bucket::start(what, Some(&identity)) else { return };
    let (bucket, ours) = (filled(bucket, &agent()), authority.file());
    // An empty store is that of a bare image.
    let empty = std::path::Path::new("/dev/null");
    for (store, option, exit, words) in [
        (ours.as_path(), None, 0, ""),
        (empty, Some(&ours), 0, ""),
        (empty, None, 3, "--ca-file PEM"),
    ] {
        let place = Place::new();
        let mut command = place.install(&bucket.url("localhost"));
        command.env("SSL_CERT_FILE", store);
        command.args(option.into_iter().flat_map(|file| ["--ca-file".as_ref(), file.as_os_str()]));
        let (output, text) = run(&mut command);
        assert_eq!(output.status.code(), Some(exit), "{store:?} {option:?}: {text}");
        assert!(text.contains(words), "{text}");
        assert_eq!(place.binary().is_some(), exit == 0);
    }
}

#[test]
fn who_is_not_there_is_told_apart() {
    let port = free_port();
    let error = failure(network(&format!("http://127.0.0.1:{port}")));
    assert_eq!(error.code(), Code::Connect);
    assert!(error.message().contains("refused"), "{error}");
    // Longer than a label may be: the resolver knows without asking anyone.
    let name = format!("{}.test", "a".repeat(64));
    let error = failure(network(&format!("http://{name}")));
    assert_eq!(error.code(), Code::Resolve, "{error}");
    assert!(error.message().contains(&name), "{error}");
}

#[test]
fn squid_lets_through_who_has_the_login() {
    let what = "install through squid";
    let Some(authority) = Authority::new(what) else { return };
    let identity = authority.sign("DNS:bucket.test", 2);
    let Some(secure) = Bucket::start(what, Some(&identity)) else { return };
    let Some(plain) = Bucket::start(what, None) else { return };
    let Some(proxy) = Proxy::start(what, &authority, "worker", "s3cr t/1") else { return };
    let (secure, plain) = (filled(secure, &agent()), filled(plain, &agent()));
    // What a URL cannot hold as it is.
    let login = "worker:s3cr%20t%2F1";

    for (url, logged) in
        [(secure.url("bucket.test"), "CONNECT bucket.test:"), (plain.url("127.0.0.1"), "GET http:")]
    {
        let network = Network {
            proxy: Some(proxy.url(login).parse().unwrap()),
            ca: Some(authority.pem()),
            ..network(&url)
        };
        let (_, content) =
            fetch(&Client::new(Kind::LaunchAgent, network), &OnBreak(&|| ())).unwrap();
        assert!(content == agent(), "{url}");
        // squid writes a line when a connection is closed, which may be after the client has ended.
        let is_logged = |line: &str| line.contains(logged) && line.contains(" worker ");
        let begun = Instant::now();
        while !proxy.log().lines().any(is_logged) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", proxy.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    // By the program, and by a variable.
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let place = Place::new();
        let mut command = place.install(&secure.url("bucket.test"));
        command.env(name, proxy.url(login)).arg("--ca-file").arg(authority.file());
        let (output, text) = run(&mut command);
        assert!(output.status.success() && place.binary() == Some(agent()), "{name}: {text}");
        assert!(!text.contains("s3cr"), "{text}");
    }
}

#[test]
fn what_squid_refuses_is_told_with_where_its_address_came_from() {
    let what = "refusals of squid";
    let Some(authority) = Authority::new(what) else { return };
    let Some(bucket) = Bucket::start(what, None) else { return };
    let Some(proxy) = Proxy::start(what, &authority, "worker", "s3cret") else { return };
    let bucket = filled(bucket, &agent());
    let (secure, plain) = ("https://bucket.test:1".to_owned(), bucket.url("127.0.0.1"));
    let good = proxy.url("worker:s3cret");
    let nobody = format!("http://worker:s3cret@127.0.0.1:{}", free_port());
    for (url, through, code, words) in [
        (&secure, proxy.url(""), Code::Proxy, "407"),
        (&secure, proxy.url("worker:hunter2"), Code::Proxy, "407"),
        (&plain, proxy.url("worker:hunter2"), Code::Proxy, "407"),
        (&"https://forbidden.test".to_owned(), good.clone(), Code::Proxy, "does not connect"),
        (&secure, good.clone(), Code::Proxy, "does not connect"),
        (&secure, nobody.clone(), Code::Connect, "refused"),
        (&plain, nobody, Code::Connect, "refused"),
    ] {
        let by_option = Network { proxy: Some(through.parse().unwrap()), ..network(url) };
        let error = failure(by_option);
        assert_eq!(error.code(), code, "{through} {url}: {error}");
        let said = format!("{error:?}");
        assert!(said.contains(words) && said.contains("(from --proxy)"), "{said}");
        assert!(!said.contains("hunter2") && !said.contains("s3cret"), "{said}");
    }

    let place = Place::new();
    let mut command = place.install("https://bucket.test:1");
    let (output, text) = run(command.env("https_proxy", proxy.url("worker:hunter2")));
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("E4007") && text.contains("the variable https_proxy"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");

    let no_proxy = Some("127.0.0.0/8".to_owned());
    let through = Some(proxy.url("worker:hunter2").parse().unwrap());
    let exempt = Network { proxy: through, no_proxy, ..network(&plain) };
    assert!(Client::new(Kind::LaunchAgent, exempt).newest(platform()).is_ok());
}
