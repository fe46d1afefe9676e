//! The scheduled task's definition, from its template, and the script that gives the agent an
//! environment where it needs one: a task has none of its own.

use super::environment;
use crate::{
    agent::Os,
    apply::Content,
    platform::layout::{Layout, shown},
    spec::Spec,
};
use secrecy::SecretString;

const TASK: &str = include_str!("../../templates/launch-agent-task.xml");

/// How the task's account logs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logon {
    /// With a password that the scheduler keeps: of an account that is ours to give one.
    Password,
    /// Without one: of an account that is somebody's.
    Service,
}

/// The definition, in UTF-16.
pub(super) fn content(spec: &Spec, layout: &Layout, logon: Logon) -> Content {
    let description = match spec.instance.as_ref() {
        Some(name) => format!("CircleCI self-hosted runner {name}"),
        None => "CircleCI self-hosted runner".to_owned(),
    };
    let script = shown(&layout.environment);
    let (command, arguments) = match environment::variables(spec, layout).is_empty() {
        true => (shown(&layout.binary), format!("--config \"{}\"", shown(&layout.config))),
        false => (r"C:\Windows\System32\cmd.exe".to_owned(), format!("/d /c \"\"{script}\"\"")),
    };
    let logon = match logon {
        Logon::Password => "Password",
        Logon::Service => "S4U",
    };
    let folder = layout.binary.parent().map(shown).unwrap_or_default();
    let blanks = [
        ("{{description}}", description.as_str()),
        ("{{user}}", spec.user.as_str()),
        ("{{logon}}", logon),
        ("{{command}}", &command),
        ("{{arguments}}", &arguments),
        ("{{folder}}", &folder),
    ];
    let mut text = TASK.replace('\n', "\r\n");
    for (blank, value) in blanks {
        text = text.replace(blank, &escaped(value));
    }
    Content::wide(text)
}

/// The script that sets the environment and runs the agent; `None` where there is none to set.
pub(super) fn script(spec: &Spec, layout: &Layout) -> Option<Content> {
    let variables = environment::variables(spec, layout);
    if variables.is_empty() {
        return None;
    }
    let text = |value: fn(&environment::Variable) -> &str| {
        let mut text = "@rem Written by runnerup: the agent's environment.\r\n".to_owned();
        for variable in &variables {
            // Inside of quotes only the percent sign means anything.
            let value = value(variable).replace('%', "%%");
            text += &format!("@set \"{}={value}\"\r\n", variable.name);
        }
        let (binary, config) = (shown(&layout.binary), shown(&layout.config));
        text + &format!("@\"{binary}\" --config \"{config}\"\r\n")
    };
    let whole = SecretString::from(text(|variable| &variable.value));
    Some(Content::secret(whole, text(|variable| &variable.shown)))
}

/// The variables that a script of ours sets.
pub(crate) fn variables(script: &str) -> Vec<(String, String)> {
    let variable = |line: &str| {
        let (name, value) = line.strip_prefix("@set \"")?.strip_suffix('"')?.split_once('=')?;
        Some((name.to_owned(), value.replace("%%", "%")))
    };
    script.lines().filter_map(variable).collect()
}

/// Whether a value can stand in the script at all.
pub(super) fn can_hold(value: &str) -> bool {
    !value.contains('"')
}

/// Whether the task's account is ours to give a password to.
pub(super) fn logon(spec: &Spec, is_ours: bool) -> Logon {
    debug_assert_eq!(spec.platform.os(), Os::Windows);
    if spec.create_user && is_ours { Logon::Password } else { Logon::Service }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blank_of_the_template_is_known() {
        let blanks = TASK.matches("{{").count();
        assert_eq!(blanks, 6);
    }

    #[test]
    fn what_the_script_sets_is_read_back() {
        let script = "@rem x\r\n@set \"HTTPS_PROXY=http://a%%3Cb@p:1\"\r\n@\"C:\\x.exe\"\r\n";
        assert_eq!(variables(script), [("HTTPS_PROXY".to_owned(), "http://a%3Cb@p:1".to_owned())]);
    }
}
