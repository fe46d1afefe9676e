//! URLs: whether they stay on this host, and how they are shown without what may be a secret.

use super::REDACTED;
use std::net::IpAddr;
use url::{Host, Url};

/// Whether traffic for `url` stays on this host.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether the host of `url` is an address, or a name by the rules of DNS: labels of letters, digits
/// and dashes.
pub fn has_host(url: &Url) -> bool {
    let is_label = |label: &str| {
        let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(is_sign)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name.len() <= 253 && name.split('.').all(is_label)
        }
        None => false,
    }
}

/// A URL without its login and query: mirrors redirect to URLs whose query is a login, too.
pub fn without_login(url: &Url) -> String {
    let mut url = url.clone();
    // Only a URL that can have no login refuses to lose it.
    let _ = (url.set_username(""), url.set_password(None));
    if url.query().is_some() {
        url.set_query(Some("..."));
    }
    url.to_string()
}

/// A URL with its user, and `***` for its password.
pub fn without_password(url: &Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() && url.set_password(Some(REDACTED)).is_err() {
        return without_secrets(url.as_str());
    }
    url.as_str().trim_end_matches('/').to_owned()
}

/// What may be a URL, with `***` for whatever stands in front of an `@`, and behind `?` or `#`: it
/// may be a password.
pub fn without_secrets(text: &str) -> String {
    let shown = match text.rsplit_once('@').map(|(login, rest)| (login.split_once("://"), rest)) {
        None => text.to_owned(),
        Some((Some((scheme, _)), rest)) => format!("{scheme}://{REDACTED}@{rest}"),
        Some((None, rest)) => format!("{REDACTED}@{rest}"),
    };
    match shown.split_once(['?', '#']) {
        Some((before, _)) => format!("{before}?{REDACTED}"),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_by_the_rules_of_dns_or_an_address() {
        let has = |host: &str| has_host(&format!("https://{host}/x").parse().unwrap());
        for host in ["ci", "ci.example.com.", "10.0.0.1", "[::1]", "xn--bcher-kva.example"] {
            assert!(has(host), "{host}");
        }
        let long = "a".repeat(64);
        for host in [&long, "CCIPAT_x", "-ci.example", "ci-.example", "a..b"] {
            assert!(!has(host), "{host}");
        }
    }

    #[test]
    fn loopback_is_a_name_or_an_address() {
        let is = |text: &str| is_loopback(&text.parse().unwrap());
        for url in
            ["http://localhost:1", "http://127.9.9.9", "http://[::1]", "http://[::ffff:127.0.0.1]"]
        {
            assert!(is(url), "{url}");
        }
        for url in ["http://localhost.", "http://a.localhost", "http://[::2]", "http://0.0.0.0"] {
            assert!(!is(url), "{url}");
        }
    }

    #[test]
    fn no_form_shows_a_password() {
        let url: Url = "https://me:hunter2@h.example/a?sig=hunter2".parse().unwrap();
        assert_eq!(without_login(&url), "https://h.example/a?...");
        let url: Url = "https://me:hunter2@h.example/".parse().unwrap();
        assert_eq!(without_password(&url), "https://me:***@h.example");
        assert_eq!(without_secrets("https://me:hunter2@h.example"), "https://***@h.example");
    }
}
