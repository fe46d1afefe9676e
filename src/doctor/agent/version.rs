//! Versions: what is supported, and what is newest.

use crate::{
    agent::{CircleCi, Version},
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Survey, Unseen},
};

pub(super) const SUPPORTED: Check = Check {
    name: "agent/supported",
    holds: "The server supports this agent",
    why: "All jobs fail at once when the downloads for an agent without support are refused. \
          launch-agent has not been supported on CircleCI cloud since 2024-07-31.",
    found: "The doctor reads the kind of the agent and the URL of its server.",
    cure: "Move to machine runner 3. On CircleCI server, set api.url to the URL of the server.",
    after: &["config/parses"],
    judge: Judge::Agent(supported),
};

fn supported(survey: &Survey, install: &Install) -> Judged {
    let profile = install.agent.profile();
    let title = profile.title;
    let Some(end) = profile.end_on_cloud else {
        return Ok(Verdict::Holds(title.to_owned()));
    };
    match install.api()? {
        CircleCi::Server(url) => {
            let installed = install.receipt.as_ref().and_then(|receipt| receipt.version.as_deref());
            Ok(Verdict::Holds(match installed.and_then(Version::servers_of) {
                Some((first, last)) => format!("pinned for server {first} to {last}; on {url}"),
                None => format!("{title} on {url}: for server {}", profile.servers),
            }))
        }
        _ if survey.taken < end.at => Ok(Verdict::Holds(format!("{title} on cloud"))),
        _ => Ok(Problem::warn(format!("{title} is not supported on cloud since {}", end.day))
            .seen("the configuration names no server")
            .cure(Remedy::by_hand(
                "Move to machine runner 3; on CircleCI server name its URL in api.url.",
            ))
            .into()),
    }
}

pub(super) const NEWEST: Check = Check {
    name: "agent/newest",
    holds: "An agent that does not update itself has the newest version, or is pinned on purpose",
    why: "An old agent lacks corrections, and after some time the server refuses it.",
    found: "The doctor compares the version in the receipt with the newest version in the release \
            bucket.",
    cure: "Run `runnerup install --version latest`.",
    after: &["connectivity/releases-answer"],
    judge: Judge::Agent(newest),
};

fn newest(survey: &Survey, install: &Install) -> Judged {
    let network = survey.network.known()?;
    let installed = install.receipt.as_ref().and_then(|receipt| receipt.version.as_deref());
    let (Some(installed), Some(newest)) = (installed, network.newest.as_deref()) else {
        return Err(Unseen::not_examined("the version of one of the two is not known"));
    };
    if installed == newest || numbers(installed) >= numbers(newest) {
        return Ok(Verdict::Holds(installed.to_owned()));
    }
    // A server's version is pinned for it, and not to be raised for a newer one elsewhere.
    Ok(Verdict::Holds(format!("{installed}, pinned; the newest is {newest}")))
}

fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split('-').next().unwrap_or(version);
    plain.split('.').filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;
    use crate::{
        doctor::{Status, sample::*},
        host::Variable,
    };

    #[test]
    fn versions_compare_by_number() {
        assert!(numbers("1.1.9-abc") < numbers("1.1.10-abc"));
    }

    #[test]
    fn an_agent_of_a_server_is_supported() {
        let mut survey = healthy();
        set(&mut survey, "api.url", None);
        assert_eq!(status(&survey, "agent/supported"), Status::Warn);
        for server in [
            "https://server.example.com",
            "https://runner.circleci.com.example.com",
            "https://example.com/runner.circleci.com",
        ] {
            set(&mut survey, "api.url", Some(server));
            assert_eq!(status(&survey, "agent/supported"), Status::Pass, "{server}");
        }
        for cloud in ["https://RUNNER.CircleCI.com", "https://runner.circleci.com:443/"] {
            set(&mut survey, "api.url", Some(cloud));
            assert_eq!(status(&survey, "agent/supported"), Status::Warn, "{cloud}");
        }
    }

    #[test]
    fn a_variable_counts_before_the_configuration() {
        let mut survey = healthy();
        set(&mut survey, "api.url", Some("https://server.example.com"));
        agent(&mut survey).environment.push(Variable {
            name: "LAUNCH_AGENT_API_URL".into(),
            value: Some("https://runner.circleci.com".into()),
            source: "x:1".into(),
            secret: None,
            written_by: Default::default(),
        });
        assert_eq!(status(&survey, "agent/supported"), Status::Warn);
    }
}
