//! Keys of a plist that matter to an agent.

use crate::{
    doctor::{Command, Judged, Problem, Remedy, Verdict, remedy::Text},
    host::{Directive, Install, PathWalk, Service, Survey, Unseen, ValueKind},
    service::launchd::{
        VARIABLES,
        keys::{self, Wants},
        reload,
    },
};
use std::path::Path;

/// Whether launchd takes every key, with a value of the type that it has.
pub(in crate::doctor::service) fn keys(service: &Service) -> Judged {
    let mut problems: Vec<Problem> = service.directives.iter().filter_map(problem).collect();
    problems.extend(dictionaries(service).iter().filter_map(problem));
    problems.extend(no_label(service));
    problems.extend(no_name(service));
    Ok(Verdict::of(problems, format!("all {} keys are known", service.directives.len())))
}

/// The keys whose values are dictionaries, of which only what is in them has a line.
fn dictionaries(service: &Service) -> Vec<Directive> {
    let mut found: Vec<Directive> = Vec::new();
    for line in service.directives.iter().filter(|line| !line.section.is_empty()) {
        let key = line.section.split('/').next().unwrap_or_default();
        if found.iter().all(|other| other.key != key) {
            let (key, kind) = (key.to_owned(), ValueKind::Dictionary);
            found.push(Directive { section: String::new(), key, kind, ..line.clone() });
        }
    }
    found
}

/// The problem of one key.
fn problem(line: &Directive) -> Option<Problem> {
    let (key, file) = (&line.key, line.file.display());
    if line.section == VARIABLES {
        return Some(
            Problem::warn(format!("launchd ignores the variable {key}, which is no <string>"))
                .seen(format!("it is {} in {file}", line.kind.word()))
                .cure(Remedy::by_hand("Write the value of the variable as a <string>.")),
        );
    }
    if !line.section.is_empty() {
        return None;
    }
    let Some((_, wants)) = keys::written(key) else {
        if keys::is_known(key) {
            return None;
        }
        let guess =
            keys::nearest(key).map_or(String::new(), |near| format!("; did you mean {near}?"));
        return Some(
            Problem::warn(format!("launchd ignores the key {key}{guess}"))
                .seen(file.to_string())
                .cure(Remedy::by_hand("Correct the key, or remove it.")),
        );
    };
    // Facts of older versions have no types.
    let is_old_text = line.kind == ValueKind::Unknown
        && matches!(wants, Wants::Truth | Wants::TruthOrDictionary)
        && !matches!(line.value.as_str(), "true" | "false");
    if wants.takes(line.kind) && !is_old_text {
        return None;
    }
    Some(
        Problem::fail(format!("launchd ignores {key}, because it is not {}", wants.word()))
            .seen(match line.kind {
                ValueKind::Dictionary => format!("it is {}", line.kind.word()),
                kind => format!("it is {}: {}", kind.word(), line.value),
            })
            .cure(Remedy::by_hand(["Write ", wants.word(), " for the key instead."])),
    )
}

/// launchd refuses a definition without a label.
fn no_label(service: &Service) -> Option<Problem> {
    // Facts of older versions, and tests, have some keys alone.
    let is_typed = service.directives.iter().any(|line| line.kind != ValueKind::Unknown);
    let label = service.directive("", "Label").filter(|line| !line.value.is_empty());
    if !is_typed || label.is_some() {
        return None;
    }
    Some(
        Problem::fail("launchd refuses the plist, because it has no Label")
            .seen(service.file().map_or(String::new(), |file| file.path.display().to_string()))
            .cure(Remedy::by_hand(
                "Add the key Label, with the name of the file without .plist as its <string>.",
            )),
    )
}

/// Where the plist has a Program, the first word of ProgramArguments is the program's name.
fn no_name(service: &Service) -> Option<Problem> {
    service.value("", "Program")?;
    let words = service.value("", "ProgramArguments")?;
    let first = words.split(' ').next().filter(|word| word.starts_with('-'))?;
    Some(
        Problem::fail(format!("the agent does not get its first argument, {first}"))
            .seen(format!(
                "ProgramArguments is {words}: the first word is what the program is called, not an \
                 argument"
            ))
            .cure(Remedy::by_hand(
                "Add the name of the program as the first <string> of ProgramArguments.",
            )),
    )
}

/// Whether the account of the plist exists.
pub(super) fn user(survey: &Survey, service: &Service) -> Judged {
    let Some(name) = service.value("", "UserName") else {
        return Err(Unseen::not_applicable("permissions/power-known judges the account of jobs"));
    };
    if let Some(account) = survey.account(name) {
        return Ok(Verdict::Holds(account.to_string()));
    }
    if let Some(why) = &survey.host.accounts_unread {
        return Err(Unseen::probe_failed(why.clone()));
    }
    let remedy = Remedy::by_hand(
        "Create the account in System Settings, Users & Groups, or remove UserName; `runnerup install` \
         makes an account for the agent, and a definition that names none.",
    )
    .command(Command::install());
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
    remedy.in_turn(reload(install, service))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Survey, ValueKind},
        values::Manager,
    };

    /// A plist with a label, and one more line.
    fn plist(section: &str, key: &str, value: &str, kind: ValueKind) -> Survey {
        let mut survey = healthy();
        let service = service_of(&mut survey);
        service.manager = Manager::Launchd;
        service.directives.clear();
        directive(&mut survey, "", "Label", "com.circleci.runner");
        directive(&mut survey, section, key, value);
        let lines = &mut service_of(&mut survey).directives;
        (lines[0].kind, lines[1].kind) = (ValueKind::Text, kind);
        survey
    }

    #[test]
    fn every_documented_key_is_known() {
        for (key, expected) in [
            ("LowPriorityBackgroundIO", Status::Pass),
            ("AssociatedBundleIdentifiers", Status::Pass),
            ("EnableTransactions", Status::Pass),
            ("LimitLoadToHosts", Status::Pass),
            ("MaterializeDatalessFiles", Status::Pass),
            ("POSIXSpawnType", Status::Pass),
            ("_PanicOnCrash", Status::Pass),
            ("KeepAlife", Status::Warn),
        ] {
            let survey = plist("", key, "true", ValueKind::Unknown);
            assert_eq!(status(&survey, "service/directives-known"), expected, "{key}");
        }
    }

    #[test]
    fn a_value_has_the_type_of_its_key() {
        use ValueKind::{Dictionary, List, Number, Text, Texts, Truth};
        for (section, key, kind, expected) in [
            ("", "RunAtLoad", Truth, Status::Pass),
            ("", "RunAtLoad", Text, Status::Fail),
            ("", "RunAtLoad", Number, Status::Fail),
            ("", "ThrottleInterval", Text, Status::Fail),
            ("", "ThrottleInterval", Number, Status::Pass),
            ("", "Umask", Text, Status::Pass),
            ("", "ProgramArguments", Text, Status::Fail),
            ("", "ProgramArguments", List, Status::Pass),
            ("", "WatchPaths", Texts, Status::Pass),
            ("", "KeepAlive", Text, Status::Fail),
            ("", "EnvironmentVariables", Texts, Status::Fail),
            ("", "Sockets", Dictionary, Status::Pass),
            ("RunAtLoad", "x", Truth, Status::Fail),
            ("KeepAlive", "SuccessfulExit", Truth, Status::Pass),
            ("KeepAlife", "SuccessfulExit", Truth, Status::Warn),
            ("EnvironmentVariables", "RETRIES", Number, Status::Warn),
        ] {
            let survey = plist(section, key, "1", kind);
            let found = status(&survey, "service/directives-known");
            assert_eq!(found, expected, "{section} {key} {kind:?}");
        }
    }

    #[test]
    fn a_plist_without_a_label_is_refused() {
        let mut survey = plist("", "Nice", "0", ValueKind::Number);
        service_of(&mut survey).directives.remove(0);
        let found = finding(&survey, "service/directives-known");
        assert!(found.status == Status::Fail && found.summary.contains("no Label"), "{found:?}");
    }

    #[test]
    fn the_first_word_is_the_name() {
        let mut survey = plist("", "ProgramArguments", "--config /etc/c.yaml", ValueKind::Texts);
        assert_eq!(status(&survey, "service/directives-known"), Status::Pass);
        directive(&mut survey, "", "Program", "/opt/circleci/circleci-launch-agent");
        let found = finding(&survey, "service/directives-known");
        assert!(found.status == Status::Fail && found.summary.contains("--config"), "{found:?}");
    }
}
