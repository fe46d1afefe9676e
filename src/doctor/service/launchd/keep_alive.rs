//! `KeepAlive`, key by key, as `launchd.plist(5)` has it: its conditions are joined by "or".

use super::keys::{To, set};
use crate::{
    doctor::{Judged, Problem, Verdict, change::one_shot},
    host::{Directive, Install, PathRole, Seen, Service, ValueKind},
};

/// The dictionary of conditions.
const KEEP_ALIVE: &str = "KeepAlive";

/// What is in it of paths.
const PATHS: &str = "KeepAlive/PathState";

/// After which ends launchd starts a job again.
#[derive(Debug, Default, Clone, Copy)]
struct Again {
    success: bool,
    error: bool,
    crash: bool,
    /// As long as something stands, or does not stand, at a path.
    depends: bool,
}

impl Again {
    const ALWAYS: Self = Self { success: true, error: true, crash: true, depends: false };

    /// What one condition adds.
    fn of(line: &Directive) -> Self {
        let (wanted, never) = (line.value.as_str() == "true", Self::default());
        match (line.key.as_str(), wanted) {
            // Not a crash: that is no exit with a status.
            ("SuccessfulExit", true) => Self { success: true, ..never },
            ("SuccessfulExit", false) => Self { error: true, crash: true, ..never },
            ("Crashed", true) => Self { crash: true, ..never },
            ("Crashed", false) => Self { success: true, error: true, ..never },
            // Once it was demanded, as by RunAtLoad, it is kept alive.
            ("AfterInitialDemand", true) => Self::ALWAYS,
            // launchd logs of NetworkState and OtherJobEnabled that they are "no longer respected".
            _ => never,
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            success: self.success || other.success,
            error: self.error || other.error,
            crash: self.crash || other.crash,
            depends: self.depends || other.depends,
        }
    }
}

/// Whether launchd restarts the agent after every exit.
pub(super) fn judge(install: &Install, service: &Service) -> Judged {
    let cure = |problem: Problem| {
        Ok(problem.cure(set(install, service, KEEP_ALIVE, To::Truth("true"))).into())
    };
    if let Some(end) = one_shot(install) {
        return Ok(Verdict::Holds(format!("a one-shot host: {end}")));
    }
    if service.value("", "LaunchOnlyOnce") == Some("true") {
        return Ok(Problem::fail("launchd starts the agent only once")
            .seen("LaunchOnlyOnce is true in the plist")
            .cure(set(install, service, "LaunchOnlyOnce", To::Truth("false")))
            .into());
    }
    let never = |seen: String| {
        cure(Problem::fail("launchd does not restart the agent when it ends").seen(seen))
    };
    let line = service.directive("", KEEP_ALIVE);
    if let Some(line) = line {
        let is_truth = matches!(line.kind, ValueKind::Truth | ValueKind::Unknown);
        return match line.value.as_str() {
            "true" if is_truth => Ok(Verdict::Holds("KeepAlive is true".to_owned())),
            "true" | "false" if !is_truth => never(format!(
                "KeepAlive is {} in the plist, which launchd ignores: it takes <true/>",
                line.kind.word()
            )),
            _ if line.kind == ValueKind::Dictionary => {
                never("KeepAlive of the plist has no condition".to_owned())
            }
            value => never(format!("KeepAlive is {value} in the plist")),
        };
    }
    let conditions: Vec<&Directive> =
        service.directives.iter().filter(|line| is_own(line)).collect();
    if conditions.is_empty() {
        // What KeepAlive was called before.
        return match service.value("", "OnDemand") {
            Some("false") => Ok(Verdict::Holds("OnDemand is false".to_owned())),
            _ => never("the plist has no KeepAlive".to_owned()),
        };
    }
    let told = conditions.iter().map(|line| told(line)).collect::<Vec<_>>().join(", ");
    let seen = format!("KeepAlive of the plist: {told}");
    if let Some(line) = conditions.iter().find(|line| !is_truth(line)) {
        return never(format!("{seen}; launchd takes <true/> or <false/> for {}", line.key));
    }
    let is_set =
        |key: &str| conditions.iter().any(|line| line.key == key && line.value.as_str() == "true");
    if is_set("AfterInitialDemand") && service.value("", "RunAtLoad") != Some("true") {
        return cure(
            Problem::fail("launchd does not start the agent until something asks for it")
                .seen(seen),
        );
    }
    let again = conditions.iter().fold(Again::default(), |all, line| {
        all.or(Again::of(line)).or(Again { depends: is_met(install, line), ..Again::default() })
    });
    match again {
        Again { success: true, error: true, crash: true, .. } => {
            Ok(Verdict::Holds(format!("after every end: {told}")))
        }
        Again { depends: true, .. } => Ok(Verdict::Holds(format!("as long as it is so: {told}"))),
        // The exit after a drain, an idle timeout or a single task is a success.
        Again { success: false, error: true, crash: true, .. } => cure(
            Problem::warn("launchd does not restart the agent after an exit with status 0")
                .seen(format!("{seen}: restart only after a failure")),
        ),
        Again { success: true, error: false, .. } => cure(
            Problem::fail("launchd does not restart the agent after a failure")
                .seen(format!("{seen}: restart only after an exit with status 0")),
        ),
        Again { error: false, crash: true, .. } => cure(
            Problem::fail("launchd restarts the agent only after a crash")
                .seen(format!("{seen}: no restart after an exit, whatever its status")),
        ),
        Again { error: true, crash: false, .. } => {
            cure(Problem::warn("launchd does not restart the agent after a crash").seen(seen))
        }
        Again { .. } => {
            let is_void = |line: &Directive| {
                line.key == "NetworkState" || line.section != KEEP_ALIVE && line.section != PATHS
            };
            let why = match conditions.iter().all(|line| is_void(line)) {
                true => "macOS no longer has this condition",
                false => "it is not so",
            };
            never(format!("{seen}; {why}"))
        }
    }
}

/// A condition, or one of several of its kind.
fn is_own(line: &Directive) -> bool {
    line.section == KEEP_ALIVE
        || line.section.strip_prefix(KEEP_ALIVE).is_some_and(|rest| rest.starts_with('/'))
}

fn is_truth(line: &Directive) -> bool {
    let is_typed = matches!(line.kind, ValueKind::Truth | ValueKind::Unknown);
    is_typed && matches!(line.value.as_str(), "true" | "false")
}

/// A condition in the plist's words.
fn told(line: &Directive) -> String {
    let kind = line.section.strip_prefix(KEEP_ALIVE).unwrap_or_default().trim_start_matches('/');
    match kind {
        "" => format!("{} {}", line.key, line.value),
        kind => format!("{kind} {} {}", line.key, line.value),
    }
}

/// Whether a condition keeps the agent alive as long as something stands at a path, and it does, as far
/// as that was looked at.
fn is_met(install: &Install, line: &Directive) -> bool {
    let wanted = line.value.as_str() == "true";
    match line.section.as_str() {
        PATHS => {
            let of = |named: &&crate::host::Named| {
                named.role == PathRole::StartCondition
                    && named
                        .walk
                        .ok()
                        .is_some_and(|walk| walk.path.as_os_str() == line.key.as_str())
            };
            match install.paths.iter().find(of).map(|named| &named.walk) {
                Some(Seen::Known(walk)) => walk.end.is_some() == wanted,
                _ => true,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{PathRole, Survey, ValueKind},
        values::Manager,
    };

    /// An agent of launchd with these conditions, each with the dictionary that it is in.
    fn with(conditions: &[(&str, &str, &str)]) -> Survey {
        let mut survey = healthy();
        let service = service_of(&mut survey);
        service.manager = Manager::Launchd;
        service.directives.clear();
        for (section, key, value) in conditions {
            directive(&mut survey, section, key, value);
        }
        survey
    }

    #[test]
    fn each_condition_has_launchds_meaning() {
        let in_it = |key: &'static str, value: &'static str| ("KeepAlive", key, value);
        for (conditions, expected) in [
            (vec![("", "KeepAlive", "true")], Status::Pass),
            (vec![("", "KeepAlive", "false")], Status::Fail),
            (vec![], Status::Fail),
            (vec![("", "OnDemand", "false")], Status::Pass),
            // cc-connect and others take it for "restart after a success too".
            (vec![in_it("SuccessfulExit", "true")], Status::Fail),
            (vec![in_it("SuccessfulExit", "false")], Status::Warn),
            (vec![in_it("SuccessfulExit", "true"), in_it("Crashed", "true")], Status::Fail),
            (vec![in_it("SuccessfulExit", "false"), in_it("Crashed", "true")], Status::Warn),
            (vec![in_it("Crashed", "true")], Status::Fail),
            (vec![in_it("Crashed", "false")], Status::Warn),
            (vec![in_it("Crashed", "false"), in_it("SuccessfulExit", "false")], Status::Pass),
            (vec![in_it("NetworkState", "true")], Status::Fail),
            // As Homebrew services of several agents have it.
            (vec![in_it("NetworkState", "true"), in_it("SuccessfulExit", "false")], Status::Warn),
            (vec![in_it("AfterInitialDemand", "true")], Status::Fail),
            (vec![in_it("AfterInitialDemand", "true"), ("", "RunAtLoad", "true")], Status::Pass),
            (vec![("KeepAlive/OtherJobEnabled", "org.vpn", "true")], Status::Fail),
            (vec![("KeepAlive/PathState", "/etc/on", "true")], Status::Pass),
            (vec![in_it("SuccessfulExit", "yes")], Status::Fail),
        ] {
            let survey = with(&conditions);
            assert_eq!(status(&survey, "service/restarts"), expected, "{conditions:?}");
        }
    }

    #[test]
    fn a_path_that_is_not_there_keeps_nothing_alive() {
        for (is_there, wanted, expected) in [
            (true, "true", Status::Pass),
            (false, "true", Status::Fail),
            (false, "false", Status::Pass),
            (true, "false", Status::Fail),
        ] {
            let mut survey = with(&[("KeepAlive/PathState", "/etc/on", wanted)]);
            let mut walk = walk("/etc/on", file(0, 0o644));
            walk.end = walk.end.filter(|_| is_there);
            agent(&mut survey).paths.push(named(PathRole::StartCondition, walk));
            assert_eq!(status(&survey, "service/restarts"), expected, "{is_there} {wanted}");
        }
    }

    #[test]
    fn a_text_is_no_truth() {
        for (section, key) in [("", "KeepAlive"), ("KeepAlive", "Crashed")] {
            let mut survey =
                with(&[(section, key, "true"), ("KeepAlive", "SuccessfulExit", "false")]);
            service_of(&mut survey).directives[0].kind = ValueKind::Text;
            let found = finding(&survey, "service/restarts");
            assert_eq!(found.status, Status::Fail);
            assert!(found.evidence.contains("<true/>"), "{}", found.evidence);
        }
    }
}
