//! What the words of a command say of the agent that it runs.

use super::task_action::program_name;
use crate::{
    agent::{Flag, Kind, flags, is_token_flag, is_token_variable},
    text::{inner, is_whole},
};
use std::path::PathBuf;

/// Whether a command line holds the token.
pub(super) fn holds_token(words: &[String]) -> bool {
    let mut words = words.iter().flat_map(|word| word.split_whitespace()).peekable();
    while let Some(word) = words.next() {
        let holds = match word.split_once('=') {
            Some((name, value)) => {
                let is_name = is_token_flag(name) || is_token_variable(name);
                is_name && is_literal(value)
            }
            None => {
                let is_value = |value: &&str| !value.starts_with('-') && is_literal(value);
                let has_value = words.peek().is_some_and(is_value);
                is_token_flag(word) && has_value
            }
        };
        if holds {
            return true;
        }
    }
    false
}

/// Whether a value stands there itself: what a shell puts in for `$(…)`, a backtick or a variable is
/// not in the line.
pub(super) fn is_literal(value: &str) -> bool {
    let value = value.trim_start_matches(['"', '\'', '\\']);
    !value.is_empty() && !value.starts_with(['$', '`'])
}

/// The agent that it runs.
pub(super) fn kind(command: &[String]) -> Kind {
    // A folder is often called so too; what counts is the first program that is named.
    command.iter().find_map(|word| Kind::named_in(word)).unwrap_or_default()
}

/// The agent's binary: the word that ends in its name, else the first one.
pub(super) fn binary(command: &[String]) -> Option<PathBuf> {
    let named = command.iter().find(|word| Kind::of_program(&program_name(word)).is_some());
    let path = inner(named.or(command.first())?);
    is_whole(&path).then_some(path)
}

/// What stands behind `--config` or `-c`.
pub(super) fn config(command: &[String]) -> Option<PathBuf> {
    let named = flags(kind(command), command).into_iter().rev();
    named.into_iter().find(|(flag, _)| *flag == Flag::Config).map(|(_, path)| inner(path))
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use super::super::agent_settings::config_place;
    use super::{super::environment, *};

    #[cfg(unix)]
    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_token_in_a_command_line_is_known_by_its_option_or_variable() {
        let holds = |words: &[&str]| {
            holds_token(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        for words in [
            ["agent", "--api.auth_token=x"].as_slice(),
            &["agent", "--api.auth_token", "x"],
            &["sh", "-c", "exec agent --api.auth_token x"],
            &["env", "LAUNCH_AGENT_API_AUTH_TOKEN=x", "agent"],
        ] {
            assert!(holds(words), "{words:?}");
        }
        for words in [
            ["agent", "--config", "/auth_token/x"].as_slice(),
            &["agent", "--api.auth_token="],
            &["agent", "--api.auth_token"],
            &["agent", "--api.auth_token", "--config=***"],
            &["agent", "***"],
            &["bash", "-c", "LAUNCH_AGENT_API_AUTH_TOKEN=$(aws ssm get-parameter) exec agent"],
            &["agent", "--api.auth_token", "${TOKEN}"],
            &["agent", "--api.auth_token=\"$TOKEN\""],
        ] {
            assert!(!holds(words), "{words:?}");
        }
        assert!(environment::sets_token("A=b LAUNCH_AGENT_API_AUTH_TOKEN=x"));
        assert!(!environment::sets_token("LAUNCH_AGENT_API_AUTH_TOKEN= A=***"));
    }

    #[test]
    #[cfg(unix)] // The path is whole only there.
    fn binary_and_configuration_come_from_the_command() {
        let line =
            words("/usr/bin/env /opt/circleci-runner/circleci-runner machine --config=/c.yaml");
        assert_eq!(kind(&line), Kind::MachineRunner);
        assert_eq!(binary(&line), Some("/opt/circleci-runner/circleci-runner".into()));
        let place = config_place(Kind::MachineRunner, &line, None).unwrap();
        assert_eq!((place.path, place.is_default), ("/c.yaml".into(), false));
        assert_eq!(binary(&words("relative")), None);
    }
}
