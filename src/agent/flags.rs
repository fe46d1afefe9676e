//! The flags of an agent's command line, which mirror the keys of its configuration.
//! Facts: docs/agents.md, Configuration.

use super::{Config, Kind, config::Holds};

/// What a flag gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// The configuration: `--config`, `-c`.
    Config,
    /// A key of the configuration.
    Key(&'static str),
}

/// The flags among the words of a command with their values, in order: those behind the agent's
/// program, or all where it is not among them.
pub fn flags<T: AsRef<str>>(agent: Kind, words: &[T]) -> Vec<(Flag, &str)> {
    let mut found = Vec::new();
    let from = program(words).map_or(0, |at| at + 1);
    let mut words = words.iter().skip(from).map(AsRef::as_ref).peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let (name, value) = word.split_once('=').map_or((word, None), |(n, v)| (n, Some(v)));
        let Some(flag) = of(agent, name) else { continue };
        let is_switch = matches!(flag, Flag::Key(key) if Config::holds(key) == Some(Holds::Truth));
        let value = match value {
            Some(value) => Some(value),
            None if is_switch => Some("true"),
            None => words.next(),
        };
        found.extend(value.map(|value| (flag, value)));
    }
    found
}

/// Where the agent's program stands among the words of a command.
pub fn program<T: AsRef<str>>(words: &[T]) -> Option<usize> {
    words.iter().position(|word| {
        let name = word.as_ref().rsplit(['/', '\\']).next().unwrap_or_default();
        Kind::of_program(name.strip_suffix(".exe").unwrap_or(name)).is_some()
    })
}

/// Whether a word is the flag of the token.
pub fn is_token_flag(word: &str) -> bool {
    word.starts_with('-') && plain(word).ends_with("auth_token")
}

fn of(agent: Kind, word: &str) -> Option<Flag> {
    if !word.starts_with('-') {
        return None;
    }
    match plain(word).as_str() {
        "config" | "c" => Some(Flag::Config),
        name => {
            let is_it = |key: &&super::Key| key.path == name;
            agent.profile().keys.iter().find(is_it).map(|key| Flag::Key(key.path))
        }
    }
}

/// A flag as keys are written: dashes are as good as underscores.
fn plain(word: &str) -> String {
    word.trim_start_matches('-').replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_the_agents_help_shows_them() {
        let of = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let found = flags(Kind::LaunchAgent, &words).into_iter();
            found.map(|(flag, value)| (flag, value.to_owned())).collect::<Vec<_>>()
        };
        let line = "env -c x /opt/circleci-launch-agent -c /c.yaml --runner.name=a=b \
                    --runner.working-directory /w --runner.cleanup_working_directory --other y \
                    --runner.disable_auto_update=false -- --runner.mode z";
        assert_eq!(
            of(line),
            [
                (Flag::Config, "/c.yaml".to_owned()),
                (Flag::Key("runner.name"), "a=b".to_owned()),
                (Flag::Key("runner.working_directory"), "/w".to_owned()),
                (Flag::Key("runner.cleanup_working_directory"), "true".to_owned()),
                (Flag::Key("runner.disable_auto_update"), "false".to_owned()),
            ]
        );
        assert_eq!(of("agent --config=/c --config"), [(Flag::Config, "/c".to_owned())]);
        // Machine runner 3 alone knows it.
        assert_eq!(of("agent --logging.level debug"), []);
        for word in ["--api.auth_token", "--api.auth-token", "-auth_token"] {
            assert!(is_token_flag(word), "{word}");
        }
        assert!(!is_token_flag("auth_token") && !is_token_flag("--api.url"));
    }
}
