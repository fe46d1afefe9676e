//! Whether the endpoint itself answers, and how.

use super::{ask_network, by_need, endpoints, named};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict, host::time_service},
    host::{Answered, Endpoint, Install, Survey, Unseen},
};

/// Checks of the connection, without which there is no answer.
const CONNECTION: &[&str] = &[
    "connectivity/names-resolve",
    "connectivity/reachable",
    "connectivity/proxy-works",
    "connectivity/tls-trusted",
];

pub(super) const API: Check = Check {
    name: "connectivity/api-answers",
    holds: "The server that answers is the runner API",
    why: "A captive portal or a proxy answers every request with a web page. The agent gets no \
          jobs, and its log has no clear error.",
    found: "The doctor sends a request that claims no job, and reads status, type and beginning of \
            the response.",
    cure: "Log in to the network, or exempt the host from the captive portal.",
    after: CONNECTION,
    judge: Judge::Agent(api),
};

fn api(survey: &Survey, install: &Install) -> Judged {
    judge(survey, install, "api")
}

pub(super) const RELEASES: Check = Check {
    name: "connectivity/releases-answer",
    holds: "The release bucket answers",
    why: "Without the release bucket jobs hang in \"Preparing Environment\": the agent downloads \
          the task agent from the bucket for every job.",
    found: "The doctor requests the file that names the newest version.",
    cure: "Allow the host of the bucket in the firewall and the proxy.",
    after: CONNECTION,
    judge: Judge::Agent(releases),
};

fn releases(survey: &Survey, install: &Install) -> Judged {
    judge(survey, install, "releases")
}

pub(super) const STORAGE: Check = Check {
    name: "connectivity/storage-answers",
    holds: "The storage for caches and artifacts answers",
    why: "Without the storage jobs are claimed, but fail when they restore a cache or store an \
          artifact.",
    found: "The doctor sends a request to the storage host; any response of the storage itself is \
            enough.",
    cure: "Allow the storage host in the firewall and the proxy.",
    after: CONNECTION,
    judge: Judge::Agent(storage),
};

fn storage(survey: &Survey, install: &Install) -> Judged {
    judge(survey, install, "storage")
}

fn judge(survey: &Survey, install: &Install, name: &str) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let Some(endpoint) = endpoints.iter().find(|endpoint| endpoint.name == name) else {
        return Err(Unseen::not_examined("no request was sent to this endpoint"));
    };
    let Some(answer) = &endpoint.answer else {
        return Err(Unseen::not_examined("no connection to this endpoint was made"));
    };
    let response = match &answer.outcome {
        Ok(response) => response,
        Err(why) => {
            return Ok(by_need(endpoint, format!("{} does not answer", named(endpoint)))
                .seen(format!("{why}, after {} ms", answer.ms))
                .cure(ask_network(
                    "Find out which server or proxy answers at this address.",
                    endpoint,
                ))
                .into());
        }
    };
    if let Some(portal) = portal(endpoint, response) {
        return Ok(by_need(
            endpoint,
            format!("another server answers in place of {}", named(endpoint)),
        )
        .seen(portal)
        .cure(ask_network(
            "Log in to the network, or exempt this host from the captive portal.",
            endpoint,
        ))
        .into());
    }
    match response.status {
        500..=599 => Ok(Problem::warn(format!(
            "{} reports an error of its own ({})",
            named(endpoint),
            response.status
        ))
        .seen(format!("the response has status {}", response.status))
        .cure(Remedy::by_hand(
            "Wait: the error is on the side of the server. https://status.circleci.com shows incidents.",
        ))
        .into()),
        // agent/token-accepted judges the token.
        401 if name == "api" => Ok(Verdict::Holds("the runner API answers 401".to_owned())),
        401 | 403 if name != "storage" => {
            Ok(by_need(endpoint, format!("{} refuses the request ({})", named(endpoint), response.status))
                .seen(format!(
                    "the response has status {} and begins with: {}",
                    response.status,
                    first_line(&response.begins)
                ))
                .cure(ask_network("Find out what refuses the request: a proxy, or the server.", endpoint))
                .into())
        }
        status => Ok(Verdict::Holds(format!("status {status} in {} ms", answer.ms))),
    }
}

/// What shows that another server answered in the place of the endpoint.
fn portal(endpoint: &Endpoint, response: &Answered) -> Option<String> {
    if let Some(location) =
        response.location.as_deref().filter(|_| (300..400).contains(&response.status))
    {
        let host = location
            .split_once("://")
            .map(|(_, rest)| rest.split(['/', ':']).next().unwrap_or(rest));
        let host = host.filter(|host| *host != endpoint.host())?;
        return Some(format!("status {} redirects to {host}", response.status));
    }
    let is_page = response.content_type.as_deref().is_some_and(|kind| kind.contains("text/html"))
        || response.begins.trim_start().to_lowercase().starts_with("<!doctype html");
    let says_amazon = response.server.as_deref().is_some_and(|server| server.contains("AmazonS3"));
    (is_page && response.status == 200 && endpoint.name != "vcs" && !says_amazon)
        .then(|| format!("status 200 with a web page: {}", first_line(&response.begins)))
}

fn first_line(text: &str) -> String {
    text.lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .chars()
        .take(120)
        .collect()
}

pub(super) const VCS: Check = Check {
    name: "connectivity/vcs-answers",
    holds: "At least one repository provider can be reached",
    why: "Without a repository provider jobs fail at checkout, the first step of nearly every job.",
    found: "The doctor connects to github.com, bitbucket.org and gitlab.com, or to the provider \
            that you named, over HTTPS and SSH.",
    cure: "Allow ports 443 and 22 of the provider that your projects use.",
    after: &[],
    judge: Judge::Agent(vcs),
};

fn vcs(survey: &Survey, install: &Install) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let providers: Vec<_> =
        endpoints.into_iter().filter(|endpoint| endpoint.name == "vcs").collect();
    if providers.is_empty() {
        return Err(Unseen::not_examined("no request was sent to a repository provider"));
    }
    let reached: Vec<&str> = providers
        .iter()
        .filter(|provider| provider.answer.as_ref().is_some_and(|answer| answer.outcome.is_ok()))
        .map(|provider| provider.url.as_str())
        .collect();
    if !reached.is_empty() {
        return Ok(Verdict::Holds(format!("reached: {}", reached.join(", "))));
    }
    let names: Vec<&str> = providers.iter().map(|provider| provider.url.as_str()).collect();
    Ok(Problem::warn("no repository provider can be reached: checkouts will fail")
        .seen(format!("no answer from {}", names.join(", ")))
        .cure(Remedy::by_hand("Allow ports 443 and 22 of the provider that your projects use."))
        .into())
}

pub(super) const CLOCK: Check = Check {
    name: "connectivity/clock-agrees",
    holds: "The clock of this host agrees with the clocks of the servers",
    why: "Servers refuse requests if the clock is wrong by minutes, and certificates are not valid \
          if it is wrong by hours.",
    found: "The doctor compares the Date header of each response with the clock.",
    cure: "Enable time synchronization.",
    after: &[],
    judge: Judge::Agent(clock),
};

fn clock(survey: &Survey, install: &Install) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let answers =
        endpoints.iter().filter_map(|endpoint| endpoint.answer.as_ref()?.outcome.as_ref().ok());
    let ahead = answers.filter_map(|answer| answer.clock_ahead).min_by_key(|ahead| ahead.abs());
    let Some(ahead) = ahead else {
        return Err(Unseen::not_examined("no response had a Date header"));
    };
    if ahead.abs() <= 60 {
        return Ok(Verdict::Holds(format!("{} s of difference", ahead.abs())));
    }
    let way = if ahead > 0 { "behind" } else { "ahead of" };
    let summary = format!("the clock of this host is {} s {way} the servers'", ahead.abs());
    let problem = if ahead.abs() > 300 { Problem::fail(summary) } else { Problem::warn(summary) };
    Ok(problem
        .seen("difference to the Date header that is nearest to the host's clock")
        .cure(time_service(survey, "Synchronize the clock."))
        .into())
}

pub(super) const LATENCY: Check = Check {
    name: "connectivity/latency",
    holds: "The endpoints respond fast enough",
    why: "A large distance makes every job slower: each step sends requests to the server, and \
          caches and artifacts are in AWS us-east-1.",
    found: "The doctor measures the time of connection and response of each endpoint.",
    cure: "Move the host nearer to the servers, or use a mirror near the host.",
    after: CONNECTION,
    judge: Judge::Agent(latency),
};

fn latency(survey: &Survey, install: &Install) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let time = |endpoint: &&Endpoint| {
        endpoint.answer.as_ref().filter(|answer| answer.outcome.is_ok()).map(|answer| answer.ms)
    };
    let slowest = endpoints
        .iter()
        .copied()
        .filter_map(|endpoint| Some((time(&endpoint)?, endpoint)))
        .max_by_key(|(ms, _)| *ms);
    let Some((ms, slowest)) = slowest else {
        return Err(Unseen::not_examined("no endpoint answered"));
    };
    let meaning = match slowest.name.as_str() {
        "storage" => "; caches and artifacts are in AWS us-east-1",
        _ => "",
    };
    if ms <= 1000 {
        return Ok(Verdict::Holds(format!("the slowest response took {ms} ms{meaning}")));
    }
    Ok(Problem::warn(format!("{} takes {ms} ms to answer{meaning}", named(slowest)))
        .seen(format!("connection and response of {} took {ms} ms", slowest.url))
        .cure(Remedy::by_hand(
            "Check the connection and its distance: caches and artifacts are in AWS us-east-1.",
        ))
        .into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Answered, Survey},
        platform::Os,
    };

    fn answered(change: impl FnOnce(&mut Answered)) -> Survey {
        online(|api| {
            if let Some(answer) = &mut api.answer
                && let Ok(response) = &mut answer.outcome
            {
                change(response);
            }
        })
    }

    #[test]
    fn a_portal_and_another_ones_trouble_are_told_apart() {
        let page = answered(|response| response.content_type = Some("text/html".into()));
        assert_eq!(status(&page, "connectivity/api-answers"), Status::Fail);
        let moved = answered(|finding| {
            finding.status = 302;
            finding.location = Some("http://login.hotel.example/".into());
        });
        assert_eq!(status(&moved, "connectivity/api-answers"), Status::Fail);
        let failure = answered(|finding| finding.status = 503);
        assert_eq!(status(&failure, "connectivity/api-answers"), Status::Warn);
        let refused = answered(|finding| finding.status = 403);
        assert_eq!(status(&refused, "connectivity/api-answers"), Status::Fail);
        assert_eq!(status(&online(|_| {}), "connectivity/api-answers"), Status::Pass);
    }

    #[test]
    fn a_refused_token_is_told_by_its_own_check() {
        let refused = answered(|finding| {
            finding.status = 401;
            finding.with_token = true;
        });
        assert_eq!(status(&refused, "connectivity/api-answers"), Status::Pass);
        assert_eq!(status(&refused, "agent/token-accepted"), Status::Fail);
    }

    #[test]
    fn a_clock_two_hours_off_fails() {
        let off = answered(|response| response.clock_ahead = Some(7200));
        assert_eq!(status(&off, "connectivity/clock-agrees"), Status::Fail);
        for (os, program) in [
            (Os::Linux, "sudo timedatectl set-ntp true"),
            (Os::Darwin, "sudo systemsetup -setusingnetworktime on"),
            (Os::Windows, "w32tm /resync"),
        ] {
            let mut survey = off.clone();
            survey.host.os = os;
            let remedy = finding(&survey, "connectivity/clock-agrees").remedy.unwrap();
            assert_eq!(remedy.commands()[0], program);
        }
        let little = answered(|response| response.clock_ahead = Some(-100));
        assert_eq!(status(&little, "connectivity/clock-agrees"), Status::Warn);
    }

    #[test]
    fn a_slow_answer_warns() {
        let slow = online(|api| {
            if let Some(answer) = &mut api.answer {
                answer.ms = 3000;
            }
        });
        assert_eq!(status(&slow, "connectivity/latency"), Status::Warn);
    }
}
