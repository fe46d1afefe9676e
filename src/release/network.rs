//! How the network is reached.

use crate::spec::values::ProxyUrl;
use std::time::Duration;
use url::Url;

/// How to reach the bucket. Prints without the proxy's password.
#[derive(Debug, Clone)]
pub struct Network {
    /// The bucket.
    pub base: Url,
    /// `--proxy`; without it the usual variables count, such as `HTTPS_PROXY`.
    pub proxy: Option<ProxyUrl>,
    /// `--no-proxy`.
    pub no_proxy: Option<String>,
    /// The certificates of `--ca-file`, in PEM form.
    pub ca: Option<String>,
    /// How long an attempt may be silent.
    pub timeout: Duration,
}

impl Network {
    /// Where the proxy for a URL of this scheme would come from, for errors.
    pub(super) fn proxy_origin(&self, scheme: &str) -> Option<String> {
        if self.proxy.is_some() {
            return Some("--proxy".to_owned());
        }
        let names: &[&str] = match scheme {
            "https" => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
            // HTTP_PROXY in capitals could be a header of a CGI request; nobody reads it then.
            _ => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        let is_set = |name: &&&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        names.iter().find(is_set).map(|name| format!("the variable {name}"))
    }
}
