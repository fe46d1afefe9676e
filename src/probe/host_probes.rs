//! The probes of the host itself: all begun at once, then put together.

use super::{
    Ground, IMAGE, THERE, candidate::Candidate, deadline::known_or_default, host, mac,
    processes::Processes, volumes,
};
use crate::{
    host::{Host, Install, ProbeName, Seen},
    platform::{
        Os,
        machine::{hostname, machine},
        privilege::is_privileged,
    },
    service::systemd_runs,
};
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

/// Starts the probes of the host itself; what it returns waits for them.
pub(super) fn begin(
    ground: &Ground,
    candidates: &[Candidate],
    processes: &Arc<Processes>,
) -> impl FnOnce(&[Install]) -> Host + use<> {
    let processes = Arc::clone(processes);
    let container = ground.is_host.then(host::container).flatten();
    let is_container = container.is_some();
    let systemd =
        ground.look(ProbeName::SystemdVersion, |ground| match ground.is_host && systemd_runs() {
            true => host::systemd(&ground.commands, ground.limit),
            false => None,
        });
    let kills = ground.look(ProbeName::KernelLog, move |ground| {
        host::oom_kills(&ground.commands, ground.limit, is_container || !ground.is_host)
    });
    let selinux = ground.look(ProbeName::Selinux, |ground| {
        ground.is_host.then(|| host::selinux(&ground.commands, ground.limit)).flatten()
    });
    let folders: BTreeSet<PathBuf> = candidates
        .iter()
        .filter_map(|candidate| Some(candidate.config_path.as_ref()?.parent()?.to_owned()))
        .collect();
    let packages = ground.look(ProbeName::Packages, move |ground| {
        let folders: Vec<_> = folders.into_iter().collect();
        host::packages(&ground.root, &folders, ground.soon())
    });
    let mac = ground.look(ProbeName::Mac, mac::facts);
    let resolver = ground.look(ProbeName::Resolver, |ground| host::resolver(&ground.root));
    let is_windows = ground.os == Os::Windows;
    let system = ground.look(ProbeName::SystemName, |ground| host::system(&ground.root));
    let mounts = ground.look(ProbeName::Mounts, |ground| match ground.is_host {
        true => host::mounts(),
        false => Seen::not_applicable(IMAGE),
    });
    let memory = ground.look(ProbeName::Memory, move |ground| match ground.is_host {
        true if is_windows => Seen::default(),
        true => host::memory(),
        false => Seen::not_applicable(IMAGE),
    });
    let listening = ground.look(ProbeName::Sockets, move |_| match is_windows {
        true => Seen::not_applicable(THERE),
        false => host::listening(),
    });
    let routes = ground.look(ProbeName::Routes, move |_| match is_windows {
        true => Seen::not_applicable(THERE),
        false => host::routes(),
    });
    let hostname = ground.look(ProbeName::Hostname, |ground| match ground.is_host {
        true => hostname(),
        false => host::hostname_of_image(&ground.root),
    });
    let ground = ground.clone();
    move |installs| {
        let volumes = if is_windows { Vec::new() } else { volumes::of(&ground, installs) };
        let mut host = Host {
            os: ground.os,
            // An image says nothing of the machine that it is for.
            machine: if ground.is_host { machine() } else { String::new() },
            system: known_or_default(system.seen()),
            hostname: hostname.seen().ok().cloned().unwrap_or_default(),
            // Windows says so itself, with all else.
            privileged: Os::HERE != Os::Windows && is_privileged(),
            image: !ground.is_host,
            systemd: systemd.seen().ok().copied().flatten(),
            mounts: known_or_default(mounts.flat()),
            volumes,
            memory: memory.flat(),
            oom_kills: kills.flat(),
            clock: match ground.is_host {
                true => host::clock(&processes, is_container),
                false => Seen::not_applicable(IMAGE),
            },
            selinux: selinux.seen().ok().cloned().flatten(),
            resolver: if is_windows { Seen::not_applicable(THERE) } else { resolver.flat() },
            accounts: Vec::new(),
            accounts_unread: None,
            listening: listening.flat(),
            routes: routes.flat(),
            packages: packages.flat(),
            agents_beyond: processes.agents_beyond(),
            container,
            mac: None,
            windows: None,
        };
        if let Some(told) = mac.seen().ok().cloned().flatten() {
            told.into_host(&mut host);
        }
        host
    }
}
