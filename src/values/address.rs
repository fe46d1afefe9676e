//! Addresses with a port.

use super::serde_as_text;
use crate::{Code, Error, Help, Result};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::{fmt, str::FromStr};

/// `runner.ssh.advertise_addr`: where people reach a job that was rerun with SSH.
///
/// Rule: `host:port`; the host is a name, an IPv4 address, or an IPv6 address in brackets; the
/// port is 1 to 65535. The agent's own SSH server always listens on 54782.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// The host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for HostPort {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = |help: Help| {
            Err(Error::new(Code::ValueInvalid, format!("{text:?} is not host:port")).help(help))
        };
        if text.parse::<Ipv6Addr>().is_ok() {
            return refused(Help::words(format!("put the address into brackets: [{text}]:54782")));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return refused("give host and port, such as build.example.com:54782".into());
        };
        let number = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse::<u16>());
        let Some(Ok(port @ 1..)) = number else {
            return refused("the port is a number from 1 to 65535".into());
        };
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(v6) => v6.parse::<Ipv6Addr>().ok().map(|address| address.to_string()),
            None => is_host(host).then(|| host.to_owned()),
        };
        match host {
            Some(host) => Ok(Self { host, port }),
            None => refused(
                "the host is a name, an IPv4 address, or an IPv6 address in brackets".into(),
            ),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

serde_as_text!(HostPort);

/// A DNS name or an IPv4 address; what looks like an address must be one.
fn is_host(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        })
}

#[cfg(test)]
mod tests {
    use super::super::assert_round_trip;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_addresses_pass() {
        for text in ["a:1", "build.example.com:54782", "203.0.113.9:22", "[2001:db8::1]:65535"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        let address: HostPort = "[2001:DB8:0::1]:1".parse().unwrap();
        assert_eq!((address.host(), address.port()), ("2001:db8::1", 1));
    }

    #[test]
    fn ports_and_hosts_that_cannot_be_are_refused() {
        for text in [
            "",
            "a",
            ":22",
            "a:",
            "a:0",
            "a:65536",
            "a:+22",
            "a:22 ",
            "a b:22",
            "1.2.3:22",
            "1.2.3.400:22",
            "-a:22",
            "a..b:22",
            "[a]:22",
            "[::1:22",
            "ssh://a:22",
            "2001:db8::1:22",
        ] {
            assert!(text.parse::<HostPort>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_bare_ipv6_address_is_told_about_brackets() {
        let error = "::1".parse::<HostPort>().unwrap_err();
        assert!(error.help_lines()[0].contains("[::1]:54782"));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in r"[a-z0-9.:\[\]-]{0,20}(:[0-9]{1,6})?|.{0,40}") {
            assert_round_trip::<HostPort>(&text);
        }
    }
}
