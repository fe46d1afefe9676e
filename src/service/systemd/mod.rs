//! systemd, through `systemctl` and `journalctl`.

pub(crate) mod choices;
pub mod definition;
pub mod drop_ins;
pub(crate) mod elevation;
pub(crate) mod environment_file;
pub(crate) mod environment_line;
mod foreign;
mod instances;
pub(crate) mod meant;
mod misnamed;
mod on_unit;
mod profile;
#[cfg(test)]
mod recorded;
pub(crate) mod sandbox;
mod show;
pub(crate) mod size;
pub(crate) mod specifier_words;
pub(crate) mod specifiers;
mod start_line;
pub mod state;
pub(crate) mod time_span;
pub(crate) mod truth;
pub mod unit_folders;
pub(crate) mod unit_text;
pub mod untrusted;
mod verify;
pub(crate) mod words;

pub(crate) use on_unit::{OnUnit, on_unit, reload};
pub(crate) use profile::SystemdProfile;
pub(crate) use state::{environment, slices_of};

use crate::{
    Result,
    host::{Effective, ServiceState},
    platform::{
        command::{Call, Commands},
        fs::Root,
        processes,
    },
    service::{Hints, Services, systemd_runs},
};
use std::{collections::BTreeMap, time::Duration};

/// The host's systemd.
pub struct Systemd<'a> {
    commands: &'a dyn Commands,
}

impl<'a> Systemd<'a> {
    /// systemd as reached through `commands`.
    pub fn new(commands: &'a dyn Commands) -> Self {
        Self { commands }
    }

    fn systemctl(&self, args: &[&str]) -> Result<()> {
        self.commands.run(&Call::new("systemctl", args.iter().copied())).map(drop)
    }
}

impl Services for Systemd<'_> {
    fn reload(&self) -> Result<()> {
        self.systemctl(&["daemon-reload"])
    }

    fn enable(&self, service: &str) -> Result<()> {
        self.systemctl(&["enable", service])
    }

    fn disable(&self, service: &str) -> Result<()> {
        self.systemctl(&["disable", service])
    }

    fn start(&self, service: &str) -> Result<()> {
        // A unit that failed too often before is not started until that is forgotten.
        self.systemctl(&["reset-failed", service]).ok();
        self.systemctl(&["start", "--no-block", service])
    }

    fn begins_within(&self) -> Duration {
        // A busy systemd has taken the start on, and shows the state of before.
        Duration::from_secs(3)
    }

    fn stop(&self, service: &str, _drain: Duration) -> Result<()> {
        // The unit's own KillMode and TimeoutStopSec make this a drain.
        self.systemctl(&["stop", "--no-block", service])
    }

    fn refuse_strange(&self, root: &Root, service: &str) -> Result<()> {
        untrusted::refuse_strange(root, service)
    }

    fn state(&self, service: &str) -> Result<ServiceState> {
        let mut states = state::states(self.commands, &[service.to_owned()], None, None)?;
        Ok(states.remove(service).unwrap_or_default())
    }

    fn effective(&self, service: &str) -> Result<Option<Effective<String>>> {
        let units = [service.to_owned()];
        let mut told = state::told(self.commands, &units, &[], Duration::from_secs(10), 0)?;
        Ok(told.remove(service).and_then(|told| told.effective))
    }

    fn runs_job(&self, service: &str) -> Result<Option<bool>> {
        let main = self.state(service)?.main_pid;
        Ok(main.map_or(Some(false), processes::has_living_child))
    }

    fn users(&self) -> Result<BTreeMap<String, String>> {
        let args = ["show", "--all", "--property", "Id,User", "*.service"];
        self.commands.run(&Call::new("systemctl", args)).map(|answer| parse_users(&answer.stdout))
    }

    fn last_lines(&self, service: &str, count: usize) -> Result<String> {
        let count = count.to_string();
        let args = ["--no-pager", "--output", "cat", "--lines", &count, "--unit", service];
        self.commands
            .run(&Call::new("journalctl", args).within(Duration::from_secs(10)))
            .map(|answer| answer.stdout)
    }

    fn is_running(&self) -> bool {
        systemd_runs()
    }

    fn hints(&self, service: &str) -> Hints {
        Hints {
            inspect: format!("systemctl status {service}"),
            follow: format!("journalctl -fu {service}"),
        }
    }
}

/// A paragraph for each unit. A user's own manager is part of that user's login, which ends with
/// the account, and no service that needs the account.
fn parse_users(shown: &str) -> BTreeMap<String, String> {
    let unit = |paragraph: &str| {
        let value = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name));
        let (unit, user) = (value("Id=")?, value("User=")?);
        let is_service = !user.is_empty() && !unit.starts_with("user@");
        is_service.then(|| (unit.to_owned(), user.to_owned()))
    };
    shown.split("\n\n").filter_map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_known_by_the_accounts_they_run_as() {
        let shown = "Id=own.service\nUser=circleci\n\nUser=1001\nId=number.service\n\n\
                     Id=root.service\nUser=\n\nId=user@1001.service\nUser=1001\n";
        let known = parse_users(shown);
        let known: Vec<_> = known.iter().map(|(unit, user)| (&**unit, &**user)).collect();
        assert_eq!(known, [("number.service", "1001"), ("own.service", "circleci")]);
    }
}
