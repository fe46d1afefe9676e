//! Where things stand: docs/agents.md, Places. All systems' layouts compile everywhere, so that plans
//! for all systems can be made anywhere; for the same reason a Windows path is written with
//! slashes here, which Windows takes as well, and shown with backslashes.

use super::{
    Kind,
    profile::{Profile, profiles},
};
use crate::{platform::Os, values::InstanceName};
use std::path::{Path, PathBuf};

/// The places of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The agent's binary.
    pub binary: PathBuf,
    /// Its configuration.
    pub config: PathBuf,
    /// Proxy and certificate settings for the service, where they stand in a file of their own.
    pub environment: PathBuf,
    /// The copy of `--ca-file` that the service reads.
    pub ca: PathBuf,
    /// The folder that holds the work folder.
    pub data: PathBuf,
    /// The default work folder.
    pub workdir: PathBuf,
    /// Where the task agents are kept that the agent downloads; `None`: in the account's home.
    pub task_agents: Option<PathBuf>,
    /// The agent's log, where the system keeps none.
    pub log: Option<PathBuf>,
    /// What the agent writes before its log is open, where the system keeps none.
    pub start_log: Option<PathBuf>,
    /// The service's definition.
    pub definition: PathBuf,
    /// The service's name.
    pub service: String,
    /// The default account.
    pub user: String,
}

impl Layout {
    /// The layout of an agent on `os`, as its documentation or its package has it.
    pub fn of(agent: Kind, os: Os, instance: Option<&str>) -> Self {
        let profile = agent.profile();
        match os {
            Os::Linux => Self::linux(profile, instance),
            Os::Darwin => Self::macos(profile, instance),
            Os::Windows => Self::windows(profile, instance),
        }
    }

    /// The layout on Windows of the instance that a scheduled task is named after.
    pub fn of_task(task: &str) -> Self {
        let is_of = |kind: &Kind| task.starts_with(kind.profile().names.task);
        let kind = Kind::ALL.into_iter().find(is_of).unwrap_or_default();
        Self::of(kind, Os::Windows, kind.profile().instance_of(task))
    }

    /// Every place that it names: files, their folders, and those of jobs.
    pub fn places(&self) -> Vec<PathBuf> {
        let files = [&self.binary, &self.config, &self.environment, &self.ca];
        let folders = [&self.binary, &self.config].into_iter().filter_map(|file| file.parent());
        let more = [&self.definition, &self.data, &self.workdir];
        let optional = [&self.log, &self.start_log, &self.task_agents].into_iter().flatten();
        let paths = files.into_iter().chain(more).chain(optional).map(PathBuf::as_path);
        paths.chain(folders).map(Path::to_owned).collect()
    }

    fn linux(profile: &Profile, instance: Option<&str>) -> Self {
        let names = &profile.names;
        let name = with(names.unit, '-', instance);
        let etc = Path::new(names.etc).join(&name);
        let data = Path::new(names.var).join(&name);
        let service = format!("{name}.service");
        Self {
            binary: Path::new("/opt").join(&name).join(profile.program_file(Os::Linux)),
            config: etc.join(names.config[0]),
            environment: etc.join("environment"),
            ca: etc.join("ca.pem"),
            workdir: data.join("workdir"),
            data,
            task_agents: None,
            log: None,
            start_log: None,
            definition: Path::new("/etc/systemd/system").join(&service),
            service,
            user: with(names.account, '-', instance),
        }
    }

    fn macos(profile: &Profile, instance: Option<&str>) -> Self {
        let names = &profile.names;
        let name = with(names.unit, '-', instance);
        let label = with(names.label, '.', instance);
        let preferences = Path::new("/Library/Preferences").join(&label);
        let logs = Path::new("/Library/Logs");
        let data = Path::new("/var/opt").join(&name);
        let programs = Path::new("/opt").join(&name);
        Self {
            // Root starts them for an account that cannot look into root's home.
            task_agents: keeps_task_agents(profile).then(|| programs.join("task-agents")),
            binary: programs.join(profile.program_file(Os::Darwin)),
            config: preferences.join(names.config[1]),
            environment: preferences.join("environment"),
            ca: preferences.join("ca.pem"),
            workdir: data.clone(),
            data,
            log: Some(logs.join(format!("{label}.log"))),
            start_log: Some(logs.join(format!("{label}.start.log"))),
            definition: Path::new("/Library/LaunchDaemons").join(format!("{label}.plist")),
            service: label,
            user: with(names.account, '-', instance),
        }
    }

    fn windows(profile: &Profile, instance: Option<&str>) -> Self {
        let names = &profile.names;
        let folder = Path::new("C:/Program Files").join(with(WINDOWS_FOLDER, ' ', instance));
        Self {
            task_agents: keeps_task_agents(profile).then(|| folder.join("Agents")),
            binary: folder.join(profile.program_file(Os::Windows)),
            config: folder.join(names.config[2]),
            environment: folder.join(format!("{}.cmd", profile.program)),
            ca: folder.join("ca.pem"),
            workdir: folder.join("Workdir"),
            data: folder.join("Workdir"),
            log: Some(folder.join("circleci-runner.log")),
            start_log: None,
            definition: folder.join(names.task_definition),
            service: with(names.task, ' ', instance),
            user: with(names.account, '-', instance),
        }
    }
}

/// Whether the agent can be told where to keep them.
fn keeps_task_agents(profile: &Profile) -> bool {
    profile.reads("runner.task_agent_directory")
}

/// The folder of agents in that of programs; an instance's name follows.
const WINDOWS_FOLDER: &str = "CircleCI";

/// A name, followed by that of the instance.
fn with(name: &str, between: char, instance: Option<&str>) -> String {
    instance.map_or(name.to_owned(), |instance| format!("{name}{between}{instance}"))
}

/// Whether what is asked for holds of a layout that is documented: of each system and agent, without
/// an instance or with the one that a name tells.
pub fn is_documented(holds: impl Fn(&Layout) -> bool, name: &str) -> bool {
    let instances = name.split(['/', '\\']).filter_map(instance_in).map(Some);
    let systems = [Os::Linux, Os::Darwin, Os::Windows];
    std::iter::once(None).chain(instances).any(|instance| {
        let instance = instance.as_ref().map(InstanceName::as_str);
        systems
            .iter()
            .any(|os| Kind::ALL.into_iter().any(|agent| holds(&Layout::of(agent, *os, instance))))
    })
}

/// The instance in a name that the documentation makes of one.
fn instance_in(name: &str) -> Option<InstanceName> {
    const AFTER: [&str; 4] = [".service", ".plist", ".start.log", ".log"];
    let end = AFTER.iter().find_map(|after| name.strip_suffix(after)).unwrap_or(name);
    let of_accounts = profiles().map(|profile| (profile.names.account, '-'));
    let mut before = of_accounts.chain([(WINDOWS_FOLDER, ' ')]);
    let rest = |(before, between): (&str, char)| end.strip_prefix(before)?.strip_prefix(between);
    // Of two that fit the shorter one: the name of one agent may begin with that of another.
    let of_services = profiles().filter_map(|profile| profile.instance_of(end));
    let shortest = of_services.min_by_key(|rest| rest.len());
    shortest.or_else(|| before.find_map(rest))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEMS: [Os; 3] = [Os::Linux, Os::Darwin, Os::Windows];

    #[test]
    fn what_is_documented_is_known_and_nothing_else() {
        for instance in [None, Some("gpu-1")] {
            for os in [Os::Linux, Os::Darwin, Os::Windows] {
                for agent in Kind::ALL {
                    let layout = Layout::of(agent, os, instance);
                    assert!(
                        is_documented(|other| *other == layout, &layout.service),
                        "{}",
                        layout.service
                    );
                    for place in layout.places() {
                        let text = place.display().to_string();
                        let is_place = |other: &Layout| other.places().contains(&place);
                        assert!(is_documented(is_place, &text), "{text}");
                    }
                }
            }
        }
        for service in ["ssh.service", "circleci-A.service", "circleci", "circleci-x;y.service"] {
            assert!(!is_documented(|layout| layout.service == service, service), "{service}");
        }
        for path in
            ["/opt", "/etc", "/tmp/circleci", "/opt/circleci/../x", "/Library/LaunchDaemons"]
        {
            assert!(
                !is_documented(|layout| layout.places().contains(&path.into()), path),
                "{path}"
            );
        }
    }

    #[test]
    fn instances_share_no_place() {
        for (agent, os) in Kind::ALL.into_iter().flat_map(|agent| SYSTEMS.map(|os| (agent, os))) {
            let (one, other) = (Layout::of(agent, os, None), Layout::of(agent, os, Some("gpu")));
            assert_ne!(one.service, other.service);
            for (one, other) in [
                (&one.binary, &other.binary),
                (&one.config, &other.config),
                (&one.workdir, &other.workdir),
                (&one.definition, &other.definition),
            ] {
                assert!(one != other && !other.starts_with(one), "{os}: {}", other.display());
            }
        }
    }

    /// An instance of one agent must not be called as another agent without one is.
    #[test]
    fn no_instance_is_called_as_another_agent() {
        for (agent, other) in Kind::ALL.into_iter().flat_map(|one| Kind::ALL.map(|two| (one, two)))
        {
            let service = &Layout::of(other, Os::Linux, None).service;
            if let Some(instance) = agent.profile().instance_of(service) {
                assert!(instance.parse::<InstanceName>().is_err(), "{agent}: {instance}");
            }
        }
    }

    #[test]
    fn a_task_tells_its_places() {
        for (agent, instance) in
            Kind::ALL.into_iter().flat_map(|agent| [(agent, None), (agent, Some("gpu"))])
        {
            let layout = Layout::of(agent, Os::Windows, instance);
            assert_eq!(Layout::of_task(&layout.service), layout);
        }
    }
}
