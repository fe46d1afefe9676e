//! What a planner has to know of a host.

use super::{account, agent_words, host_end, image_name, launchd, mac, paths, unit, unit_parts};
use crate::{
    Code, Error, Result,
    host::{Defined, Facts, Query},
    platform::{
        Os, accounts,
        command::Commands,
        fs::Root,
        machine::hostname,
        privilege::is_administrator,
        windows::{has_credential_guard, is_domain_controller, job_tools, registry},
    },
    record,
    service::{Services, systemd_runs},
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
        hostname: if root.is_host() { hostname() } else { image_name::hostname(root) },
        random: random()?,
        privileged: is_administrator(Os::HERE, commands),
        is_host: root.base() == Path::new("/"),
        systemd_runs: systemd_runs(),
        domain_controller: cfg!(windows) && is_domain_controller(commands),
        job_tools_missing: if cfg!(windows) { job_tools::missing(commands) } else { Vec::new() },
        console_user: console_user(root),
        launchd: defined(root),
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

/// Looks at what a plan is about. A path that cannot be read becomes a fact itself.
pub fn examine_paths(
    facts: &mut Facts,
    root: &Root,
    commands: &dyn Commands,
    services: Option<&dyn Services>,
    queries: &[Query],
) -> Result<()> {
    for query in queries {
        match query {
            Query::Path { path, digest } => {
                let fact = paths::fact(root, path, *digest, facts);
                facts.paths.insert(path.clone(), fact);
            }
            Query::Account(name) => {
                facts.accounts.insert(name.clone(), account::facts(root, name)?);
            }
            Query::Service(name) => {
                if let Some(services) = services {
                    let state = services.state(name)?;
                    if state.is_held() {
                        facts.host_ends.insert(name.clone(), host_end::of_service(root, name));
                    }
                    facts.services.insert(name.clone(), state);
                }
            }
            Query::DropIns(name) => {
                facts.strange_parts = crate::service::systemd::untrusted::untrusted(root, name)?;
                facts.unit = unit_parts::parts(root, name);
            }
            Query::Home(path) => {
                let untrusted = crate::platform::home::first_strange(root, path);
                // A plan is made without the right to look there too; an install looks again.
                let is_refused = untrusted.is_err() && !facts.privileged;
                facts.strange_in_home = if is_refused { None } else { untrusted? };
            }
            Query::ServiceUsers => {
                if let Some(services) = services.filter(|services| services.is_running()) {
                    facts.service_users = services.users()?;
                }
            }
            Query::CredentialGuard => facts.credential_guard = has_credential_guard(commands),
            Query::Registry(place) => {
                if let Some(value) = registry::read(commands, place)? {
                    facts.registry.insert(place.to_string(), value);
                }
            }
        }
    }
    Ok(())
}

/// What launchd is to run of agents: the administrator's, and every user's.
fn defined(root: &Root) -> Vec<Defined> {
    let of = |unit: unit::Unit| {
        let file = unit.definitions.first()?.walk.path.clone();
        let agent = agent_words::kind(&unit.command());
        Some(Defined { label: unit.name, file, agent })
    };
    launchd::find(root).into_iter().filter_map(of).collect()
}

/// Who is logged in at the screen of a Mac.
fn console_user(root: &Root) -> Option<String> {
    (mac::os(root) == Os::Darwin).then(|| mac::console_user(root))?
}

fn random() -> Result<String> {
    let number = getrandom::u32()
        .map_err(|error| Error::new(Code::HostUnfit, format!("no random numbers: {error}")))?;
    Ok(format!("{number:08x}"))
}
