//! What comes after an install: how to look at it, what a project says to use it, and after a guided
//! one the command that does the same.

use super::{
    Output,
    text::{Fold, Line, Text},
};
use crate::{
    Command,
    platform::Os,
    settings::{
        Settings,
        table::{Definition, Form},
    },
    text::Shell,
};
use url::Url;

/// What the options of an unattended install are added to.
const INSTALL: &str = "runnerup install --yes --token-file token";

/// How far commands and lines of a file stand from the left.
const LEAD: &str = "  ";

/// How to look at the runner, and the lines for a project's configuration.
pub(super) fn after_install(os: Os, out: &Output) -> Text {
    let doctor = match os {
        Os::Windows => Command::fixed("runnerup doctor"),
        Os::Linux | Os::Darwin => Command::root("runnerup doctor"),
    };
    let mut text = Text::new();
    if let Some(doctor) = out.command_line(doctor) {
        text.line("Examine it at any time:");
        text.line(copied(doctor));
    }
    text.line("In .circleci/config.yml, with the resource class that the token was made for:");
    text.line(copied("machine: true"));
    text.line(copied("resource_class: NAMESPACE/RESOURCE-CLASS"));
    text
}

/// The unattended command that does what a guided install did; none where a value in it is a secret,
/// or cannot be written for the system's shells.
pub(super) fn unattended(settings: &Settings, os: Os, out: &Output) -> Option<Text> {
    let line = out.command_line(command(settings, os)?)?;
    let mode = if os == Os::Windows { "" } else { " (mode 600)" };
    let mut text = Text::from(format!(
        "The same without questions, with the token in the file `token`{mode}:"
    ));
    text.line(copied(line));
    Some(text)
}

/// An install with the settings that somebody chose; `None` where one holds a password.
fn command(settings: &Settings, os: Os) -> Option<Command> {
    let (mut command, shell) = match os {
        Os::Windows => (Command::fixed(INSTALL), Shell::Windows),
        Os::Linux | Os::Darwin => (Command::root(INSTALL), Shell::Posix),
    };
    let is_added = |setting: &&Definition| !["token-file", "root"].contains(&setting.name);
    for Definition { name, form, .. } in settings.chosen().filter(is_added) {
        let value = match form {
            Form::Switch if !settings.switch(name).ok()? => continue,
            Form::Switch => None,
            Form::Value | Form::List => settings.text(name),
            Form::Words => {
                let words = settings.list(name)?;
                Some(shlex::try_join(words.iter().map(String::as_str)).ok()?)
            }
        };
        command = command.plain(&format!("--{name}"));
        if let Some(value) = value {
            if has_password(&value) {
                return None;
            }
            command = command.quoted(&value, &value, shell);
        }
    }
    Some(command)
}

/// Whether a value is a URL with a login.
fn has_password(value: &str) -> bool {
    Url::parse(value).is_ok_and(|url| url.password().is_some())
}

/// A line that is copied whole.
fn copied(text: impl Into<String>) -> Line {
    Line::new().lead(LEAD).text(text.into()).fold(Fold::Never)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::{SettingValue, Source},
        text::REDACTED,
    };

    const PREFIX: [&str; 4] = ["sudo", "-niHu", "ci of jobs", "--"];

    fn line(settings: &Settings, os: Os) -> Option<String> {
        command(settings, os)?.into_line()
    }

    fn settings(given: &[(&str, &str, Source)]) -> Settings {
        let mut settings = Settings::default();
        for (name, value, source) in given {
            settings.add(name, SettingValue::one(*value, source.clone())).unwrap();
        }
        settings
    }

    #[test]
    fn what_was_chosen_is_an_option_as_it_is_typed() {
        let mut settings = settings(&[
            ("url", "https://ci.example.com", Source::Prompt),
            ("token-file", REDACTED, Source::Prompt),
            ("version", "latest", Source::Flag),
            ("user", "circleci", Source::Existing("receipt".to_owned())),
            ("instance", "gpu", Source::Flag),
            ("no-start", "false", Source::Prompt),
            ("no-create-user", "true", Source::Prompt),
            ("timeout", "60", Source::Variable("RUNNERUP_TIMEOUT".to_owned())),
            ("dry-run", "false", Source::Flag),
        ]);
        let prefix = PREFIX.map(str::to_owned);
        settings.add("command-prefix", SettingValue::list(prefix, Source::Flag)).unwrap();
        assert_eq!(
            line(&settings, Os::Linux).unwrap(),
            "sudo runnerup install --yes --token-file token --version latest \
             --url https://ci.example.com \
             --command-prefix 'sudo -niHu '\\''ci of jobs'\\'' --' --no-create-user \
             --instance gpu --timeout 60"
        );
        // Whoever pastes it gives the same settings.
        let words = shlex::split(&line(&settings, Os::Linux).unwrap()).unwrap();
        let at = words.iter().position(|word| word == "--command-prefix").unwrap();
        assert_eq!(shlex::split(&words[at + 1]).unwrap(), PREFIX);
    }

    #[test]
    fn a_value_is_quoted_for_the_shells_of_the_system() {
        let mut settings = settings(&[("workdir", r"C:\Jobs of CI", Source::Prompt)]);
        assert_eq!(
            line(&settings, Os::Windows).unwrap(),
            r#"runnerup install --yes --token-file token --workdir "C:\Jobs of CI""#
        );
        settings.add("name", SettingValue::one("%TEMP%", Source::Prompt)).unwrap();
        assert_eq!(line(&settings, Os::Windows), None, "cmd would fill it in");
    }

    #[test]
    fn a_password_is_in_no_command() {
        let proxy = |url| line(&settings(&[("proxy", url, Source::Flag)]), Os::Linux);
        assert!(proxy("http://proxy:3128").unwrap().ends_with(" --proxy http://proxy:3128"));
        assert_eq!(proxy("http://u:p@proxy:3128"), None);
    }
}
