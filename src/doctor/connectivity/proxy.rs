//! The proxies of the service and of the shell.

use super::{endpoints, named};
use crate::{
    agent::no_proxy,
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Endpoint, Install, Provenance, Side, Survey, Unseen},
};

pub(super) const EXEMPTIONS: Check = Check {
    name: "connectivity/no-proxy-sane",
    holds: "NO_PROXY is well-formed",
    why: "A list with spaces, URLs or patterns exempts no host, or every host, from the proxy.",
    found: "The doctor reads NO_PROXY of the service by the rules of Go, as the agent does.",
    cure: "Write host names and networks with commas between them: example.com,10.0.0.0/8.",
    after: &[],
    judge: Judge::Agent(exemptions),
};

fn exemptions(_: &Survey, install: &Install) -> Judged {
    let variable = install.variable("NO_PROXY").or_else(|| install.variable("no_proxy"));
    let Some(variable) = variable else {
        return Err(Unseen::not_applicable("the service has no NO_PROXY"));
    };
    let list = variable.value.as_deref().unwrap_or_default();
    let has_proxy = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]
        .iter()
        .any(|name| install.variable(name).is_some());
    let problem = match no_proxy::idle_entry(list) {
        Some(odd) => Problem::warn(format!("NO_PROXY has an entry that exempts nothing: {odd:?}")),
        None if no_proxy::exempts_all(list) && has_proxy => {
            Problem::warn("NO_PROXY is *: the proxy of the service is never used")
        }
        None => return Ok(Verdict::Holds(list.to_owned())),
    };
    Ok(problem
        .seen(format!("{}={list} at {}", variable.name, variable.source))
        .cure(Remedy::by_hand(
            "Write host names and networks with commas between them: example.com,10.0.0.0/8.",
        ))
        .into())
}

pub(super) const WORKS: Check = Check {
    name: "connectivity/proxy-works",
    holds: "The service's proxy forwards requests to every endpoint",
    why: "A proxy that is down, or that requires a login, blocks the agent like a firewall.",
    found: "The doctor sends a request to each endpoint through the proxy that applies to it.",
    cure: "Correct the address or the login of the proxy in the place that the finding names.",
    after: &["connectivity/names-resolve"],
    judge: Judge::Agent(works),
};

fn works(survey: &Survey, install: &Install) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let through: Vec<_> = endpoints.iter().filter(|endpoint| endpoint.proxy.is_some()).collect();
    let Some(first) = through.first().and_then(|endpoint| endpoint.proxy.as_ref()) else {
        return Err(Unseen::not_applicable("the service uses no proxy"));
    };
    let mut problems = Vec::new();
    for endpoint in &through {
        let Some(proxy) = endpoint.proxy.as_ref() else { continue };
        if endpoint.resolved.outcome.is_err() {
            continue;
        }
        let status =
            endpoint.tunnel.as_ref().and_then(|tunnel| tunnel.outcome.as_ref().ok().copied());
        let answered = endpoint.answer.as_ref().and_then(|answer| answer.outcome.as_ref().ok());
        let plain_407 = answered.is_some_and(|finding| finding.status == 407);
        let what = if !endpoint.is_connected() {
            "cannot be reached".to_owned()
        } else if status == Some(407) || plain_407 {
            let login =
                if proxy.has_login { "refuses the login (407)" } else { "requires a login (407)" };
            login.to_owned()
        } else if let Some(status) = status.filter(|status| !(200..300).contains(status)) {
            format!("refuses to connect to {} ({status})", named(endpoint))
        } else if let Some(Err(why)) = endpoint.tunnel.as_ref().map(|tunnel| tunnel.outcome.clone())
        {
            format!("does not open a connection: {why}")
        } else {
            continue;
        };
        problems.push(
            Problem::fail(format!("the proxy {} {what}", proxy.url))
                .seen(format!("the proxy is set by {}", proxy.source))
                .cure(Remedy::by_hand(
                    "Correct the address where it is set. A login stands before the host: \
                     http://USER:PASSWORD@HOST:PORT.",
                )),
        );
        // Every endpoint fails for the same reason.
        break;
    }
    Ok(Verdict::of(problems, format!("{} connects to {} endpoints", first.url, through.len())))
}

pub(super) const SAME: Check = Check {
    name: "connectivity/proxy-same",
    holds: "The service uses the same proxy as your shell",
    why: "A request that works in your shell can fail in the service, because the service does not \
          get the variables of the shell.",
    found: "If the proxies differ, the doctor sends a request to each needed endpoint through \
            both.",
    cure: "Set the proxy of the shell in the service, with a drop-in.",
    after: &[],
    judge: Judge::Agent(same),
};

fn same(survey: &Survey, install: &Install) -> Judged {
    let network = survey.network.known()?;
    let arrives = |side: Side, name: &str| {
        let endpoint = network.endpoints.iter().find(|endpoint| {
            endpoint.install == install.name && endpoint.side == side && endpoint.name == name
        })?;
        Some((
            endpoint,
            endpoint.answer.as_ref().is_some_and(|answer| {
                answer.outcome.as_ref().is_ok_and(|outcome| outcome.status != 407)
            }),
        ))
    };
    for name in ["api", "releases"] {
        let (Some((ours, as_service)), Some((theirs, as_shell))) =
            (arrives(Side::Service, name), arrives(Side::Shell, name))
        else {
            continue;
        };
        if !as_service && as_shell {
            let url = |endpoint: &Endpoint| {
                endpoint.proxy.as_ref().map_or("none".to_owned(), |proxy| proxy.url.clone())
            };
            let (of_shell, of_service) = (url(theirs), url(ours));
            let remedy = Remedy::by_hand("Give the service the proxy of the shell.");
            // The other settings stay as the receipt has them.
            let by = theirs.proxy.as_ref().map_or(Provenance::Anybody, |proxy| proxy.named_by);
            let remedy =
                remedy.command(Command::install().then("--proxy").trusted_value(&of_shell, by));
            return Ok(Problem::fail(format!(
                "{} can be reached from the shell, but not from the service",
                named(ours)
            ))
            .seen(format!("proxy of the shell: {of_shell}; proxy of the service: {of_service}"))
            .cure(remedy)
            .into());
        }
    }
    Ok(Verdict::Holds("service and shell reach the same endpoints".to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Attempt, Provenance, Proxied, Route, Seen, Side, Variable},
    };

    fn proxied() -> Option<Proxied> {
        let url = "http://proxy:3128".to_owned();
        Some(Proxied {
            url,
            source: "HTTPS_PROXY in /etc/x:1".into(),
            has_login: false,
            named_by: Provenance::Root,
        })
    }

    #[test]
    fn a_proxy_that_wants_a_login_or_is_down_fails() {
        let survey = online(|api| {
            api.proxy = proxied();
            api.tunnel = Some(Attempt { ms: 1, outcome: Ok(407), route: Route::Open });
            api.answer = None;
        });
        assert!(finding(&survey, "connectivity/proxy-works").summary.contains("407"));
        let survey = online(|api| {
            api.proxy = proxied();
            api.v4 = Some(Attempt { ms: 1, outcome: Err("refused".into()), route: Route::Refused });
        });
        assert_eq!(status(&survey, "connectivity/proxy-works"), Status::Fail);
        assert_eq!(status(&survey, "connectivity/reachable"), Status::Pass);
    }

    #[test]
    fn a_shell_that_arrives_where_the_service_does_not_is_told() {
        let mut survey = online(|api| api.answer = None);
        let Seen::Known(network) = &mut survey.network else { panic!() };
        let good = online(|_| {});
        let Seen::Known(good) = good.network else { panic!() };
        let mut shell = good.endpoints[0].clone();
        shell.side = Side::Shell;
        shell.proxy = proxied();
        network.endpoints.push(shell);
        assert_eq!(status(&survey, "connectivity/proxy-same"), Status::Fail);
    }

    #[test]
    fn a_list_with_blanks_is_told() {
        let mut survey = healthy();
        agent(&mut survey).environment.push(Variable {
            name: "NO_PROXY".into(),
            value: Some("a.com b.com".into()),
            source: "x:1".into(),
            secret: None,
            written_by: Default::default(),
        });
        assert_eq!(status(&survey, "connectivity/no-proxy-sane"), Status::Warn);
        for (list, is_odd) in
            [("[2001:db8::1]", true), ("10.0.0.0/33", true), ("a.com:443,.b.com,10.0.0.0/8", false)]
        {
            let variables = &mut agent(&mut survey).environment;
            variables.last_mut().unwrap().value = Some(list.into());
            let expected = if is_odd { Status::Warn } else { Status::Pass };
            assert_eq!(status(&survey, "connectivity/no-proxy-sane"), expected, "{list}");
        }
    }
}
