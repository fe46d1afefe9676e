//! The host itself: its name, its tools, what earlier runs left.

use super::{Facts, examine};
use crate::{
    Code, Error, Result,
    platform::{
        Os, accounts,
        command::Commands,
        fs::Root,
        machine::hostname,
        privilege::is_administrator,
        windows::{is_domain_controller, job_tools},
    },
    record,
    service::systemd_runs,
};
use std::path::Path;

/// Programs that a plan may need.
const TOOLS: [&str; 10] = [
    "systemctl",
    "useradd",
    "userdel",
    "adduser",
    "visudo",
    "sudo",
    "launchctl",
    "dscl",
    "icacls",
    "powershell",
];

/// Learns what every plan needs to know. `instance` is the one whose receipt counts.
pub fn of_host(root: &Root, commands: &dyn Commands, instance: &str) -> Result<Facts> {
    let known = record::read(root, instance)?;
    let tools = TOOLS.into_iter().filter(|tool| commands.find(tool).is_some());
    Ok(Facts {
        hostname: hostname(),
        random: random()?,
        privileged: is_administrator(Os::HERE, commands),
        is_host: root.base() == Path::new("/"),
        systemd_runs: systemd_runs(),
        domain_controller: cfg!(windows) && is_domain_controller(commands),
        job_tools_missing: if cfg!(windows) { job_tools::missing(commands) } else { Vec::new() },
        console_user: examine::console_user(root),
        launchd: examine::defined(root),
        tools: tools.map(str::to_owned).collect(),
        keeps_accounts: accounts::are_kept(root)?,
        receipt: known.receipt,
        others: known.others,
        unfinished: known.unfinished,
        // Without the key nothing that it was used on can be told to be the same.
        key: known.key.unwrap_or_else(|| vec![0; 32]),
        ..Facts::default()
    })
}

fn random() -> Result<String> {
    let number = getrandom::u32()
        .map_err(|error| Error::new(Code::HostUnfit, format!("no random numbers: {error}")))?;
    Ok(format!("{number:08x}"))
}
