//! Failed connections to endpoints, reported once for each cause.

use super::{by_need, named};
use crate::{
    doctor::{Problem, Remedy},
    host::Endpoint,
};

/// A failed connection to one endpoint.
pub(super) struct Failure<'a> {
    /// The endpoint.
    pub(super) endpoint: &'a Endpoint,
    /// The summary; `{}` stands for the endpoint.
    pub(super) sentence: &'static str,
    /// Evidence that is the same for every endpoint with this cause.
    pub(super) cause: String,
    /// Evidence of this endpoint alone.
    pub(super) detail: String,
    /// What removes the cause.
    pub(super) remedy: Remedy,
}

/// One problem for each cause, with the list of its endpoints: the needed ones first.
pub(super) fn problems(mut failures: Vec<Failure<'_>>) -> Vec<Problem> {
    failures.sort_by_key(|failure| !failure.endpoint.required);
    let mut groups: Vec<Vec<Failure<'_>>> = Vec::new();
    for failure in failures {
        let is_same = |first: &Failure<'_>| {
            first.sentence == failure.sentence && first.cause == failure.cause
        };
        match groups.iter_mut().find(|group| group.first().is_some_and(is_same)) {
            Some(group) => group.push(failure),
            None => groups.push(vec![failure]),
        }
    }
    groups.into_iter().filter_map(problem).collect()
}

fn problem(group: Vec<Failure<'_>>) -> Option<Problem> {
    let mut failures = group.into_iter();
    let first = failures.next()?;
    let others: Vec<String> = failures.map(|failure| named(failure.endpoint)).collect();
    let name = named(first.endpoint);
    let which = match others.len() {
        0 => name,
        1 => format!("{name} and one more"),
        count => format!("{name} and {count} more"),
    };
    let mut seen = vec![first.cause, first.detail];
    if !others.is_empty() {
        seen.push(format!("the same for {}", others.join(", ")));
    }
    seen.retain(|part| !part.is_empty());
    let problem = by_need(first.endpoint, first.sentence.replace("{}", &which));
    Some(problem.seen(seen.join("; ")).cure(first.remedy))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Attempt, Route, Seen},
    };

    /// The host has no resolver: nine endpoints fail for one cause.
    #[test]
    fn one_cause_is_one_line_with_its_endpoints() {
        let lost = Attempt { ms: 5, outcome: Err("no name server".into()), route: Route::NoName };
        let mut survey = online(|api| api.resolved = lost);
        let Seen::Known(network) = &mut survey.network else { panic!() };
        for at in 1..9 {
            let mut other = network.endpoints[0].clone();
            other.required = false;
            other.url = format!("https://other{at}.example");
            network.endpoints.push(other);
        }
        let found = finding(&survey, "connectivity/names-resolve");
        assert_eq!(found.status, Status::Fail);
        assert_eq!(found.evidence.lines().count(), 1, "{}", found.evidence);
        assert!(found.evidence.contains("other8.example"), "{}", found.evidence);
        assert!(found.summary.ends_with("and 8 more"), "{}", found.summary);
        assert_eq!(found.remedy.unwrap().commands().len(), 2);
    }
}
