//! Which services no remedy starts, stops or restarts: the one place that decides it, for the steps
//! of `--fix` and for every command that a person is told to paste.

use crate::{
    doctor::{Remedy, remedy::Text},
    host::{EndedBy, Ending, HostEnd, Install, Named, PathWalk, Service, Survey},
    platform::fs::Kind,
    record::Step,
    service::{host_ends, systemd::drop_ins::is_documented},
    text::Effect,
};

/// Why a service is left as it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// The host ends with it.
    HostEnds(EndedBy, Ending),
    /// What runs then is not known: a person may restart it, who knows.
    MayEnd(EndedBy),
    /// systemd refuses to start it: a unit that it requires does not exist, or is masked.
    Unstartable,
    /// It runs more than the agent: what a host does at its start, or a service that ends.
    Shared,
    /// The manager would follow a link to a file of variables, and give them to the jobs.
    ForeignFile,
}

/// What ends the host when an agent has done its work: the host is there for one job.
pub(in crate::doctor) fn one_shot(install: &Install) -> Option<HostEnd> {
    let ends = host_ends(install.service.as_ref()?).into_iter();
    ends.filter(|end| end.ending != Ending::Unread).find(|end| end.by.follows_success())
}

fn held(install: &Install, service: &Service) -> Option<Held> {
    let ends = host_ends(service);
    let is_known = |end: &&HostEnd| end.ending != Ending::Unread;
    let ending = ends.iter().find(is_known).map(|end| Held::HostEnds(end.by, end.ending));
    let unknown = ends.iter().find(|end| !is_known(end)).map(|end| Held::MayEnd(end.by));
    let is_unstartable = service.boot.ok().is_some_and(|boot| !boot.missing.is_empty());
    let is_foreign = install.paths.iter().any(leads_elsewhere);
    ending
        .or(runs_more(install, service).then_some(Held::Shared))
        .or(is_unstartable.then_some(Held::Unstartable))
        .or(is_foreign.then_some(Held::ForeignFile))
        .or(unknown)
}

/// Whether a unit that nobody gave to the agent alone runs it beside other things: `/etc/rc.local`, a
/// script of the time before systemd, a unit that ends by itself.
fn runs_more(install: &Install, service: &Service) -> bool {
    let is_agents = install.receipt.is_some() || is_documented(&service.name);
    let is_made = |walk: &PathWalk| {
        ["/run/systemd/generator", "/run/systemd/transient"]
            .iter()
            .any(|folder| walk.path.to_string_lossy().starts_with(folder))
    };
    let is_oneshot = || service.value("Service", "Type") == Some("oneshot");
    service.manager.profile().starts_by_links()
        && !is_agents
        && (service.name.starts_with("rc-local.")
            || service.file().is_some_and(is_made)
            || is_oneshot())
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
            |step| {
                acts_on(step, &service.name) || why == Held::Shared && adds_to(step, &service.name)
            },
            |effect| !matches!(why, Held::MayEnd(_)) && acts(effect, &service.name, is_own),
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
            Self::MayEnd(by) => Text::from([
                " This program does not stop or restart the service by itself: ",
                by.name(),
                " ",
                Ending::Unread.words(),
                " and that may end the host. Look at it first.",
            ]),
            Self::ForeignFile => Text::from(
                " The service is not restarted: an environment file of it is behind a link, which \
                 systemd follows as root.",
            ),
            Self::Shared => Text::from(
                " The service is not changed or restarted: it runs more than the agent. Give the agent a \
                 unit of its own.",
            ),
            Self::Unstartable => Text::from(
                " The service is not restarted: systemd refuses to start it while a unit that it \
                 requires is missing.",
            ),
        }
    }
}

/// Whether a step enables the service, or writes a drop-in of it.
fn adds_to(step: &Step, name: &str) -> bool {
    let folder = format!("{name}.d");
    match step {
        Step::Enable { service } => service == name,
        Step::File(_) | Step::Folder(_) => {
            let target = step.target();
            let mut names = target.path().into_iter().flat_map(std::path::Path::iter);
            names.any(|part| part == folder.as_str())
        }
        _ => false,
    }
}

fn acts_on(step: &Step, name: &str) -> bool {
    match step {
        Step::Start { service, .. } | Step::Stop { service, .. } => service == name,
        _ => false,
    }
}

/// Whether a command acts on a service; `is_own`: it is advised for the agent that this one runs.
fn acts(effect: &Effect, service: &str, is_own: bool) -> bool {
    match effect {
        Effect::Nothing => false,
        Effect::Service(name) => name == service,
        Effect::Processes | Effect::Install => is_own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Command,
        doctor::{Selection, Status, fixtures::*, judge},
        host::{Activity, Load, Provenance, Seen},
        service::{
            launchd::{self, OnJob, bootstrap_in},
            systemd::OnUnit,
            task_scheduler::OnTask,
        },
        text::sources,
        values::Manager,
    };
    use std::path::Path;

    fn one_shot_host() -> Survey {
        let mut survey = healthy();
        directive(&mut survey, "Service", "ExecStopPost", "shutdown now -h");
        directive(&mut survey, "Service", "Restart", "no");
        set(&mut survey, "runner.mode", Some("single-task"));
        set(&mut survey, "runner.idle_timeout", Some("1m"));
        survey
    }

    /// An rc.local that starts an agent once lost the rest of its work to drop-ins and restarts.
    #[test]
    fn what_runs_more_than_the_agent_is_not_changed() {
        for (name, kind, is_changed) in [
            ("rc-local.service", "forking", false),
            ("ci-start.service", "oneshot", false),
            ("ci-start.service", "exec", true),
            ("circleci.service", "oneshot", true),
        ] {
            let mut survey = healthy();
            agent(&mut survey).receipt = None;
            service_of(&mut survey).name = name.into();
            directive(&mut survey, "Service", "Type", kind);
            directive(&mut survey, "Service", "Restart", "no");
            let found = judge(&survey, &Selection::default());
            let mut steps = found.iter().filter_map(|found| found.remedy.as_ref());
            let is_step = |step: &Step| acts_on(step, name) || adds_to(step, name);
            let changes = steps.any(|remedy| remedy.steps().iter().any(is_step));
            assert_eq!(changes, is_changed, "{name} {kind}");
        }
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
                    assert!(!acts_by_words(line), "{}: {line}", found.check);
                }
            }
        }
        assert!(with_steps > 0);
    }

    /// A person may know what `--fix` does not.
    #[test]
    fn what_a_stop_runs_that_nobody_knows_is_left_to_a_person() {
        let mut survey = healthy();
        directive(&mut survey, "Service", "NotifyAccess", "none");
        let fix = |survey: &Survey| {
            let remedy = finding(survey, "service/health-reported").remedy.unwrap();
            let starts = remedy.steps().iter().any(|step| acts_on(step, "circleci.service"));
            let types = remedy.commands().iter().any(|line| acts_by_words(line));
            (starts, types, remedy.text().contains("ExecStopPost= runs a program that"))
        };
        assert_eq!(fix(&survey), (true, true, false));
        let (by, ending) = (EndedBy::ExecStopPost, Ending::Unread);
        let end = HostEnd { by, ending, file: UNIT.into(), line: 6 };
        service_of(&mut survey).host_ends = Seen::Known(vec![end]);
        assert_eq!(fix(&survey), (false, true, true));
        assert_eq!(one_shot(agent(&mut survey)), None);
    }

    /// Whether a line starts, stops or restarts a service, or ends processes: by its words, which know
    /// nothing of [`Effect`].
    fn acts_by_words(line: &str) -> bool {
        let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "sudo").collect();
        let has = |all: &[&str]| all.iter().any(|word| words.contains(word));
        match words.first().copied().unwrap_or_default() {
            "systemctl" => has(&[
                "start",
                "stop",
                "restart",
                "try-restart",
                "reload-or-restart",
                "kill",
                "isolate",
                "--now",
            ]),
            // The wait between the two.
            "while" => has(&["launchctl"]),
            "launchctl" => has(&["kickstart", "bootout", "bootstrap", "kill"]),
            "schtasks" => has(&["/Run", "/End"]),
            "Stop-ScheduledTask" | "Start-ScheduledTask" | "Restart-Service" => true,
            "runnerup" => has(&["install", "uninstall"]),
            "kill" | "pkill" | "killall" | "taskkill" => true,
            _ => false,
        }
    }

    /// Every command that a manager's room makes on a service.
    fn of_managers() -> Vec<Command> {
        const ROOT: Provenance = Provenance::Root;
        let units = OnUnit::ALL.map(|what| what.of("circleci.service", ROOT));
        let jobs = OnJob::ALL.map(|what| what.of("system", "com.circleci.runner", ROOT));
        let tasks = OnTask::ALL.map(|what| what.of("circleci", ROOT));
        let survey = healthy();
        let install = &survey.installs[0];
        let mut service = install.service.clone().unwrap();
        service.manager = Manager::Launchd;
        service.name = "com.circleci.runner".into();
        let file = Path::new("/Library/LaunchDaemons/com.circleci.runner.plist");
        let more = [bootstrap_in("system", file, install, &service)];
        let reload = launchd::reload(install, &service);
        units.into_iter().chain(jobs).chain(tasks).chain(more).chain(reload).collect()
    }

    #[test]
    fn what_a_command_does_agrees_with_its_words() {
        let made = [Command::install(), Command::ending("kill -KILL").number(101_u32)];
        for command in of_managers().into_iter().chain(made) {
            let Some((line, effect)) = command.into_parts() else { continue };
            assert_eq!(effect != Effect::Nothing, acts_by_words(&line), "{line}: {effect:?}");
        }
        let does = |command: Command| command.into_parts().unwrap().1;
        let restart = does(OnUnit::Restart.of("circleci.service", Provenance::Root));
        assert!(
            acts(&restart, "circleci.service", false) && !acts(&restart, "other.service", true)
        );
        for own in [Effect::Install, Effect::Processes] {
            assert!(acts(&own, "circleci.service", true) && !acts(&own, "circleci.service", false));
        }
    }

    /// The files that say with the words what the command does.
    const TYPED: [&str; 4] = ["on_unit.rs", "on_job.rs", "on_task.rs", "text/command.rs"];

    /// Rooms whose commands are help for the host where they are told, and never a remedy's.
    const HELP: [&str; 5] = ["apply", "cli", "error", "session", "settings"];

    /// A command made of words alone does nothing to what runs.
    #[test]
    fn no_command_acts_without_a_word_for_it_in_its_type() {
        let help: Vec<_> = HELP.iter().flat_map(|room| sources::below(room)).collect();
        let mut count = 0;
        for (path, text) in sources::below("") {
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
            let is_help = help.iter().any(|(other, _)| *other == path);
            if is_help || TYPED.iter().any(|typed| path.ends_with(typed)) {
                continue;
            }
            for made in ["fixed(", "root(", "granting(", "shows(", "plutil(file, "] {
                let begins = code.split(made).skip(1);
                for rest in begins.filter_map(|rest| rest.trim_start().strip_prefix('"')) {
                    let line = rest.split('"').next().unwrap();
                    count += 1;
                    assert!(!acts_by_words(line), "{}: {line}", path.display());
                }
            }
            // Behind a command stands no other one that acts.
            for rest in code.split("then(\"").skip(1) {
                let line = rest.split('"').next().unwrap();
                let acts = line.split([';', '|', '&']).any(acts_by_words);
                assert!(!acts, "{}: {line}", path.display());
            }
        }
        assert!(count > 100, "{count}");
    }
}
