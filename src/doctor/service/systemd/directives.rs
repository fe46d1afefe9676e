//! Lines of a unit that systemd does not accept.

use super::image_lines;
use crate::{
    doctor::{Judged, Problem, Remedy, Verdict},
    host::{Directive, Install, Misread, Objection, Seen, Service},
    service::systemd::{OnUnit, on_unit},
    text::nearest,
};

/// Usual directives of an agent's unit, to suggest the right spelling. systemd itself decides which are
/// valid.
const USUAL: [(&str, &[&str]); 3] = [
    (
        "Unit",
        &[
            "After",
            "Before",
            "Description",
            "Documentation",
            "OnFailure",
            "Requires",
            "StartLimitBurst",
            "StartLimitIntervalSec",
            "Wants",
        ],
    ),
    (
        "Service",
        &[
            "AmbientCapabilities",
            "Environment",
            "EnvironmentFile",
            "ExecStart",
            "ExecStartPre",
            "ExecStop",
            "Group",
            "KillMode",
            "KillSignal",
            "LimitNOFILE",
            "LimitNPROC",
            "MemoryMax",
            "Nice",
            "NoNewPrivileges",
            "NotifyAccess",
            "PrivateTmp",
            "ProtectHome",
            "ProtectSystem",
            "ReadWritePaths",
            "Restart",
            "RestartSec",
            "RuntimeMaxSec",
            "SupplementaryGroups",
            "TasksMax",
            "TimeoutStartSec",
            "TimeoutStopSec",
            "Type",
            "UMask",
            "User",
            "WatchdogSec",
            "WorkingDirectory",
        ],
    ),
    ("Install", &["Alias", "Also", "RequiredBy", "WantedBy"]),
];

/// Whether systemd accepts every line.
pub(super) fn accepted(install: &Install, service: &Service) -> Judged {
    let advice = "Correct each line that is shown; systemd.directives(7) names the manual of each \
                  directive.";
    let problem = |objection| {
        let shows = on_unit(OnUnit::Verify, install, service);
        problem(service, objection).cure(Remedy::by_hand(advice).inspect(shows))
    };
    // What is meant by a line, and what becomes of it, is told elsewhere.
    let is_told = |objection: &Objection| {
        let is_it =
            |misread: &Misread| misread.file == objection.file && misread.line == objection.line;
        service.misread.iter().any(is_it) || is_judged(service, objection)
    };
    let objections = match &service.objections {
        Seen::Known(objections) => objections.iter(),
        Seen::Unseen(unseen) => {
            return match image_lines::problems(service) {
                problems if problems.is_empty() => Err(unseen.clone()),
                problems => Ok(Verdict::Broken(problems)),
            };
        }
    };
    let problems: Vec<_> =
        objections.filter(|objection| !is_told(objection)).map(problem).collect();
    let count = service.directives.len();
    Ok(Verdict::of(problems, format!("systemd accepts all {count} directives")))
}

/// Lines that other checks judge: one that an older systemd passes over and every unit should have, and
/// one that systemd warns of and service/stop-waits too.
const JUDGED: [(&str, &str); 2] = [("OOMPolicy", "continue"), ("KillMode", "none")];

fn is_judged(service: &Service, objection: &Objection) -> bool {
    let is_it = |line: &Directive| (&line.file, line.line) == (&objection.file, objection.line);
    JUDGED.into_iter().any(|(key, value)| {
        let mut lines = service.directives("Service", key);
        lines.any(|line| is_it(line) && line.value.as_str() == value)
    })
}

fn problem(service: &Service, objection: &Objection) -> Problem {
    let Objection { file, line, message } = objection;
    let of_file = || service.directives.iter().filter(|directive| directive.file == *file);
    let before = of_file().rfind(|directive| directive.line <= *line);
    let next = of_file().find(|directive| directive.line > *line);
    // The line of a header, or the last one of several: a header leads to another section.
    let is_of_one = before.map(|line| &line.section) == next.map(|line| &line.section);
    let directive =
        before.filter(|directive| directive.line == *line || next.is_none() || is_of_one);
    let (title, advice) = match directive {
        Some(directive) if directive.key.is_empty() => (
            "a line of the unit is not a directive".to_owned(),
            Some("write it as KEY=VALUE".to_owned()),
        ),
        Some(Directive { section, key, .. }) => {
            (format!("systemd objects to {key}= in [{section}]"), for_key(section, key))
        }
        None => {
            let header = next.filter(|directive| directive.line == *line + 1);
            let advice = header.and_then(|directive| for_section(&directive.section));
            ("systemd objects to a line of the unit".to_owned(), advice)
        }
    };
    let advice = advice.map(|advice| format!(" ({advice})")).unwrap_or_default();
    let message = message.trim_end_matches('.');
    Problem::warn(title).seen(format!("{}:{line}: {message}{advice}", file.display()))
}

fn for_key(section: &str, key: &str) -> Option<String> {
    let usual = USUAL.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, keys)| keys);
    let home = USUAL.iter().find(|(_, keys)| keys.contains(&key)).map(|(name, _)| *name);
    match home {
        Some(home) if home == section => None,
        Some(home) => Some(format!("it belongs in [{home}]")),
        None => nearest(key, usual).map(|near| format!("did you mean {near}=?")),
    }
}

fn for_section(section: &str) -> Option<String> {
    let names = USUAL.map(|(name, _)| name);
    let near = nearest(section, &names).filter(|near| *near != section);
    near.map(|near| format!("did you mean [{near}]?"))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Objection, Seen},
    };

    #[test]
    fn a_line_that_an_older_systemd_passes_over_is_right() {
        for (key, value, expected) in [
            ("OOMPolicy", "continue", Status::Pass),
            ("OOMPolicy", "go-on", Status::Warn),
            ("KillMode", "none", Status::Pass),
            ("KillMode", "nobody", Status::Warn),
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", key, value);
            let line = service_of(&mut survey).directives.last().unwrap().line;
            object(&mut survey, line);
            assert_eq!(status(&survey, "service/directives-known"), expected);
        }
    }

    #[test]
    fn what_systemd_objects_to_is_told_with_what_was_meant() {
        for (section, key, advice) in [
            ("Service", "TimeoutStopSecs", "ignoring (did you mean TimeoutStopSec=?)"),
            ("Service", "TimeoutStopSec", "ignoring"),
            ("Service", "After", "ignoring (it belongs in [Unit])"),
            ("Unit", "Restart", "ignoring (it belongs in [Service])"),
            ("Service", "", "ignoring (write it as KEY=VALUE)"),
            ("Service", "Frobnicate", "ignoring"),
        ] {
            let mut survey = healthy();
            directive(&mut survey, section, key, "x");
            assert_eq!(status(&survey, "service/directives-known"), Status::Pass);
            let line = service_of(&mut survey).directives.last().unwrap().line;
            object(&mut survey, line);
            let found = finding(&survey, "service/directives-known");
            assert_eq!(found.status, Status::Warn, "{section} {key}");
            let place = format!("{UNIT}:{line}: Unknown key, {advice}");
            assert_eq!(found.evidence, place, "{section} {key}");
        }
    }

    #[test]
    fn the_last_of_several_lines_is_told_as_the_directive_that_they_are() {
        let mut survey = healthy();
        directive(&mut survey, "Service", "TimeoutStopSecs", "x");
        let line = service_of(&mut survey).directives.last().unwrap().line + 1;
        object(&mut survey, line);
        let found = finding(&survey, "service/directives-known");
        assert!(found.evidence.ends_with("(did you mean TimeoutStopSec=?)"), "{}", found.evidence);
    }

    #[test]
    fn a_section_that_no_service_has_is_told_with_the_one_that_was_meant() {
        let mut survey = healthy();
        directive(&mut survey, "Sevice", "User", "x");
        let line = service_of(&mut survey).directives.last().unwrap().line - 1;
        object(&mut survey, line);
        let found = finding(&survey, "service/directives-known");
        assert!(found.evidence.ends_with("(did you mean [Service]?)"), "{:?}", found.evidence);
    }

    #[test]
    fn what_systemd_was_not_asked_is_not_judged() {
        let mut survey = healthy();
        service_of(&mut survey).objections = Seen::default();
        assert_eq!(status(&survey, "service/directives-known"), Status::Skip);
    }

    fn object(survey: &mut crate::host::Survey, line: usize) {
        let message = "Unknown key, ignoring.".into();
        let objection = Objection { file: UNIT.into(), line, message };
        service_of(survey).objections = Seen::Known(vec![objection]);
    }
}
