//! What is known of each service manager: one [`Profile`] for each, in the folder of its name.

use super::{
    Parts, Services, StartLine, StartQuery, StateQuery, Told, Unread, Verb,
    launchd::LaunchdProfile,
    systemd::{SystemdProfile, unit_text::value},
    task_scheduler::TaskSchedulerProfile,
};
use crate::{
    Command, Result,
    host::{Directive, Facts, Install, Objection, PathRole, Seen, Service, ServiceState},
    platform::{command::Commands, fs::Root},
    settings::Spec,
    values::Manager,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// What is known of a service manager; the defaults are those of no manager at all.
pub(crate) trait Profile: Sync {
    /// Why a check that is about this manager does not apply to an agent that another one runs.
    fn elsewhere(&self) -> &'static str {
        "no service manager runs it"
    }

    /// How it is controlled.
    fn control<'a>(&self, _commands: &'a dyn Commands) -> Option<Box<dyn Services + 'a>> {
        None
    }

    /// Paths of an image by any of which the manager is known to be in it.
    fn marks(&self) -> &'static [&'static str] {
        &[]
    }

    /// The folder of an administrator's definitions, where it is the manager's own.
    fn folder(&self) -> Option<&'static str> {
        None
    }

    /// The service that a file in [`folder`](Self::folder) is called after.
    fn service_of(&self, file: &Path) -> Option<String> {
        let folder = Path::new(self.folder()?);
        let name = file.file_name().filter(|_| file.parent() == Some(folder))?;
        Some(name.to_string_lossy().into_owned())
    }

    /// Whether other files add to a definition, and other services start with it: all that the
    /// manager acts on as root must then be root's alone, with every folder on the way.
    fn has_drop_ins(&self) -> bool {
        false
    }

    /// Whether the manager acts by the files that are examined, and not by a copy of its own.
    fn reads_files(&self) -> bool {
        true
    }

    /// Whether links in its folders enable services and start them with the host.
    fn starts_by_links(&self) -> bool {
        false
    }

    /// Whether it passes on what an agent reports of its health.
    fn passes_health(&self) -> bool {
        false
    }

    /// Keys at the top of a definition that name a folder by a whole path, and what that is for.
    fn folder_keys(&self) -> &'static [(PathRole, &'static str)] {
        &[]
    }

    /// Whether a program must be named by its path from the root on.
    fn needs_whole_path(&self) -> bool {
        false
    }

    /// Whether the manager acts on this definition as root.
    fn acts_as_root(&self, _service: &Service) -> bool {
        true
    }

    /// Whether [`Services`] reaches this service by its name.
    fn is_reached(&self, _service: &Service) -> bool {
        false
    }

    /// The states of services, by their names.
    fn states(&self, _query: &StateQuery<'_>) -> Seen<BTreeMap<String, ServiceState>> {
        Seen::not_applicable("no service manager of this host was asked")
    }

    /// The same with what is in force, where the manager tells that.
    fn told(&self, query: &StateQuery<'_>) -> Seen<BTreeMap<String, Told>> {
        let all = |states: BTreeMap<String, ServiceState>| {
            states.into_iter().map(|(name, state)| (name, state.into())).collect()
        };
        self.states(query).map(all)
    }

    /// The services that it has made of these templates.
    fn instances(
        &self,
        _commands: &dyn Commands,
        _templates: &[String],
        _limit: Duration,
    ) -> Vec<String> {
        Vec::new()
    }

    /// Whether the manager can be asked by this name what it objects to in a definition.
    fn judges(&self, _service: &str) -> bool {
        false
    }

    /// What the manager objects to in the definitions of these services of this host, read as it
    /// would to start them.
    fn objections(
        &self,
        _commands: &dyn Commands,
        _services: &[String],
        _limit: Duration,
    ) -> Seen<Vec<Objection<String>>> {
        Seen::not_applicable("its manager judges no single line of a definition")
    }

    /// Files that were meant as definitions and that the manager never reads because of their names.
    fn unread(&self, _root: &Root) -> Vec<Unread> {
        Vec::new()
    }

    /// The command that the manager runs by a definition.
    fn start_line(&self, query: &mut StartQuery<'_>) -> StartLine {
        let folder = value(query.directives, "", "WorkingDirectory").map(PathBuf::from);
        StartLine { words: std::mem::take(&mut query.words), folder }
    }

    /// Folders where the manager looks for a program that a definition names without one.
    fn program_folders(&self, _directives: &[Directive<String>]) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Whether what stands in front of the agent in that command is looked through.
    fn is_followed(&self) -> bool {
        true
    }

    /// The account that a definition has the agent run as; `None` where that depends on who is
    /// logged on.
    fn account(&self, _directives: &[Directive<String>], _file: &Path) -> Option<String> {
        Some("root".to_owned())
    }

    /// A state in words.
    fn words(&self, state: &ServiceState) -> String {
        state.to_string()
    }

    /// What the end of a service means, where its words do not say so.
    fn meaning(&self, _state: &ServiceState) -> Option<&'static str> {
        None
    }

    /// What a person types to do something with the service of an agent, in order.
    fn commands(&self, _verb: Verb, _install: &Install, _service: &Service) -> Vec<Command> {
        Vec::new()
    }

    /// What an install gives the manager; `is_ours`: the account is one that an install made.
    ///
    /// # Errors
    /// When a definition cannot be written down.
    fn parts(&self, _spec: &Spec, _is_ours: bool) -> Result<Parts> {
        Ok(Parts::default())
    }

    /// Paths that a plan looks at besides those of the layout.
    fn places(&self, _spec: &Spec) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Refuses a host on which the manager does not run.
    fn refuse_host(&self, _facts: &Facts) -> Result<()> {
        Ok(())
    }

    /// Refuses what others left for a service of this name, where the agent that would run by it is
    /// not the one that is planned.
    fn refuse_foreign_parts(&self, _spec: &Spec, _facts: &Facts) -> Result<()> {
        Ok(())
    }

    /// What others left for a service of this name, and stays in force.
    fn foreign_parts(&self, _spec: &Spec, _facts: &Facts) -> Vec<String> {
        Vec::new()
    }

    /// Refuses a name that another service of the host has; [`places`](Self::places) were looked at.
    fn refuse_name(&self, _spec: &Spec, _facts: &Facts) -> Result<()> {
        Ok(())
    }
}

/// No manager at all.
struct NoManager;

impl Profile for NoManager {}

impl Manager {
    /// What is known of it.
    pub(crate) fn profile(self) -> &'static dyn Profile {
        match self {
            Self::Systemd => &SystemdProfile,
            Self::Launchd => &LaunchdProfile,
            Self::TaskScheduler => &TaskSchedulerProfile,
            Self::None => &NoManager,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agent::{Kind, Layout},
        platform::Os,
    };

    #[test]
    fn a_definition_tells_its_service() {
        for os in [Os::Linux, Os::Darwin] {
            let profile = Manager::usual(os).profile();
            for kind in Kind::ALL {
                let layout = Layout::of(kind, os, Some("gpu"));
                assert_eq!(profile.service_of(&layout.definition), Some(layout.service));
            }
            for other in ["/etc/sudoers.d/circleci", "/", ""] {
                assert_eq!(profile.service_of(Path::new(other)), None, "{other:?}");
            }
        }
    }

    #[test]
    fn each_manager_is_told_from_the_others() {
        let words = Manager::ALL.map(|manager| manager.profile().elsewhere());
        let all: std::collections::BTreeSet<_> = words.into_iter().collect();
        assert_eq!(all.len(), Manager::ALL.len());
        for manager in Manager::ALL {
            let control = manager.profile().control(&crate::platform::command::HostCommands);
            assert_eq!(control.is_none(), manager == Manager::None, "{manager}");
        }
    }
}
