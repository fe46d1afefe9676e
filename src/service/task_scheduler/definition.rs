//! The scheduled tasks' definitions, from their template, and the script that gives the agent an
//! environment where it needs one: a task has none of its own.

use crate::{
    agent::Layout,
    record::Content,
    service::{description, environment, task_scheduler::session},
    settings::Spec,
    text::shown,
};
use secrecy::SecretString;

const TASK: &str = include_str!("../../../templates/agent-task.xml");
const AT_START: &str = include_str!("../../../templates/task-trigger-boot.xml");
const AT_NEXT_START: &str = include_str!("../../../templates/task-trigger-next-boot.xml");
const AT_LOGON: &str = include_str!("../../../templates/task-trigger-logon.xml");

/// How the task's account logs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logon {
    /// With a password that the scheduler keeps: of an account that is ours to give one.
    Password,
    /// Without one: of an account that is somebody's.
    Service,
    /// In the session that the keeper opens: the task begins with it.
    Session,
}

/// The agent's definition, in UTF-16.
pub(crate) fn content(spec: &Spec, layout: &Layout, logon: Logon) -> Content {
    let script = shown(&layout.environment);
    let (command, arguments) = match has_script(spec, layout) {
        false => (shown(&layout.binary), arguments(spec, layout)),
        true => (r"C:\Windows\System32\cmd.exe".to_owned(), format!("/d /c \"\"{script}\"\"")),
    };
    definition(spec, layout, logon, &description(spec), &command, &arguments)
}

/// The definition of the task that keeps a session open, in UTF-16.
pub(crate) fn keeper(spec: &Spec, layout: &Layout) -> Content {
    let command = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
    let arguments = session::keeper_arguments(spec.user.as_str());
    let description = format!("{}: keeps its desktop session open", description(spec));
    definition(spec, layout, Logon::Password, &description, command, &arguments)
}

fn definition(
    spec: &Spec,
    layout: &Layout,
    logon: Logon,
    description: &str,
    command: &str,
    arguments: &str,
) -> Content {
    // Any trigger that repeats by the clock would start the task within a minute.
    let at_start = if spec.start { AT_START } else { AT_NEXT_START };
    let (trigger, logon) = match logon {
        Logon::Password => (at_start, "Password"),
        Logon::Service => (at_start, "S4U"),
        Logon::Session => (AT_LOGON, "InteractiveToken"),
    };
    let folder = layout.binary.parent().map(shown).unwrap_or_default();
    let blanks = [
        ("{{description}}", description),
        ("{{user}}", spec.user.as_str()),
        ("{{logon}}", logon),
        ("{{command}}", command),
        ("{{arguments}}", arguments),
        ("{{folder}}", &folder),
    ];
    // The trigger has a blank itself.
    let trigger = trigger.trim_end().replace('\n', "\n    ");
    let mut text = TASK.replace("{{trigger}}", &trigger).replace('\n', "\r\n");
    for (blank, value) in blanks {
        text = text.replace(blank, &escaped(value));
    }
    Content::wide(text)
}

/// The script that sets the environment and runs the agent, and then logs its session off; `None`
/// where there is neither.
pub(crate) fn script(spec: &Spec, layout: &Layout) -> Option<Content> {
    if !has_script(spec, layout) {
        return None;
    }
    let variables = environment::variables(spec, layout);
    let paths = [&layout.binary, &layout.config].map(shown);
    let is_ascii = paths.iter().all(|path: &String| path.is_ascii())
        && variables.iter().all(|variable| variable.value.is_ascii());
    let text = |value: fn(&environment::Variable) -> &str| {
        let mut text = "@rem Written by runnerup: the agent's environment.\r\n".to_owned();
        if !is_ascii {
            // What follows is read in the code page of that moment, which is not UTF-8 by default.
            text += "@C:\\Windows\\System32\\chcp.com 65001 >nul\r\n";
        }
        for variable in &variables {
            // Inside of quotes only the percent sign means anything.
            let value = value(variable).replace('%', "%%");
            text += &format!("@set \"{}={value}\"\r\n", variable.name);
        }
        let (binary, arguments) = (shown(&layout.binary), arguments(spec, layout));
        text += &format!("@\"{binary}\" {arguments}\r\n");
        if spec.desktop_session {
            text += "@rem The session keeper opens the next one.\r\n";
            text += "@C:\\Windows\\System32\\logoff.exe\r\n";
        }
        text
    };
    let whole = SecretString::from(text(|variable| &variable.value));
    Some(Content::secret(whole, text(|variable| &variable.shown)))
}

/// The agent's arguments; its configuration's path has blanks.
fn arguments(spec: &Spec, layout: &Layout) -> String {
    let config = format!("\"{}\"", shown(&layout.config));
    spec.agent.profile().arguments(&config).collect::<Vec<_>>().join(" ")
}

fn has_script(spec: &Spec, layout: &Layout) -> bool {
    spec.desktop_session || !environment::variables(spec, layout).is_empty()
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
pub(crate) fn can_hold(value: &str) -> bool {
    !value.contains('"')
}

/// How the account logs on; only one of ours can be given a password.
pub(crate) fn logon(spec: &Spec, is_ours: bool) -> Logon {
    match spec.create_user && is_ours {
        true if spec.desktop_session => Logon::Session,
        true => Logon::Password,
        false => Logon::Service,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blank_of_the_template_is_known() {
        let blanks = |text: &str| text.matches("{{").count();
        let of = [TASK, AT_START, AT_NEXT_START, AT_LOGON].map(blanks);
        assert_eq!(of, [7, 0, 0, 1]);
    }

    #[test]
    fn what_the_script_sets_is_read_back() {
        let script = "@rem x\r\n@set \"HTTPS_PROXY=http://a%%3Cb@p:1\"\r\n@\"C:\\x.exe\"\r\n";
        assert_eq!(variables(script), [("HTTPS_PROXY".to_owned(), "http://a%3Cb@p:1".to_owned())]);
    }
}
