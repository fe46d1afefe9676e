//! The table of settings: everything that is to be known of one besides its value and its help.
//! Options, variables, answers files, the rows of a plan and what a receipt remembers follow from it.

use super::Spec;
use crate::{
    agent::CLOUD_URL,
    text::{REDACTED, shown},
};

/// What is to be known of a setting.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// The option without its dashes in front, the key in an answers file, and, in upper case with
    /// underscores, the variable behind `RUNNERUP_`.
    pub name: &'static str,
    /// What its option takes.
    pub form: Form,
    /// It is about one run, and so no answer of an answers file.
    pub is_of_the_run: bool,
    /// A later install goes by it, and no file of the agent holds it, or none that root may go by:
    /// the account can write the agent's configuration, and a job could have the next `install` run
    /// by root make it a folder anywhere.
    pub is_remembered: bool,
    /// The value that counts, as a plan shows it; `None`: a plan does not show it.
    pub shown: Option<fn(&Spec) -> String>,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Nothing: it is there or not.
    Switch,
    /// One value.
    Value,
    /// Values with commas between them.
    List,
    /// A command, its words quoted as in a shell.
    Words,
}

/// Every setting of an install, in the order in which a plan shows them.
pub const SETTINGS: &[Definition] = &[
    Definition::new("agent").remembered().shown(|spec| spec.agent.to_string()),
    Definition::new("version").remembered().shown(|spec| spec.version.to_string()),
    Definition::new("platform").remembered().shown(|spec| spec.platform.to_string()),
    Definition::new("sha256").shown(|spec| or_none(spec.sha256.as_ref())),
    Definition::new("release-url").remembered().shown(|spec| spec.release_url.to_string()),
    Definition::new("bundle").shown(|spec| or_none(spec.bundle.as_ref().map(shown))),
    Definition::new("url")
        .shown(|spec| spec.url.as_ref().map_or(CLOUD_URL.into(), ToString::to_string)),
    Definition::new("proxy").shown(|spec| or_none(spec.proxy.as_ref())),
    Definition::new("no-proxy").of(Form::List).shown(|spec| or_none(spec.no_proxy.as_ref())),
    Definition::new("ca-file").shown(|spec| or_none(spec.ca_file.as_ref().map(shown))),
    Definition::new("name").shown(|spec| spec.name.to_string()),
    Definition::new("token-file").shown(|spec| or_none(spec.token.as_ref().map(|_| REDACTED))),
    Definition::new("workdir").remembered().shown(|spec| spec.workdir.to_string()),
    Definition::new("cleanup-workdir").shown(|spec| spec.cleanup_workdir.to_string()),
    Definition::new("mode").shown(|spec| spec.mode.to_string()),
    Definition::new("max-run-time").shown(|spec| spec.max_run_time.to_string()),
    Definition::new("idle-timeout").shown(|spec| or_none(spec.idle_timeout.as_ref())),
    Definition::new("command-prefix").of(Form::Words).shown(|spec| {
        or_none(Some(spec.command_prefix.join(" ")).filter(|command| !command.is_empty()))
    }),
    Definition::new("ssh-advertise-addr").shown(|spec| or_none(spec.ssh_advertise_addr.as_ref())),
    Definition::new("log-file").remembered().shown(|spec| or_none(spec.log_file.as_ref())),
    Definition::new("auto-update").remembered().shown(|spec| spec.auto_update.to_string()),
    Definition::new("user").shown(|spec| spec.user.to_string()),
    Definition::new("no-create-user").of(Form::Switch).remembered(),
    Definition::new("instance"),
    Definition::new("service").remembered().shown(|spec| spec.service.to_string()),
    Definition::new("no-start").of(Form::Switch).shown(|spec| (!spec.start).to_string()),
    Definition::new("hardening")
        .remembered()
        .shown(|spec| format!("{:?}", spec.hardening).to_lowercase()),
    Definition::new("passwordless-sudo")
        .of(Form::Switch)
        .remembered()
        .shown(|spec| spec.passwordless_sudo.to_string()),
    Definition::new("desktop-session")
        .of(Form::Switch)
        .remembered()
        .shown(|spec| spec.desktop_session.to_string()),
    Definition::new("root"),
    Definition::new("connections").shown(|spec| spec.connections.to_string()),
    Definition::new("timeout").shown(|spec| format!("{} s", spec.timeout.as_secs())),
    Definition::new("yes").of(Form::Switch).of_the_run(),
    Definition::new("dry-run").of(Form::Switch).of_the_run(),
    Definition::new("json").of(Form::Switch).of_the_run(),
    Definition::new("answers").of_the_run(),
];

/// The names of all settings.
pub fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|setting| setting.name)
}

/// What is to be known of the setting called `name`.
pub fn definition(name: &str) -> Option<&'static Definition> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "(none)".to_owned(), |value| value.to_string())
}

impl Definition {
    const fn new(name: &'static str) -> Self {
        let form = Form::Value;
        Self { name, form, is_of_the_run: false, is_remembered: false, shown: None }
    }

    const fn of(self, form: Form) -> Self {
        Self { form, ..self }
    }

    const fn of_the_run(self) -> Self {
        Self { is_of_the_run: true, ..self }
    }

    const fn remembered(self) -> Self {
        Self { is_remembered: true, ..self }
    }

    const fn shown(self, shown: fn(&Spec) -> String) -> Self {
        Self { shown: Some(shown), ..self }
    }
}
