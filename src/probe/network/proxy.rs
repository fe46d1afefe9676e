//! The proxy that applies, by the rules of Go, which both agents are written in.

use super::EndpointProbe;
use crate::{
    agent::no_proxy::is_direct,
    host::{Provenance, Proxied},
    text::url::without_password,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::Url;

/// Most bytes of a proxy's answer that are read.
const LIMIT: usize = 8192;

/// A proxy, and the setting that names it.
pub(super) struct Via {
    pub(super) url: Url,
    source: String,
}

/// The proxy for an ask.
pub(super) fn of(ask: &EndpointProbe) -> Option<Via> {
    if ask.url.scheme() == "ssh" {
        return None;
    }
    let value = |name: &'static str| {
        let variable = ask.variables.get(name).filter(|(value, _)| !value.trim().is_empty());
        variable.map(|variable| (name, variable))
    };
    let names: [&'static str; 2] = match ask.url.scheme() {
        "https" => ["HTTPS_PROXY", "https_proxy"],
        _ => ["HTTP_PROXY", "http_proxy"],
    };
    let exempt = value("NO_PROXY").or_else(|| value("no_proxy"));
    if is_direct(exempt.map_or("", |(_, (list, _))| list), &ask.url) {
        return None;
    }
    let (name, (address, source)) = names.into_iter().find_map(value)?;
    let address = address.trim();
    let whole = match address.contains("://") {
        true => address.to_owned(),
        false => format!("http://{address}"),
    };
    let url = Url::parse(&whole).ok()?;
    Some(Via { url, source: format!("{name} in {source}") })
}

impl Via {
    /// Without its password.
    pub(super) fn shown(&self, named_by: Provenance) -> Proxied {
        Proxied {
            url: without_password(&self.url),
            source: self.source.clone(),
            has_login: !self.url.username().is_empty(),
            named_by,
        }
    }

    /// The header that carries the login.
    pub(super) fn login(&self) -> Option<String> {
        if self.url.username().is_empty() {
            return None;
        }
        let decoded = |text: &str| {
            let text = format!("x={}", text.replace('+', "%2B"));
            let pair = url::form_urlencoded::parse(text.as_bytes()).next();
            pair.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let user = decoded(self.url.username());
        let password = decoded(self.url.password().unwrap_or_default());
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

/// Asks the proxy for a tunnel; its status is the answer.
pub(super) async fn connect(
    stream: &mut TcpStream,
    via: &Via,
    host: &str,
    port: u16,
) -> Result<u16, String> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let login =
        via.login().map_or(String::new(), |login| format!("Proxy-Authorization: {login}\r\n"));
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut head = Vec::new();
    let mut byte = [0];
    // A byte at a time: what comes after the head belongs to the tunnel.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LIMIT {
            return Err("the proxy's answer does not end".to_owned());
        }
        match stream.read(&mut byte).await {
            Ok(0) => return Err("the proxy closed the connection".to_owned()),
            Ok(_) => head.extend(byte),
            Err(error) => return Err(error.to_string()),
        }
    }
    let text = String::from_utf8_lossy(&head);
    let status = text.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| "the proxy does not speak HTTP".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Side;

    #[test]
    fn an_exempt_host_is_asked_as_the_agent_asks_it() {
        let via = |list: &str| {
            let variables = [("HTTPS_PROXY", "p.example:3128"), ("NO_PROXY", list)];
            let variable = |(name, value): (&str, &str)| {
                (name.to_owned(), (value.to_owned(), "a test".to_owned()))
            };
            let ask = EndpointProbe {
                install: String::new(),
                side: Side::Service,
                endpoint: "api".to_owned(),
                url: "https://ci.example".parse().unwrap(),
                required: true,
                purpose: String::new(),
                variables: variables.into_iter().map(variable).collect(),
                authorities: None,
                named_by: Provenance::Root,
                bearer: None,
                path: "/".to_owned(),
            };
            of(&ask).map(|via| via.url.to_string())
        };
        assert_eq!(via("ci.example:443"), None);
        for list in ["", ".ci.example", "ci.example:8443"] {
            assert_eq!(via(list).as_deref(), Some("http://p.example:3128/"), "{list}");
        }
    }
}
