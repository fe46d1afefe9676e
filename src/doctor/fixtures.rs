//! A healthy host for the tests of checks: each plants its fault in it.

use super::{Finding, Selection, Status, judge};
use crate::{
    agent::Kind as Agent,
    host::*,
    platform::{
        accounts::AccountId,
        fs::{Kind, Meta, Permissions},
    },
    values::Manager,
};
use std::path::{Path, PathBuf};

pub(crate) const UNIT: &str = "/etc/systemd/system/circleci.service";
pub(crate) const BINARY: &str = "/opt/circleci/circleci-launch-agent";
pub(crate) const CONFIG: &str = "/etc/opt/circleci/launch-agent-config.yaml";
pub(crate) const WORKDIR: &str = "/var/opt/circleci/workdir";

/// The account that everything of the agent belongs to.
pub(crate) const UID: u32 = 990;

/// A Linux host with one agent of ours on it, and nothing wrong.
pub(crate) fn healthy() -> Survey {
    let host = Host {
        machine: "x86_64".into(),
        system: "Debian GNU/Linux 12 (bookworm)".into(),
        hostname: "build-1".into(),
        accounts_unread: None,
        privileged: true,
        systemd: Some(252),
        mounts: vec![Mount {
            point: "/".into(),
            kind: "ext4".into(),
            options: vec!["rw".into()],
            order: None,
        }],
        volumes: vec![Volume {
            folder: WORKDIR.into(),
            purpose: PathRole::WorkFolder,
            bytes: 100 << 30,
            bytes_free: 60 << 30,
            inodes: 6_000_000,
            inodes_free: 5_000_000,
        }],
        memory: Seen::Known(Memory { total: 8 << 30, available: 6 << 30, swap: 2 << 30 }),
        oom_kills: Seen::Known(Vec::new()),
        clock: Seen::Known(Clock { synchronized: true, by: Some("chronyd".into()) }),
        resolver: Seen::Known(Resolver {
            servers: vec!["192.0.2.53".into()],
            ..Resolver::default()
        }),
        accounts: vec![account("root", 0), account("circleci", UID)],
        listening: Seen::Known(Vec::new()),
        routes: Seen::Known((true, false)),
        packages: Seen::Known(Vec::new()),
        upgrades: Seen::Known(Upgrades::default()),
        package_manager: Some(PackageManager::AptGet),
        ..Host::default()
    };
    let text = |text: &str| Written::Text { text: text.into(), plain: true };
    let config = config(&[
        ("api.auth_token", Written::Hidden),
        ("api.url", text("https://server.example.com")),
        ("runner.name", text("build-1")),
        ("runner.working_directory", text(WORKDIR)),
        ("runner.cleanup_working_directory", text("true")),
        ("runner.max_run_time", text("5h")),
        ("runner.disable_auto_update", text("true")),
    ]);
    let service = Service {
        manager: Manager::Systemd,
        name: "circleci.service".into(),
        definitions: vec![Definition { walk: walk(UNIT, file(0, 0o644)), failure: None }],
        strange_parts: Seen::Known(Vec::new()),
        directives: unit(
            "[Unit]\nWants=network-online.target\nAfter=network-online.target\n\
             StartLimitIntervalSec=0\n[Service]\nUser=circleci\n\
             ExecStart=/opt/circleci/circleci-launch-agent --config \
             /etc/opt/circleci/launch-agent-config.yaml\nRestart=always\nRestartSec=5\n\
             NotifyAccess=exec\nKillMode=mixed\nTimeoutStopSec=18300\nOOMPolicy=continue\n\
             [Install]\nWantedBy=multi-user.target\n",
        ),
        defaults: Vec::new(),
        objections: Seen::Known(Vec::new()),
        misread: Vec::new(),
        command: vec![BINARY.into(), "--config".into(), CONFIG.into()],
        launch: Launch {
            command: vec![BINARY.into(), "--config".into(), CONFIG.into()],
            ..Launch::default()
        },
        host_ends: Seen::Known(Vec::new()),
        slices: Vec::new(),
        start_lacks: Seen::Known(Vec::new()),
        boot: Seen::Known(Boot {
            target: "graphical.target".into(),
            is_multi_user: true,
            is_reached: true,
            wanters: vec![Wanter {
                name: "multi-user.target".into(),
                state: WanterState::Reached,
                meant: None,
                by_package: false,
            }],
            ..Boot::default()
        }),
        state: Seen::Known(ServiceState {
            load: Load::Loaded,
            enabled: true,
            enabled_word: "enabled".into(),
            active: Activity::Active,
            sub: "running".into(),
            since: Some(TAKEN - 3600),
            main_pid: Some(500),
            result: "success".into(),
            health: Some("Healthy".into()),
            ..ServiceState::default()
        }),
    };
    let install = Install {
        named_by: Provenance::Root,
        name: "default".into(),
        agent: Agent::LaunchAgent,
        receipt: Some(Received {
            has_service: Some(true),
            complete: true,
            installed: true,
            version: Some("1.1.73189-8792751".into()),
            sha256: Some("ab".repeat(32)),
            is_pinned: Some(false),
            binary: None,
            has_bucket: false,
        }),
        service: Some(service),
        user: Some("circleci".into()),
        task_user: Some("circleci".into()),
        environment: Vec::new(),
        binary: Some(Binary {
            walk: Seen::Known(walk(BINARY, file(0, 0o755))),
            program: Seen::Known(Program::Native {
                os: "linux".into(),
                machines: vec!["amd64".into()],
            }),
            sha256: Seen::Known("ab".repeat(32)),
            label: None,
            quarantined: false,
            gatekeeper: None,
        }),
        config: Some(Seen::Known(config)),
        paths: vec![
            named(PathRole::WorkFolder, walk(WORKDIR, folder(UID, 0o750))),
            named(PathRole::TemporaryFolder, walk("/tmp", folder(0, 0o1777))),
        ],
        workdir: Seen::Known(Workdir { folder: WORKDIR.into(), ..Workdir::default() }),
        token_in: None,
        token_given: None,
        running: Seen::Known(running(500)),
        processes: Seen::Known(vec![process(500, 1, UID, "circleci-launch")]),
        orphans: Seen::Known(Vec::new()),
        unlisted: Unlisted::default(),
        log: Seen::Known(Vec::new()),
        log_written: Some(TAKEN - 60),
        start_log: Vec::new(),
        tools: Seen::Known(
            ["bash", "git", "gzip", "ssh", "tar"]
                .map(|name| Tool {
                    name: name.into(),
                    path: Some(Path::new("/usr/bin").join(name)),
                    elsewhere: None,
                })
                .to_vec(),
        ),
        wrapper: None,
        sudo: Seen::not_applicable("no command prefix"),
        mounts: Seen::not_applicable("those of the host"),
        held_names: Seen::Known(Vec::new()),
    };
    Survey {
        schema_version: SCHEMA_VERSION,
        tool_version: "test".into(),
        taken: TAKEN,
        host,
        installs: vec![install],
        undiscovered: Vec::new(),
        network: Seen::not("--offline"),
        queue: Seen::not("no --resource-class"),
        strays: Strays::default(),
        allowed: Vec::new(),
        base: None,
        is_saved: false,
    }
}

/// When the samples were taken: 2026-11-01.
pub(crate) const TAKEN: i64 = 1_793_491_200;

/// The healthy host with its server asked and answering, and a fault planted in that.
pub(crate) fn online(change: impl FnOnce(&mut Endpoint)) -> Survey {
    let good = || Attempt { ms: 5, outcome: Ok(()), route: Route::Open };
    let tls = Tls { issuer: "CN=Amazon".into(), ..Tls::default() };
    let response = Answered { status: 200, clock_ahead: Some(0), ..Answered::default() };
    let mut api = Endpoint {
        name: "api".into(),
        install: "default".into(),
        url: "https://runner.circleci.com".into(),
        required: true,
        purpose: "claiming jobs".into(),
        named_by: Provenance::Root,
        side: Side::Service,
        proxy: None,
        resolved: Attempt { ms: 2, outcome: Ok(vec!["192.0.2.1".into()]), route: Route::Open },
        v4: Some(good()),
        v6: None,
        tunnel: None,
        tls: Some(Attempt { ms: 9, outcome: Ok(tls), route: Route::Open }),
        answer: Some(Attempt { ms: 20, outcome: Ok(response), route: Route::Open }),
    };
    change(&mut api);
    let mut survey = healthy();
    let endpoints = vec![api];
    survey.network = Seen::Known(Network { timeout: 5, endpoints, newest: None });
    survey
}

/// The healthy agent's process.
pub(crate) fn running(pid: u32) -> Running {
    Running {
        pid,
        started: TAKEN - 3600,
        condition: Condition { state: 'S', tracer: None },
        named_by: Provenance::Account(UID),
        command: vec![BINARY.into(), "--config".into(), CONFIG.into()],
        folder: Seen::Known("/".into()),
        environment: Seen::Known(Vec::new()),
        uid: UID,
        gid: UID,
        groups: vec![UID],
        no_new_privs: Some(false),
        capabilities: Some(0),
        limits: Some(Limits { files: Some(1 << 19), processes: None }),
        program: Seen::Known(RunningProgram { path: BINARY.into(), on_disk: OnDisk::Same }),
        managed: ManagedBy::System("circleci.service".into()),
        above: Vec::new(),
    }
}

/// The survey's only agent.
pub(crate) fn agent(survey: &mut Survey) -> &mut Install {
    &mut survey.installs[0]
}

/// Its configuration.
pub(crate) fn config_of(survey: &mut Survey) -> &mut ConfigFile {
    match agent(survey).config.as_mut() {
        Some(Seen::Known(config)) => config,
        _ => unreachable!("the sample has a configuration"),
    }
}

/// Its service.
pub(crate) fn service_of(survey: &mut Survey) -> &mut Service {
    agent(survey).service.as_mut().unwrap()
}

/// A path that root named.
pub(super) fn named(role: PathRole, walk: PathWalk) -> Named {
    Named { role, walk: Seen::Known(walk), named_by: Provenance::Root }
}

/// Sets a key of the configuration to a text, or takes it away.
pub(crate) fn set(survey: &mut Survey, path: &str, value: Option<&str>) {
    let config = config_of(survey);
    config.settings.retain(|setting| setting.path != path);
    if let Some(text) = value {
        let value = Written::Text { text: text.into(), plain: true };
        config.settings.push(Setting { path: path.into(), line: 9, column: 3, value });
    }
}

/// Adds a line to the unit.
pub(crate) fn directive(survey: &mut Survey, section: &str, key: &str, value: &str) {
    let line = Directive {
        file: UNIT.into(),
        line: 40,
        section: section.into(),
        key: key.into(),
        value: value.into(),
        kind: ValueKind::Unknown,
    };
    service_of(survey).directives.push(line);
}

/// What one check finds.
pub(crate) fn finding(survey: &Survey, check: &str) -> Finding {
    let only = Selection::new(vec![check.to_owned()], Vec::new()).unwrap();
    judge(survey, &only).into_iter().next().unwrap()
}

/// How one check ends.
pub(crate) fn status(survey: &Survey, check: &str) -> Status {
    finding(survey, check).status
}

pub(crate) fn account(name: &str, uid: u32) -> AccountFacts {
    let home = if uid == 0 { PathBuf::from("/root") } else { Path::new("/home").join(name) };
    AccountFacts {
        name: name.into(),
        id: AccountId::Unix { uid, gid: uid },
        groups: vec![(uid, name.into())],
        home: walk(home, folder(uid, 0o755)),
        shell: walk("/bin/bash", file(0, 0o755)),
        sudo: Seen::Known(Sudo { installed: true, ..Sudo::default() }),
        ..AccountFacts::default()
    }
}

pub(crate) fn file(uid: u32, mode: u32) -> Meta {
    let permissions = Permissions::Mode { uid, gid: uid, mode };
    Meta { kind: Kind::File, permissions, size: 9000, links: 1, identity: (1, 1, 1, 1) }
}

pub(crate) fn folder(uid: u32, mode: u32) -> Meta {
    Meta { kind: Kind::Folder, ..file(uid, mode) }
}

/// A way through folders of root's.
pub(crate) fn walk(path: impl Into<PathBuf>, end: Meta) -> PathWalk {
    let path = path.into();
    let mut folders: Vec<_> = path.ancestors().skip(1).map(Path::to_owned).collect();
    folders.reverse();
    let passed = |path| PathPart {
        path,
        meta: folder(0, 0o755),
        has_list: false,
        replaceable_by: Provenance::Root,
    };
    let passed = folders.into_iter().map(passed).collect();
    let replaceable_by = Provenance::Root;
    PathWalk {
        real: path.clone(),
        path,
        passed,
        end: Some(end),
        stopped: None,
        replaceable_by,
        mounts: Vec::new(),
    }
}

pub(crate) fn process(pid: u32, parent: u32, uid: u32, name: &str) -> Process {
    Process {
        pid,
        parent,
        uid,
        name: name.into(),
        command: name.into(),
        started: TAKEN - 3600,
        state: 'S',
        in_service: true,
    }
}

fn config(values: &[(&str, Written)]) -> ConfigFile {
    let setting = |(at, (path, value)): (usize, &(&str, Written))| Setting {
        path: (*path).into(),
        line: at + 2,
        column: 3,
        value: value.clone(),
    };
    ConfigFile {
        walk: walk(CONFIG, file(UID, 0o600)),
        state: ConfigState::Parsed,
        written_by: Provenance::Account(UID),
        is_default: false,
        second: None,
        settings: values.iter().enumerate().map(setting).collect(),
        token: Some(TokenShape {
            length: 80,
            alphabet: "letters and digits".into(),
            mark: "m1".into(),
            ..TokenShape::default()
        }),
    }
}

fn unit(text: &str) -> Vec<Directive> {
    let mut section = String::new();
    let mut directives = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, value)) = line.split_once('=') {
            directives.push(Directive {
                file: UNIT.into(),
                line: at + 1,
                section: section.clone(),
                key: key.into(),
                value: value.into(),
                kind: ValueKind::Unknown,
            });
        }
    }
    directives
}

#[test]
fn nothing_is_wrong_with_a_healthy_host() {
    for finding in judge(&healthy(), &Selection::default()) {
        assert!(
            matches!(finding.status, Status::Pass | Status::Skip | Status::NotApplicable),
            "{finding:?}"
        );
    }
}
