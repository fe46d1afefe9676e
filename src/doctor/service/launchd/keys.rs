//! Keys of a plist that matter to an agent.

use crate::{
    doctor::{
        Command, Judged, Problem, Remedy, Verdict,
        change::{on_account, one_shot},
        lookup::{duration, longest_job, longest_stop, shorter_jobs},
        remedy::Text,
    },
    host::{Install, PathWalk, Service, Survey, Unseen},
    service::launchd::{bootstrap, on_job},
};
use std::path::Path;

/// launchd's default limit: `launchd.plist(5)`.
const DEFAULT_STOP: u64 = 20;

/// Keys of `launchd.plist(5)`, in its order.
const KEYS: [&str; 56] = [
    "Label",
    "Disabled",
    "UserName",
    "GroupName",
    "inetdCompatibility",
    "LimitLoadToHosts",
    "LimitLoadFromHosts",
    "LimitLoadToSessionType",
    "LimitLoadToHardware",
    "LimitLoadFromHardware",
    "Program",
    "BundleProgram",
    "ProgramArguments",
    "EnableGlobbing",
    "EnableTransactions",
    "EnablePressuredExit",
    "OnDemand",
    "ServiceIPC",
    "KeepAlive",
    "RunAtLoad",
    "RootDirectory",
    "WorkingDirectory",
    "EnvironmentVariables",
    "Umask",
    "TimeOut",
    "ExitTimeOut",
    "ThrottleInterval",
    "InitGroups",
    "WatchPaths",
    "QueueDirectories",
    "StartOnMount",
    "StartInterval",
    "StartCalendarInterval",
    "StandardInPath",
    "StandardOutPath",
    "StandardErrorPath",
    "Debug",
    "WaitForDebugger",
    "SoftResourceLimits",
    "HardResourceLimits",
    "Nice",
    "ProcessType",
    "AbandonProcessGroup",
    "LowPriorityIO",
    "LowPriorityBackgroundIO",
    "MaterializeDatalessFiles",
    "LaunchOnlyOnce",
    "MachServices",
    "Sockets",
    "LaunchEvents",
    "HopefullyExitsFirst",
    "HopefullyExitsLast",
    "SessionCreate",
    "LegacyTimers",
    "AssociatedBundleIdentifiers",
    "SpawnConstraint",
];

fn value<'a>(service: &'a Service, key: &str) -> Option<&'a str> {
    service.directives("", key).last().map(|directive| directive.value.as_str())
}

/// Whether launchd restarts the agent after every exit.
pub(super) fn restarts(install: &Install, service: &Service) -> Judged {
    if let Some(end) = one_shot(install) {
        return Ok(Verdict::Holds(format!("a one-shot host: {end}")));
    }
    if value(service, "LaunchOnlyOnce") == Some("true") {
        return Ok(Problem::fail("launchd starts the agent only once")
            .seen("LaunchOnlyOnce is true in the plist")
            .cure(set(install, service, "LaunchOnlyOnce", To::Truth("false")))
            .into());
    }
    match value(service, "KeepAlive") {
        // The exit after a drain, an idle timeout or a single task is a success.
        None if service.value("KeepAlive", "SuccessfulExit") == Some("false") => {
            Ok(Problem::warn("launchd does not restart the agent after an exit with status 0")
                .seen(
                    "KeepAlive of the plist has SuccessfulExit false: restart only after a failure",
                )
                .cure(set(install, service, "KeepAlive", To::Truth("true")))
                .into())
        }
        Some("true") => Ok(Verdict::Holds("KeepAlive is true".to_owned())),
        // A dictionary has conditions, which its author chose.
        None if service.directives.iter().any(|directive| directive.section == "KeepAlive") => {
            Ok(Verdict::Holds("KeepAlive has conditions".to_owned()))
        }
        other => Ok(Problem::fail("launchd does not restart the agent when it ends")
            .seen(other.map_or("the plist has no KeepAlive".to_owned(), |value| {
                format!("KeepAlive is {value} in the plist")
            }))
            .cure(set(install, service, "KeepAlive", To::Truth("true")))
            .into()),
    }
}

/// Whether a stop waits for the longest job.
pub(super) fn stop(install: &Install, service: &Service) -> Judged {
    let longest = longest_job(install);
    let written = value(service, "ExitTimeOut");
    let seconds = match written.map(str::parse::<u64>) {
        None => DEFAULT_STOP,
        // 0 means no limit.
        Some(Ok(0)) => return Ok(Verdict::Holds("a stop waits without a limit".to_owned())),
        Some(Ok(seconds)) => seconds,
        Some(Err(_)) => {
            return Ok(Problem::fail("ExitTimeOut is not a number of seconds")
                .seen(written.unwrap_or_default())
                .cure(set(
                    install,
                    service,
                    "ExitTimeOut",
                    To::Number(install.agent.profile().usual_drain_time().as_secs()),
                ))
                .into());
        }
    };
    if seconds >= longest {
        return Ok(Verdict::Holds(format!("a stop waits {seconds} s")));
    }
    let message = format!(
        "a stop kills a job after {}; jobs may take {}",
        duration(seconds),
        duration(longest)
    );
    let cure = match longest > longest_stop(install) {
        true => shorter_jobs(install),
        false => set(install, service, "ExitTimeOut", To::Number(longest + 300)),
    };
    Ok(Problem::warn(message)
        .seen(
            written
                .map_or("the plist has no ExitTimeOut: the default is 20 s".to_owned(), |value| {
                    format!("ExitTimeOut is {value} in the plist")
                }),
        )
        .cure(cure)
        .into())
}

/// Whether launchd knows every key, and its value has the right type.
pub(in crate::doctor::service) fn keys(service: &Service) -> Judged {
    let mut problems = Vec::new();
    for directive in service.directives.iter().filter(|directive| directive.section.is_empty()) {
        if !KEYS.contains(&directive.key.as_str()) {
            let near = crate::text::nearest(&directive.key, &KEYS);
            let guess = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
            problems.push(
                Problem::warn(format!("launchd ignores the key {}{guess}", directive.key))
                    .seen(directive.file.display().to_string())
                    .cure(Remedy::by_hand("Correct the key, or remove it.")),
            );
        }
        let wants_truth = ["RunAtLoad", "KeepAlive", "Disabled"].contains(&directive.key.as_str());
        if wants_truth && !matches!(directive.value.as_str(), "true" | "false") {
            problems.push(
                Problem::fail(format!("{} is neither true nor false", directive.key))
                    .seen(directive.value.as_str())
                    .cure(Remedy::by_hand("Write <true/> instead of the text.")),
            );
        }
    }
    Ok(Verdict::of(problems, format!("all {} keys are known", service.directives.len())))
}

/// Whether the account of the plist exists.
pub(super) fn user(survey: &Survey, install: &Install, service: &Service) -> Judged {
    let Some(name) = value(service, "UserName") else {
        return Err(Unseen::not_applicable("permissions/power-known judges the account of jobs"));
    };
    if let Some(account) = survey.account(name) {
        return Ok(Verdict::Holds(account.to_string()));
    }
    if let Some(why) = &survey.host.accounts_unread {
        return Err(Unseen::probe_failed(why.clone()));
    }
    let remedy =
        Remedy::by_hand("Create the account, or remove UserName and change the user for each job.")
            .command(on_account("sysadminctl -roleAccount -addUser", name, install.named_by));
    Ok(Problem::fail(format!(
        "launchd must run the agent as {name}, an account that does not exist"
    ))
    .seen(format!("UserName is {name} in the plist"))
    .cure(remedy)
    .into())
}

/// The remedy for a wrong command.
pub(super) fn command(service: &Service, install: &Install) -> Remedy {
    let usage = install.agent.profile().usage;
    let remedy = Remedy::by_hand([
        "Set ProgramArguments, with each word as its own <string>, to: /PATH/",
        usage,
        ".",
    ]);
    let Some(file) = service.file() else { return remedy };
    let check = Command::fixed("plutil -lint").path(&file.path, install.named_by);
    reloaded(remedy.inspect(check), install, service)
}

/// Changes one key, and loads the plist again.
pub(super) fn set(install: &Install, service: &Service, key: &'static str, to: To<'_>) -> Remedy {
    let remedy = Remedy::by_hand(match to {
        To::Truth(value) | To::Text(value) => ["Set ", key, " to ", value, "."].into(),
        To::Number(number) => Text::from(["Set ", key]).then(Text::number(" to ", number, ".")),
        To::File(_) => ["Set ", key, "."].into(),
    });
    let Some(file) = service.file() else { return remedy };
    let replace = plutil(file, "plutil -replace").then(key);
    let replace = match to {
        To::Truth(text) => replace.then("-bool").then(text),
        To::Text(text) => replace.then("-string").then(text),
        To::Number(number) => replace.then("-integer").number(number),
        To::File(path) => replace.then("-string").path(path, install.named_by),
    };
    let replace = replace.path(&file.path, install.named_by);
    reloaded(remedy.command(replace), install, service)
}

/// The value that a key is set to.
#[derive(Debug, Clone, Copy)]
pub(super) enum To<'a> {
    /// `true` or `false`.
    Truth(&'static str),
    /// A text that is the same on every host.
    Text(&'static str),
    Number(u64),
    /// A file that the author of the plist, or the documentation, names.
    File(&'a Path),
}

/// A command of root on a plist; left out in a home, where the user can replace the file.
fn plutil(file: &PathWalk, text: &'static str) -> Command {
    match file.path.starts_with("/Users") {
        true => Command::left_out(),
        false => Command::root(text),
    }
}

/// Loads the plist again.
fn reloaded(remedy: Remedy, install: &Install, service: &Service) -> Remedy {
    remedy.in_turn([on_job("launchctl bootout", install, service), bootstrap(install, service)])
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        values::Manager,
    };

    #[test]
    fn every_documented_key_is_known() {
        for (key, expected) in [
            ("LowPriorityBackgroundIO", Status::Pass),
            ("AssociatedBundleIdentifiers", Status::Pass),
            ("EnableTransactions", Status::Pass),
            ("LimitLoadToHosts", Status::Pass),
            ("MaterializeDatalessFiles", Status::Pass),
            ("KeepAlife", Status::Warn),
        ] {
            let mut survey = healthy();
            let service = service_of(&mut survey);
            service.manager = Manager::Launchd;
            service.directives.clear();
            directive(&mut survey, "", key, "true");
            assert_eq!(status(&survey, "service/directives-known"), expected, "{key}");
        }
    }
}
