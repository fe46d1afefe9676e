//! Values of a plist that only a shell would expand. launchd takes each as it is written.

use super::{
    job,
    keys::{self, To},
};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Scrubbed, Survey},
};
use std::path::PathBuf;

/// Keys whose value is a path.
const PATHS: [&str; 7] = [
    "Program",
    "RootDirectory",
    "WorkingDirectory",
    "StandardInPath",
    "StandardOutPath",
    "StandardErrorPath",
    "BundleProgram",
];

pub(in crate::doctor::service) const LITERAL: Check = Check {
    name: "service/plist-literal",
    holds: "Every path and variable of the plist is written out",
    why: "launchd does not expand ~, $HOME, $PATH or *, as a shell does. It looks for a folder with \
          the name ~, and a PATH that contains $PATH has none of the system's folders.",
    found: "The doctor looks for ~, $NAME and * in the paths, the arguments and the variables of the \
            plist, and for paths that do not begin with /.",
    cure: "Write the whole path or value.",
    after: &["service/defined"],
    judge: Judge::Agent(literal),
};

fn literal(_: &Survey, install: &Install) -> Judged {
    let service = job(install)?;
    let mut problems = Vec::new();
    let wanted = PathBuf::from(format!("/Library/Logs/{}.start.log", service.name));
    for key in PATHS {
        let Some(value) = service.value("", key).filter(|value| *value != "/dev/null") else {
            continue;
        };
        let sign = sign_in_path(value);
        let is_relative = key != "BundleProgram" && !value.starts_with('/');
        if sign.is_none() && !is_relative {
            continue;
        }
        let why = sign.unwrap_or("a path without a / in front");
        let by_hand = || Remedy::by_hand(["Write the whole path for the key ", key, "."]);
        let remedy = match key {
            "StandardErrorPath" => keys::set(install, service, key, To::File(&wanted)),
            _ => by_hand(),
        };
        problems.push(
            Problem::fail(format!("launchd does not expand {why} in {key}"))
                .seen(format!("{key} is {value}"))
                .cure(remedy),
        );
    }
    for word in arguments(install) {
        if let Some(sign) = sign_in_argument(word) {
            problems.push(
                Problem::fail(format!("launchd does not expand {sign} in ProgramArguments"))
                    .seen(word)
                    .cure(Remedy::by_hand("Write the whole path in ProgramArguments.")),
            );
        }
    }
    for variable in &install.environment {
        let Some(value) = variable.value.as_deref() else { continue };
        let sign = match variable.name.as_str() {
            "PATH" => value.split(':').find_map(sign_in_path),
            _ => sign_in_argument(value),
        };
        if let Some(sign) = sign {
            problems.push(
                Problem::warn(format!(
                    "launchd does not expand {sign} in the variable {}",
                    variable.name
                ))
                .seen(format!("{} is {value} in {}", variable.name, variable.source))
                .cure(Remedy::by_hand("Write the whole value of the variable.")),
            );
        }
    }
    Ok(Verdict::of(problems, "launchd has nothing to expand"))
}

/// The words of the command, without the text that a shell in front gets with `-c`: the shell does
/// expand that.
fn arguments(install: &Install) -> impl Iterator<Item = &str> {
    let words = install.service.iter().flat_map(|service| &service.command);
    let words: Vec<&str> = words.map(Scrubbed::as_str).collect();
    let is_shell = words.first().is_some_and(|word| {
        ["sh", "bash", "zsh", "dash", "ksh"]
            .iter()
            .any(|shell| word.ends_with(&format!("/{shell}")))
    });
    let is_script = move |at: usize, words: &[&str]| {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        is_shell && before.is_some_and(|word| word.starts_with('-') && word.ends_with('c'))
    };
    let kept: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(at, _)| *at > 0 && !is_script(*at, &words))
        .map(|(_, word)| *word)
        .collect();
    kept.into_iter()
}

/// What a shell would expand in a path.
fn sign_in_path(text: &str) -> Option<&'static str> {
    match text {
        _ if text.starts_with('~') => Some("~"),
        _ if has_name(text) => Some("$NAME"),
        _ if text.contains('`') => Some("`COMMAND`"),
        _ if text.contains(['*', '?']) => Some("*"),
        _ => None,
    }
}

/// The same in a word that need not be a path: what is none may hold any sign.
fn sign_in_argument(text: &str) -> Option<&'static str> {
    let value = text.strip_prefix('-').and_then(|_| Some(text.split_once('=')?.1)).unwrap_or(text);
    match value {
        _ if value == "~" || value.starts_with("~/") => Some("~"),
        _ if has_name(value) && (value.starts_with('$') || value.contains('/')) => Some("$NAME"),
        _ if value.starts_with('/') && value.contains('*') => Some("*"),
        _ => None,
    }
}

/// Whether it has `$NAME`, `${NAME}` or `$(COMMAND)` in it.
fn has_name(text: &str) -> bool {
    let starts = |rest: &str| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '('))
    };
    text.split('$').skip(1).any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Provenance, Variable},
        values::Manager,
    };

    fn mac() -> Survey {
        let mut survey = healthy();
        let service = service_of(&mut survey);
        service.manager = Manager::Launchd;
        service.name = "com.circleci.runner".into();
        service.directives.clear();
        agent(&mut survey).environment.clear();
        survey
    }

    #[test]
    fn paths_are_taken_as_they_are_written() {
        for (key, value, expected) in [
            ("StandardErrorPath", "~/Library/Logs/runner.log", Status::Fail),
            ("StandardErrorPath", "/Library/Logs/runner.log", Status::Pass),
            ("StandardErrorPath", "/dev/null", Status::Pass),
            ("StandardErrorPath", "runner.log", Status::Fail),
            ("StandardOutPath", "$HOME/runner.log", Status::Fail),
            ("StandardOutPath", "/tmp/runner-$(date).log", Status::Fail),
            ("StandardOutPath", "/tmp/a$", Status::Pass),
            ("WorkingDirectory", "~ci", Status::Fail),
            ("WorkingDirectory", "/Users/${USER}/work", Status::Fail),
            ("Program", "/opt/*/circleci-launch-agent", Status::Fail),
            ("ProcessType", "~", Status::Pass),
        ] {
            let mut survey = mac();
            directive(&mut survey, "", key, value);
            assert_eq!(status(&survey, "service/plist-literal"), expected, "{key} {value}");
        }
    }

    #[test]
    fn an_argument_is_expanded_by_a_shell_alone() {
        for (words, expected) in [
            (vec!["/opt/x/agent", "--config", "~/c.yaml"], Status::Fail),
            (vec!["/opt/x/agent", "--config=~/c.yaml"], Status::Fail),
            (vec!["/opt/x/agent", "--config", "$HOME/c.yaml"], Status::Fail),
            (vec!["/opt/x/agent", "--name", "a$b"], Status::Pass),
            (vec!["/bin/bash", "-lc", "exec ~/agent --config $HOME/c.yaml"], Status::Pass),
            (vec!["/bin/bash", "~/start.sh"], Status::Fail),
        ] {
            let mut survey = mac();
            service_of(&mut survey).command = words.iter().map(|word| (*word).into()).collect();
            assert_eq!(status(&survey, "service/plist-literal"), expected, "{words:?}");
        }
    }

    #[test]
    fn a_variable_is_not_added_to_another() {
        for (name, value, expected) in [
            ("PATH", "$PATH:/opt/homebrew/bin", Status::Warn),
            ("PATH", "/usr/bin:~/bin", Status::Warn),
            ("PATH", "/usr/bin:/opt/homebrew/bin", Status::Pass),
            ("SSL_CERT_FILE", "$HOME/ca.pem", Status::Warn),
            ("NO_PROXY", "*.example.com", Status::Pass),
        ] {
            let mut survey = mac();
            agent(&mut survey).environment.push(Variable {
                name: name.into(),
                value: Some(value.into()),
                secret: Some(false),
                source: "com.circleci.runner.plist".into(),
                written_by: Provenance::Root,
            });
            assert_eq!(status(&survey, "service/plist-literal"), expected, "{name} {value}");
        }
    }
}
