//! What is known of launchd.

use super::{Launchd, OnJob, definition, domain_of, end, jobs, on_job, reload, rival};
use crate::{
    Code, Command, Error, Result,
    host::{Directive, Facts, Install, PathRole, Seen, Service, ServiceState},
    platform::{command::Commands, macos::SYSTEM},
    service::{DefinitionFile, Parts, Profile, Services, StateQuery, Verb},
    settings::Spec,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What is known of launchd.
pub(crate) struct LaunchdProfile;

/// The domain that launchd has, or would have, a service in; empty where that is not known.
pub(crate) fn domain(service: &Service) -> &str {
    if let Some(domain) = service.state.ok().and_then(|state| state.domain.as_deref()) {
        return domain;
    }
    let file = service.file().map_or(Path::new(""), |file| file.path.as_path());
    domain_of(file).unwrap_or_default()
}

/// Whether launchd runs it for the system, from the place where daemons are.
fn is_daemon(service: &Service) -> bool {
    let file = service.file().map(|file| file.path.as_path());
    domain(service) == SYSTEM && file == Some(definition(&service.name).as_path())
}

/// Whose a definition is that stands in a home.
fn owner_of_home(file: &Path) -> Option<String> {
    let name = file.strip_prefix("/Users").ok()?.components().next()?;
    Some(name.as_os_str().to_string_lossy().into_owned())
}

impl Profile for LaunchdProfile {
    fn elsewhere(&self) -> &'static str {
        "launchd does not run the agent"
    }

    fn control<'a>(&self, commands: &'a dyn Commands) -> Option<Box<dyn Services + 'a>> {
        Some(Box::new(Launchd::new(commands)))
    }

    fn marks(&self) -> &'static [&'static str] {
        &[super::DAEMONS]
    }

    fn folder(&self) -> Option<&'static str> {
        Some(super::DAEMONS)
    }

    /// A plist is called after its label.
    fn service_of(&self, file: &Path) -> Option<String> {
        let name = file.file_stem().filter(|_| file.parent() == Some(Path::new(super::DAEMONS)))?;
        Some(name.to_string_lossy().into_owned())
    }

    fn folder_keys(&self) -> &'static [(PathRole, &'static str)] {
        &[(PathRole::ServiceFolder, "WorkingDirectory"), (PathRole::ServiceRoot, "RootDirectory")]
    }

    fn needs_whole_path(&self) -> bool {
        true
    }

    /// Not where a user's launchd runs it.
    fn acts_as_root(&self, service: &Service) -> bool {
        domain(service) == SYSTEM
    }

    /// Only what the system's domain holds is known to be started by its label alone.
    fn is_reached(&self, service: &Service) -> bool {
        is_daemon(service)
    }

    fn states(&self, query: &StateQuery<'_>) -> Seen<BTreeMap<String, ServiceState>> {
        jobs::states(query)
    }

    /// A daemon that names none runs as root.
    fn account(&self, directives: &[Directive<String>], file: &Path) -> Option<String> {
        let named = directives.iter().rev().find(|line| line.key == "UserName");
        let user = named.map(|line| line.value.clone()).or_else(|| owner_of_home(file));
        Some(user.filter(|user| !user.is_empty()).unwrap_or_else(|| "root".to_owned()))
    }

    fn meaning(&self, state: &ServiceState) -> Option<&'static str> {
        end::meaning(&state.result, state.exit_status)
    }

    fn commands(&self, verb: Verb, install: &Install, service: &Service) -> Vec<Command> {
        let on_job = |what| on_job(what, install, service);
        match verb {
            Verb::Enable => vec![on_job(OnJob::Enable)],
            // `kickstart -k` would end a job, and start what launchd has read before.
            Verb::Restart | Verb::Reload => reload(install, service).into(),
            Verb::Inspect => vec![on_job(OnJob::Print)],
            // What is loaded runs, or launchd starts it again; a log it has none.
            Verb::Start | Verb::ShowDefinition | Verb::ShowLog => Vec::new(),
        }
    }

    fn parts(&self, spec: &Spec, _: bool) -> Result<Parts> {
        let layout = &spec.layout;
        let log = spec.log_file.as_ref().map(|path| PathBuf::from(path.as_str()));
        let before = layout.start_log.clone();
        let before = before.map(|log| (log, "output of the agent before it opens its log"));
        let content = definition::content(spec, layout)?;
        Ok(Parts {
            logs: log.map(|log| (log, "the agent's log")).into_iter().chain(before).collect(),
            definitions: vec![DefinitionFile {
                path: layout.definition.clone(),
                // launchd requires root as the owner; the file may contain the password of a proxy.
                mode: if content.is_secret() { 0o600 } else { 0o644 },
                content,
                purpose: "the launchd definition",
            }],
            link: None,
            services: vec![layout.service.clone()],
        })
    }

    fn places(&self, spec: &Spec) -> Vec<PathBuf> {
        rival::places(spec).collect()
    }

    fn refuse_host(&self, facts: &Facts) -> Result<()> {
        if !facts.tools.contains("launchctl") {
            return Err(Error::new(
                Code::ServiceManagerMissing,
                "the service needs launchd, but this host has no launchctl",
            )
            .help("--service none   # the plan then shows how to run the agent"));
        }
        Ok(())
    }

    fn refuse_name(&self, spec: &Spec, facts: &Facts) -> Result<()> {
        rival::refuse(spec, facts)
    }
}
