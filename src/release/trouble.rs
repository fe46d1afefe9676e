//! From what the HTTP library says to what a person can act on.

use super::{network::Network, retry::Trouble};
use crate::{Code, Error};
use reqwest::{StatusCode, header};
use std::{error::Error as StdError, io, time::Duration};
use url::Url;

/// An attempt that ended before there was an answer, or in the middle of one.
pub(super) fn of_transfer(error: &reqwest::Error, url: &Url, network: &Network) -> Trouble {
    let chain = chain(error);
    let host = url.host_str().unwrap_or("the server");
    let says = |needle: &str| chain.iter().any(|text| text.contains(needle));
    let last = chain.last().cloned().unwrap_or_default();
    if let Some(tls) = find::<rustls::Error>(error) {
        return of_tls(tls, url);
    }
    if says("tunnel error") || says("proxy authorization required") {
        return of_proxy(&last, url, network);
    }
    if says("dns error") || says("failed to lookup address") {
        let error = Error::new(Code::Resolve, format!("{host} cannot be resolved: {last}"))
            .help(format!("getent hosts {host}   # asks the same resolver"));
        return Trouble::passing(via(error, url, network));
    }
    if error.is_timeout() || says("timed out") {
        return timed_out(url, "it did not answer", network.timeout);
    }
    if error.is_connect() {
        let error = Error::new(Code::Connect, format!("{host} cannot be reached: {last}"))
            .help(format!("curl -v {}   # from this host", without_login(url)));
        return Trouble::passing(via(error, url, network));
    }
    Trouble::passing(Error::new(
        Code::Broken,
        format!("the transfer of {} broke off: {last}", without_login(url)),
    ))
}

/// Silence, or too little in too long a time.
pub(super) fn timed_out(url: &Url, how: &str, limit: Duration) -> Trouble {
    let seconds = limit.as_secs();
    Trouble::passing(
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
) -> Trouble {
    let shown = without_login(url);
    if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return of_proxy("407 Proxy Authentication Required", url, network);
    }
    let again = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    let missing = matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND);
    // S3 answers 403 for a key that is not there, since it may not list; others say 404.
    if missing && (status == StatusCode::NOT_FOUND || is_s3(body)) {
        let error =
            Error::new(Code::NoSuchVersion, format!("the bucket has no {shown} ({status})"));
        return Trouble::lasting(error);
    }
    let error = Error::new(Code::HttpStatus, format!("{shown} answered {status}"));
    let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    Trouble { error: via(error, url, network), again, after }
}

/// A URL as it may be shown.
pub(super) fn without_login(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

fn of_proxy(said: &str, url: &Url, network: &Network) -> Trouble {
    let origin = network.proxy_origin(url.scheme());
    let origin = origin.unwrap_or_else(|| "the environment".to_owned());
    let error = Error::new(
        Code::Proxy,
        format!(
            "the proxy from {origin} refused {}: {said}",
            url.host_str().unwrap_or("the server")
        ),
    );
    Trouble::lasting(error.help("a proxy with a login is given as http://USER:PASSWORD@HOST:PORT"))
}

fn of_tls(error: &rustls::Error, url: &Url) -> Trouble {
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
        other => other.to_string(),
    };
    let error = Error::new(Code::Tls, format!("{host} is not to be trusted: {why}"))
        .help("behind a proxy that opens TLS: --ca-file PEM with its authority")
        .help(format!(
            "openssl s_client -connect {host}:{} -servername {host}   # shows the certificate",
            url.port_or_known_default().unwrap_or(443)
        ));
    Trouble::lasting(error)
}

/// Names the proxy, which is as often at fault as the server.
fn via(error: Error, url: &Url, network: &Network) -> Error {
    match network.proxy_origin(url.scheme()) {
        Some(origin) => error.help(format!("it was asked through the proxy from {origin}")),
        None => error,
    }
}

fn is_s3(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("<Code>AccessDenied</Code>") || text.contains("<Code>NoSuchKey</Code>")
}

fn chain(error: &reqwest::Error) -> Vec<String> {
    let mut chain = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        chain.push(cause.to_string());
        next = cause.source();
    }
    chain
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
