//! Values of the configuration, each by its own rule.

use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict, change::one_shot, lookup},
    host::{ConfigFile, Install, Survey, Unseen},
    values::{GoDuration, HostPort, RunnerName},
};

pub(super) const NAME: Check = Check {
    name: "config/name-valid",
    holds: "The runner has a name of allowed characters",
    why: "An agent without a name, or with a name that CircleCI does not accept, ends at once.",
    found: "The doctor checks that runner.name is set and contains only letters, digits and . ( ) \
            - _.",
    cure: "Set runner.name; the host name is a usual choice.",
    after: &["config/keys-known", "config/types-right"],
    judge: Judge::Agent(name),
};

fn name(survey: &Survey, install: &Install) -> Judged {
    let config = install.config()?;
    if install.variable_of("runner.name").is_some() {
        return Err(Unseen::not_applicable("a variable of the service sets the name"));
    }
    let text = "Write `name: NAME` under runner; the host name is a usual choice.";
    let remedy = edit(survey, install, text);
    match config.text("runner.name") {
        None => Ok(Problem::fail("runner.name is not set")
            .seen(format!("{} has no key runner.name", config.walk.path.display()))
            .cure(remedy)
            .into()),
        Some(text) => match text.parse::<RunnerName>() {
            Ok(_) => Ok(Verdict::Holds(format!("runner.name is {text}"))),
            Err(error) => Ok(Problem::fail(format!("runner.name is invalid: {error}"))
                .seen(place(config, "runner.name"))
                .cure(remedy)
                .into()),
        },
    }
}

pub(super) const DURATIONS: Check = Check {
    name: "config/durations-valid",
    holds: "Durations are written in hours, minutes and seconds",
    why: "An agent ends at once if it cannot read a duration, such as 5d or a number without a \
          unit.",
    found: "The doctor reads runner.max_run_time and runner.idle_timeout by the rules of Go, which \
            have no days.",
    cure: "Write the duration as the finding shows.",
    after: &["config/parses"],
    judge: Judge::Agent(durations),
};

fn durations(survey: &Survey, install: &Install) -> Judged {
    let config = install.config()?;
    let mut problems = Vec::new();
    for key in ["runner.max_run_time", "runner.idle_timeout"] {
        let Some(text) = config.text(key) else { continue };
        match text.parse::<GoDuration>() {
            Ok(duration) if duration.seconds() == 0 => problems.push(
                Problem::fail(format!("{key} is 0")).seen(place(config, key)).cure(edit(
                    survey,
                    install,
                    "Write a duration that is long enough for a job, such as 5h.",
                )),
            ),
            Ok(_) => {}
            Err(error) => {
                let help = error.help_lines().into_iter().next().unwrap_or_default();
                let text = "Write hours, minutes and seconds, such as 5h or 1h30m.";
                problems.push(
                    Problem::fail(format!("{key}: {error}"))
                        .seen(format!("{}; {help}", place(config, key)))
                        .cure(edit(survey, install, text)),
                );
            }
        }
    }
    Ok(Verdict::of(problems, "every duration is valid"))
}

pub(super) const OTHERS: Check = Check {
    name: "config/values-valid",
    holds: "Mode, URL, addresses, paths and log settings have valid values",
    why: "An invalid value ends the agent, or sends it to another server.",
    found: "The doctor checks each value by its own rule: a known mode, a URL with its scheme, an \
            address with its port, an absolute path.",
    cure: "Write the value as the finding shows.",
    after: &["config/parses"],
    judge: Judge::Agent(others),
};

fn others(survey: &Survey, install: &Install) -> Judged {
    let config = install.config()?;
    let mut problems = Vec::new();
    let mut wrong = |key: &str, why: String, right: &'static str| {
        problems.push(
            Problem::fail(format!("{key} {why}"))
                .seen(place(config, key))
                .cure(edit(survey, install, right)),
        );
    };
    let unknown = |key: &str, known: &[&str]| {
        config
            .text(key)
            .filter(|text| !known.contains(text))
            .map(|text| format!("has the unknown value {text:?}"))
    };
    if let Some(why) = unknown("runner.mode", &["continuous", "single-task"]) {
        wrong("runner.mode", why, "Write continuous or single-task.");
    }
    if let Some(why) = unknown("logging.level", &["debug", "info", "warn", "error"]) {
        wrong("logging.level", why, "Write debug, info, warn or error.");
    }
    if let Some(why) = unknown("logging.format", &["color", "text", "json", "none"]) {
        wrong("logging.format", why, "Write color, text, json or none.");
    }
    if let Some(text) = config.text("api.url") {
        match url::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "https" | "http") && url.host().is_some() => {
                let is_far = !matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
                if url.scheme() == "http" && is_far {
                    let why = "is not https: others on the network could read the token".to_owned();
                    wrong("api.url", why, "Write the URL with https://.");
                }
            }
            _ => {
                wrong(
                    "api.url",
                    "is not a URL with a scheme".to_owned(),
                    "Write the URL as https://HOST.",
                );
            }
        }
    }
    if let Some(text) = config.text("runner.ssh.advertise_addr")
        && let Err(error) = text.parse::<HostPort>()
    {
        wrong("runner.ssh.advertise_addr", format!("is invalid: {error}"), "Write HOST:54782.");
    }
    for key in ["runner.working_directory", "logging.file", "runner.task_agent_directory"] {
        if config.text(key).is_some_and(|text| !is_absolute(text, survey)) {
            wrong(key, "is not an absolute path".to_owned(), "Write the absolute path.");
        }
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
    after: &["config/parses"],
    judge: Judge::Agent(workdir),
};

fn workdir(survey: &Survey, install: &Install) -> Judged {
    let config = install.config()?;
    let Some(text) = config.text("runner.working_directory") else {
        return Err(Unseen::not_applicable("runner.working_directory is not set"));
    };
    match install.agent.profile().unreplaced(text) {
        None => Ok(Verdict::Holds(format!("runner.working_directory is {text}"))),
        Some(blank) => Ok(Problem::fail(format!(
            "{} does not replace {blank:?} in the path of the work folder",
            install.agent
        ))
        .seen(format!("{}: {text}", place(config, "runner.working_directory")))
        .cure(edit(
            survey,
            install,
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
    after: &["config/parses"],
    judge: Judge::Agent(mode),
};

fn mode(survey: &Survey, install: &Install) -> Judged {
    let config = install.config()?;
    let is_single = config.text("runner.mode") == Some("single-task");
    if survey.host.os == crate::platform::Os::Windows && !is_single {
        return Ok(Problem::warn("runner.mode is continuous, which is not advised on Windows")
            .seen(place(config, "runner.mode"))
            .cure(edit(survey, install, "Write `mode: single-task` under runner."))
            .into());
    }
    if let Some(end) = one_shot(install) {
        return Ok(Verdict::Holds(format!("a one-shot host: {end}")));
    }
    let ends = is_single || config.text("runner.idle_timeout").is_some();
    let restart = install.service.as_ref().and_then(|service| service.value("Service", "Restart"));
    if ends
        && survey.host.os == crate::platform::Os::Linux
        && install.service.is_some()
        && !matches!(restart, Some("always" | "on-success"))
    {
        return Ok(Problem::warn("the agent ends by itself, and the service does not restart it")
            .seen(format!("Restart={} in the unit", restart.unwrap_or("no")))
            .cure(Remedy::by_hand("Set Restart=always in the service."))
            .into());
    }
    let mode = config.text("runner.mode").unwrap_or("continuous");
    Ok(Verdict::Holds(format!("runner.mode is {mode}")))
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

fn place(config: &ConfigFile, key: &str) -> String {
    let path = config.walk.path.display();
    config.setting(key).map_or_else(|| path.to_string(), |setting| setting.place(config))
}

fn edit(survey: &Survey, install: &Install, text: &'static str) -> Remedy {
    Remedy::by_hand(text).command(lookup::edit_config(survey, install))
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
