//! How the network is reached: the bucket, the proxy on the way to it, and whom to trust.

use crate::{
    Error, Result,
    text::url::is_loopback,
    values::{Connections, ProxyUrl},
};
use hyper_util::client::proxy::matcher::Matcher;
use std::{fmt, time::Duration};
use url::Url;

/// How to reach the bucket. Prints without the proxy's password.
#[derive(Debug, Clone)]
pub struct Network {
    /// The bucket.
    pub base: Url,
    /// `--proxy`; without it the usual variables count, such as `HTTPS_PROXY`.
    pub proxy: Option<ProxyUrl>,
    /// `--no-proxy`; without it `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// The certificates of `--ca-file`, in PEM form, trusted beside the system's.
    pub ca: Option<String>,
    /// How long an attempt may be silent.
    pub timeout: Duration,
    /// Over how many connections at most one large file is downloaded.
    pub connections: Connections,
}

/// A proxy, and which setting named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Via {
    pub(super) proxy: ProxyUrl,
    pub(super) origin: String,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {} (from {})", self.proxy, self.origin)
    }
}

impl Network {
    /// The proxy through which `url` is to be asked, if any.
    pub(super) fn via(&self, url: &Url) -> Result<Option<Via>> {
        self.via_by(url, |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    fn via_by(&self, url: &Url, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Via>> {
        let first =
            |names: &[&'static str]| names.iter().find_map(|name| Some((*name, variable(name)?)));
        let exempt = match self.no_proxy.as_ref() {
            Some(list) => Some(list.clone()),
            None => first(&["NO_PROXY", "no_proxy"]).map(|(_, list)| list),
        };
        if exempt.is_some_and(|list| is_exempt(&list, url)) {
            return Ok(None);
        }
        if let Some(proxy) = self.proxy.clone() {
            return Ok(Some(Via { proxy, origin: "--proxy".to_owned() }));
        }
        // A proxy that is meant for the world is not asked for this very host.
        if is_loopback(url) {
            return Ok(None);
        }
        let found = match url.scheme() {
            "https" => first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            // In a CGI program a visitor sets HTTP_PROXY, by a header named Proxy.
            _ if variable("REQUEST_METHOD").is_some() => {
                first(&["http_proxy", "ALL_PROXY", "all_proxy"])
            }
            _ => first(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]),
        };
        let Some((name, address)) = found else { return Ok(None) };
        let address = address.trim();
        let whole = match address.contains("://") {
            true => address.to_owned(),
            // Everyone else who reads these variables takes them so.
            false => format!("http://{address}"),
        };
        let origin = format!("the variable {name}");
        let proxy = whole.parse().map_err(|error: Error| error.context(&origin))?;
        Ok(Some(Via { proxy, origin }))
    }
}

/// By reqwest's rules: names with all below them, addresses, networks, `*`.
fn is_exempt(list: &str, url: &Url) -> bool {
    let all = Matcher::builder().all("http://any.proxy").no(list).build();
    url.as_str().parse().is_ok_and(|uri| all.intercept(&uri).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn via(network: &Network, url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        let via = network
            .via_by(&url.parse().unwrap(), |name| variables.get(name).map(ToString::to_string));
        via.unwrap().map(|via| via.to_string())
    }

    fn network(proxy: Option<&str>, no_proxy: Option<&str>) -> Network {
        Network {
            base: "https://bucket.example.com".parse().unwrap(),
            proxy: proxy.map(|proxy| proxy.parse().unwrap()),
            no_proxy: no_proxy.map(ToOwned::to_owned),
            ca: None,
            timeout: Duration::from_secs(30),
            connections: Connections::default(),
        }
    }

    #[test]
    fn the_option_comes_before_the_variables() {
        let variables = [("HTTPS_PROXY", "http://b:1")];
        let both = via(&network(Some("http://u:pw@a:1"), None), "https://x.y", &variables);
        assert_eq!(both.unwrap(), "the proxy http://u:***@a:1 (from --proxy)");
        let variable = via(&network(None, None), "https://x.y", &variables);
        assert_eq!(variable.unwrap(), "the proxy http://b:1 (from the variable HTTPS_PROXY)");
    }

    #[test]
    fn each_scheme_has_its_variables() {
        let none = network(None, None);
        for (url, name, other) in [
            ("https://x.y", "https_proxy", "HTTP_PROXY"),
            ("http://x.y", "http_proxy", "HTTPS_PROXY"),
        ] {
            assert!(via(&none, url, &[(other, "http://p:1")]).is_none(), "{url}");
            for name in [name, "ALL_PROXY", "all_proxy"] {
                let found = via(&none, url, &[(name, "p:1"), (other, "http://q:1")]);
                assert!(found.unwrap().starts_with("the proxy http://p:1 "), "{url} {name}");
            }
        }
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil:1")];
        assert!(via(&none, "http://x.y", &cgi).is_none());
    }

    #[test]
    fn exempt_hosts_are_asked_directly() {
        let proxy = [("HTTPS_PROXY", "http://p:1")];
        let list = "example.com, 10.0.0.0/8,.internal";
        for (url, is_direct) in [
            ("https://example.com/a", true),
            ("https://a.example.com/a", true),
            ("https://notexample.com/a", false),
            ("https://10.1.2.3/a", true),
            ("https://11.1.2.3/a", false),
            ("https://a.internal", true),
            ("https://other.com", false),
        ] {
            let by_option = via(&network(None, Some(list)), url, &proxy);
            assert_eq!(by_option.is_none(), is_direct, "{url}");
            let by_variable = via(&network(None, None), url, &[proxy[0], ("no_proxy", list)]);
            assert_eq!(by_variable.is_none(), is_direct, "{url}");
        }
        assert!(via(&network(Some("http://p:1"), Some("*")), "https://a.b", &[]).is_none());
    }

    #[test]
    fn this_host_is_asked_through_a_proxy_only_when_told_to() {
        let variables = [("HTTP_PROXY", "http://p:1")];
        for url in ["http://127.0.0.1:80", "http://[::1]:80", "http://localhost"] {
            assert!(via(&network(None, None), url, &variables).is_none(), "{url}");
            assert!(via(&network(Some("http://p:1"), None), url, &[]).is_some(), "{url}");
        }
    }

    #[test]
    fn a_wrong_variable_is_named_and_its_password_is_not() {
        let none = network(None, None);
        let error = none
            .via_by(&none.base, |name| {
                (name == "HTTPS_PROXY").then(|| "http://me:s3cret@p/path".to_owned())
            })
            .unwrap_err();
        assert!(error.message().starts_with("the variable HTTPS_PROXY: "), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}
