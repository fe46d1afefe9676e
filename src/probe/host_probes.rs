//! The probes of the host itself: all begun at once, then put together.

use super::{
    IMAGE, ProbeContext, THERE, candidate::Candidate, deadline::known_or_default, host, mac,
    planned_mounts, processes::Processes, upgrades, volumes,
};
use crate::{
    host::{Host, Install, POWERFUL, ProbeName, Seen},
    platform::{
        Os, accounts,
        fs::Root,
        machine::{hostname, machine},
        privilege::is_privileged,
    },
    service::systemd_runs,
};
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

/// Starts the probes of the host itself; what it returns waits for them.
pub(super) fn begin(
    context: &ProbeContext,
    candidates: &[Candidate],
    processes: &Arc<Processes>,
) -> impl FnOnce(&[Install]) -> Host + use<> {
    let processes = Arc::clone(processes);
    let container = context.is_host.then(host::container).flatten();
    let is_container = container.is_some();
    let systemd = context.start(ProbeName::SystemdVersion, |context| {
        match context.is_host && systemd_runs() {
            true => host::systemd(&context.commands, context.limit),
            false => None,
        }
    });
    let kills = context.start(ProbeName::KernelLog, move |context| {
        host::oom_kills(&context.commands, context.limit, is_container || !context.is_host)
    });
    let selinux = context.start(ProbeName::Selinux, |context| {
        context.is_host.then(|| host::selinux(&context.commands, context.limit)).flatten()
    });
    let folders: BTreeSet<PathBuf> = candidates
        .iter()
        .filter_map(|candidate| Some(candidate.config_path.as_ref()?.parent()?.to_owned()))
        .collect();
    let packages = context.start(ProbeName::Packages, move |context| {
        let folders: Vec<_> = folders.into_iter().collect();
        host::packages(&context.root, &folders, context.soon())
    });
    let upgrades = context.start(ProbeName::Packages, |context| match context.os {
        Os::Linux => Seen::Known(upgrades::examine(&context.root, context.soon())),
        _ => Seen::not_applicable("only Linux has these programs"),
    });
    let units = candidates.iter().filter_map(|candidate| candidate.unit.as_ref());
    let groups = units
        .flat_map(|unit| &unit.directives)
        .filter(|line| line.section.is_empty() && line.key == "GroupName");
    let groups: Vec<String> = groups.map(|line| line.value.clone()).collect();
    let mac = context.start(ProbeName::Mac, move |context| mac::facts(context, &groups));
    let resolver = context.start(ProbeName::Resolver, |context| host::resolver(&context.root));
    let is_windows = context.os == Os::Windows;
    let system = context.start(ProbeName::SystemName, |context| host::Release::of(&context.root));
    let mounts = context.start(ProbeName::Mounts, |context| match context.is_host {
        true => host::mounts(),
        false => Seen::not_applicable(IMAGE),
    });
    let planned = context.start(ProbeName::Mounts, |context| match context.is_host {
        true if context.os == Os::Linux => planned_mounts::planned(&context.root, &context.scrub),
        _ => Vec::new(),
    });
    let powerful = context.start(ProbeName::Account, |context| match context.os {
        Os::Linux if context.is_host => powerful_groups(&context.root),
        _ => Vec::new(),
    });
    let memory = context.start(ProbeName::Memory, move |context| match context.is_host {
        true if is_windows => Seen::default(),
        true => host::memory(),
        false => Seen::not_applicable(IMAGE),
    });
    let listening = context.start(ProbeName::Sockets, move |_| match is_windows {
        true => Seen::not_applicable(THERE),
        false => host::listening(),
    });
    let routes = context.start(ProbeName::Routes, move |_| match is_windows {
        true => Seen::not_applicable(THERE),
        false => host::routes(),
    });
    let hostname = context.start(ProbeName::Hostname, |context| match context.is_host {
        true => hostname(),
        false => host::hostname_of_image(&context.root),
    });
    let context = context.clone();
    move |installs| {
        let volumes = if is_windows { Vec::new() } else { volumes::of(&context, installs) };
        let release = known_or_default(system.seen());
        let mut host = Host {
            os: context.os,
            // An image says nothing of the machine that it is for.
            machine: if context.is_host { machine() } else { String::new() },
            system: release.name,
            hostname: hostname.seen().ok().cloned().unwrap_or_default(),
            // Windows says so itself, with all else.
            privileged: Os::HERE != Os::Windows && is_privileged(),
            image: !context.is_host,
            systemd: systemd.seen().ok().copied().flatten(),
            mounts: known_or_default(mounts.flat()),
            planned_mounts: known_or_default(planned.seen()),
            volumes,
            memory: memory.flat(),
            oom_kills: kills.flat(),
            clock: match context.is_host {
                true => host::clock(&processes, is_container),
                false => Seen::not_applicable(IMAGE),
            },
            selinux: selinux.seen().ok().cloned().flatten(),
            resolver: if is_windows { Seen::not_applicable(THERE) } else { resolver.flat() },
            accounts: Vec::new(),
            powerful_groups: known_or_default(powerful.seen()),
            accounts_unread: None,
            listening: listening.flat(),
            routes: routes.flat(),
            packages: packages.flat(),
            upgrades: upgrades.flat(),
            package_manager: release.package_manager,
            agents_beyond: processes.agents_beyond(),
            container,
            mac: None,
            windows: None,
        };
        if let Some(answers) = mac.seen().ok().cloned().flatten() {
            answers.into_host(&mut host);
        }
        host
    }
}

/// The groups whose members can become root, by number: a process may be in one that its account has
/// left.
fn powerful_groups(root: &Root) -> Vec<(u32, String)> {
    let number = |name: &str| Some((accounts::group(root, name).ok().flatten()?, name.to_owned()));
    POWERFUL.into_iter().filter_map(number).collect()
}
