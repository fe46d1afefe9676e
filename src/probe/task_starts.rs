//! Whether a statement of a Windows shell starts an agent, or only names its program, as one does that
//! watches it, copies it or ends it.

use super::task_action::program_name;
use crate::agent::Kind;

/// Programs and aliases that do something with the programs and files they are given, but start none.
const ONLY_NAME: [&str; 38] = [
    "attrib",
    "bitsadmin",
    "cat",
    "certutil",
    "copy",
    "cp",
    "curl",
    "del",
    "echo",
    "erase",
    "find",
    "findstr",
    "gc",
    "gps",
    "icacls",
    "iwr",
    "kill",
    "move",
    "mv",
    "net",
    "ps",
    "query",
    "ren",
    "reg",
    "rm",
    "robocopy",
    "sc",
    "schtasks",
    "setx",
    "spps",
    "takeown",
    "taskkill",
    "tasklist",
    "type",
    "wget",
    "where",
    "wmic",
    "xcopy",
];

/// The cmdlets that start what they are given.
const STARTING: [&str; 6] = [
    "foreach-object",
    "invoke-command",
    "invoke-expression",
    "measure-command",
    "start-job",
    "start-process",
];

/// Whether it is an agent's program.
pub(super) fn is_agent(word: &str) -> bool {
    Kind::of_program(&program_name(word)).is_some()
}

/// Whether these words of one statement start an agent.
pub(super) fn starts_agent(statement: &[String]) -> bool {
    let words = without_condition(statement);
    let at = words.iter().position(|word| is_agent(word));
    at.is_some_and(|at| !words.iter().take(at).any(|word| only_names(word)))
}

/// Without the file that `if exist` asks for.
fn without_condition(words: &[String]) -> &[String] {
    let is = |at: usize, text: &str| {
        words.get(at).is_some_and(|word: &String| word.eq_ignore_ascii_case(text))
    };
    let not = usize::from(is(1, "not"));
    match is(0, "if") && is(1 + not, "exist") {
        true => words.get(3 + not..).unwrap_or_default(),
        false => words,
    }
}

fn only_names(word: &str) -> bool {
    let word = word.rsplit(['(', '{', '=']).next().unwrap_or_default();
    let name = program_name(word);
    ONLY_NAME.contains(&name.as_str()) || is_cmdlet(&name) && !STARTING.contains(&name.as_str())
}

/// Whether it has the form `Verb-Noun`.
fn is_cmdlet(name: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    name.split_once('-').is_some_and(|(verb, noun)| is_word(verb) && is_word(noun))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(statement: &str) -> bool {
        let words: Vec<String> = statement.split(' ').map(str::to_owned).collect();
        starts_agent(&words)
    }

    #[test]
    fn what_starts_an_agent_is_told_from_what_names_it() {
        for statement in [
            r"C:\x\circleci-launch-agent.exe --config c.yaml",
            "Start-Process -FilePath circleci-runner.exe -Wait",
            r"if exist C:\x\circleci-runner.exe C:\x\circleci-runner.exe machine",
            r"psexec -s C:\x\circleci-launch-agent.exe -c c.yaml",
            "} else { circleci-runner machine",
        ] {
            assert!(starts(statement), "{statement}");
        }
        for statement in [
            "Get-Process circleci-launch-agent",
            "if (!(Get-Process circleci-launch-agent",
            "$p = Get-Process -Name circleci-launch-agent",
            "$p=Get-Process circleci-launch-agent",
            "taskkill /im circleci-launch-agent.exe /f",
            r"if exist C:\x\circleci-launch-agent.exe exit",
            r"Copy-Item D:\circleci-runner.exe C:\x",
            "Restart-Service circleci-runner",
        ] {
            assert!(!starts(statement), "{statement}");
        }
    }
}
