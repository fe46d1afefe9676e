//! Whole plans, made here for every system, against what is written down in `tests/plans/`.
//!
//! `RUNNERUP_BLESS=1 cargo test --test plans` writes them anew; the difference is then to be read.

// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod readers;
#[path = "../support/mod.rs"]
mod support;
mod windows;

use runnerup::{
    agent::Kind as Agent,
    host::{AccountFacts, Activity, Defined, Facts, Load, ServiceState},
    plan::{Plan, UninstallOptions},
    platform::{
        Os, Platform,
        accounts::AccountId,
        fs::{Kind, Meta},
    },
    record::{Digest, Receipt, Record, State, Step, Target},
    service::systemd::drop_ins,
    settings::{HostDefaults, Spec},
    values::Manager,
};
use std::{fmt::Write, fs, path::Path};
use support::plans::{
    SYSTEMS, TOKEN, USUAL, USUAL_RUNNER, done, fresh, fresh_for, install, meta, planned, settings,
    stands, uninstall,
};

/// A plan as a person reads it, every file whole.
fn shown(plan: &Plan) -> String {
    let mut text = String::new();
    for (number, step) in plan.steps.iter().enumerate() {
        let _ = writeln!(text, "{:>3}. {step}", number + 1);
        if let Step::File(file) = step {
            for line in file.content.shown().lines() {
                let _ = writeln!(text, "     | {line}");
            }
        }
    }
    if plan.steps.is_empty() {
        text += "nothing to do\n";
    }
    for note in &plan.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn compare(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans").join(name);
    assert!(!text.contains(TOKEN), "{name} holds the token");
    if std::env::var_os("RUNNERUP_BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    assert!(known == text, "{} differs; the plan is now:\n{text}", file.display());
}

fn named(system: (&str, Manager), case: &str) -> String {
    format!("{}-{case}.txt", system.0.split('/').next().unwrap())
}

#[test]
fn fresh_hosts_and_hosts_that_are_right_already() {
    for system in SYSTEMS {
        let before = fresh(system.0);
        let plan = planned(system, &USUAL, &before);
        compare(&named(system, "fresh"), &shown(&plan));
        let again = planned(system, &USUAL, &done(before, &plan));
        assert!(again.steps.is_empty(), "{}: {}", system.0, shown(&again));
    }
}

#[test]
fn machine_runner_is_planned_by_its_own_rules() {
    for system in SYSTEMS {
        let before = fresh_for(Agent::MachineRunner, system.0);
        let plan = planned(system, &USUAL_RUNNER, &before);
        compare(&named(system, "runner-fresh"), &shown(&plan));
        let installed = done(before, &plan);
        let again = planned(system, &USUAL_RUNNER, &installed);
        assert!(again.steps.is_empty(), "{}: {}", system.0, shown(&again));
        // The next archive may have another binary, whatever it hashes to.
        let mut newer = installed;
        newer.release.as_mut().unwrap().sha256 = "6b".repeat(32).parse().unwrap();
        let plan = planned(system, &USUAL_RUNNER, &newer);
        let binaries = plan.steps.iter().filter(|step| matches!(step, Step::Binary(_))).count();
        assert_eq!(binaries, 1, "{}: {}", system.0, shown(&plan));
    }
}

#[test]
fn what_machine_runner_does_not_take_is_refused() {
    let refusal = |given: &[(&str, &str)], facts: &Facts| {
        let here = HostDefaults::new("linux/amd64".parse().unwrap(), Manager::Systemd);
        let settings = settings(&[&USUAL_RUNNER[..2], given].concat());
        let spec = Spec::resolve(&settings, Some(TOKEN.parse().unwrap()), here).unwrap();
        install(&spec, &settings, facts).unwrap_err().message().to_owned()
    };
    let facts = fresh_for(Agent::MachineRunner, "linux/amd64");
    let long = "n".repeat(65);
    assert!(refusal(&[("name", &long)], &facts).contains("takes 64 at most"));
    let workdir = ("workdir", "/var/lib/circleci-runner/%s");
    assert!(refusal(&[("name", "n"), workdir], &facts).contains("does not replace '%'"));
    for (path, words) in [
        ("/etc/systemd/system/circleci.service", "launch-agent is here already, defined by"),
        ("/usr/lib/systemd/system/circleci.service", "launch-agent is here already, defined by"),
        ("/usr/lib/systemd/system/circleci-runner.service", "of a package is here"),
    ] {
        let mut facts = facts.clone();
        stands(&mut facts, Path::new(path), meta(Kind::File, (0, 0), 0o644), None);
        let message = refusal(&[("name", "n")], &facts);
        assert!(message.contains(words) && message.contains(path), "{message}");
    }
    let mut facts = fresh("linux/amd64");
    let plan = planned(SYSTEMS[0], &USUAL, &facts);
    facts = done(facts, &plan);
    facts.release = fresh_for(Agent::MachineRunner, "linux/amd64").release;
    let message = refusal(&[("name", "n")], &facts);
    assert!(message.contains("launch-agent is installed as this instance"), "{message}");
}

/// By default another instance runs as the account that this one has made, or an agent of a person's
/// own does.
#[test]
fn an_account_that_something_else_runs_as_survives_a_purge() {
    let system = SYSTEMS[0];
    let before = fresh(system.0);
    let plan = planned(system, &USUAL, &before);
    assert_eq!(plan.receipt.settings.get("user").map(String::as_str), Some("circleci"));
    let installed = done(before, &plan);
    let purge = UninstallOptions { purge: true, force: false };
    let goes = |facts: &Facts| {
        let plan = uninstall(facts, purge).unwrap();
        let is_account = |step: &&Step| {
            matches!(step, Step::EndProcesses { .. })
                || matches!(step, Step::Restore { target: Target::Account(_), .. })
        };
        (plan.steps.iter().filter(is_account).count(), plan.notes.join("\n"))
    };
    assert_eq!(goes(&installed).0, 2);

    let mut made_by_b = installed.clone();
    let mut default = made_by_b.receipt.take().unwrap();
    made_by_b.receipt = Some(Receipt { instance: "b".to_owned(), ..default.clone() });
    // As earlier versions wrote it.
    default.settings.remove("user");
    made_by_b.others = vec![default];
    let (steps, notes) = goes(&made_by_b);
    assert_eq!(steps, 0);
    assert!(notes.contains("another instance uses it"), "{notes}");

    for user in
        ["circleci".to_owned(), installed.account("circleci").unwrap().uid().unwrap().to_string()]
    {
        let mut hand_made = installed.clone();
        hand_made.service_users.insert("circleci.service".to_owned(), user.clone());
        assert_eq!(goes(&hand_made).0, 2, "its own service keeps no account");
        hand_made.service_users.insert("other.service".to_owned(), user);
        let (steps, notes) = goes(&hand_made);
        assert_eq!(steps, 0);
        assert!(notes.contains("other.service runs as this account"), "{notes}");
    }
}

/// An administrator has moved the work folder away and made another one of that name, or has taken
/// it from the account.
#[test]
fn a_purge_keeps_a_folder_that_is_not_the_one_that_was_made() {
    let system = SYSTEMS[0];
    let before = fresh(system.0);
    let plan = planned(system, &[&USUAL[..], &[("workdir", "/srv/jobs")]].concat(), &before);
    let installed = done(before, &plan);
    let path = Path::new("/srv/jobs");
    let is_kept = |force: bool, change: &dyn Fn(&mut Meta)| {
        let mut facts = installed.clone();
        let mut meta = facts.path(path).meta.unwrap();
        change(&mut meta);
        stands(&mut facts, path, meta, None);
        let plan = uninstall(&facts, UninstallOptions { purge: true, force }).unwrap();
        let goes = plan.steps.iter().any(|step| {
            matches!(step, Step::Restore { target: Target::Folder(folder), .. } if folder == path)
        });
        let closes =
            plan.steps.iter().any(|step| matches!(step, Step::Close { path: own } if own == path));
        let notes = plan.notes.join("\n");
        assert_eq!(goes, !notes.contains("/srv/jobs stays: it is not the folder"), "{notes}");
        assert_eq!(goes, closes, "{notes}");
        !goes
    };
    let owned = |meta: &Meta, uid| meta.with_owner(uid, meta.gid().unwrap());
    assert!(!is_kept(false, &|_| {}));
    // A folder of the account's own is no reason, whichever one it is.
    assert!(!is_kept(false, &|meta| meta.identity.1 += 1));
    assert!(is_kept(false, &|meta| *meta = owned(meta, 0)));
    assert!(is_kept(false, &|meta| *meta = owned(meta, 7)));
    assert!(!is_kept(true, &|meta| *meta = owned(meta, 0)));
}

/// As `systemctl link` makes it.
#[test]
fn a_unit_that_is_a_link_is_told_before_anything_is_changed() {
    let system = SYSTEMS[0];
    let mut before = fresh(system.0);
    let unit = Path::new("/etc/systemd/system/circleci.service");
    stands(&mut before, unit, meta(Kind::Link, (0, 0), 0o777), None);
    let here = HostDefaults::new(system.0.parse().unwrap(), system.1);
    let settings = settings(&USUAL);
    let spec = Spec::resolve(&settings, Some(TOKEN.parse().unwrap()), here).unwrap();
    let error = install(&spec, &settings, &before).unwrap_err().to_string();
    assert!(error.contains("circleci.service is a symbolic link"), "{error}");
}

/// A person without root is not told that root's plan keeps what only they cannot read.
#[test]
fn a_file_that_cannot_be_read_is_not_called_changed() {
    let system = SYSTEMS[0];
    let before = fresh(system.0);
    let plan = planned(system, &USUAL, &before);
    let mut installed = done(before, &plan);
    let config = Path::new("/etc/opt/circleci/launch-agent-config.yaml");
    let fact = installed.paths.get_mut(config).unwrap();
    (fact.digest, fact.failure) = (None, Some("Permission denied".to_owned()));
    let notes = uninstall(&installed, UninstallOptions::default()).unwrap().notes.join("\n");
    assert!(notes.contains("cannot be compared") && notes.contains("denied"), "{notes}");
    assert!(!notes.contains("--force"), "{notes}");
}

/// An install once gave `/tmp` back the mode that no job could use.
#[test]
fn what_the_doctor_cured_is_not_taken_back_by_the_next_install() {
    let system = SYSTEMS[0];
    let plan = planned(system, &USUAL, &fresh(system.0));
    let mut installed = done(fresh(system.0), &plan);
    let meta = meta(Kind::Folder, (0, 0), 0o755);
    let drop_in = drop_ins::of_doctor("circleci.service", "stop");
    let receipt = installed.receipt.as_mut().unwrap();
    for (target, before) in [
        (Target::Folder("/tmp".into()), State::Folder { meta }),
        (Target::File("/srv/x".into()), State::PermissionsSet { meta }),
        (Target::Folder(drop_in.parent().unwrap().into()), State::Absent),
        (Target::File(drop_in), State::Absent),
    ] {
        receipt.records.push(Record { target, before, after: None, data: false, cure: true });
    }
    let again = planned(system, &USUAL, &installed);
    assert!(again.steps.is_empty(), "{}", shown(&again));
    let records = &mut installed.receipt.as_mut().unwrap().records;
    records.iter_mut().for_each(|record| record.cure = false);
    let again = planned(system, &USUAL, &installed);
    assert!(
        !again.steps.is_empty(),
        "what an install made goes when the next one does not want it"
    );
}

#[test]
fn other_settings_change_what_they_are_about() {
    for system in SYSTEMS {
        let installed = done(fresh(system.0), &planned(system, &USUAL, &fresh(system.0)));
        let mut given = USUAL.to_vec();
        given.extend([
            ("proxy", "http://me:hush@proxy.example.com:3128"),
            ("max-run-time", "12h"),
            ("auto-update", "true"),
        ]);
        let mut facts = installed;
        facts.ca = None;
        let plan = planned(system, &given, &facts);
        let text = shown(&plan);
        assert!(!text.contains("hush"), "{text}");
        compare(&named(system, "other-settings"), &text);
    }
}

#[test]
fn hand_made_installs_are_taken_over() {
    for system in SYSTEMS {
        let mut facts = fresh(system.0);
        let user = "ci";
        let account = AccountFacts {
            name: user.into(),
            id: AccountId::Unix { uid: 501, gid: 20 },
            ..AccountFacts::default()
        };
        facts.accounts.insert(user.into(), Some(account));
        let os = system.0.parse::<Platform>().unwrap().os();
        let layout = runnerup::agent::Layout::of(runnerup::agent::Kind::LaunchAgent, os, None);
        // As documented: the unit is executable, the binary's folder the account's.
        let owner = if os == Os::Darwin { (0, 0) } else { (501, 20) };
        let folder = |path: &Path| path.parent().unwrap().to_owned();
        let digest = Some(Digest::of(b"another", None));
        for (path, mode) in [(&layout.binary, 0o755), (&layout.config, 0o644)] {
            stands(&mut facts, path, meta(Kind::File, owner, mode), digest.clone());
            stands(&mut facts, &folder(path), meta(Kind::Folder, owner, 0o755), None);
        }
        stands(&mut facts, &layout.definition, meta(Kind::File, (0, 0), 0o755), digest);
        stands(&mut facts, &layout.data, meta(Kind::Folder, (501, 20), 0o750), None);
        let status = ServiceState {
            load: Load::Loaded,
            active: Activity::Active,
            registered: true,
            ..ServiceState::default()
        };
        if os == Os::Windows {
            // The documented way there.
            facts.services.insert(format!("{} session keeper", layout.service), status.clone());
        }
        facts.services.insert(layout.service, status);
        let mut given = USUAL.to_vec();
        given.push(("user", user));
        compare(&named(system, "hand-made"), &shown(&planned(system, &given, &facts)));
    }
}

#[test]
fn what_was_installed_is_taken_away() {
    for system in SYSTEMS {
        let installed = done(fresh(system.0), &planned(system, &USUAL, &fresh(system.0)));
        for (case, purge) in [("uninstall", false), ("purge", true)] {
            let plan = uninstall(&installed, UninstallOptions { purge, force: false }).unwrap();
            compare(&named(system, case), &shown(&plan));
        }
    }
}

#[test]
fn another_agents_label_is_refused_with_the_way_out() {
    let system = SYSTEMS[1];
    let mut facts = fresh(system.0);
    let rival = Path::new("/Library/LaunchAgents/com.circleci.runner.plist");
    stands(&mut facts, rival, meta(Kind::File, (0, 0), 0o644), None);
    let here = HostDefaults::new(system.0.parse().unwrap(), system.1);
    let settings = settings(&USUAL);
    let spec = Spec::resolve(&settings, Some(TOKEN.parse().unwrap()), here).unwrap();
    let error = install(&spec, &settings, &facts).unwrap_err();
    assert!(error.message().contains("LaunchAgents"), "{error}");
    assert!(error.help_lines().join(" ").contains("launchctl bootout"), "{error:?}");
    facts.paths.remove(rival);
    let status = ServiceState { definition: Some(rival.to_owned()), ..ServiceState::default() };
    facts.services.insert(spec.layout.service.clone(), status);
    assert!(install(&spec, &settings, &facts).is_err());
    // In the home of any user, and in the very place of ours when it runs the other agent.
    facts.services.clear();
    let ours = runnerup::text::shown(&spec.layout.definition);
    for (file, agent, is_rival) in [
        (
            "/Users/jo/Library/LaunchAgents/com.circleci.runner.plist",
            runnerup::agent::Kind::MachineRunner,
            true,
        ),
        (ours.as_str(), runnerup::agent::Kind::MachineRunner, true),
        (ours.as_str(), runnerup::agent::Kind::LaunchAgent, false),
    ] {
        let label = spec.layout.service.clone();
        facts.launchd = vec![Defined { label, file: file.into(), agent }];
        let planned = install(&spec, &settings, &facts);
        assert_eq!(planned.is_err(), is_rival, "{file}");
        let Err(error) = planned else { continue };
        let way_out = error.help_lines().join("\n");
        // What is in a home was named by its user: no command of root's has that name.
        let is_roots = !file.starts_with("/Users");
        assert_eq!(way_out.contains("bootout system/com.circleci.runner"), is_roots, "{way_out}");
        assert_eq!(way_out.contains(&format!("rm {file}")), is_roots, "{way_out}");
    }
    facts.launchd.clear();
    // Whose own definition it is, is no rival.
    let target = Target::Running(spec.layout.service.clone());
    let status = ServiceState {
        definition: Some(spec.layout.definition.clone()),
        ..ServiceState::default()
    };
    facts.services.insert(spec.layout.service.clone(), status);
    let plan = install(&spec, &settings, &facts).unwrap();
    assert!(plan.steps.iter().any(|step| step.target() == target));
}

/// The account can write its configuration, where an install takes folder and log from.
#[test]
fn what_the_account_owns_is_in_the_place_of_nothing_else() {
    let linux = [
        ("log-file", "/etc/opt/circleci/launch-agent-config.yaml"),
        ("log-file", "/etc/opt/circleci/launch-agent-config.yaml/log"),
        ("log-file", "/opt/circleci/circleci-launch-agent"),
        ("log-file", "/etc/opt/circleci/environment"),
        ("log-file", "/etc/opt/circleci/ca.pem"),
        ("log-file", "/etc/systemd/system/circleci.service"),
        ("log-file", "/etc/opt/circleci"),
        ("log-file", "/etc/opt/circleci/agent.log"),
        ("log-file", "/opt/circleci/agent.log"),
        ("log-file", "/var/lib/runnerup/lock"),
        ("workdir", "/opt/circleci"),
        ("workdir", "/opt/circleci/circleci-launch-agent"),
        ("workdir", "/etc/opt/circleci"),
        ("workdir", "/etc/opt/circleci/ca.pem/work"),
        ("workdir", "/var/lib/runnerup"),
        ("workdir", "/opt/circleci/%s"),
        ("workdir", "/home/circleci"),
        ("workdir", "/etc"),
    ];
    let windows = [
        ("log-file", r"c:\program files\circleci\LAUNCH-agent-config.yaml"),
        ("workdir", r"C:\Program Files\CircleCI"),
    ];
    let macos = [("log-file", "/opt/CircleCI/circleci-launch-agent")];
    for (system, taken) in
        [(SYSTEMS[0], &linux[..]), (SYSTEMS[1], &macos[..]), (SYSTEMS[2], &windows[..])]
    {
        let facts = fresh(system.0);
        let here = HostDefaults::new(system.0.parse().unwrap(), system.1);
        for (name, value) in taken {
            // The state folder is that of the system which plans.
            if cfg!(windows) && value.contains("runnerup") {
                continue;
            }
            let settings = settings(&[&USUAL[..], &[(name, value)]].concat());
            let spec = Spec::resolve(&settings, Some(TOKEN.parse().unwrap()), here).unwrap();
            let error = install(&spec, &settings, &facts).unwrap_err();
            assert!(error.message().contains("conflicts with"), "{name} {value}: {error}");
            assert!(error.message().contains(&format!("--{name}")), "{error}");
        }
    }
}

#[test]
fn what_the_account_owns_may_be_beside_the_rest() {
    for given in [
        [("log-file", "/srv/ci/agent.log"), ("workdir", "/srv/ci/work")],
        [("log-file", "/var/opt/circleci/agent.log"), ("workdir", "/var/opt/circleci/work")],
        [("log-file", "/var/opt/circleci/workdir/agent.log"), ("workdir", "/opt/circleci/work")],
        [("log-file", "/opt/agent.log"), ("workdir", "/srv/ci")],
    ] {
        let plan = planned(SYSTEMS[0], &[&USUAL[..], &given].concat(), &fresh(SYSTEMS[0].0));
        let folders = plan.steps.iter().filter_map(|step| match step {
            Step::Folder(folder) => Some((runnerup::text::shown(&folder.path), &folder.owner)),
            _ => None,
        });
        let of_the_account: Vec<_> = folders
            .filter(|(_, owner)| format!("{owner:?}").contains("circleci"))
            .map(|(path, _)| path)
            .collect();
        assert!(
            of_the_account.iter().all(|path| path.starts_with("/srv/ci")
                || path.starts_with("/var/opt/circleci")
                || path.starts_with("/opt/circleci/work")),
            "{of_the_account:?}"
        );
    }
}
