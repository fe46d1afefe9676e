use super::*;
use crate::{
    doctor::fixtures::{UID, WORKDIR, agent, config_of, file, folder, healthy, walk},
    host::{Mount, Seen, Workdir},
    platform::{
        accounts::AccountId,
        fs::{Meta, WalkEnd},
    },
};

const CI: Provenance = Provenance::Account(UID);

/// What root would do to a path for data that `named_by` named, for the agent's account.
fn given(survey: &Survey, path: &str, end: Meta, named_by: Provenance) -> Remedy {
    given_as(Purpose::Data, survey, path, end, named_by)
}

fn given_as(
    purpose: Purpose,
    survey: &Survey,
    path: &str,
    end: Meta,
    named_by: Provenance,
) -> Remedy {
    let walk = walk(path, end);
    let install = &survey.installs[0];
    let site = Site { walk: &walk, named_by, purpose };
    let owner = survey.account("circleci");
    Change::new(survey, install).permissions(Remedy::by_hand("Give it."), site, owner, Mode::Work)
}

#[test]
fn a_path_that_an_account_named_is_given_only_inside_the_installs_own_folders() {
    let survey = healthy();
    for (path, end, is_given) in [
        (WORKDIR, folder(0, 0o755), true),
        ("/var/opt/circleci/other/deep", folder(0, 0o755), false),
        ("/var/opt/circleci/other/deep", folder(UID, 0o555), true),
        ("/etc/opt/circleci/launch-agent-config.yaml", file(0, 0o600), false),
        ("/etc/shadow", file(0, 0o640), false),
        ("/etc/cron.d", folder(0, 0o755), false),
        ("/root", folder(0, 0o700), false),
        ("/srv/victim", folder(0, 0o755), false),
        ("/var/opt/circleci-other/workdir", folder(0, 0o755), false),
        ("/var/opt/circleci2", folder(0, 0o755), false),
        ("/var/opt/circleci/../../../root", folder(0, 0o755), false),
        ("/var/opt/circleci/../../../etc/shadow", file(0, 0o640), false),
        // What is the account's already it could change by itself.
        ("/srv/theirs", folder(UID, 0o500), true),
    ] {
        let remedy = given(&survey, path, end, CI);
        assert_eq!(remedy.fixable, is_given, "{path}: {remedy:?}");
        let changes =
            |line: &&str| ["chown", "chmod", "doctor --fix"].iter().any(|word| line.contains(word));
        assert_eq!(remedy.commands().iter().any(changes), is_given, "{path}: {remedy:?}");
    }
}

/// Live the path would be changed: its saved facts must not say whose it is.
#[test]
fn saved_facts_leave_out_the_command_and_accuse_no_account() {
    let mut survey = healthy();
    for (purpose, path, end) in [
        (Purpose::Data, "/srv/work", folder(0, 0o755)),
        (Purpose::Agent, "/srv/agent", file(0, 0o644)),
        (Purpose::Agent, "/usr/local/bin/agent", file(0, 0o644)),
    ] {
        survey.is_saved = false;
        let live = given_as(purpose, &survey, path, end, Provenance::Root);
        survey.is_saved = true;
        let saved = given_as(purpose, &survey, path, end, Provenance::Anybody);
        let text = saved.text();
        assert!(text.starts_with("Give it. From saved facts no command"), "{path}: {text}");
        assert!(live.text().starts_with("Give it.") || purpose == Purpose::Agent, "{live:?}");
        assert_eq!(saved.commands().len(), 0, "{path}: {saved:?}");
    }
    // This is wrong whoever named it.
    let text = given(&survey, "/usr/lib", folder(0, 0o755), Provenance::Anybody);
    assert!(text.text().contains("belongs to the system"), "{text:?}");
}

#[test]
fn what_is_the_agents_is_changed_as_that_alone() {
    let survey = healthy();
    let root = Provenance::Root;
    for (path, end) in [
        ("/opt/circleci", folder(0, 0o755)),
        ("/opt/circleci/circleci-launch-agent", file(0, 0o755)),
        ("/etc/opt/circleci", folder(0, 0o755)),
        ("/etc/opt/circleci/launch-agent-config.yaml", file(UID, 0o600)),
        ("/etc/opt/circleci/environment", file(0, 0o600)),
        ("/etc/opt/circleci/ca.pem", file(0, 0o644)),
    ] {
        assert!(given_as(Purpose::Agent, &survey, path, end, root).fixable, "{path}");
        for named_by in [root, CI] {
            let remedy = given(&survey, path, end, named_by);
            assert!(!remedy.fixable && remedy.commands().is_empty(), "{path}: {remedy:?}");
            assert!(remedy.text().contains("binary or configuration"), "{path}: {remedy:?}");
        }
        let by_account =
            given_as(Purpose::Agent, &survey, path, end.with_owner(0, end.gid().unwrap()), CI);
        assert!(!by_account.fixable, "{path}");
    }
    let inner = "/opt/circleci/workdir";
    assert!(!given(&survey, inner, folder(0, 0o755), CI).fixable);
    assert!(given(&survey, inner, folder(UID, 0o500), CI).fixable, "theirs already");
}

#[test]
fn what_an_agent_in_another_place_is_made_of_is_no_data() {
    let mut survey = healthy();
    config_of(&mut survey).walk = walk("/srv/agent/config.yaml", file(UID, 0o600));
    for path in ["/srv/agent", "/srv/agent/config.yaml"] {
        assert!(!given(&survey, path, folder(UID, 0o500), Provenance::Root).fixable, "{path}");
    }
    assert!(given(&survey, "/srv/agent/work", folder(UID, 0o500), CI).fixable);
}

#[test]
fn not_even_root_names_a_path_of_the_system() {
    let survey = healthy();
    assert!(given(&survey, "/srv/work", folder(0, 0o755), Provenance::Root).fixable);
    for path in
        ["/etc", "/usr/local/bin", "/root/x", "/home", "/srv", "/var/lib/dpkg", "/srv/../etc"]
    {
        assert!(!given(&survey, path, folder(0, 0o755), Provenance::Root).fixable, "{path}");
    }
}

#[test]
fn a_file_of_roots_on_the_accounts_ground_may_be_any_file() {
    let mut survey = healthy();
    let path = "/var/opt/circleci/log";
    assert!(given(&survey, path, Meta { size: 0, ..file(0, 0o600) }, CI).fixable);
    assert!(!given(&survey, path, file(0, 0o600), CI).fixable, "what root wrote");
    assert!(given(&survey, path, file(0, 0o600), Provenance::Root).fixable);
    let on_theirs = |survey: &Survey, end| {
        let mut walk = walk(path, end);
        walk.replaceable_by = CI;
        walk.passed.last_mut().unwrap().meta = folder(UID, 0o750);
        let site = Site { walk: &walk, named_by: CI, purpose: Purpose::Data };
        let owner = survey.account("circleci");
        Change::new(survey, &survey.installs[0]).permissions(
            Remedy::by_hand("x"),
            site,
            owner,
            Mode::Log,
        )
    };
    assert!(!on_theirs(&survey, file(0, 0o600)).fixable);
    let remedy = on_theirs(&survey, file(UID, 0o000));
    assert!(remedy.fixable);
    // By a path that the account can swap meanwhile no command changes anything.
    assert_eq!(remedy.commands(), ["sudo runnerup doctor --fix"]);
    // Nor where something is mounted that the account's configuration names.
    let mount = Mount {
        point: "/var/opt/circleci/cache".into(),
        kind: "ext4".into(),
        options: vec![],
        order: None,
    };
    survey.host.mounts.push(mount);
    assert!(!given(&survey, "/var/opt/circleci/cache/x", folder(UID, 0o555), CI).fixable);
    assert!(given(&survey, WORKDIR, folder(0, 0o755), CI).fixable);
}

#[test]
fn what_a_person_allows_is_given_where_it_holds_nothing_of_others() {
    let mut survey = healthy();
    let path = "/srv/jobs";
    let asks = |remedy: &Remedy| remedy.text().contains("--allow-path");
    let unnamed = given(&survey, path, folder(0, 0o755), CI);
    assert!(!unnamed.fixable && asks(&unnamed) && unnamed.commands().is_empty(), "{unnamed:?}");
    assert!(!asks(&given(&survey, path, folder(4321, 0o755), CI)), "of another account");
    assert!(!asks(&given(&survey, path, file(0, 0o644), CI)), "no folder");

    survey.allowed = vec![path.into()];
    agent(&mut survey).workdir = Seen::Known(Workdir { folder: path.into(), ..Workdir::default() });
    assert!(given(&survey, path, folder(0, 0o755), CI).fixable);
    assert!(!given(&survey, path, folder(4321, 0o755), CI).fixable, "of another account");
    assert!(!given(&survey, "/srv/jobs/inner", folder(0, 0o755), CI).fixable, "exact");
    let full = Workdir { folder: path.into(), entries: 1, ..Workdir::default() };
    agent(&mut survey).workdir = Seen::Known(full);
    assert!(!given(&survey, path, folder(0, 0o755), CI).fixable);
}

#[test]
fn a_folder_on_the_way_is_not_what_a_person_allows() {
    let survey = healthy();
    let walk = walk("/srv/closed/deep", folder(0, 0o755));
    let site = Site { walk: &walk, named_by: CI, purpose: Purpose::Data };
    let change = Change::new(&survey, &survey.installs[0]);
    let account = survey.account("circleci").unwrap();
    let remedy = change.pass(Remedy::by_hand("x"), site, Path::new("/srv/closed"), account);
    assert!(!remedy.fixable && !remedy.text().contains("--allow-path"), "{remedy:?}");
}

#[test]
#[cfg(unix)] // A path is whole only there.
fn a_path_of_the_system_is_allowed_by_nobody() {
    assert!(allowed_path("/srv/jobs").is_ok());
    for path in ["/etc/x", "relative", "/srv/../etc", "/"] {
        assert!(allowed_path(path).is_err(), "{path}");
    }
}

#[test]
fn a_definition_that_an_account_wrote_names_nobody_to_give_to() {
    let mut survey = healthy();
    agent(&mut survey).named_by = CI;
    assert!(!given(&survey, WORKDIR, folder(0, 0o755), Provenance::Root).fixable);
}

#[test]
fn a_folder_on_the_way_is_opened_only_above_or_in_the_installs_own() {
    let survey = healthy();
    let change = Change::new(&survey, &survey.installs[0]);
    for (path, folder, named_by, is_opened) in [
        ("/opt/circleci/circleci-launch-agent", "/opt", Provenance::Root, true),
        ("/opt/circleci/circleci-launch-agent", "/opt/circleci", Provenance::Root, true),
        (WORKDIR, "/var/opt", CI, false),
        ("/srv/private/log", "/srv/private", CI, false),
        ("/srv/private/log", "/srv/private", Provenance::Root, false),
    ] {
        let walk = walk(path, file(UID, 0o600));
        let purpose = if path.starts_with("/opt") { Purpose::Agent } else { Purpose::Data };
        let site = Site { walk: &walk, named_by, purpose };
        let account = survey.account("circleci").unwrap();
        let remedy = change.pass(Remedy::by_hand("x"), site, Path::new(folder), account);
        assert_eq!(remedy.fixable, is_opened, "{path} {folder}");
    }
}

#[test]
fn a_folder_of_roots_is_opened_for_nobody_that_an_account_named() {
    let mut survey = healthy();
    survey.host.accounts.push(AccountFacts {
        name: "mallory".into(),
        id: AccountId::Unix { uid: 4321, gid: UID },
        ..survey.host.accounts[1].clone()
    });
    let is_opened = |survey: &Survey, name: &str, closed: &str, uid| {
        let mut walk = walk(format!("{closed}/x").as_str(), folder(UID, 0o750));
        walk.passed.last_mut().unwrap().meta = folder(uid, 0o700);
        let site = Site { walk: &walk, named_by: CI, purpose: Purpose::Data };
        let change = Change::new(survey, &survey.installs[0]);
        let account = survey.account(name).unwrap();
        change.pass(Remedy::by_hand("x"), site, Path::new(closed), account).fixable
    };
    let data = "/var/opt/circleci";
    assert!(is_opened(&survey, "circleci", data, 0), "the documented folder, for the agent");
    assert!(!is_opened(&survey, "circleci", "/var/opt/circleci/own", 0), "what root keeps there");
    for written_by in [CI, Provenance::Anybody] {
        config_of(&mut survey).written_by = written_by;
        assert!(!is_opened(&survey, "mallory", data, 0), "{written_by:?}");
        assert_eq!(is_opened(&survey, "mallory", data, UID), written_by == CI);
        assert!(is_opened(&survey, "circleci", data, 0), "whom the unit names");
    }
    config_of(&mut survey).written_by = Provenance::Root;
    assert!(is_opened(&survey, "mallory", data, 0));
    for named_by in [CI, Provenance::Anybody] {
        agent(&mut survey).named_by = named_by;
        assert!(!is_opened(&survey, "circleci", data, 0), "{named_by:?}");
    }
}

#[test]
fn what_root_keeps_in_the_folder_for_data_is_given_only_where_it_is_empty() {
    let mut survey = healthy();
    let path = "/var/opt/circleci/own";
    assert!(given(&survey, path, folder(0, 0o755), Provenance::Root).fixable);
    assert!(!given(&survey, path, folder(0, 0o755), CI).fixable, "nothing is known of it");
    for (entries, is_given) in [(0, true), (1, false)] {
        let workdir = Workdir { folder: path.into(), entries, ..Workdir::default() };
        agent(&mut survey).workdir = Seen::Known(workdir);
        let remedy = given(&survey, path, folder(0, 0o755), CI);
        assert_eq!(remedy.fixable, is_given, "{remedy:?}");
        let settled = |step: &Step| matches!(step, Step::SetPermissions(own) if own.only_if_empty);
        assert!(remedy.steps().iter().all(settled), "looked at again when it is done");
        assert_eq!(!is_given, remedy.text().contains("--allow-path"), "{remedy:?}");
    }
    survey.allowed.push(path.into());
    let remedy = given(&survey, path, folder(0, 0o755), CI);
    assert!(!remedy.fixable && remedy.text().contains("Move its content away"), "{remedy:?}");
    assert!(!remedy.text().contains("--allow-path"), "it was given: {remedy:?}");
    assert!(!given(&survey, "/var/opt/circleci", folder(0, 0o755), CI).fixable, "with all of it");
}

#[test]
fn a_folder_is_made_beside_what_root_keeps_only_where_a_person_allows_it() {
    let mut survey = healthy();
    let path = "/var/opt/circleci/own/jobs";
    let made = |survey: &Survey| {
        let mut walk = walk(path, folder(0, 0o755));
        walk.end = None;
        walk.stopped = Some(WalkEnd::Missing("jobs".to_owned()));
        let site = Site { walk: &walk, named_by: CI, purpose: Purpose::Data };
        let account = survey.account("circleci").unwrap();
        let change = Change::new(survey, &survey.installs[0]);
        change.folder(Remedy::by_hand("x"), site, account, Mode::Work)
    };
    let remedy = made(&survey);
    assert!(!remedy.fixable && remedy.text().contains("--allow-path"), "{remedy:?}");
    survey.allowed.push(path.into());
    assert!(made(&survey).fixable, "{:?}", made(&survey));
}

#[test]
fn a_mount_that_the_walk_came_upon_needs_no_list_of_mounts() {
    let survey = healthy();
    let mut walk = walk("/var/opt/circleci/cache/x", folder(UID, 0o555));
    let fixable = |walk: &PathWalk| {
        let site = Site { walk, named_by: CI, purpose: Purpose::Data };
        let owner = survey.account("circleci");
        let change = Change::new(&survey, &survey.installs[0]);
        change.permissions(Remedy::by_hand("x"), site, owner, Mode::Work).fixable
    };
    assert!(fixable(&walk));
    walk.mounts = vec!["/var/opt/circleci/cache".into()];
    assert!(!fixable(&walk));
    // The data folder itself may be a mount.
    walk.mounts = vec!["/var/opt/circleci".into()];
    assert!(fixable(&walk));
}
