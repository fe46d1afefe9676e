//! Versions: whether the server supports the agent, and whether it is the newest.

use crate::{
    agent::{CircleCi, Version},
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict, permissions::updates_itself,
    },
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
                Some((first, last)) => {
                    format!("version for CircleCI server {first} to {last}, used with {url}")
                }
                None => {
                    format!("{title}, for CircleCI server {}, used with {url}", profile.servers)
                }
            }))
        }
        _ if survey.taken < end.at => Ok(Verdict::Holds(format!("{title} on CircleCI cloud"))),
        _ => Ok(Problem::warn(format!(
            "{title} has not been supported on CircleCI cloud since {}",
            end.day
        ))
        .seen("api.url names no CircleCI server")
        .cure(Remedy::by_hand(
            "Move to machine runner 3. On CircleCI server, set api.url to the URL of the server.",
        ))
        .into()),
    }
}

pub(super) const NEWEST: Check = Check {
    name: "agent/newest",
    holds: "An agent that does not update itself has the newest version, or is pinned on purpose",
    why: "An old agent lacks corrections, and after some time the server refuses it.",
    found: "The doctor compares the version in the receipt with the newest version in the release \
            bucket. A version is pinned if it was chosen at install time, or if it is the one for \
            a release of CircleCI server.",
    cure: "Run `runnerup install --version latest`, or pin the version with `--version`.",
    after: &["connectivity/releases-answer"],
    judge: Judge::Agent(newest),
};

fn newest(survey: &Survey, install: &Install) -> Judged {
    if updates_itself(install) {
        return Err(Unseen::not_applicable("the agent updates itself"));
    }
    let receipt = install.receipt.as_ref();
    let receipt = receipt.ok_or_else(|| Unseen::not_applicable("no receipt has its version"))?;
    let network = survey.network.known()?;
    let version = |text: &str| Version::of(install.agent, text).ok();
    let installed = receipt.version.as_deref().and_then(version);
    let installed = installed.ok_or_else(|| Unseen::not_examined("the receipt has no version"))?;
    let newest = network.newest.as_deref().and_then(version);
    let newest = newest.ok_or_else(|| {
        Unseen::not_examined("the release bucket did not name the newest version of this agent")
    })?;
    if installed == newest || numbers(installed.as_str()) >= numbers(newest.as_str()) {
        return Ok(Verdict::Holds(format!("version {installed}, the newest is {newest}")));
    }
    let is_servers =
        !install.api()?.is_cloud() && Version::servers_of(installed.as_str()).is_some();
    match receipt.is_pinned {
        Some(true) => {}
        _ if is_servers => {}
        None => return Err(Unseen::not_examined("these facts do not say whether it is pinned")),
        Some(false) => {
            let remedy = Remedy::by_hand("Install the newest version, or pin the installed one.")
                .command(Command::install().then("--version latest"));
            return Ok(Problem::warn(format!("version {installed} is not the newest, {newest}"))
                .seen(format!("receipt: {installed}; release bucket: {newest}"))
                .cure(remedy)
                .into());
        }
    }
    Ok(Verdict::Holds(format!("version {installed}, pinned; the newest is {newest}")))
}

fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split('-').next().unwrap_or(version);
    plain.split('.').filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Seen, Survey, Variable},
    };

    /// The agent has this version, and the release bucket a newer one.
    fn old(version: &str, is_pinned: Option<bool>) -> Survey {
        let mut survey = online(|_| {});
        let Seen::Known(network) = &mut survey.network else { panic!() };
        network.newest = Some("1.1.80000-abcdef0".into());
        let receipt = agent(&mut survey).receipt.as_mut().unwrap();
        receipt.version = Some(version.into());
        receipt.is_pinned = is_pinned;
        survey
    }

    #[test]
    fn an_old_version_that_nobody_pinned_is_a_warning() {
        for (version, is_pinned, expected) in [
            ("1.1.79999-abcdef0", Some(false), Status::Warn),
            ("1.1.79999-abcdef0", Some(true), Status::Pass),
            ("1.1.79999-abcdef0", None, Status::Skip),
            ("1.1.80000-abcdef0", Some(false), Status::Pass),
            // The version for server 4.3 to 4.7.
            ("1.1.73189-8792751", Some(false), Status::Pass),
        ] {
            let survey = old(version, is_pinned);
            assert_eq!(status(&survey, "agent/newest"), expected, "{version} {is_pinned:?}");
        }
        let remedy = finding(&old("1.1.79999-abcdef0", Some(false)), "agent/newest").remedy;
        assert_eq!(remedy.unwrap().commands(), ["sudo runnerup install --version latest"]);
    }

    #[test]
    fn an_agent_that_updates_itself_or_has_no_receipt_is_not_judged() {
        let mut survey = old("1.1.79999-abcdef0", Some(false));
        set(&mut survey, "api.url", None);
        set(&mut survey, "runner.disable_auto_update", None);
        assert_eq!(status(&survey, "agent/newest"), Status::NotApplicable);
        let mut survey = old("1.1.79999-abcdef0", Some(false));
        agent(&mut survey).receipt = None;
        assert_eq!(status(&survey, "agent/newest"), Status::NotApplicable);
    }

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
