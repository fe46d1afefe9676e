//! Which services no remedy starts, stops or restarts: the one place that decides it, for the steps
//! of `--fix` and for every command that a person is told to paste.

use crate::{
    doctor::{Remedy, remedy::Text},
    host::{EndedBy, Ending, HostEnd, Install, Named, PathWalk, Service, Survey},
    platform::fs::Kind,
    record::Step,
    service::host_ends,
};

/// Why a service is left as it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// The host ends with it.
    HostEnds(EndedBy, Ending),
    /// systemd refuses to start it: a unit that it requires does not exist, or is masked.
    Unstartable,
    /// The manager would follow a link to a file of variables, and give them to the jobs.
    ForeignFile,
}

/// What ends the host when an agent has done its work: the host is there for one job.
pub(in crate::doctor) fn one_shot(install: &Install) -> Option<HostEnd> {
    let ends = host_ends(install.service.as_ref()?).into_iter();
    ends.filter(|end| end.ending != Ending::Unread).find(|end| end.by.follows_success())
}

fn held(install: &Install, service: &Service) -> Option<Held> {
    let ending = host_ends(service).first().map(|end| Held::HostEnds(end.by, end.ending));
    let is_unstartable = service.boot.ok().is_some_and(|boot| !boot.missing.is_empty());
    let is_foreign = install.paths.iter().any(leads_elsewhere);
    ending
        .or(is_unstartable.then_some(Held::Unstartable))
        .or(is_foreign.then_some(Held::ForeignFile))
}

/// Whether it is a file of variables behind a link: root's manager follows it, wherever it leads by
/// then, and the account's jobs read the variables.
fn leads_elsewhere(named: &Named) -> bool {
    let is_plain =
        |walk: &PathWalk| walk.is_missing() || walk.is(Kind::File) && walk.real == walk.path;
    named.role.is_environment() && named.walk.ok().is_some_and(|walk| !is_plain(walk))
}

/// The remedy of a finding about `subject` without what starts, stops or restarts a service that is
/// to be left as it runs, and the reason in place of that.
pub(in crate::doctor) fn left_running(
    mut remedy: Remedy,
    survey: &Survey,
    subject: Option<&Install>,
) -> Remedy {
    for install in &survey.installs {
        let Some(service) = &install.service else { continue };
        let Some(why) = held(install, service) else { continue };
        let is_own = subject.is_some_and(|subject| subject.name == install.name);
        let was_changed = remedy.leave_out(
            |step| acts_on(step, &service.name),
            |line| acts(line, &service.name, is_own),
        );
        if was_changed {
            remedy = remedy.with_text(why.words());
        }
    }
    remedy
}

impl Held {
    fn words(self) -> Text {
        match self {
            Self::HostEnds(by, ending) => Text::from([
                " The service is not stopped or restarted by this program: ",
                by.name(),
                " ",
                ending.words(),
                " when the agent ends.",
            ]),
            Self::ForeignFile => Text::from(
                " The service is not restarted: an environment file of it is behind a link, which \
                 systemd follows as root.",
            ),
            Self::Unstartable => Text::from(
                " The service is not restarted: systemd refuses to start it while a unit that it \
                 requires is missing.",
            ),
        }
    }
}

fn acts_on(step: &Step, name: &str) -> bool {
    match step {
        Step::Start { service, .. } | Step::Stop { service, .. } => service == name,
        _ => false,
    }
}

/// Whether a command starts, stops or restarts a service, or ends its processes.
fn acts(line: &str, service: &str, is_own: bool) -> bool {
    let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "sudo").collect();
    let has = |word: &str| words.contains(&word);
    let names = || {
        words.iter().any(|word| {
            let word = word.trim_matches(['\'', '"']);
            word == service
                || word.ends_with(&format!("/{service}"))
                || word.ends_with(&format!("/{service}.plist"))
                || service.strip_suffix(".service") == Some(word)
        })
    };
    match words.first().copied().unwrap_or_default() {
        "systemctl" => {
            let verbs = [
                "start",
                "stop",
                "restart",
                "try-restart",
                "reload-or-restart",
                "kill",
                "isolate",
                "--now",
            ];
            verbs.into_iter().any(has) && names()
        }
        // The wait between the two.
        "while" => has("launchctl") && names(),
        "launchctl" => {
            ["kickstart", "bootout", "bootstrap", "kill"].into_iter().any(has) && names()
        }
        "schtasks" => (has("/Run") || has("/End")) && names(),
        "Stop-ScheduledTask" | "Start-ScheduledTask" | "Restart-Service" => names(),
        "runnerup" => is_own && (has("install") || has("uninstall")),
        "kill" | "pkill" | "killall" | "taskkill" => is_own,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{CHECKS, Selection, Status, fixtures::*, judge},
        host::{Activity, Load, Seen},
    };

    fn one_shot_host() -> Survey {
        let mut survey = healthy();
        directive(&mut survey, "Service", "ExecStopPost", "shutdown now -h");
        directive(&mut survey, "Service", "Restart", "no");
        set(&mut survey, "runner.mode", Some("single-task"));
        set(&mut survey, "runner.idle_timeout", Some("1m"));
        survey
    }

    #[test]
    fn a_one_shot_host_is_named_and_needs_no_restart() {
        let survey = one_shot_host();
        for check in ["service/restarts", "config/mode-fits"] {
            let found = finding(&survey, check);
            assert_eq!(found.status, Status::Pass, "{check}");
            assert!(found.summary.contains("one-shot"), "{check}: {}", found.summary);
        }
    }

    /// Of any check, for any state of the service.
    #[test]
    fn no_remedy_restarts_a_service_that_ends_its_host() {
        let mut with_steps = 0;
        for change in [
            (|_: &mut crate::host::ServiceState| {}) as fn(&mut crate::host::ServiceState),
            |state| state.needs_reload = true,
            |state| state.active = Activity::Failed,
            |state| state.load = Load::Masked,
            |state| state.load = Load::NotFound,
            |state| state.health = Some("Unhealthy".into()),
        ] {
            let mut survey = one_shot_host();
            for (key, value) in
                [("TimeoutStopSec", "9"), ("NotifyAccess", "none"), ("User", "none")]
            {
                directive(&mut survey, "Service", key, value);
            }
            directive(&mut survey, "Unit", "After", "");
            if let Seen::Known(state) = &mut service_of(&mut survey).state {
                change(state);
            }
            for found in judge(&survey, &Selection::default()) {
                let Some(remedy) = found.remedy else { continue };
                with_steps += remedy.steps().len();
                assert!(remedy.consent.is_none(), "{}", found.check);
                assert!(!remedy.steps().iter().any(|step| acts_on(step, "circleci.service")));
                for line in remedy.commands() {
                    assert!(!acts(line, "circleci.service", true), "{}: {line}", found.check);
                }
            }
        }
        assert!(with_steps > 0 && !CHECKS.is_empty());
    }

    #[test]
    fn commands_that_act_on_a_service_are_told_from_those_that_show_it() {
        for line in [
            "sudo systemctl restart circleci.service",
            "sudo systemctl enable --now circleci.service",
            "sudo systemctl kill -s TERM circleci.service",
            "sudo systemctl stop circleci",
            "sudo runnerup install --version latest",
            "sudo kill 101",
        ] {
            assert!(acts(line, "circleci.service", true), "{line}");
        }
        for line in [
            "sudo systemctl edit circleci.service",
            "systemctl status circleci.service",
            "sudo systemctl restart other.service",
            "sudo systemctl daemon-reload",
            "sudo runnerup doctor --fix",
        ] {
            assert!(!acts(line, "circleci.service", true), "{line}");
        }
        assert!(acts(
            "sudo launchctl kickstart -k system/com.circleci.runner",
            "com.circleci.runner",
            true
        ));
        assert!(acts("schtasks /End /TN circleci", "circleci", true));
    }
}
