//! Which endpoints an agent needs, and with which settings its service asks for them.

use super::{
    candidate::Candidate,
    route::{self, Named, Route, VARIABLES},
};
use crate::{
    Code, Error, Help, Result,
    agent::{CLOUD_URL, CircleCi, RELEASE_URL, UrlFault},
    host::{Provenance, Side},
    platform::fs::Root,
    probe::network::EndpointProbe,
};
use std::collections::BTreeMap;
use url::Url;

/// What an agent reaches: docs/agents.md, Endpoints.
const STORAGE: &str = "https://circleci-tasks-prod.s3.us-east-1.amazonaws.com";
const VCS: [&str; 6] = [
    "https://github.com",
    "https://bitbucket.org",
    "https://gitlab.com",
    "ssh://github.com",
    "ssh://bitbucket.org",
    "ssh://gitlab.com",
];

/// Endpoints that can be pointed elsewhere.
const NAMES: [&str; 4] = ["api", "releases", "storage", "vcs"];

/// Where endpoints are that are not at the usual place.
#[derive(Debug, Clone, Default)]
pub struct Endpoints(BTreeMap<String, Option<Url>>);

impl Endpoints {
    /// From `NAME=URL` and `NAME=none`.
    ///
    /// # Errors
    /// [`Code::ValueInvalid`] for another name, or what is no URL.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut endpoints = BTreeMap::new();
        for word in words {
            let wrong = |why: &str| {
                Error::new(Code::ValueInvalid, format!("--endpoint {word:?}: {why}")).help(
                    Help::words(format!("NAME=URL or NAME=none; names: {}", NAMES.join(", "))),
                )
            };
            let (name, place) = word.split_once('=').ok_or_else(|| wrong("it has no ="))?;
            if !NAMES.contains(&name) {
                return Err(wrong("there is no endpoint of this name"));
            }
            let url = match place {
                "none" => None,
                url => match Url::parse(url) {
                    Ok(url) if matches!(url.scheme(), "http" | "https" | "ssh") => Some(url),
                    _ => return Err(wrong("it is no URL of https, http or ssh")),
                },
            };
            endpoints.insert(name.to_owned(), url);
        }
        Ok(Self(endpoints))
    }

    /// Where whoever runs the doctor says that an endpoint is; `Some(None)`: it is not to be asked.
    pub(super) fn named(&self, name: &str) -> Option<Option<&Url>> {
        self.0.get(name).map(Option::as_ref)
    }

    /// An endpoint, unless it is not to be asked.
    fn place(&self, name: &str, usual: &str) -> Option<Url> {
        match self.0.get(name) {
            Some(url) => url.clone(),
            None => Url::parse(usual).ok(),
        }
    }
}

/// Every question for an agent. Files of authorities are read for that, which may hang.
pub(super) fn of(endpoints: &Endpoints, candidate: &Candidate, root: &Root) -> Vec<EndpointProbe> {
    // Whom an agent would ask that cannot read its configuration nobody knows.
    let Some(api) = api(candidate) else { return Vec::new() };
    let route = Route::of(candidate, root);
    let way_by = route.by();
    let Route { variables, authorities } = route;
    let is_cloud = CircleCi::of(Some(&api.value)).is_cloud();
    let settings = candidate.receipt.as_ref().map(|receipt| &receipt.settings);
    let releases =
        settings.and_then(|setting| setting.get("release-url")).map_or(RELEASE_URL, String::as_str);
    let platform = crate::platform::Platform::of_this_host();
    let (os, arch) = platform.map_or_else(
        |_| (String::new(), String::new()),
        |platform| (platform.os().to_string(), platform.arch().to_string()),
    );
    let ask = |name: &str, url: Url, required, purpose: &str, path: &str| EndpointProbe {
        install: candidate.name.clone(),
        side: Side::Service,
        endpoint: name.to_owned(),
        url,
        required,
        purpose: purpose.to_owned(),
        variables: variables.value.clone(),
        authorities: authorities.value.clone(),
        named_by: way_by,
        bearer: None,
        path: path.to_owned(),
    };
    let mut asks = Vec::new();
    if let Some(url) = endpoints.place("api", &api.value) {
        // The question that machine runner 3 asks when it starts: it takes no job.
        let path = format!("/api/v2/tasks/download?os={os}&arch={arch}&version=");
        let mut question = ask("api", url, true, "claiming jobs", &path);
        // What can be no token is sent nowhere: it may be another secret.
        let token = candidate.token_given().or_else(|| candidate.token.clone());
        question.bearer = token.filter(|token| token.check().is_ok());
        question.named_by = way_by.and(api.by);
        asks.push(question);
    }
    let bucket = candidate.agent.profile().bucket;
    if let Some(url) = endpoints.place("releases", releases) {
        let path =
            format!("{}/{}/{}", url.path().trim_end_matches('/'), bucket.folder, bucket.newest);
        asks.push(ask("releases", url, true, "the agents' binaries", &path));
    }
    // A server has its own storage, which nobody has named here.
    if is_cloud || endpoints.0.contains_key("storage") {
        let url = endpoints.place("storage", STORAGE);
        asks.extend(url.map(|url| ask("storage", url, false, "caches and artifacts", "/")));
    }
    match endpoints.0.get("vcs") {
        Some(None) => {}
        Some(Some(url)) => asks.push(ask("vcs", url.clone(), false, "the checkout", "/")),
        None => {
            let urls = VCS.iter().filter_map(|url| Url::parse(url).ok());
            asks.extend(urls.map(|url| ask("vcs", url, false, "the checkout", "/")));
        }
    }
    // Only where the person's shell would go another way.
    let shell = route::of_shell();
    let differs = VARIABLES.iter().any(|name| {
        shell.get(*name).map(|shell| &shell.0) != variables.value.get(*name).map(|text| &text.0)
    });
    if differs {
        let needed: Vec<EndpointProbe> = asks.iter().filter(|ask| ask.required).cloned().collect();
        asks.extend(needed.into_iter().map(|ask| EndpointProbe {
            side: Side::Shell,
            variables: shell.clone(),
            bearer: None,
            ..ask
        }));
    }
    asks
}

/// The server that the agent talks to, where its settings are known. That it is the cloud is no choice
/// of an account's.
pub(super) fn api(candidate: &Candidate) -> Option<Named<String>> {
    let url = candidate.settings().get("api.url").ok().flatten()?;
    let value = url.text().unwrap_or(CLOUD_URL).to_owned();
    // What names no server of runners is asked nothing.
    if UrlFault::of(&value).is_some_and(UrlFault::hides_host) {
        return None;
    }
    let by = if value == CLOUD_URL { Provenance::Root } else { url.by };
    Some(Named { value, by })
}
