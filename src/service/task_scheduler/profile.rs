//! What is known of the task scheduler.

use super::{OnTask, Tasks, definition, definition_path, keeper, named, results};
use crate::{
    Command, Result,
    host::{Directive, Install, PathRole, PathWalk, Provenance, Service, ServiceState},
    platform::command::Commands,
    service::{DefinitionFile, Parts, Profile, Services, Verb},
    settings::Spec,
};
use std::path::{Path, PathBuf};

/// What is known of the task scheduler.
pub(crate) struct TaskSchedulerProfile;

/// The account of a principal, by its own name, without the host's or a dot before it.
fn account(name: &str) -> String {
    let name = name.rsplit('\\').next().unwrap_or_default();
    match name.to_ascii_uppercase().as_str() {
        "S-1-5-18" | "SYSTEM" | "LOCALSYSTEM" => "SYSTEM".to_owned(),
        "S-1-5-19" => "LOCAL SERVICE".to_owned(),
        "S-1-5-20" => "NETWORK SERVICE".to_owned(),
        _ => name.to_owned(),
    }
}

impl Profile for TaskSchedulerProfile {
    fn elsewhere(&self) -> &'static str {
        "the service is not a scheduled task"
    }

    fn control<'a>(&self, commands: &'a dyn Commands) -> Option<Box<dyn Services + 'a>> {
        Some(Box::new(Tasks::new(commands)))
    }

    fn reads_files(&self) -> bool {
        false
    }

    /// The words are the agent's own already: what an action runs was read from its script.
    fn is_followed(&self) -> bool {
        false
    }

    /// A task of a group runs as whoever of it is logged on.
    fn account(&self, directives: &[Directive<String>], _: &Path) -> Option<String> {
        let is_user = |line: &&Directive<String>| {
            line.section == "Principals/Principal" && line.key == "UserId" && !line.value.is_empty()
        };
        directives.iter().find(is_user).map(|line| account(&line.value))
    }

    fn words(&self, state: &ServiceState) -> String {
        results::words(state)
    }

    fn commands(&self, verb: Verb, install: &Install, service: &Service) -> Vec<Command> {
        let on_task = |what: OnTask| what.of(&service.name, install.named_by);
        match verb {
            // It asks for no password, other than `schtasks /Change`.
            Verb::Enable => {
                let enable = Command::fixed("Enable-ScheduledTask");
                vec![named(enable, &service.name, install.named_by)]
            }
            Verb::Restart => {
                vec![on_task(OnTask::End), on_task(OnTask::Run)]
            }
            Verb::Inspect => vec![on_task(OnTask::Query)],
            Verb::ShowLog => {
                let log = install.named(PathRole::LogFile);
                let walk = log.and_then(|log| Some((log.walk.ok()?, log.named_by)));
                let show = |(walk, named_by): (&PathWalk, Provenance)| {
                    Command::fixed("Get-Content -Tail 50 -LiteralPath").path(&walk.path, named_by)
                };
                Vec::from_iter(walk.map(show))
            }
            Verb::Start | Verb::Reload | Verb::ShowDefinition => Vec::new(),
        }
    }

    fn parts(&self, spec: &Spec, is_ours: bool) -> Result<Parts> {
        let layout = &spec.layout;
        let defined = |path: PathBuf, content, purpose| DefinitionFile {
            path,
            content,
            mode: 0o400,
            purpose,
        };
        let content = definition::content(spec, layout, definition::logon(spec, is_ours));
        let mut parts = Parts {
            definitions: vec![defined(layout.definition.clone(), content, "the scheduled task")],
            services: vec![layout.service.clone()],
            ..Parts::default()
        };
        if spec.desktop_session {
            let keeper = keeper(&layout.service);
            let content = definition::keeper(spec, layout);
            let purpose = "the task that keeps the account's session open";
            parts.definitions.push(defined(definition_path(&keeper), content, purpose));
            // It saves the password, and the agent's task must exist when it opens a session.
            parts.services.insert(0, keeper);
        }
        Ok(parts)
    }
}
