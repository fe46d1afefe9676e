//! Where things stand. All systems' layouts compile everywhere, so that plans for all systems
//! can be made anywhere.

use crate::agent::{Kind, Os};
use std::path::PathBuf;

/// The places of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The agent's binary.
    pub binary: PathBuf,
    /// `launch-agent-config.yaml`.
    pub config: PathBuf,
    /// Proxy and certificate settings for the service.
    pub environment: PathBuf,
    /// The copy of `--ca-file` that the service reads.
    pub ca: PathBuf,
    /// The folder that holds the work folder.
    pub data: PathBuf,
    /// The default work folder.
    pub workdir: PathBuf,
    /// The service's definition.
    pub definition: PathBuf,
    /// The service's name.
    pub service: String,
    /// The default account.
    pub user: String,
}

impl Layout {
    /// The layout of launch-agent on `os`; only Linux so far.
    pub fn of(_os: Os, instance: Option<&str>) -> Self {
        let name = instance.map_or("circleci".to_owned(), |name| format!("circleci-{name}"));
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
            definition: PathBuf::from("/etc/systemd/system").join(&service),
            service,
            user: name,
        }
    }
}

/// Receipt, journal and lock; readable without root.
pub fn state_folder() -> PathBuf {
    PathBuf::from("/var/lib/runnerup")
}
