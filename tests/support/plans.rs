//! Hosts that are facts alone, plans made for them, and what the engine would leave of those.

use runnerup::{
    agent::{self, Token},
    host::{AccountFacts, Activity, Facts, PathFact, Query},
    plan::{self, Plan, UninstallOptions},
    platform::{
        accounts::AccountId,
        fs::{Kind, Meta, Permissions},
    },
    record::{After, Digest, Owner, Receipt, Record, State, Step, Target},
    release::Artifact,
    settings::{HostDefaults, SettingValue, Settings, Source, Spec},
    values::{Manager, Sha256},
};
use std::path::Path;

pub const TOKEN: &str =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub const VERSION: &str = "1.1.73189-8792751";
pub const SYSTEMS: [(&str, Manager); 3] = [
    ("linux/amd64", Manager::Systemd),
    ("darwin/arm64", Manager::Launchd),
    ("windows/amd64", Manager::TaskScheduler),
];
pub const USUAL: [(&str, &str); 3] =
    [("url", "https://ci.example.com"), ("version", VERSION), ("name", "builder")];

/// The same for machine runner 3.
pub const USUAL_RUNNER: [(&str, &str); 3] =
    [("agent", "machine-runner"), ("version", "3.1.11"), ("name", "builder")];

/// A host of which nothing is known but that it is new.
pub fn fresh(platform: &str) -> Facts {
    fresh_for(agent::Kind::LaunchAgent, platform)
}

/// The same, for an install of this agent.
pub fn fresh_for(agent: agent::Kind, platform: &str) -> Facts {
    let version = agent.profile().versions.example;
    let artifact = Artifact::new(
        &"https://releases.example.com".parse().unwrap(),
        agent,
        version.parse().unwrap(),
        platform.parse().unwrap(),
        "5a".repeat(32).parse::<Sha256>().unwrap(),
    );
    let tools = ["systemctl", "useradd", "visudo", "launchctl", "dscl"];
    let mut facts = Facts {
        hostname: "host-1".into(),
        privileged: true,
        is_host: true,
        systemd_runs: true,
        tools: tools.map(str::to_owned).into(),
        keeps_accounts: true,
        release: Some(artifact.unwrap()),
        key: vec![7; 32],
        ..Facts::default()
    };
    for folder in
        ["/opt", "/etc", "/etc/opt", "/var", "/var/opt", "/var/lib", "/etc/systemd/system"]
    {
        stands(&mut facts, Path::new(folder), meta(Kind::Folder, (0, 0), 0o755), None);
    }
    stands(&mut facts, Path::new("/bin/bash"), meta(Kind::File, (0, 0), 0o755), None);
    for folder in ["/Library", "/Library/LaunchDaemons", "/Library/Logs", "/Library/Preferences"] {
        stands(&mut facts, Path::new(folder), meta(Kind::Folder, (0, 0), 0o755), None);
    }
    stands(&mut facts, Path::new("C:/Program Files"), meta(Kind::Folder, (0, 0), 0o755), None);
    stands(&mut facts, Path::new("/etc/systemd"), meta(Kind::Folder, (0, 0), 0o755), None);
    facts
}

pub fn meta(kind: Kind, owner: (u32, u32), mode: u32) -> Meta {
    let permissions = Permissions::Mode { uid: owner.0, gid: owner.1, mode };
    Meta { kind, permissions, size: 1, links: 1, identity: (1, 1, 1, 1) }
}

pub fn stands(facts: &mut Facts, path: &Path, meta: Meta, digest: Option<Digest>) {
    let fact = PathFact { meta: Some(meta), digest, ..PathFact::default() };
    facts.paths.insert(path.to_owned(), fact);
}

pub fn settings(given: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in given {
        settings.add(name, SettingValue::one(*value, Source::Flag)).unwrap();
    }
    settings
}

pub fn planned(system: (&str, Manager), given: &[(&str, &str)], facts: &Facts) -> Plan {
    let here = HostDefaults::new(system.0.parse().unwrap(), system.1);
    let settings = settings(given);
    let token = TOKEN.parse::<Token>().unwrap();
    let spec = Spec::resolve(&settings, Some(token), here).unwrap();
    install(&spec, &settings, facts).unwrap()
}

/// Plans an install. Of what it asks to look at, and `facts` do not tell, nothing is there.
pub fn install(spec: &Spec, settings: &Settings, facts: &Facts) -> runnerup::Result<Plan> {
    let queries = plan::queries(spec, facts);
    plan::install(spec, settings, &looked_at(facts, &queries))
}

/// Plans an uninstall, likewise.
pub fn uninstall(facts: &Facts, leave: UninstallOptions) -> Option<Plan> {
    plan::uninstall(&looked_at(facts, &plan::uninstall_queries(facts)), leave)
}

fn looked_at(facts: &Facts, queries: &[Query]) -> Facts {
    let mut facts = facts.clone();
    for query in queries {
        if let Query::Path { path, .. } = query {
            facts.paths.entry(path.clone()).or_default();
        }
    }
    facts
}

/// The host once the plan was done, as the engine would leave it.
pub fn done(mut facts: Facts, plan: &Plan) -> Facts {
    let mut receipt = Receipt { complete: true, ..plan.receipt.clone() };
    receipt.records = facts.receipt.take().map(|earlier| earlier.records).unwrap_or_default();
    for step in &plan.steps {
        let before = match step.target().path() {
            Some(path) if facts.paths.get(path).is_some_and(|fact| fact.meta.is_some()) => {
                State::Present
            }
            _ => State::Absent,
        };
        let after = take_in(&mut facts, step);
        if let Step::Restore { target, .. } = step {
            receipt.restored(target);
        } else {
            receipt.changed(Record {
                target: step.target(),
                before,
                after,
                data: step.is_data(),
                cure: false,
            });
        }
    }
    facts.receipt = Some(receipt);
    facts
}

/// What a step leaves on the host.
pub fn take_in(facts: &mut Facts, step: &Step) -> Option<After> {
    let numbers = |facts: &Facts, owner: &Option<Owner>| match owner.as_ref() {
        Some(owner) if owner.user != "root" => {
            let account = facts.account(&owner.user).unwrap();
            account.uid().zip(account.id.gid()).unwrap_or_default()
        }
        _ => (0, 0),
    };
    let (path, meta, digest) = match step {
        Step::Folder(folder) => {
            let owner = numbers(facts, &folder.owner);
            (folder.path.clone(), meta(Kind::Folder, owner, folder.mode), None)
        }
        Step::File(file) => {
            let owner = numbers(facts, &file.owner);
            let digest = file.content.digest(&facts.key);
            (file.path.clone(), meta(Kind::File, owner, file.mode), Some(digest))
        }
        Step::Binary(binary) => {
            let owner = numbers(facts, &binary.owner);
            let digest = Digest::of_sha256(binary.artifact.sha256);
            (binary.path.clone(), meta(Kind::File, owner, 0o755), Some(digest))
        }
        Step::Account(new) => {
            let id = match new.home.starts_with("C:/") {
                true => AccountId::Windows {},
                false => AccountId::Unix { uid: 450, gid: 450 },
            };
            let account = AccountFacts { name: new.name.clone(), id, ..AccountFacts::default() };
            facts.accounts.insert(new.name.clone(), Some(account));
            return None;
        }
        Step::Enable { service } => {
            facts.services.entry(service.clone()).or_default().registered = true;
            return None;
        }
        Step::Start { service, .. } => {
            facts.services.entry(service.clone()).or_default().active = Activity::Active;
            return None;
        }
        Step::Registry(wanted) => {
            facts.registry.insert(wanted.place.to_string(), wanted.value.clone());
            return None;
        }
        Step::Restore { target, .. } => {
            match target {
                Target::Registry(place) => drop(facts.registry.remove(&place.to_string())),
                Target::Enabled(service) => {
                    facts.services.entry(service.clone()).or_default().enabled = false;
                }
                _ => drop(target.path().map(|path| facts.paths.remove(path))),
            }
            return None;
        }
        other => panic!("not in these plans: {other}"),
    };
    stands(facts, &path, meta, digest.clone());
    Some(After { meta, digest, made_for: None })
}
