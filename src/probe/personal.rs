//! By which way a person's token goes to the API. An agent's account writes the configuration of
//! its agent, so the server that the agent talks to need not be one that the person trusts.

use super::{
    candidate::Candidate,
    endpoints::{Endpoints, api},
    route::{Named, Route},
};
use crate::{
    host::{Provenance, Side},
    platform::fs::Root,
    probe::network::{EndpointProbe, Way},
};
use url::Url;

/// Why a person's token goes nowhere.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is nobody to ask.
    NotAsked(&'static str),
    /// Another account could have named the server: this host.
    Withheld(String),
}

/// The way, to a server that root or whoever runs the doctor named, or to the cloud.
///
/// # Errors
/// Why there is none.
pub(super) fn way(
    endpoints: &Endpoints,
    candidates: &[Candidate],
    root: &Root,
) -> Result<Way, Refusal> {
    let mut refusal = Refusal::NotAsked("no agent here says where its API is");
    let given = match endpoints.named("api") {
        Some(None) => {
            return Err(Refusal::NotAsked("not examined, because --endpoint api=none was given"));
        }
        Some(Some(url)) => Some(url),
        None => None,
    };
    if let Some(url) = given {
        let none = Candidate::default();
        let agent = candidates.first().unwrap_or(&none);
        let server = Named { value: url.clone(), by: Provenance::Root };
        return by_roots(agent, server, root).ok_or(refusal);
    }
    for agent in candidates {
        let Some(server) = api(agent) else { continue };
        let Ok(url) = Url::parse(&server.value) else { continue };
        let host = url.host_str().unwrap_or("no host").to_owned();
        match by_roots(agent, Named { value: url, by: server.by }, root) {
            Some(way) => return Ok(way),
            None => refusal = Refusal::Withheld(host),
        }
    }
    Err(refusal)
}

/// The way to a server, by proxies and with authorities that root named.
fn by_roots(agent: &Candidate, server: Named<Url>, root: &Root) -> Option<Way> {
    let route = Route::of(agent, root).or_of_shell(root);
    Way::of(EndpointProbe {
        install: agent.name.clone(),
        side: Side::Service,
        endpoint: "api".to_owned(),
        url: server.value,
        required: true,
        purpose: "the resource class".to_owned(),
        named_by: server.by.and(route.by()),
        variables: route.variables.value,
        authorities: route.authorities.value,
        bearer: None,
        path: "/".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agent::CLOUD_URL,
        host::{ConfigFile, ConfigState, PathWalk, Seen, Setting, Written},
        platform::fs::Root,
        probe::environment::Raw,
    };

    const STRANGER: Provenance = Provenance::Account(7);

    fn agent(url: Option<&str>, written_by: Provenance) -> Candidate {
        let setting = |url: &str| Setting {
            path: "api.url".to_owned(),
            value: Written::Text { text: url.to_owned(), plain: true },
            line: 1,
            column: 1,
        };
        let settings = url.map(setting).into_iter().collect();
        let config = ConfigFile {
            walk: PathWalk::default(),
            state: ConfigState::Parsed,
            settings,
            token: None,
            written_by,
            is_default: false,
            second: None,
        };
        Candidate {
            named_by: Provenance::Root,
            config: Some(Seen::Known(config)),
            ..Candidate::default()
        }
    }

    fn set(agent: &mut Candidate, name: &str, value: &str, written_by: Provenance) {
        agent.variables.push(Raw {
            name: name.to_owned(),
            value: value.to_owned(),
            source: "a test".to_owned(),
            written_by,
        });
    }

    fn asked(words: &[&str], agents: &[Candidate]) -> Result<EndpointProbe, Refusal> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        way(&Endpoints::parse(&words).unwrap(), agents, &root).map(|way| way.ask().clone())
    }

    fn withheld(asked: Result<EndpointProbe, Refusal>) -> String {
        match asked {
            Err(Refusal::Withheld(host)) => host,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_server_of_roots_gets_the_token() {
        let server = Some("https://ci.example");
        let url = |asked: Result<EndpointProbe, Refusal>| asked.unwrap().url.to_string();
        assert_eq!(url(asked(&[], &[agent(server, Provenance::Root)])), "https://ci.example/");
        for by in [STRANGER, Provenance::Anybody] {
            assert_eq!(withheld(asked(&[], &[agent(server, by)])), "ci.example");
            // The cloud is no choice of the account's.
            for cloud in [None, Some(CLOUD_URL)] {
                let answer = asked(&[], &[agent(cloud, by)]);
                assert_eq!(url(answer), "https://runner.circleci.com/");
            }
        }
        let given = asked(&["api=https://mine.example"], &[agent(server, STRANGER)]);
        assert_eq!(url(given), "https://mine.example/");
        assert_eq!(url(asked(&["api=https://mine.example"], &[])), "https://mine.example/");
        assert!(asked(&["api=none"], &[agent(server, Provenance::Root)]).is_err());
        assert!(asked(&[], &[]).is_err());
    }

    #[test]
    fn a_variable_of_the_accounts_names_no_server() {
        let mut candidate = agent(None, Provenance::Root);
        set(&mut candidate, "LAUNCH_AGENT_API_URL", "https://evil.example", STRANGER);
        assert_eq!(withheld(asked(&[], &[candidate])), "evil.example");
        let mut candidate = agent(None, Provenance::Root);
        set(&mut candidate, "LAUNCH_AGENT_API_URL", "https://ci.example", Provenance::Root);
        assert_eq!(asked(&[], &[candidate]).unwrap().url.as_str(), "https://ci.example/");
    }

    #[test]
    fn a_proxy_and_authorities_of_the_accounts_are_not_used() {
        let through = |by| {
            let mut candidate = agent(None, Provenance::Root);
            set(&mut candidate, "HTTPS_PROXY", "http://proxy.example", by);
            set(&mut candidate, "SSL_CERT_FILE", "/ca.pem", by);
            let ask = asked(&[], &[candidate]).unwrap();
            let proxy = ask.variables.get("HTTPS_PROXY").map(|variable| variable.0.clone());
            proxy.is_some_and(|proxy| proxy == "http://proxy.example")
        };
        assert!(through(Provenance::Root));
        assert!(!through(STRANGER));
    }
}
