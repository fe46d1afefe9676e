//! What is told of a command line. Whoever runs a program chooses its words, and puts secrets into
//! them in more forms than anyone can list: so they are counted, and not told.

use super::{super::agent_words, CommandLine, plain};
use crate::{agent::is_like_process_name, probe::scrub::Scrub};
use std::path::Path;

/// Longest name of a program that is told, in characters.
const LONGEST: usize = 64;

/// The program's name and how many words there are. Of a program that is called as an agent is,
/// the option that names its configuration, and that a token is among the words.
pub(in crate::probe) fn summary(command: &CommandLine, scrub: &Scrub) -> String {
    let words = &command.words;
    // Some programs write all they have to say into the first word.
    let first = words.first().and_then(|word| word.split_whitespace().next()).unwrap_or_default();
    let name = Path::new(first).file_name().map_or(first.into(), |name| name.to_string_lossy());
    let mut text: String = scrub.text(&name).chars().take(LONGEST).collect();
    let is_agents = is_like_process_name(plain(&name));
    if is_agents && let Some(path) = agent_words::config(words) {
        text.push_str(&format!(" --config {}", scrub.text(&path.display().to_string())));
    }
    if is_agents && words.iter().any(|word| word.contains("auth_token")) {
        text.push_str(" --api.auth_token ***");
    }
    match words.len() {
        0 | 1 => text,
        count if command.cut => format!("{text} (more than {count} words)"),
        count => format!("{text} ({count} words)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        summary(&CommandLine { words, cut: false }, &Scrub::default())
    }

    #[test]
    fn no_argument_is_told() {
        for (words, expected) in [
            (["mysql", "-phunter2"].as_slice(), "mysql (2 words)"),
            (&["/usr/bin/curl", "-u", "me:hunter2"], "curl (3 words)"),
            (&["sh", "-c", "deploy hunter2"], "sh (3 words)"),
            (&["worker: hunter2 is busy"], "worker:"),
            (&["sleep"], "sleep"),
            (&["GITHUB_TOKEN=hunter2", "x"], "GITHUB_TOKEN=*** (2 words)"),
        ] {
            assert_eq!(shown(words), expected);
        }
    }

    #[test]
    fn of_an_agent_its_configuration_is_told() {
        let agent = "/opt/circleci/circleci-launch-agent";
        assert_eq!(
            shown(&[agent, "--config=/c.yaml", "--api.auth_token", "hunter2"]),
            "circleci-launch-agent --config /c.yaml --api.auth_token *** (4 words)"
        );
        assert_eq!(shown(&["sh", "--config", "/c"]), "sh (3 words)");
    }
}
