//! From what the HTTP library says to what a person can act on.

use super::{network::Network, network::Via, retry::AttemptError};
use crate::{Code, Command, Error, Help, command::Server, text::url::without_login};
use reqwest::{StatusCode, header};
use std::{
    error::Error as StdError,
    io,
    time::{Duration, SystemTime},
};
use url::Url;

/// An attempt that ended before there was an answer, or in the middle of one.
pub(super) fn of_transfer(error: &reqwest::Error, url: &Url, network: &Network) -> AttemptError {
    let chain = chain(error);
    let says = |needle: &str| chain.iter().any(|text| text.contains(needle));
    let last = chain.last().cloned().unwrap_or_else(|| "no cause is known".to_owned());
    let via = network.via(url).ok().flatten();
    if let Some(tls) = find::<rustls::Error>(error) {
        return of_tls(tls, url, via.as_ref());
    }
    if says("tunnel error") && find::<io::Error>(error).is_none() {
        let reason = match says("proxy authorization required") {
            true => "it wants a login (407), or another one",
            false => "it does not connect to it",
        };
        return of_proxy(reason, url, via.as_ref());
    }
    if error.is_connect() {
        return of_connect(
            error.is_timeout(),
            says("dns error"),
            &last,
            url,
            network,
            via.as_ref(),
        );
    }
    if error.is_timeout() {
        return timed_out(url, "it did not answer", network.timeout);
    }
    let shown = without_login(url);
    let error = match last.contains("invalid HTTP") {
        true => format!("what answers at {shown} does not speak HTTP: {last}"),
        false => format!("the transfer of {shown} broke off: {last}"),
    };
    AttemptError::passing(through(Error::new(Code::Broken, error), via.as_ref()))
}

/// Silence, or too little in too long a time.
pub(super) fn timed_out(url: &Url, how: &str, limit: Duration) -> AttemptError {
    let seconds = limit.as_secs_f64();
    AttemptError::passing(
        Error::new(Code::Timeout, format!("{}: {how} within {seconds} s", without_login(url)))
            .help("--timeout SECONDS waits longer"),
    )
}

/// An answer that is no success. `body` is the start of what came with it.
pub(super) fn of_status(
    status: StatusCode,
    headers: &header::HeaderMap,
    body: &[u8],
    url: &Url,
    network: &Network,
) -> AttemptError {
    let shown = without_login(url);
    let via = network.via(url).ok().flatten();
    if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return of_proxy("it wants a login (407), or another one", url, via.as_ref());
    }
    let again = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    // S3 answers 403 for a key that is not there, since it may not list; others say 404.
    if status == StatusCode::NOT_FOUND || (status == StatusCode::FORBIDDEN && is_s3(body)) {
        let error =
            Error::new(Code::NoSuchVersion, format!("the bucket has no {shown} ({status})"));
        return AttemptError::lasting(through(error, via.as_ref()));
    }
    let error = Error::new(Code::HttpStatus, format!("{shown} answered {status}"));
    let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.and_then(|text| retry_after(text, SystemTime::now()));
    AttemptError { error: through(error, via.as_ref()), again, after }
}

/// What each cause says; the last one is at the root of it.
pub(super) fn chain(error: &reqwest::Error) -> Vec<String> {
    let mut chain = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        chain.push(cause.to_string());
        next = cause.source();
    }
    chain
}

fn of_connect(
    is_timeout: bool,
    is_name: bool,
    last: &str,
    url: &Url,
    network: &Network,
    via: Option<&Via>,
) -> AttemptError {
    let who = match via {
        Some(via) => via.to_string(),
        None => url.host_str().unwrap_or("the server").to_owned(),
    };
    let proxy = via.and_then(|via| Url::parse(via.proxy.expose()).ok());
    let asked = proxy.as_ref().unwrap_or(url);
    let error = if is_name {
        Error::new(Code::Resolve, format!("the name of {who} cannot be resolved: {last}")).help(
            Command::fixed("getent hosts")
                .host(Server::of(asked).as_ref())
                .then("# asks the same resolver"),
        )
    } else if is_timeout {
        let seconds = (network.timeout * 3 / 4).as_secs_f64();
        Error::new(Code::Connect, format!("no connection to {who} came about in {seconds} s"))
            .help("a firewall may swallow it; --timeout SECONDS waits longer")
    } else {
        Error::new(Code::Connect, format!("{who} cannot be reached: {last}")).help(
            Command::fixed("curl -v --proto =http,https")
                .url(Server::of(url).as_ref())
                .then("# from this host"),
        )
    };
    AttemptError::passing(error)
}

fn of_proxy(reason: &str, url: &Url, via: Option<&Via>) -> AttemptError {
    let proxy = via.map_or_else(|| "a proxy on the way".to_owned(), ToString::to_string);
    let host = url.host_str().unwrap_or("the server");
    let error = Error::new(Code::Proxy, format!("{proxy} refused the way to {host}: {reason}"));
    AttemptError::lasting(
        error.help("a proxy with a login is given as http://USER:PASSWORD@HOST:PORT"),
    )
}

fn of_tls(error: &rustls::Error, url: &Url, via: Option<&Via>) -> AttemptError {
    use rustls::CertificateError as Cause;
    let host = url.host_str().unwrap_or("the server");
    let why = match error {
        rustls::Error::InvalidCertificate(cause) => match cause {
            Cause::Expired | Cause::ExpiredContext { .. } => {
                "its certificate has expired".to_owned()
            }
            Cause::NotValidYet | Cause::NotValidYetContext { .. } => {
                "its certificate is not valid yet; is this host's clock right?".to_owned()
            }
            Cause::NotValidForName | Cause::NotValidForNameContext { .. } => {
                "its certificate is for another name".to_owned()
            }
            Cause::UnknownIssuer => {
                "its certificate is signed by an authority that this host does not know".to_owned()
            }
            other => format!("its certificate is not accepted ({other:?})"),
        },
        rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS".to_owned(),
        other => other.to_string(),
    };
    let server = Server::of(url);
    let error = Error::new(Code::Tls, format!("{host} is not to be trusted: {why}"))
        .help("behind a proxy that opens TLS: --ca-file PEM with its authority")
        .help(
            Command::fixed("openssl s_client -connect")
                .authority(server.as_ref())
                .then("-servername")
                .host(server.as_ref())
                .then("# shows the certificate"),
        );
    AttemptError::lasting(through(error, via))
}

/// Names the proxy, which is as often at fault as the server.
fn through(error: Error, via: Option<&Via>) -> Error {
    match via {
        Some(via) => error.help(Help::words(format!("it was asked through {via}"))),
        None => error,
    }
}

fn is_s3(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("<Code>AccessDenied</Code>") || text.contains("<Code>NoSuchKey</Code>")
}

/// `Retry-After` in either of its forms: seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let date = Duration::from_secs(u64::try_from(date.as_second()).ok()?);
    Some(date.saturating_sub(now.duration_since(SystemTime::UNIX_EPOCH).ok()?))
}

/// The first cause of type `T`, also inside an I/O error, where TLS errors travel.
fn find<T: StdError + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref::<T>()) {
            return Some(found);
        }
        next = match inner {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        let seconds = |text| retry_after(text, now).map(|after| after.as_secs());
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
        assert_eq!(seconds("Sun, 06 Nov 1993 08:49:37 GMT"), None, "no such weekday");
        assert_eq!(seconds("Sat, 06 Nov 1993 08:49:37 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn a_login_is_not_shown() {
        let url = "https://me:s3cret@example.com/a".parse().unwrap();
        assert_eq!(without_login(&url), "https://example.com/a");
        let signed = "https://example.com/a?X-Amz-Signature=s3cret".parse().unwrap();
        assert_eq!(without_login(&signed), "https://example.com/a?...");
    }
}
