//! DNS, and connections over IPv4 and IPv6.

use super::{
    ask_network, endpoints,
    failure::{Failure, problems},
    named, server,
};
use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Route, Survey, Unseen},
    platform::Os,
};

pub(super) const RESOLVER: Check = Check {
    name: "connectivity/resolver-configured",
    holds: "The host has a DNS resolver",
    why: "Without a DNS resolver the host cannot resolve names, and no server can be reached.",
    found: "The doctor reads the nameserver lines of /etc/resolv.conf.",
    cure: "Configure a DNS resolver.",
    after: &[],
    judge: Judge::Host(resolver),
};

fn resolver(survey: &Survey) -> Judged {
    if survey.host.image {
        return Err(Unseen::not_applicable("an image gets its DNS resolver where it runs"));
    }
    let resolver = survey.host.resolver.known()?;
    if !resolver.servers.is_empty() {
        return Ok(Verdict::Holds(format!("DNS resolvers: {}", resolver.servers.join(", "))));
    }
    // Without the file the C library asks this host, which may run a resolver.
    let listens = survey.host.listening.ok().is_some_and(|ports| ports.contains(&53));
    if let Some(leads_to) = resolver.leads_to.as_ref().filter(|_| !listens) {
        let remedy = Remedy::by_hand(
            "Start the service that writes the file, such as systemd-resolved or NetworkManager, or \
             write a file with nameserver lines in place of the link.",
        )
        .inspect(Command::fixed("ls -l /etc/resolv.conf"));
        return Ok(Problem::fail("/etc/resolv.conf is a link to a file that does not exist")
            .seen(format!(
                "it leads to {}, and nothing on this host listens on port 53",
                leads_to.display()
            ))
            .cure(remedy)
            .into());
    }
    let why =
        resolver.failure.clone().unwrap_or_else(|| "the file has no nameserver line".to_owned());
    Err(Unseen::not_examined(format!("/etc/resolv.conf names no DNS resolver: {why}")))
}

pub(super) const RESOLVE: Check = Check {
    name: "connectivity/names-resolve",
    holds: "Every host name that the agent needs has an address",
    why: "An agent that cannot resolve the name of its server retries without end and claims no \
          job.",
    found: "The doctor resolves each name with the system's resolver. Where a proxy applies, it \
            resolves the name of the proxy.",
    cure: "Correct the DNS resolver, or the host name in the configuration.",
    after: &["connectivity/resolver-configured"],
    judge: Judge::Agent(resolve),
};

fn resolve(survey: &Survey, install: &Install) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let asked =
        survey.host.resolver.ok().map(|resolver| resolver.servers.join(", ")).unwrap_or_default();
    let mut failures = Vec::new();
    let mut slowest = 0;
    for endpoint in &endpoints {
        slowest = slowest.max(endpoint.resolved.ms);
        let Err(why) = &endpoint.resolved.outcome else { continue };
        let lookup = match survey.host.os {
            Os::Linux => Command::fixed("getent hosts"),
            Os::Darwin => Command::fixed("dscacheutil -q host -a name"),
            Os::Windows => Command::fixed("nslookup"),
        };
        let servers = match survey.host.os {
            Os::Linux => Command::fixed("cat /etc/resolv.conf"),
            Os::Darwin => Command::fixed("scutil --dns"),
            Os::Windows => Command::fixed("netsh interface ip show dnsservers"),
        };
        let remedy = Remedy::by_hand("Correct the DNS resolver, or the host name.")
            .inspect(lookup.host(server(endpoint).as_ref()))
            .inspect(servers);
        failures.push(Failure {
            endpoint,
            sentence: match endpoint.resolved.route {
                Route::Silent => "the DNS resolver does not answer for {}",
                _ => "there is no address for {}",
            },
            cause: format!("{why}; DNS resolvers: {asked}"),
            detail: format!("after {} ms", endpoint.resolved.ms),
            remedy,
        });
    }
    Ok(Verdict::of(
        problems(failures),
        format!("{} names resolved, in at most {slowest} ms", endpoints.len()),
    ))
}

pub(super) const REACHABLE: Check = Check {
    name: "connectivity/reachable",
    holds: "Every endpoint that the agent needs accepts connections",
    why: "An agent that cannot reach its server claims no job. If it cannot reach the storage, \
          jobs fail at caches and artifacts.",
    found: "The doctor connects to each address within the timeout, IPv4 and IPv6 separately.",
    cure: "Allow outgoing connections to the hosts and ports that the finding names.",
    after: &["connectivity/names-resolve"],
    judge: Judge::Agent(reachable),
};

fn reachable(survey: &Survey, install: &Install) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let mut failures = Vec::new();
    // connectivity/proxy-works reports a proxy that is down.
    let direct = endpoints
        .iter()
        .filter(|endpoint| endpoint.proxy.is_none() && endpoint.resolved.outcome.is_ok());
    for endpoint in direct.filter(|endpoint| !endpoint.is_connected() && endpoint.name != "vcs") {
        let attempts = [&endpoint.v4, &endpoint.v6].into_iter().flatten();
        let seen: Vec<String> = attempts
            .clone()
            .filter_map(|attempt| {
                Some(format!("{} after {} ms", attempt.outcome.as_ref().err()?, attempt.ms))
            })
            .collect();
        let refused = attempts.clone().any(|attempt| attempt.route == Route::Refused);
        failures.push(Failure {
            endpoint,
            sentence: match refused {
                true => "{} refuses connections",
                false => "{} does not answer: a firewall may drop the packets",
            },
            cause: String::new(),
            detail: seen.join("; "),
            remedy: ask_network("Allow outgoing connections to this host and port.", endpoint),
        });
    }
    Ok(Verdict::of(problems(failures), format!("{} endpoints accept connections", endpoints.len())))
}

pub(super) const IPV6: Check = Check {
    name: "connectivity/ipv6-usable",
    holds: "The IPv6 addresses of endpoints can be reached, or nothing uses them",
    why: "Jobs are slow, because each new connection first waits seconds for an IPv6 address that \
          does not answer.",
    found: "The doctor connects over IPv6 and over IPv4 separately.",
    cure: "Repair the IPv6 route, or disable IPv6 on the interface that has it. /etc/gai.conf does \
           not help: the agents are Go programs, which do not read it.",
    after: &["connectivity/reachable"],
    judge: Judge::Agent(ipv6),
};

fn ipv6(survey: &Survey, install: &Install) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let bad = endpoints.iter().find(|endpoint| {
        let v4_works = endpoint.v4.as_ref().is_some_and(|attempt| attempt.outcome.is_ok());
        v4_works && endpoint.v6.as_ref().is_some_and(|attempt| attempt.route == Route::Silent)
    });
    let Some(bad) = bad else {
        return Ok(Verdict::Holds("no endpoint fails over IPv6 alone".to_owned()));
    };
    Ok(Problem::warn(format!("{} does not answer over IPv6, but over IPv4", named(bad)))
        .seen(format!(
            "connection over IPv6: {}",
            bad.v6.as_ref().and_then(|attempt| attempt.outcome.clone().err()).unwrap_or_default()
        ))
        .cure(
            Remedy::by_hand(
                "Repair the IPv6 route of this host, or disable IPv6 on the interface that has it.",
            )
            .inspect(match survey.host.os {
                Os::Linux => Command::fixed("ip -6 route"),
                Os::Darwin => Command::fixed("netstat -rn -f inet6"),
                Os::Windows => Command::fixed("netsh interface ipv6 show route"),
            }),
        )
        .into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Attempt, Route},
    };

    #[test]
    fn each_part_of_the_way_has_its_check() {
        let lost = || Attempt { ms: 5, outcome: Err("no".to_owned()), route: Route::NoName };
        let survey = online(|api| api.resolved = lost());
        assert_eq!(status(&survey, "connectivity/names-resolve"), Status::Fail);
        let refused = Attempt { ms: 1, outcome: Err("refused".into()), route: Route::Refused };
        let survey = online(|api| api.v4 = Some(refused));
        assert_eq!(status(&survey, "connectivity/reachable"), Status::Fail);
        let silent = Attempt { ms: 5000, outcome: Err("no answer".into()), route: Route::Silent };
        let survey = online(|api| api.v6 = Some(silent));
        assert_eq!(status(&survey, "connectivity/ipv6-usable"), Status::Warn);
        assert_eq!(status(&survey, "connectivity/reachable"), Status::Pass);
    }

    #[test]
    fn what_is_not_needed_is_a_warning() {
        let survey = online(|api| {
            api.required = false;
            api.v4 = Some(Attempt { ms: 1, outcome: Err("no".into()), route: Route::Silent });
        });
        assert_eq!(status(&survey, "connectivity/reachable"), Status::Warn);
    }
}
