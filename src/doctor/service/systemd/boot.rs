//! Whether the next boot starts a unit.

use super::{OnUnit, on_unit};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    host::{
        Boot, ConditionFault, Install, PathRole, Service, Survey, UnitCondition, Wanter,
        WanterState,
    },
    record::Step,
    service::Verb,
};
use std::path::Path;

/// What keeps the next boot from starting a unit that is enabled.
pub(super) fn problems(install: &Install, service: &Service) -> Vec<Problem> {
    let Some(boot) = service.boot.ok() else { return Vec::new() };
    let mut problems: Vec<Problem> = not_reached(boot, install, service).into_iter().collect();
    problems.extend(boot.conditions.iter().map(|condition| fails(condition, install, service)));
    problems.extend(last_condition(boot, install, service));
    for other in &boot.conflicts {
        let summary =
            format!("{other}, which the boot starts too, conflicts with {}", service.name);
        problems.push(Problem::fail(summary).seen("Conflicts=").cure(edited(
            "Remove Conflicts= from one of the units: systemd starts one of the two only.",
            install,
            service,
        )));
    }
    if !boot.cycle.is_empty() {
        let row = boot.cycle.join(" starts after ");
        let first = &service.name;
        problems.push(
            Problem::fail(format!("an ordering cycle lets the boot leave out {first}"))
                .seen(format!("{row} starts after {first}"))
                .cure(edited(
                    "Remove the After= or Before= that closes the cycle: systemd leaves out one of its \
                     units.",
                    install,
                    service,
                )),
        );
    }
    problems.extend(unmounted(boot, install, service));
    problems
}

fn not_reached(boot: &Boot, install: &Install, service: &Service) -> Option<Problem> {
    if boot.is_reached {
        return None;
    }
    let name = &service.name;
    let is_kept = |wanter: &&Wanter| wanter.state != WanterState::UntilBoot;
    let Some(wanter) = boot.wanters.iter().find(is_kept) else {
        let is_static = service.state.ok().is_some_and(|state| state.enabled_word == "static");
        return match boot.wanters.first() {
            Some(_) => Some(
                Problem::fail(format!("{name} is enabled until the next boot only"))
                    .seen("its link is in /run/systemd/system, which the next boot empties")
                    .cure(enabled(install, service)),
            ),
            None if is_static => Some(
                Problem::fail(format!("nothing starts {name} at the next boot"))
                    .seen("static: the unit has no [Install] section, and no other unit names it")
                    .cure(wanted(boot, install, service)),
            ),
            None => None,
        };
    };
    let Wanter { name: target, .. } = wanter;
    let (what, seen) = match wanter.state {
        WanterState::Missing => (
            "which does not exist",
            match &wanter.meant {
                Some(meant) => format!("did you mean {meant}?"),
                None => "systemctl enable makes the link all the same".to_owned(),
            },
        ),
        WanterState::Masked => ("which is masked", "nothing can start it".to_owned()),
        _ => (
            "which is not part of this boot",
            format!("the boot leads to {} (default.target)", boot.target),
        ),
    };
    let problem = Problem::fail(format!("{name} is enabled for {target}, {what}"));
    let place = service.directives("Install", "WantedBy").last();
    let place = place.map(|line| {
        format!("{}:{}: WantedBy={}; ", line.file.display(), line.line, line.value.as_str())
    });
    let seen = format!("{}{seen}", place.unwrap_or_default());
    Some(problem.seen(seen).cure(wanted(boot, install, service)))
}

/// A link to the unit in a target of the boot.
fn wanted(boot: &Boot, install: &Install, service: &Service) -> Remedy {
    let remedy = Remedy::by_hand(
        "Have a target of the boot start the unit, and correct WantedBy= in [Install] of the unit.",
    );
    match boot.is_multi_user {
        true => remedy.command(on_unit(OnUnit::AddWants, install, service)),
        false => remedy,
    }
}

fn enabled(install: &Install, service: &Service) -> Remedy {
    let remedy = Remedy::by_hand("Enable the service.").typed(Verb::Enable, install, service);
    match install.named_by.is_root() {
        true => remedy.step(Step::Enable { service: service.name.clone() }),
        false => remedy,
    }
}

fn edited(text: &'static str, install: &Install, service: &Service) -> Remedy {
    let edit = on_unit(OnUnit::EditFull, install, service);
    Remedy::by_hand(text).command(edit)
}

fn fails(condition: &UnitCondition, install: &Install, service: &Service) -> Problem {
    let UnitCondition { file, line, key, why } = condition;
    let why = match why {
        ConditionFault::Path(path) => {
            format!("{} is not there, or not what it must be", path.display())
        }
        ConditionFault::PathStands(path) => format!("{} is there", path.display()),
        ConditionFault::FirstBoot => "only the first boot of a host starts the unit".to_owned(),
        ConditionFault::Host => "it is meant for another host".to_owned(),
        ConditionFault::Unknown => "it does not hold".to_owned(),
    };
    Problem::fail(format!("{key}= of {} does not hold: {why}", service.name))
        .seen(format!("{}:{line}", file.display()))
        .cure(edited("Make the condition hold, or remove it.", install, service))
}

/// A condition of another kind, by what became of the last start.
fn last_condition(boot: &Boot, install: &Install, service: &Service) -> Option<Problem> {
    let state = service.state.ok().filter(|state| !state.is_held())?;
    let effective = state.effective.as_ref()?;
    let failed = [effective.conditions_held, effective.assertions_held].contains(&Some(false));
    (failed && boot.conditions.is_empty()).then(|| {
        Problem::fail(format!("a condition of {} did not hold at its last start", service.name))
            .seen("systemctl show: ConditionResult or AssertResult is no")
            .cure(edited("Make the condition hold, or remove it.", install, service))
    })
}

/// A part of the agent on a file system that the boot does not mount.
fn unmounted(boot: &Boot, install: &Install, service: &Service) -> Option<Problem> {
    let binary = install.binary.as_ref().and_then(|binary| binary.walk.ok());
    let config = install.config_file().ok().map(|config| &config.walk);
    let workdir = install.path(PathRole::WorkFolder).and_then(|seen| seen.ok());
    let parts =
        [("the binary", binary), ("the configuration", config), ("the work folder", workdir)];
    let on = |path: &Path| boot.unmounted.iter().find(|point| path.starts_with(point));
    let (what, path, point) = parts.into_iter().find_map(|(what, walk)| {
        let path = walk?.path.as_path();
        Some((what, path, on(path)?))
    })?;
    let summary = format!("the boot does not mount {}, which {what} is on", point.display());
    Some(Problem::warn(summary).seen(format!("{}; noauto in /etc/fstab", path.display())).cure(
        edited(
            "Name the folder in RequiresMountsFor= of [Unit], or take noauto out of /etc/fstab.",
            install,
            service,
        ),
    ))
}

pub(in crate::doctor::service) const REQUIREMENTS: Check = Check {
    name: "service/requirements-met",
    holds: "Every unit that the agent's unit requires exists, and no other service stops the agent",
    why: "systemd refuses to start or restart a unit while a unit that it requires does not exist or \
          is masked: the agent ends once and stays away. With BindsTo= or PartOf= the agent and its \
          job stop whenever the other service does, as in an upgrade of that service.",
    found: "The doctor reads Requires=, BindsTo=, Requisite= and PartOf= of the unit and of the units \
            that it requires, and looks for the file of each.",
    cure: "Install or unmask the unit, or name it in Wants= and After= instead.",
    after: &["service/loaded"],
    judge: Judge::Agent(requirements),
};

fn requirements(_: &Survey, install: &Install) -> Judged {
    let service = super::unit(install)?;
    let boot = service.boot.known()?;
    let mut problems = Vec::new();
    for need in &boot.missing {
        let what = if need.is_masked { "is masked" } else { "does not exist" };
        let remedy = match need.is_masked {
            true => Remedy::by_hand("Unmask the unit that is required, or require it no more.")
                .command(OnUnit::Unmask.of(&need.name, install.named_by)),
            false => edited(
                "Install what the unit requires, or name it in Wants= in place of Requires=.",
                install,
                service,
            ),
        };
        problems.push(
            Problem::fail(format!("{} requires {}, which {what}", need.by, need.name))
                .seen(format!(
                    "{}={}: systemd refuses to start or restart {}",
                    need.key, need.name, service.name
                ))
                .cure(remedy),
        );
    }
    for tie in &boot.tied {
        problems.push(
            Problem::warn(format!("the agent and its job stop whenever {} stops", tie.name))
                .seen(format!("{}={} in the unit", tie.key, tie.name))
                .cure(edited(
                    "Write Wants= and After= in place of BindsTo= or PartOf=.",
                    install,
                    service,
                )),
        );
    }
    Ok(Verdict::of(problems, "every unit that it requires exists"))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Finding, Status, fixtures::*},
        host::{
            Boot, ConditionFault, Requirement, Seen, ServiceState, Survey, UnitCondition, Wanter,
            WanterState,
        },
    };

    fn with(change: impl FnOnce(&mut Boot)) -> Survey {
        let mut survey = healthy();
        if let Seen::Known(boot) = &mut service_of(&mut survey).boot {
            change(boot);
        }
        survey
    }

    fn enabled(change: impl FnOnce(&mut Boot)) -> Finding {
        finding(&with(change), "service/enabled")
    }

    fn wanter(name: &str, state: WanterState) -> Vec<Wanter> {
        vec![Wanter { name: name.into(), state, meant: None }]
    }

    #[test]
    fn a_unit_that_the_boot_does_not_come_to_is_not_enabled() {
        for (name, state, words) in [
            ("mutli-user.target", WanterState::Missing, "mutli-user.target, which does not exist"),
            ("graphical.target", WanterState::NotReached, "which is not part of this boot"),
            ("ci.target", WanterState::Masked, "which is masked"),
            ("multi-user.target", WanterState::UntilBoot, "until the next boot only"),
        ] {
            let found = enabled(|boot| {
                boot.is_reached = false;
                boot.wanters = wanter(name, state);
            });
            assert_eq!(found.status, Status::Fail);
            assert!(found.summary.contains(words), "{}", found.summary);
            let remedy = found.remedy.unwrap();
            assert_eq!(remedy.fixable, state == WanterState::UntilBoot);
            assert_eq!(remedy.commands().len(), 1, "{name}");
        }
    }

    #[test]
    fn what_keeps_a_unit_out_of_the_boot_is_found_before_it() {
        assert_eq!(enabled(|_| {}).status, Status::Pass);
        let condition = UnitCondition {
            file: UNIT.into(),
            line: 3,
            key: "ConditionPathExists".into(),
            why: ConditionFault::Path("/srv/on".into()),
        };
        let found = enabled(|boot| boot.conditions.push(condition));
        assert!(found.status == Status::Fail && found.summary.contains("/srv/on"), "{found:?}");
        assert_eq!(enabled(|boot| boot.conflicts.push("x.service".into())).status, Status::Fail);
        let found = enabled(|boot| {
            boot.cycle = ["circleci.service", "graphical.target"].map(str::to_owned).to_vec();
        });
        assert_eq!(found.status, Status::Fail);
        assert!(found.evidence.contains("circleci.service starts after graphical.target"));
        assert_eq!(enabled(|boot| boot.unmounted.push("/var/opt".into())).status, Status::Warn);
        assert_eq!(enabled(|boot| boot.unmounted.push("/data".into())).status, Status::Pass);
    }

    #[test]
    fn the_boot_counts_more_than_the_word_for_it() {
        let word = |word: &str, is_reached| {
            let mut survey = with(|boot| {
                boot.is_reached = is_reached;
                boot.wanters.clear();
            });
            if let Seen::Known(state) = &mut service_of(&mut survey).state {
                let enabled = matches!(word, "static" | "enabled");
                *state = ServiceState { enabled, enabled_word: word.into(), ..state.clone() };
            }
            status(&survey, "service/enabled")
        };
        assert_eq!(word("static", false), Status::Fail);
        assert_eq!(word("static", true), Status::Pass);
        assert_eq!(word("disabled", false), Status::Fail);
        // A timer, or another unit, starts it.
        assert_eq!(word("disabled", true), Status::Pass);
    }

    #[test]
    fn what_is_required_must_exist() {
        let need = |is_masked| Requirement {
            key: "Requires".into(),
            name: "docker.service".into(),
            by: "circleci.service".into(),
            is_masked,
        };
        let survey = with(|boot| boot.missing.push(need(false)));
        let found = finding(&survey, "service/requirements-met");
        assert_eq!(found.status, Status::Fail);
        assert_eq!(found.summary, "circleci.service requires docker.service, which does not exist");
        let masked =
            finding(&with(|boot| boot.missing.push(need(true))), "service/requirements-met");
        let remedy = masked.remedy.unwrap();
        assert_eq!(remedy.commands(), ["sudo systemctl unmask docker.service"]);
        let tied = with(|boot| boot.tied.push(need(false)));
        assert_eq!(status(&tied, "service/requirements-met"), Status::Warn);
        // A restart would fail, and end the agent for good.
        let mut survey = with(|boot| boot.missing.push(need(false)));
        directive(&mut survey, "Service", "Restart", "no");
        let remedy = finding(&survey, "service/restarts").remedy.unwrap();
        assert!(remedy.text().contains("refuses to start it"), "{}", remedy.text());
        assert!(!remedy.commands().iter().any(|line| line.contains("restart")));
    }
}
