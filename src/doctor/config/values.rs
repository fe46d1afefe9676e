//! Values of the configuration, each by its own rule.

use crate::{
    agent::UrlFault,
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict,
        change::one_shot,
        service,
        sources::{change, from, unset},
    },
    host::{Install, Resolved, Source, Survey, Unseen},
    values::{GoDuration, HostPort, RunnerName},
};

pub(super) const NAME: Check = Check {
    name: "config/name-valid",
    holds: "The runner has a name of allowed characters",
    why: "An agent without a name, or with a name that CircleCI does not accept, ends at once.",
    found: "The doctor checks that a flag, a variable or the configuration sets runner.name, and \
            that it contains only letters, digits and . ( ) - _.",
    cure: "Set runner.name; the host name is a usual choice.",
    after: &["config/keys-known", "config/types-right"],
    judge: Judge::Agent(name),
};

fn name(survey: &Survey, install: &Install) -> Judged {
    let Some(given) = install.settings().get("runner.name")? else {
        let text = "Write `name: NAME` under runner; the host name is a usual choice.";
        return Ok(Problem::fail("runner.name is not set")
            .seen(unset(install, "runner.name"))
            .cure(change(survey, install, &Source::Default, text))
            .into());
    };
    let Some(text) = given.text() else {
        return Err(Unseen::not_examined("runner.name is not a text that is told"));
    };
    match text.parse::<RunnerName>() {
        Ok(_) => Ok(Verdict::Holds(format!("runner.name is {text}{}", from(&given.source)))),
        Err(error) => {
            let text =
                "Write a name of letters, digits and . ( ) - _; the host name is a usual choice.";
            Ok(Problem::fail(format!("runner.name is invalid: {error}"))
                .seen(given.source.to_string())
                .cure(change(survey, install, &given.source, text))
                .into())
        }
    }
}

pub(super) const DURATIONS: Check = Check {
    name: "config/durations-valid",
    holds: "Durations are written as the agent reads them, such as 1h30m",
    why: "An agent ends at once if it cannot read a duration, such as 5d or a number without a \
          unit.",
    found: "The doctor reads runner.max_run_time and runner.idle_timeout by the rules of Go, which \
            have no days.",
    cure: "Write the duration as the finding shows.",
    after: &["config/parses"],
    judge: Judge::Agent(durations),
};

fn durations(survey: &Survey, install: &Install) -> Judged {
    let settings = install.settings();
    let mut problems = Vec::new();
    for key in ["runner.max_run_time", "runner.idle_timeout"] {
        let Some(given) = settings.given(key)? else { continue };
        let Some(text) = given.text() else { continue };
        let cure = |text| change(survey, install, &given.source, text);
        match text.parse::<GoDuration>() {
            Ok(duration) if duration.seconds() == 0 => problems.push(
                Problem::fail(format!("{key} is 0"))
                    .seen(given.source.to_string())
                    .cure(cure("Write a duration that is long enough for a job, such as 5h.")),
            ),
            Ok(_) => {}
            Err(error) => {
                let help = error.help_lines().into_iter().next().unwrap_or_default();
                problems.push(
                    Problem::fail(format!("{key}: {error}"))
                        .seen(format!("{}; {help}", given.source))
                        .cure(cure("Write hours, minutes and seconds, such as 5h or 1h30m.")),
                );
            }
        }
    }
    Ok(Verdict::of(problems, "every duration is valid"))
}

/// The keys that take one of some words, and what is right.
const WORDS: [(&str, &[&str], &str); 3] = [
    ("runner.mode", &["continuous", "single-task"], "Write continuous or single-task."),
    ("logging.level", &["debug", "info", "warn", "error"], "Write debug, info, warn or error."),
    ("logging.format", &["color", "text", "json", "none"], "Write color, text, json or none."),
];

pub(super) const OTHERS: Check = Check {
    name: "config/values-valid",
    holds: "Mode, URL, addresses, paths and log settings have valid values",
    why: "An invalid value ends the agent, or sends it to another server.",
    found: "The doctor checks each value by its own rule: a known mode, a URL with its scheme, an \
            address with its port, an absolute path.",
    cure: "Write the value as the finding shows.",
    after: &["config/parses", "service/lines-as-meant"],
    judge: Judge::Agent(others),
};

fn others(survey: &Survey, install: &Install) -> Judged {
    let settings = install.settings();
    let mut problems = Vec::new();
    let mut judge =
        |key: &str, fault: &dyn Fn(&str) -> Option<(String, &'static str)>| {
            let Some(given) = settings.given(key)? else { return Ok(()) };
            if let Some((why, right)) = given.text().and_then(fault) {
                problems.push(
                    Problem::fail(format!("{key} {why}"))
                        .seen(given.source.to_string())
                        .cure(change(survey, install, &given.source, right)),
                );
            }
            Ok::<(), Unseen>(())
        };
    for (key, known, right) in WORDS {
        judge(key, &|text| {
            let why = || (format!("has the unknown value {text:?}"), right);
            (!known.contains(&text)).then(why)
        })?;
    }
    judge("api.url", &|text| {
        UrlFault::of(text).map(|fault| (fault.what().to_owned(), fault.advice()))
    })?;
    judge("runner.ssh.advertise_addr", &|text| {
        let error = text.parse::<HostPort>().err()?;
        Some((format!("is invalid: {error}"), "Write HOST:54782."))
    })?;
    let profile = install.agent.profile();
    for key in ["runner.working_directory", "logging.file", "runner.task_agent_directory"] {
        judge(key, &|text| match text {
            text if key == "logging.file" && profile.logs_to_stream(text) => None,
            // Of Windows config/windows-paths tells.
            text if text.contains(char::is_control)
                && survey.host.os != crate::platform::Os::Windows =>
            {
                Some((
                    "holds a tab, a line break or another control character".to_owned(),
                    "Write the path between single quotes: between double ones \\t is a tab, \\n a line \
                 break and \\b a backspace.",
                ))
            }
            text => (!is_absolute(text, survey))
                .then(|| ("is not an absolute path".to_owned(), "Write the absolute path.")),
        })?;
    }
    Ok(Verdict::of(problems, "every value is valid"))
}

pub(super) const WORKDIR: Check = Check {
    name: "config/workdir-per-job",
    holds: "The path of the work folder is valid for this agent",
    why: "Machine runner 3 does not replace `%s`, so all jobs share one folder with that name. \
          Neither agent replaces other placeholders.",
    found: "The doctor looks for `%`, `$` and `~` in runner.working_directory.",
    cure: "Name a fixed folder, and set runner.cleanup_working_directory: true to clean it after \
           each job.",
    after: &["config/parses", "service/lines-as-meant"],
    judge: Judge::Agent(workdir),
};

fn workdir(survey: &Survey, install: &Install) -> Judged {
    let given = install.settings().given("runner.working_directory")?;
    let Some((text, source)) = given.and_then(|given| Some((given.text()?, given.source))) else {
        return Err(Unseen::not_applicable("runner.working_directory is not set"));
    };
    if !is_absolute(text, survey) {
        return Err(Unseen::not_examined("runner.working_directory is not an absolute path"));
    }
    match install.agent.profile().unreplaced(text) {
        None => Ok(Verdict::Holds(format!("runner.working_directory is {text}{}", from(&source)))),
        Some(blank) => Ok(Problem::fail(format!(
            "{} does not replace {blank:?} in the path of the work folder",
            install.agent
        ))
        .seen(format!("{source}: {text}"))
        .cure(change(
            survey,
            install,
            &source,
            "Name a fixed folder, and set cleanup_working_directory: true.",
        ))
        .into()),
    }
}

pub(super) const MODE: Check = Check {
    name: "config/mode-fits",
    holds: "The service restarts an agent that ends by itself, and Windows uses single-task mode",
    why: "No more jobs run after the agent has ended by itself and the service does not restart \
          it. The agent ends by itself in single-task mode and with an idle timeout.",
    found: "The doctor compares runner.mode and runner.idle_timeout with the restart settings of \
            the service.",
    cure: "Set Restart=always in the service, or set runner.mode to continuous.",
    after: &["service/restarts", "config/parses"],
    judge: Judge::Agent(mode),
};

fn mode(survey: &Survey, install: &Install) -> Judged {
    let settings = install.settings();
    let given = settings.get("runner.mode")?;
    let source = given.as_ref().map_or(Source::Default, |given| given.source.clone());
    let mode = given.as_ref().and_then(Resolved::text).unwrap_or("continuous");
    let is_single = mode == "single-task";
    if survey.host.os == crate::platform::Os::Windows && !is_single {
        return Ok(Problem::warn("runner.mode is continuous, which is not advised on Windows")
            .seen(source.to_string())
            .cure(change(survey, install, &source, "Write `mode: single-task` under runner."))
            .into());
    }
    if let Some(end) = one_shot(install) {
        return Ok(Verdict::Holds(format!("a one-shot host: {end}")));
    }
    let ends = is_single || settings.given("runner.idle_timeout")?.is_some();
    let restart = install.service.as_ref().and_then(service::restart);
    if ends
        && survey.host.os == crate::platform::Os::Linux
        && install.service.is_some()
        && !matches!(restart, Some("always" | "on-success"))
    {
        return Ok(Problem::warn("the agent ends by itself, and the service does not restart it")
            .seen(format!(
                "the unit has {}",
                restart.map_or_else(|| "no Restart=".to_owned(), |word| format!("Restart={word}"))
            ))
            .cure(Remedy::by_hand("Set Restart=always in the service."))
            .into());
    }
    Ok(Verdict::Holds(format!("runner.mode is {mode}{}", from(&source))))
}

fn is_absolute(text: &str, survey: &Survey) -> bool {
    match survey.host.os {
        crate::platform::Os::Windows => {
            let mut characters = text.chars();
            let letter = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
            letter && characters.next() == Some(':') || text.starts_with("\\\\")
        }
        _ => text.starts_with('/'),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        agent::Kind,
        doctor::{Status, fixtures::*},
        platform::Os,
    };

    fn with(key: &str, value: Option<&str>, check: &str) -> Status {
        let mut survey = healthy();
        set(&mut survey, key, value);
        status(&survey, check)
    }

    #[test]
    fn values_outside_their_range_fail() {
        for (key, value, check) in [
            ("runner.name", None, "config/name-valid"),
            ("runner.name", Some("a b"), "config/name-valid"),
            ("runner.max_run_time", Some("5d"), "config/durations-valid"),
            ("runner.idle_timeout", Some("0s"), "config/durations-valid"),
            ("runner.mode", Some("single"), "config/values-valid"),
            ("api.url", Some("server.example.com"), "config/values-valid"),
            ("api.url", Some("http://server.example.com"), "config/values-valid"),
            ("api.url", Some("https://app.circleci.com"), "config/values-valid"),
            ("api.url", Some("https://s.example.com/api/v2/"), "config/values-valid"),
            ("runner.working_directory", Some("/w\temp\new"), "config/values-valid"),
            ("runner.ssh.advertise_addr", Some("host"), "config/values-valid"),
            ("runner.working_directory", Some("work"), "config/values-valid"),
            ("logging.level", Some("loud"), "config/values-valid"),
            ("runner.working_directory", Some("/w/$USER"), "config/workdir-per-job"),
        ] {
            assert_eq!(with(key, value, check), Status::Fail, "{key} {value:?}");
        }
        assert_eq!(
            with("runner.working_directory", Some("/w/%s"), "config/workdir-per-job"),
            Status::Pass
        );
        assert_eq!(
            with("api.url", Some("https://s.example.com"), "config/values-valid"),
            Status::Pass
        );
    }

    #[test]
    fn a_blank_is_taken_literally_by_machine_runner() {
        let mut survey = healthy();
        agent(&mut survey).agent = Kind::MachineRunner;
        set(&mut survey, "runner.working_directory", Some("/w/%s"));
        assert_eq!(status(&survey, "config/workdir-per-job"), Status::Fail);
    }

    #[test]
    fn who_ends_alone_must_be_started_again() {
        let mut survey = healthy();
        set(&mut survey, "runner.mode", Some("single-task"));
        assert_eq!(status(&survey, "config/mode-fits"), Status::Pass);
        directive(&mut survey, "Service", "Restart", "on-failure");
        assert_eq!(status(&survey, "config/mode-fits"), Status::Warn);
        let mut survey = healthy();
        survey.host.os = Os::Windows;
        assert_eq!(status(&survey, "config/mode-fits"), Status::Warn);
    }
}
