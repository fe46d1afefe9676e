//! Resource limits of a service that are too small for a job.

use super::rules;
use crate::{
    doctor::{Check, Judge, Judged, lookup::service},
    host::{Install, Survey},
};

/// A limit, the least that a job needs, and the effect of a smaller one.
pub(super) type Least = (&'static str, u64, &'static str);

/// Limits of sizes and of times; the longest job by default must fit in.
pub(super) fn limits<'a>(
    install: &Install,
    sizes: &'a [Least],
    times: &'a [(&'static str, &'static str)],
) -> impl Iterator<Item = Least> + Clone + 'a {
    let job = install.agent.profile().drain.longest_job.as_secs();
    let times = times.iter().map(move |(key, what)| (*key, job, *what));
    sizes.iter().copied().chain(times)
}

pub(super) const SENSIBLE: Check = Check {
    name: "service/limits-sensible",
    holds: "The resource limits of the service are large enough for a job",
    why: "A limit that is large enough for a daemon stops a build: it applies to the agent and all \
          of its jobs together.",
    found: "The doctor compares the limits of the unit or the plist with the least that jobs need.",
    cure: "Raise the limit, or remove it.",
    after: &["service/loaded"],
    judge: Judge::Agent(sensible),
};

fn sensible(_: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    rules(service.manager).limits(install, service)
}
