//! `NO_PROXY` as an agent reads it: both agents are written in Go, and take the rules of
//! `golang.org/x/net/http/httpproxy`.

use crate::text::url::is_loopback;
use std::net::IpAddr;
use url::{Host, Url};

/// Whether an agent with this `NO_PROXY` asks for `url` without a proxy.
pub fn is_direct(list: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default();
    is_loopback(url) || entries(list).any(|entry| Entry::read(entry).matches(host, port))
}

/// Whether a list exempts every host.
pub fn exempts_all(list: &str) -> bool {
    entries(list).any(|entry| matches!(Entry::read(entry), Entry::Everything))
}

/// The first entry that exempts no host that a URL can name.
pub fn idle_entry(list: &str) -> Option<&str> {
    entries(list).find(|entry| !Entry::read(entry).can_match())
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// What an entry exempts. An empty port is any port.
enum Entry {
    Everything,
    Network(IpAddr, u32),
    Address(IpAddr, String),
    /// Begins with a dot; `whole`: the name without the dot is exempt too.
    Domain {
        suffix: String,
        whole: bool,
        port: String,
    },
    Nothing,
}

impl Entry {
    fn read(text: &str) -> Self {
        let text = text.to_lowercase();
        if text == "*" {
            return Self::Everything;
        }
        if let Some(network) = network(&text) {
            return network;
        }
        let (host, port) = host_and_port(&text).unwrap_or((&text, ""));
        let port = port.to_owned();
        if let Ok(address) = host.parse::<IpAddr>() {
            return Self::Address(address.to_canonical(), port);
        }
        if host.is_empty() {
            return Self::Nothing;
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        let (name, whole) = host.strip_prefix('.').map_or((host, true), |name| (name, false));
        let ascii = match name.is_ascii() {
            true => None,
            false => Host::parse(name).ok().map(|host| host.to_string()),
        };
        Self::Domain { suffix: format!(".{}", ascii.as_deref().unwrap_or(name)), whole, port }
    }

    fn matches(&self, host: &str, port: Option<u16>) -> bool {
        let address = host.parse().ok().map(|address: IpAddr| address.to_canonical());
        let has_port =
            |text: &str| text.is_empty() || port.is_some_and(|port| text == port.to_string());
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::Network(base, length) => {
                address.is_some_and(|address| is_within(address, *base, *length))
            }
            Self::Address(own, port) => address == Some(*own) && has_port(port),
            Self::Domain { suffix, whole, port } => {
                (host.ends_with(suffix) || *whole && host == &suffix[1..]) && has_port(port)
            }
        }
    }

    fn can_match(&self) -> bool {
        let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
        match self {
            Self::Everything | Self::Network(..) => true,
            Self::Nothing => false,
            Self::Address(_, port) => is_port(port),
            Self::Domain { suffix, port, .. } => {
                let name = &suffix[1..];
                let is_label = |label: &str| {
                    !label.is_empty()
                        && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
                };
                let is_name = matches!(Host::parse(name), Ok(Host::Domain(_)));
                is_name && name.split('.').all(is_label) && is_port(port)
            }
        }
    }
}

/// `ADDRESS/LENGTH`.
fn network(text: &str) -> Option<Entry> {
    let (base, length) = text.split_once('/')?;
    let base: IpAddr = base.parse().ok()?;
    let bits = if base.is_ipv4() { 32 } else { 128 };
    let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
    let length: u32 = length.parse().ok().filter(|length| is_number && *length <= bits)?;
    let canonical = base.to_canonical();
    // IPv4 in IPv6: the first 96 bits are the same for all of it.
    let shorter = if canonical == base { 0 } else { 96 };
    Some(Entry::Network(canonical, length.saturating_sub(shorter)))
}

fn is_within(address: IpAddr, base: IpAddr, length: u32) -> bool {
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let differing = address.to_bits() ^ base.to_bits();
            differing.leading_zeros() >= length
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            let differing = address.to_bits() ^ base.to_bits();
            differing.leading_zeros() >= length
        }
        _ => false,
    }
}

/// `HOST:PORT` and `[HOST]:PORT`; `None` where there is no port, or a colon too many.
fn host_and_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let bare = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let is_whole = !bare.contains(['[', ']']) && !port.contains(['[', ']']);
    is_whole.then_some((bare, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_direct_to(list: &str, url: &str) -> bool {
        is_direct(list, &url.parse().unwrap())
    }

    /// One case for each case of Go's own tests, with hosts of our own.
    #[test]
    fn a_list_is_read_as_go_reads_it() {
        let list = "ci.example, .corp.example, *.wild.example, 192.0.2.1, 192.0.2.2:81, \
                    192.0.2.3:80, 10.9.0.0/30, 2001:db8::7:0:1, [2001:db8::7:0:2]:443, \
                    [2001:db8::7:0:3]:80, 2001:db8:a::45/64";
        for (host, direct) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.0.0.2", true),
            ("[::1]", true),
            ("[::2]", false),
            ("192.0.2.1", true),
            // Another port.
            ("192.0.2.2", false),
            ("192.0.2.3", true),
            ("192.0.2.4", false),
            ("10.9.0.2", true),
            ("10.9.0.4", false),
            ("[2001:db8::7:0:1]", true),
            ("[2001:db8::7:0:2]", false),
            ("[2001:db8::7:0:3]", true),
            ("[2001:db8:a::123]", true),
            ("[fe80::4]", false),
            // A leading dot means subdomains only.
            ("corp.example", false),
            ("www.corp.example", true),
            ("ci.example", true),
            ("www.ci.example", true),
            ("notci.example", false),
            ("example", false),
            ("localhost.example", false),
            ("local.localhost", false),
            ("mycorp.example", false),
            ("wild.example", false),
            ("a.wild.example", true),
            ("awild.example", false),
        ] {
            assert_eq!(is_direct_to(list, &format!("http://{host}:80")), direct, "{host}");
            assert!(is_direct_to("*", &format!("http://{host}:80")), "{host}");
            assert!(is_direct_to("a, * ,b:1", &format!("http://{host}:80")), "{host}");
        }
    }

    #[test]
    fn part_of_a_name_is_no_name() {
        for (list, url, direct) in [
            ("x.example", "http://x.example/", true),
            (".x.example", "http://x.example/", false),
            ("ample", "http://x.example/", false),
            ("x.example", "http://a.x.example/", true),
            (".y.example", "http://x.example/", false),
            // The scheme's own port.
            ("x.example:443", "https://x.example/a", true),
            ("x.example:443", "http://x.example/a", false),
            ("x.example:443", "https://a.x.example", true),
            ("x.example:8443", "https://x.example", false),
            (".x.example:80", "http://a.x.example", true),
            ("*.x.example:80", "http://a.x.example", true),
            // An empty port is any.
            ("x.example:", "https://x.example", true),
            ("X.Example", "https://x.eXample", true),
            // A dot at the end is part of the name.
            ("x.example", "https://x.example.", false),
            ("x.example.", "https://x.example", false),
            ("x.example.", "https://x.example.", true),
            // Only commas stand between entries.
            ("x.example y.example", "https://y.example", false),
            ("x.example;y.example", "https://y.example", false),
            ("x.example,,y.example,", "https://y.example", true),
            ("https://x.example", "https://x.example", false),
            // Addresses in brackets only with a port; IPv4 in IPv6 is the same address.
            ("[2001:db8::1]", "https://[2001:db8::1]", false),
            ("::ffff:192.0.2.1", "https://192.0.2.1", true),
            ("192.0.2.1", "https://[::ffff:192.0.2.1]", true),
            ("192.0.2.0/33", "https://192.0.2.0", false),
            ("0.0.0.0/0", "https://192.0.2.0", true),
            ("0.0.0.0/0", "https://[2001:db8::1]", false),
            ("::/0", "https://[2001:db8::1]", true),
            ("0.0.0.0/0", "https://x.example", false),
            ("", "https://[::ffff:127.0.0.1]", true),
        ] {
            assert_eq!(is_direct_to(list, url), direct, "{list:?} {url}");
        }
    }

    #[test]
    fn names_in_other_scripts_are_compared_as_they_are_asked_for() {
        for (list, url) in [
            (".beispiel-ü.example", "http://www.beispiel-ü.example"),
            ("xn--beispiel--y9a.example", "http://www.beispiel-ü.example"),
            ("beispiel-ü.example", "http://www.xn--beispiel--y9a.example"),
        ] {
            assert!(is_direct_to(list, url), "{list} {url}");
        }
    }

    #[test]
    fn broken_entries_exempt_nothing() {
        for list in [":1", ":", ".", "*.", "[", "]:1", "[]:1", "/", "/8", "..", "[::1", "a:b:c"] {
            assert!(!is_direct_to(list, "http://x.example:1"), "{list}");
        }
    }

    #[test]
    fn an_entry_that_exempts_nothing_is_found() {
        for entry in [
            "https://x.example",
            "x.example y.example",
            "x.example;y.example",
            "x.*",
            "10.0.0.*",
            "10.0.0.0/33",
            "10.0.0.256",
            "x/8",
            "x.example:https",
            "x.example:65536",
            "192.0.2.1:x",
            "[2001:db8::1]",
            "x.example.",
            "a..b",
            ":80",
            ".",
        ] {
            assert_eq!(idle_entry(&format!("a.example, {entry} ,b.example")), Some(entry));
        }
        let list = "x, x.example,.x.example,*.x.example:443,x_y.example,10.0.0.0/8,::1,\
                    [2001:db8::1]:80,2001:db8::/32,192.0.2.1:8080,*,beispiel-ü.example,,";
        assert_eq!(idle_entry(list), None);
        assert!(exempts_all("a, *") && !exempts_all("*.a"));
    }
}
