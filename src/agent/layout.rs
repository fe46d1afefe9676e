//! Where things stand: docs/agents.md, Places. All systems' layouts compile everywhere, so that plans
//! for all systems can be made anywhere; for the same reason a Windows path is written with
//! slashes here, which Windows takes as well, and shown with backslashes.

use crate::{agent::Kind, platform::Os, values::InstanceName};
use std::path::{Path, PathBuf};

/// The places of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The agent's binary.
    pub binary: PathBuf,
    /// `launch-agent-config.yaml`.
    pub config: PathBuf,
    /// Proxy and certificate settings for the service, where they stand in a file of their own.
    pub environment: PathBuf,
    /// The copy of `--ca-file` that the service reads.
    pub ca: PathBuf,
    /// The folder that holds the work folder.
    pub data: PathBuf,
    /// The default work folder.
    pub workdir: PathBuf,
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
    /// The layout of launch-agent on `os`.
    pub fn of(os: Os, instance: Option<&str>) -> Self {
        let name = instance.map_or("circleci".to_owned(), |name| format!("circleci-{name}"));
        match os {
            Os::Linux => Self::linux(name),
            Os::Darwin => Self::macos(name, instance),
            Os::Windows => Self::windows(name, instance),
        }
    }

    /// The layout of either agent, as its documentation or its package has it.
    pub fn of_agent(agent: Kind, os: Os, instance: Option<&str>) -> Self {
        let layout = Self::of(os, instance);
        if agent == Kind::LaunchAgent || os != Os::Linux {
            return layout;
        }
        let base = "circleci-runner";
        let name = instance.map_or(base.to_owned(), |name| format!("{base}-{name}"));
        let etc = PathBuf::from("/etc").join(&name);
        let data = PathBuf::from("/var/lib").join(&name);
        let service = format!("{name}.service");
        Self {
            binary: PathBuf::from("/opt").join(&name).join(Kind::MachineRunner.binary_name()),
            config: etc.join("circleci-runner-config.yaml"),
            environment: etc.join("environment"),
            ca: etc.join("ca.pem"),
            workdir: data.join("workdir"),
            data,
            definition: PathBuf::from("/etc/systemd/system").join(&service),
            service,
            ..layout
        }
    }

    /// Every place that it names: files, their folders, and those of jobs.
    pub fn places(&self) -> Vec<PathBuf> {
        let files = [&self.binary, &self.config, &self.environment, &self.ca];
        let folders = [&self.binary, &self.config].into_iter().filter_map(|file| file.parent());
        let more = [&self.definition, &self.data, &self.workdir];
        let logs = [&self.log, &self.start_log].into_iter().flatten();
        let paths = files.into_iter().chain(more).chain(logs).map(PathBuf::as_path);
        paths.chain(folders).map(Path::to_owned).collect()
    }

    fn linux(name: String) -> Self {
        let etc = PathBuf::from("/etc/opt").join(&name);
        let data = PathBuf::from("/var/opt").join(&name);
        let service = format!("{name}.service");
        Self {
            binary: PathBuf::from("/opt").join(&name).join(Kind::LaunchAgent.binary_name()),
            config: etc.join("launch-agent-config.yaml"),
            environment: etc.join("environment"),
            ca: etc.join("ca.pem"),
            workdir: data.join("workdir"),
            data,
            log: None,
            start_log: None,
            definition: PathBuf::from("/etc/systemd/system").join(&service),
            service,
            user: name,
        }
    }

    fn macos(name: String, instance: Option<&str>) -> Self {
        let label = instance.map_or("com.circleci.runner".to_owned(), |instance| {
            format!("com.circleci.runner.{instance}")
        });
        let preferences = PathBuf::from("/Library/Preferences").join(&label);
        let logs = Path::new("/Library/Logs");
        let data = PathBuf::from("/var/opt").join(&name);
        Self {
            binary: PathBuf::from("/opt").join(&name).join(Kind::LaunchAgent.binary_name()),
            config: preferences.join("launch-agent-config.yaml"),
            environment: preferences.join("environment"),
            ca: preferences.join("ca.pem"),
            workdir: data.clone(),
            data,
            log: Some(logs.join(format!("{label}.log"))),
            start_log: Some(logs.join(format!("{label}.start.log"))),
            definition: Path::new("/Library/LaunchDaemons").join(format!("{label}.plist")),
            service: label,
            user: name,
        }
    }

    fn windows(name: String, instance: Option<&str>) -> Self {
        let suffix = instance.map_or(String::new(), |instance| format!(" {instance}"));
        let folder = PathBuf::from(format!("C:/Program Files/CircleCI{suffix}"));
        let service = format!("CircleCI Launch Agent{suffix}");
        Self {
            binary: folder.join(format!("{}.exe", Kind::LaunchAgent.binary_name())),
            config: folder.join("launch-agent-config.yaml"),
            environment: folder.join("circleci-launch-agent.cmd"),
            ca: folder.join("ca.pem"),
            workdir: folder.join("Workdir"),
            data: folder.join("Workdir"),
            log: Some(folder.join("circleci-runner.log")),
            start_log: None,
            definition: folder.join("launch-agent-task.xml"),
            service,
            user: name,
        }
    }
}

/// Whether what is asked for holds of a layout that is documented: of each system and agent, without
/// an instance or with the one that a name tells.
pub fn is_documented(holds: impl Fn(&Layout) -> bool, name: &str) -> bool {
    let instances = name.split(['/', '\\']).filter_map(instance_in).map(Some);
    let systems = [Os::Linux, Os::Darwin, Os::Windows];
    std::iter::once(None).chain(instances).any(|instance| {
        let instance = instance.as_ref().map(InstanceName::as_str);
        systems.iter().any(|os| {
            let agents = [Kind::LaunchAgent, Kind::MachineRunner];
            agents.iter().any(|agent| holds(&Layout::of_agent(*agent, *os, instance)))
        })
    })
}

/// The instance in a name that the documentation makes of one.
fn instance_in(name: &str) -> Option<InstanceName> {
    const BEFORE: [&str; 5] = [
        "circleci-runner-",
        "circleci-",
        "com.circleci.runner.",
        "CircleCI Launch Agent ",
        "CircleCI ",
    ];
    const AFTER: [&str; 4] = [".service", ".plist", ".start.log", ".log"];
    let rest = BEFORE.iter().find_map(|before| name.strip_prefix(before))?;
    let end = AFTER.iter().find_map(|after| rest.strip_suffix(after));
    end.unwrap_or(rest).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_documented_is_known_and_nothing_else() {
        for instance in [None, Some("gpu-1")] {
            for os in [Os::Linux, Os::Darwin, Os::Windows] {
                for agent in [Kind::LaunchAgent, Kind::MachineRunner] {
                    let own = Layout::of_agent(agent, os, instance);
                    assert!(is_documented(|other| *other == own, &own.service), "{}", own.service);
                    for place in own.places() {
                        let text = place.display().to_string();
                        let is_place = |other: &Layout| other.places().contains(&place);
                        assert!(is_documented(is_place, &text), "{text}");
                    }
                }
            }
        }
        for service in ["ssh.service", "circleci-A.service", "circleci", "circleci-x;y.service"] {
            assert!(!is_documented(|own| own.service == service, service), "{service}");
        }
        for path in
            ["/opt", "/etc", "/tmp/circleci", "/opt/circleci/../x", "/Library/LaunchDaemons"]
        {
            assert!(!is_documented(|own| own.places().contains(&path.into()), path), "{path}");
        }
    }

    #[test]
    fn instances_share_no_place() {
        for os in [Os::Linux, Os::Darwin, Os::Windows] {
            let (one, other) = (Layout::of(os, None), Layout::of(os, Some("gpu")));
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
}
