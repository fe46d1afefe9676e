//! What is planned on Windows alone: tasks, sessions that are kept, access lists.

use crate::support::plans::{
    SYSTEMS, TOKEN, USUAL, done, fresh, install, meta, planned, settings, stands, uninstall,
};
use crate::{compare, shown};
use runnerup::{
    host::{AccountFacts, Facts, PathFact},
    plan::UninstallOptions,
    platform::{
        accounts::AccountId,
        fs::{Kind, Meta, Permissions},
        windows::registry::Value,
    },
    record::{Record, State, Step, Target},
    settings::{HostDefaults, Spec},
    values::Manager,
};
use std::path::Path;

/// The same account and folder, with a session that is kept over Remote Desktop.
#[test]
fn a_desktop_session_is_kept_and_given_up_again() {
    let system = SYSTEMS[2];
    let given = [&USUAL[..], &[("desktop-session", "true")]].concat();
    let mut before = fresh(system.0);
    before.job_tools_missing = vec!["git", "gzip"];
    let plan = planned(system, &given, &before);
    compare("windows-desktop-fresh.txt", &shown(&plan));
    assert_eq!(plan.prove.as_deref(), Some("CircleCI Launch Agent"));
    let installed = done(before, &plan);
    let again = planned(system, &given, &installed);
    assert!(again.steps.is_empty(), "{}", shown(&again));
    for (case, purge) in [("uninstall", false), ("purge", true)] {
        let plan = uninstall(&installed, UninstallOptions { purge, force: false }).unwrap();
        compare(&format!("windows-desktop-{case}.txt"), &shown(&plan));
    }
    let plan = planned(system, &USUAL, &installed);
    compare("windows-desktop-given-up.txt", &shown(&plan));
    let headless = done(installed, &plan);
    assert!(headless.registry.is_empty(), "{:?}", headless.registry);
    let again = planned(system, &USUAL, &headless);
    assert!(again.steps.is_empty(), "{}", shown(&again));
}

/// A trigger that repeats by the clock starts a task within a minute of its registration; one that
/// repeats from a start of the system on starts nothing again before the first reboot.
#[test]
fn a_task_is_started_again_from_the_first_moment_unless_it_is_not_to_be_started() {
    let system = SYSTEMS[2];
    let starts = |given: &[(&str, &str)]| {
        let plan = planned(system, &[&USUAL[..], given].concat(), &fresh(system.0));
        let text = shown(&plan);
        let at_boot = text.split("<BootTrigger>").nth(1).unwrap();
        let at_boot = at_boot.split("</BootTrigger>").next().unwrap();
        let by_clock = text.contains("<TimeTrigger>") && text.contains("<StartBoundary>2020-");
        (at_boot.contains("<Interval>PT1M</Interval>"), by_clock)
    };
    assert_eq!(starts(&[]), (false, true));
    assert_eq!(starts(&[("no-start", "true")]), (true, false));
}

/// What stands on the registry already is not touched, and so not taken away later.
#[test]
fn values_that_are_right_already_stay_when_a_session_goes() {
    let system = SYSTEMS[2];
    let given = [&USUAL[..], &[("desktop-session", "true")]].concat();
    let mut before = fresh(system.0);
    let plan = planned(system, &given, &before);
    let values: Vec<_> = plan
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Registry(wanted) => Some(wanted.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(values.len(), 4);
    for wanted in &values {
        before.registry.insert(wanted.place.to_string(), wanted.value.clone());
    }
    let plan = planned(system, &given, &before);
    assert!(!plan.steps.iter().any(|step| matches!(step, Step::Registry(_))), "{}", shown(&plan));
    let gone = uninstall(&done(before, &plan), UninstallOptions::default()).unwrap();
    assert!(!shown(&gone).contains("registry"), "{}", shown(&gone));
}

#[test]
fn a_desktop_session_is_refused_where_it_cannot_be_kept() {
    let refused = |system: (&str, Manager), given: &[(&str, &str)], facts: &Facts| {
        let given = [&USUAL[..], &[("desktop-session", "true")], given].concat();
        let here = HostDefaults::new(system.0.parse().unwrap(), system.1);
        let settings = settings(&given);
        Spec::resolve(&settings, Some(TOKEN.parse().unwrap()), here)
            .and_then(|spec| install(&spec, &settings, facts))
            .unwrap_err()
    };
    for system in &SYSTEMS[..2] {
        let error = refused(*system, &[], &fresh(system.0));
        assert_eq!(error.exit(), 2, "{error}");
        assert!(error.message().contains("is for Windows"), "{error}");
    }
    let windows = SYSTEMS[2];
    for (name, value) in [("root", "image"), ("service", "none"), ("no-create-user", "true")] {
        let error = refused(windows, &[(name, value)], &fresh(windows.0));
        assert_eq!(error.exit(), 2, "{error}");
        assert!(error.message().contains(&format!("--{name}")), "{error}");
    }
    let mut facts = fresh(windows.0);
    facts.domain_controller = true;
    let error = refused(windows, &[], &facts);
    assert_eq!(error.exit(), 3, "{error}");
    assert!(error.message().contains("domain controller"), "{error}");
    let mut facts = fresh(windows.0);
    let place = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services\fDenyTSConnections";
    facts.registry.insert(place.to_owned(), Value::number(1));
    let error = refused(windows, &[], &facts);
    assert!(error.exit() == 3 && error.message().contains("forbids Remote Desktop"), "{error}");
    let facts = Facts { credential_guard: true, ..fresh(windows.0) };
    let error = refused(windows, &[], &facts);
    assert!(error.exit() == 3 && error.message().contains("Credential Guard"), "{error}");
    let mut facts = fresh(windows.0);
    let account = AccountFacts {
        name: "circleci".into(),
        id: AccountId::Windows {},
        ..AccountFacts::default()
    };
    facts.accounts.insert("circleci".into(), Some(account));
    let error = refused(windows, &[], &facts);
    assert!(error.exit() == 3 && error.message().contains("does not know its password"), "{error}");
}

/// Every account of Windows counted as the owner of every folder: both had the number 0.
#[test]
fn a_folder_of_somebody_is_not_the_accounts_on_windows() {
    let windows = SYSTEMS.into_iter().find(|system| system.0.starts_with("windows")).unwrap();
    let mut given = USUAL.to_vec();
    given.push(("workdir", "D:/jobs"));
    let mut facts = done(fresh(windows.0), &planned(windows, &USUAL, &fresh(windows.0)));
    let there = PathFact { meta: Some(meta(Kind::Folder, (0, 0), 0o700)), ..PathFact::default() };
    facts.paths.insert("D:/jobs".into(), there);
    let here = HostDefaults::new(windows.0.parse().unwrap(), windows.1);
    let settings = settings(&given);
    let spec = Spec::resolve(&settings, Some(TOKEN.parse().unwrap()), here).unwrap();
    let error = install(&spec, &settings, &facts).unwrap_err();
    assert!(error.message().contains("does not belong to circleci"), "{error}");
    // One that an earlier run made for it.
    let target = Target::Folder("D:/jobs".into());
    let record = Record { target, before: State::Absent, after: None, data: true, cure: false };
    facts.receipt.as_mut().unwrap().changed(record);
    planned(windows, &given, &facts);
}

/// The access list of what others made there may give anything to anybody.
#[test]
fn a_folder_that_was_there_gets_its_access_list_on_windows() {
    let system = SYSTEMS[2];
    let folder = Path::new("C:/Program Files/CircleCI");
    let has_step = |facts: &Facts| {
        let plan = planned(system, &USUAL, facts);
        plan.steps.iter().any(|step| step.target() == Target::Folder(folder.into()))
    };
    let mut facts = fresh(system.0);
    let found = Meta { permissions: Permissions::Acl, ..meta(Kind::Folder, (0, 0), 0) };
    stands(&mut facts, folder, found, None);
    assert!(has_step(&facts));
    let mut installed = done(facts.clone(), &planned(system, &USUAL, &facts));
    stands(&mut installed, folder, found, None);
    assert!(!has_step(&installed));
}
