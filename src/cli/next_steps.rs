//! What comes after an install: how to look at it, what a project says to use it, and after a guided
//! one the command that does the same.

use super::{
    Output,
    text::{Fold, Line, Text},
};
use crate::{
    Command,
    plan::{Plan, Setting},
    platform::Os,
    spec::{Source, table::definition},
    text::REDACTED,
};

/// How far commands and lines of a file stand from the left.
const LEAD: &str = "  ";

/// How to look at the runner, and the lines for a project's configuration.
pub(super) fn after_install(os: Os, out: &Output) -> Text {
    let doctor = match os {
        Os::Windows => Command::fixed("runnerup doctor"),
        Os::Linux | Os::Darwin => Command::root("runnerup doctor"),
    };
    let mut text = Text::new();
    if let Some(doctor) = out.own(doctor) {
        text.line("Examine it at any time:");
        text.line(copied(doctor));
    }
    text.line("In .circleci/config.yml, with the resource class that the token was made for:");
    text.line(copied("machine: true"));
    text.line(copied("resource_class: NAMESPACE/RESOURCE-CLASS"));
    text
}

/// The unattended command that does what a guided install did; none where a value in it is a secret.
pub(super) fn unattended(plan: &Plan, os: Os, out: &Output) -> Option<Text> {
    let words = words(&plan.settings)?;
    let line = shlex::try_join(words.iter().map(String::as_str)).ok()?;
    let root = out.own(Command::fixed(""))?;
    let sudo = if os == Os::Windows { "" } else { "sudo " };
    let mut text = Text::from("The same without questions, with the token in the file `token`:");
    text.line(copied(format!("{sudo}runnerup install --yes --token-file token {line}{root}")));
    Some(text)
}

/// The options that somebody chose, as they are typed.
fn words(settings: &[Setting]) -> Option<Vec<String>> {
    let is_chosen = |setting: &&Setting| {
        !matches!(setting.source, Source::Default | Source::Existing(_))
            && !["token-file", "root"].contains(&setting.name)
    };
    let mut words = Vec::new();
    for setting in settings.iter().filter(is_chosen) {
        if setting.value.contains(REDACTED) {
            return None;
        }
        let is_switch = definition(setting.name).is_some_and(|setting| setting.is_switch);
        match (is_switch, setting.value.as_str()) {
            (true, "true") => words.push(format!("--{}", setting.name)),
            (true, _) => {}
            (false, value) => words.extend([format!("--{}", setting.name), value.to_owned()]),
        }
    }
    Some(words)
}

/// A line that is copied whole.
fn copied(text: impl Into<String>) -> Line {
    Line::new().lead(LEAD).text(text.into()).fold(Fold::Never)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_is_an_option_and_a_secret_is_in_no_command() {
        let setting = |name, value: &str, source| Setting { name, value: value.to_owned(), source };
        let mut settings = vec![
            setting("url", "https://ci.example.com", Source::Prompt),
            setting("token-file", REDACTED, Source::Prompt),
            setting("user", "circleci", Source::Default),
            setting("no-start", "false", Source::Prompt),
            setting("no-create-user", "true", Source::Prompt),
            setting("command-prefix", "sudo -niHu ci --", Source::Flag),
        ];
        let expected = [
            "--url",
            "https://ci.example.com",
            "--no-create-user",
            "--command-prefix",
            "sudo -niHu ci --",
        ];
        assert_eq!(words(&settings).unwrap(), expected);
        settings.push(setting("proxy", "http://u:***@proxy", Source::Flag));
        assert_eq!(words(&settings), None);
    }
}
