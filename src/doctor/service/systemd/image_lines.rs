//! Lines of a unit that systemd would object to, where it cannot be asked: in an image.

use super::{OnUnit, on_unit};
use crate::{
    doctor::{Problem, Remedy},
    host::{Directive, Install, Service},
    service::{
        Verb,
        systemd::choices::{choices, may_take},
    },
    text::nearest,
};

/// The sections of a service's unit.
const SECTIONS: [&str; 3] = ["Unit", "Service", "Install"];

/// The section that a misspelt one was meant to be.
fn meant(section: &str) -> Option<&'static str> {
    nearest(section, &SECTIONS).filter(|near| *near != section)
}

/// The first line of each section whose name is misspelt, with the name that was meant.
fn misspelt(service: &Service) -> Vec<(&Directive, &'static str)> {
    let mut found: Vec<(&Directive, &'static str)> = Vec::new();
    for line in &service.directives {
        let is_known = |(other, _): &(&Directive, &str)| {
            other.file == line.file && other.section == line.section
        };
        if let Some(near) = meant(&line.section).filter(|_| !found.iter().any(is_known)) {
            found.push((line, near));
        }
    }
    found
}

/// The problem of a unit that has no `[Service]`, because the name of that section is misspelt: systemd
/// refuses it as a unit without `ExecStart=`.
pub(super) fn without_service(install: &Install, service: &Service) -> Option<Problem> {
    if service.directives.iter().any(|line| line.section == "Service") {
        return None;
    }
    let (line, near) = misspelt(service).into_iter().find(|(_, near)| *near == "Service")?;
    let remedy = Remedy::by_hand("Write [Service], with a capital S; then start the agent again.")
        .command(on_unit(OnUnit::EditFull, install, service))
        .typed(Verb::Reload, install, service)
        .typed(Verb::Restart, install, service);
    Some(unknown(line, near, Problem::fail).cure(remedy))
}

fn unknown(line: &Directive, near: &str, problem: fn(String) -> Problem) -> Problem {
    let Directive { file, section, key, line, .. } = line;
    problem(format!("systemd knows no section [{section}], and ignores its lines"))
        .seen(format!("{}:{line}: {key}= is in it; did you mean [{near}]?", file.display()))
}

/// What systemd would object to, as far as that is known of a unit's text alone.
pub(super) fn problems(service: &Service) -> Vec<Problem> {
    let sections = misspelt(service);
    let sections = sections.into_iter().map(|(line, near)| unknown(line, near, Problem::warn));
    let refused = service.directives.iter().filter(|line| {
        line.section == "Service" && !line.value.is_empty() && !may_take(&line.key, &line.value)
    });
    // A comment behind the word is told as such.
    let refused = refused.filter(|line| !line.value.contains(' '));
    let words = refused.map(|line| {
        let Directive { file, key, value, line, .. } = line;
        let near = choices(key).and_then(|words| nearest(value, words));
        let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
        Problem::warn(format!("systemd takes no {key}={value}, and ignores the line"))
            .seen(format!("{}:{line}{near}", file.display()))
    });
    let correct = || Remedy::by_hand("Correct each line that is shown.");
    sections.chain(words).map(|problem| problem.cure(correct())).collect()
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Selection, Status, fixtures::*, judge},
        host::{Load, Seen, Survey},
    };

    const DROP_IN: &str = "/etc/systemd/system/circleci.service.d/o.conf";

    fn image() -> Survey {
        let mut survey = healthy();
        survey.host.image = true;
        let service = service_of(&mut survey);
        service.state = Seen::not_applicable("nothing runs in an image");
        service.objections = Seen::not("an image");
        survey
    }

    /// It was six findings, and none of the section.
    #[test]
    fn a_misspelt_section_is_one_finding() {
        for (section, is_loaded, expected) in [
            ("Servce", false, Status::Fail),
            ("service", false, Status::Fail),
            ("X-Ours", true, Status::Pass),
        ] {
            for is_image in [true, false] {
                let mut survey = if is_image { image() } else { healthy() };
                if let Seen::Known(state) = &mut service_of(&mut survey).state {
                    state.load = if is_loaded { Load::Loaded } else { Load::BadSetting };
                }
                for line in &mut service_of(&mut survey).directives {
                    if line.section == "Service" && !is_loaded {
                        line.section = section.into();
                    }
                }
                service_of(&mut survey).command.clear();
                let found = finding(&survey, "service/loaded");
                if expected == Status::Fail {
                    assert!(found.summary.contains(&format!("[{section}]")), "{}", found.summary);
                    assert!(found.evidence.contains("[Service]?"), "{}", found.evidence);
                    let all = judge(&survey, &Selection::default());
                    let told = all
                        .iter()
                        .filter(|own| own.is_problem() && own.check.starts_with("service/"));
                    assert_eq!(told.map(|own| own.check).collect::<Vec<_>>(), ["service/loaded"]);
                }
            }
        }
    }

    #[test]
    fn a_word_that_systemd_does_not_take_leaves_the_earlier_one_in_force() {
        for (key, value, near) in [
            ("Restart", "alwys", "always"),
            ("NotifyAccess", "exce", "exec"),
            ("KillMode", "mixd", "mixed"),
        ] {
            let mut survey = image();
            directive(&mut survey, "Service", key, value);
            service_of(&mut survey).directives.last_mut().unwrap().file = DROP_IN.into();
            let found = finding(&survey, "service/directives-known");
            assert_eq!(found.status, Status::Warn, "{key}");
            assert!(found.evidence.contains(near), "{}", found.evidence);
            for check in [
                "service/restarts",
                "service/health-reported",
                "service/stop-waits",
                "config/mode-fits",
            ] {
                assert_eq!(status(&survey, check), Status::Pass, "{key} {check}");
            }
        }
    }
}
