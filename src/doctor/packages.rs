//! How packages are installed on a Linux host.

use super::{Command, Remedy, remedy::Text};
use crate::host::{PackageManager, Survey};

/// A program and the package that has it, which one family of systems calls otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Package {
    /// On Debian and Alpine.
    name: &'static str,
    /// On systems with RPM.
    rpm: &'static str,
}

impl Package {
    pub(super) const CHRONY: Self = Self::new("chrony");
    /// Those of programs that jobs need.
    const OF_TOOLS: [(&str, Self); 5] = [
        ("bash", Self::new("bash")),
        ("git", Self::new("git")),
        ("gzip", Self::new("gzip")),
        ("ssh", Self { name: "openssh-client", rpm: "openssh-clients" }),
        ("tar", Self::new("tar")),
    ];

    const fn new(name: &'static str) -> Self {
        Self { name, rpm: name }
    }

    /// The package that has a program which jobs need.
    pub(super) fn of_tool(tool: &str) -> Option<Self> {
        Self::OF_TOOLS.iter().find(|(name, _)| *name == tool).map(|(_, package)| *package)
    }

    fn on(self, manager: PackageManager) -> &'static str {
        match manager {
            PackageManager::AptGet | PackageManager::Apk => self.name,
            PackageManager::Dnf | PackageManager::Yum | PackageManager::Zypper => self.rpm,
        }
    }
}

/// With the command that installs packages, where the host's package manager is known; else with
/// their names.
pub(super) fn installed(remedy: Remedy, survey: &Survey, packages: &[Package]) -> Remedy {
    let Some(manager) = survey.host.package_manager else { return named(remedy, packages) };
    let install = match manager {
        PackageManager::AptGet => Command::root("apt-get install"),
        PackageManager::Dnf => Command::root("dnf install"),
        PackageManager::Yum => Command::root("yum install"),
        PackageManager::Zypper => Command::root("zypper install"),
        PackageManager::Apk => Command::root("apk add"),
    };
    let install = packages.iter().fold(install, |all, package| all.then(package.on(manager)));
    remedy.command(install)
}

fn named(remedy: Remedy, packages: &[Package]) -> Remedy {
    let text = match packages.len() {
        0 => return remedy,
        1 => " The package is called ",
        _ => " The packages are called ",
    };
    let names = packages.iter().enumerate().fold(Text::from(text), |all, (at, package)| {
        all.then(if at == 0 { "" } else { ", " }).then(package.name)
    });
    remedy.with_text(names.then(" on most systems."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Status, fixtures::*};
    use crate::host::{Clock, Seen, Sudo, Survey, Written};

    fn without_ssh(manager: Option<PackageManager>) -> Survey {
        let mut survey = healthy();
        survey.host.package_manager = manager;
        if let Seen::Known(tools) = &mut agent(&mut survey).tools {
            tools.iter_mut().filter(|tool| tool.name == "ssh").for_each(|tool| tool.path = None);
        }
        survey
    }

    #[test]
    fn a_package_is_installed_by_the_hosts_own_package_manager() {
        for (manager, expected) in [
            (PackageManager::AptGet, "sudo apt-get install openssh-client"),
            (PackageManager::Dnf, "sudo dnf install openssh-clients"),
            (PackageManager::Yum, "sudo yum install openssh-clients"),
            (PackageManager::Zypper, "sudo zypper install openssh-clients"),
            (PackageManager::Apk, "sudo apk add openssh-client"),
        ] {
            let found = finding(&without_ssh(Some(manager)), "host/job-tools");
            assert_eq!(found.status, Status::Warn);
            assert_eq!(found.remedy.unwrap().commands(), [expected]);
        }
    }

    #[test]
    fn without_a_known_package_manager_the_package_is_named() {
        let remedy = finding(&without_ssh(None), "host/job-tools").remedy.unwrap();
        assert!(remedy.commands().is_empty(), "{remedy:?}");
        assert!(remedy.text().ends_with("openssh-client on most systems."), "{}", remedy.text());
    }

    #[test]
    fn a_time_service_comes_from_the_hosts_own_package_manager() {
        let mut survey = healthy();
        survey.host.clock = Seen::Known(Clock::default());
        survey.host.systemd = None;
        survey.host.package_manager = Some(PackageManager::Apk);
        let remedy = finding(&survey, "host/clock-synchronized").remedy.unwrap();
        assert_eq!(remedy.commands(), ["sudo apk add chrony"]);
    }

    /// The command was `sudo apt-get install sudo`.
    #[test]
    fn sudo_is_not_installed_through_sudo() {
        let mut survey = healthy();
        set(&mut survey, "runner.command_prefix", Some("x"));
        let words = ["sudo", "-n", "--"].map(Into::into).to_vec();
        config_of(&mut survey).settings.last_mut().unwrap().value = Written::List(words);
        survey.host.accounts[1].sudo = Seen::Known(Sudo::default());
        let remedy = finding(&survey, "permissions/sudo-works").remedy.unwrap();
        assert!(remedy.commands().is_empty(), "{remedy:?}");
        assert!(remedy.text().contains("as root"), "{}", remedy.text());
    }
}
