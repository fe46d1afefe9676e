//! The plan of an uninstall: the agent is drained, then every record of the receipt is restored in reverse
//! order.

use super::{
    Plan, compare, desktop,
    install::{is_unfinished, record_queries},
};
use crate::{
    agent::Layout,
    host::{AccountFacts, Facts, Query, ServiceState},
    platform::Os,
    record::{Receipt, Record, State, Step, Target},
    text::has_drive,
    values::Manager,
};
use std::{
    borrow::Cow,
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

/// What an uninstall removes in addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UninstallOptions {
    /// Also work folders, logs and the account.
    pub purge: bool,
    /// Also files that were changed since the install.
    pub force: bool,
}

/// The drain limit where the unit's own limit is unknown.
const DRAIN: Duration = Duration::from_secs(7 * 24 * 3600);

/// The facts that [`uninstall`] needs.
pub fn uninstall_queries(facts: &Facts) -> Vec<Query> {
    let services = facts.receipt.iter().flat_map(services_of).map(Query::Service);
    let records = record_queries(facts.receipt.as_ref());
    // An account that goes must not be needed by a service that no receipt tells of.
    let users = records.iter().any(|query| matches!(query, Query::Account(_)));
    let users = users.then_some(Query::ServiceUsers);
    records.iter().cloned().chain(services).chain(users).collect()
}

/// The folders that a purge removes with their content, by the receipt alone.
pub fn purged_folders(facts: &Facts) -> Vec<PathBuf> {
    let records = facts.receipt.iter().flat_map(|receipt| &receipt.records);
    records.filter_map(purged_folder).map(Path::to_owned).collect()
}

fn purged_folder(record: &Record) -> Option<&Path> {
    match &record.target {
        Target::Folder(path) if record.goes_with_purge() && record.before == State::Absent => {
            Some(path)
        }
        _ => None,
    }
}

/// The steps that remove an instance. `None` when nothing of it is known.
pub fn uninstall(facts: &Facts, options: UninstallOptions) -> Option<Plan> {
    let earlier = facts.receipt.as_ref()?;
    let mut plan = Plan {
        instance: earlier.instance.clone(),
        steps: Vec::new(),
        notes: Vec::new(),
        settings: Vec::new(),
        unfinished: is_unfinished(facts),
        prove: None,
        receipt: Receipt {
            installed: false,
            binary: None,
            settings: earlier.settings.clone(),
            written: earlier.written.clone(),
            ..Receipt::new(&earlier.instance)
        },
    };
    if let Some(unfinished) = facts.unfinished.as_ref() {
        plan.notes.push(format!(
            "a run of `{}` that began {} was cut off after {} steps; what it created is removed too",
            unfinished.command, unfinished.at, unfinished.done
        ));
    }
    for name in services_of(earlier) {
        if facts.services.get(&name).is_some_and(ServiceState::is_held) {
            plan.steps.push(Step::Stop { service: name, drain: DRAIN });
        }
    }
    let mut kept_paths: Vec<&Path> = Vec::new();
    let mut going: Vec<&Record> = Vec::new();
    for record in earlier.records.iter().rev() {
        let path = record.target.path();
        let why = kept(record, earlier, facts, options);
        if let Some(why) = &why {
            plan.notes.push(format!("{} stays: {why}", record.target));
        }
        // A folder stays on record with what stays in it, so that a later uninstall finds it.
        let holds_kept = |path: &Path| kept_paths.iter().any(|kept| kept.starts_with(path));
        if why.is_some() || path.is_some_and(holds_kept) {
            kept_paths.extend(path);
        } else {
            going.push(record);
        }
    }
    plan.steps.extend(ending(&going, earlier, facts));
    let mut closing = closing(&going, facts);
    for record in in_order(going, options) {
        if matches!(record.target, Target::Account(_)) && options.purge && !is_windows(earlier) {
            plan.steps.append(&mut closing);
        }
        let purges = options.purge && record.goes_with_purge();
        plan.steps.push(
            Step::restore(record, purges).with_others(options.force || is_own(record, earlier)),
        );
    }
    Some(plan)
}

/// Whether what is removed is the install's alone, whoever owns what is in it: the documented folder of
/// its data, and the home of an account that it made. A folder that a person chose may be known to
/// others.
fn is_own(record: &Record, receipt: &Receipt) -> bool {
    let instance = Some(receipt.instance.as_str()).filter(|name| *name != "default");
    let is_data = |path: &Path| {
        let of = |os| Layout::of(receipt.agent(), os, instance).data;
        [Os::Linux, Os::Darwin].into_iter().any(|os| path.starts_with(of(os)))
    };
    record.target.path().is_none_or(|path| has_drive(path) || is_data(path))
}

/// What a run that is cut off leaves of the data belongs to root, and not to whoever gets the
/// number of the account next. The outermost folders are enough.
fn closing(going: &[&Record], facts: &Facts) -> Vec<Step> {
    let all: Vec<&Path> = going.iter().filter_map(|record| purged_folder(record)).collect();
    let is_inner = |path: &Path| all.iter().any(|other| *other != path && path.starts_with(other));
    let outermost = all.iter().filter(|path| !is_inner(path));
    let steps = outermost.map(|path| Step::Close { path: (*path).to_owned() });
    steps.filter(|step| !compare::is_done(step, facts)).collect()
}

/// Whether a receipt is of a Windows host: there a task ends its processes, and rights are lists.
fn is_windows(receipt: &Receipt) -> bool {
    let mut paths = receipt.records.iter().filter_map(|record| record.target.path());
    paths.any(has_drive)
}

/// An account that is removed leaves no process behind, and none is there to write into what is
/// removed.
fn ending(going: &[&Record], receipt: &Receipt, facts: &Facts) -> Option<Step> {
    let name = going.iter().find_map(|record| match &record.target {
        Target::Account(name) => Some(name),
        _ => None,
    })?;
    let is_there = facts.is_host && !is_windows(receipt) && facts.account(name).is_some();
    is_there.then(|| Step::EndProcesses { account: name.clone() })
}

/// Last made first. What cannot be brought back comes after all that can: the account, so that
/// nothing of it starts again, then the folders of data, the outer one first since it takes the
/// inner ones along wherever the account moved them, then the folders around those.
fn in_order(going: Vec<&Record>, options: UninstallOptions) -> Vec<&Record> {
    let purged: Vec<&Path> = going
        .iter()
        .filter(|record| options.purge && record.goes_with_purge())
        .filter_map(|record| match &record.target {
            Target::Folder(path) => Some(path.as_path()),
            _ => None,
        })
        .collect();
    let rank = |record: &Record| match &record.target {
        // It runs what was put back before it.
        Target::Running(_) if record.before != State::Absent => (0, 1),
        Target::Account(_) => (1, 0),
        Target::Folder(path) if purged.contains(&path.as_path()) => (2, path.components().count()),
        // The folder of the binary too, which may lead to that of the data by a link.
        Target::Folder(_) if options.purge => (3, 0),
        _ => (0, 0),
    };
    let mut ordered = going;
    // Stable: the order of what has the same rank stays.
    ordered.sort_by_key(|record| rank(record));
    ordered
}

/// The services that an install defined. One that was installed into an image has no record of
/// having been started, and runs all the same once that was booted.
fn services_of(receipt: &Receipt) -> BTreeSet<String> {
    // A task has its name from the install's own record of it.
    let defined = |path: &Path| {
        Manager::ALL.into_iter().find_map(|manager| manager.profile().service_of(path))
    };
    let names = receipt.records.iter().filter_map(|record| match &record.target {
        Target::Enabled(name) | Target::Running(name) => Some(name.clone()),
        Target::File(path) => defined(path),
        _ => None,
    });
    names.collect()
}

/// The account that an instance runs as. Receipts of earlier versions hold it only where it is not
/// the default.
fn user_of(receipt: &Receipt) -> String {
    let instance = Some(receipt.instance.as_str()).filter(|name| *name != "default");
    // The default has the same name on all systems.
    let default = || Layout::of(receipt.agent(), Os::Linux, instance).user;
    receipt.settings.get("user").cloned().unwrap_or_else(default)
}

/// A service that this instance did not define and that runs as the account.
fn other_service<'a>(account: &str, facts: &'a Facts) -> Option<&'a str> {
    let number = facts.account(account).and_then(|account| Some(account.uid()?.to_string()));
    let ours: BTreeSet<String> = facts.receipt.iter().flat_map(services_of).collect();
    let runs_as = |user: &str| user == account || number.as_deref() == Some(user);
    let mut others = facts.service_users.iter().filter(|(service, _)| !ours.contains(*service));
    others.find_map(|(service, user)| runs_as(user).then_some(service.as_str()))
}

/// Whether another folder stands where this tool made one for the account: it is neither the one on
/// record, nor one that the account could ours. What is in a folder that goes, goes with that.
fn is_replaced(record: &Record, receipt: &Receipt, facts: &Facts) -> bool {
    let made = record.after.as_ref().map(|after| &after.meta);
    let (Some(path), Some(made)) = (purged_folder(record), made) else { return false };
    let Some(now) = facts.path(path).meta.filter(|now| now.mode().is_some()) else {
        return false;
    };
    let mut outer = receipt.records.iter().filter_map(purged_folder);
    if outer.any(|outer| outer != path && path.starts_with(outer)) {
        return false;
    }
    let account = facts.account(&user_of(receipt)).and_then(AccountFacts::uid);
    let is_theirs = !now.is_of(0) && (now.uid() == made.uid() || now.uid() == account);
    let is_made = now.is_same_file(made) && now.uid() == made.uid();
    !is_theirs && !is_made
}

fn kept(
    record: &Record,
    receipt: &Receipt,
    facts: &Facts,
    options: UninstallOptions,
) -> Option<Cow<'static, str>> {
    if record.goes_with_purge() && !options.purge {
        return Some("data is removed only with --purge".into());
    }
    if !options.force && is_replaced(record, receipt, facts) {
        return Some(
            "it is not the folder that was created, or has another owner; --force removes it anyway"
                .into(),
        );
    }
    let step = Step::restore(record, false);
    if compare::is_done(&step, facts) {
        return None;
    }
    if let Target::Account(name) = &record.target {
        if facts.others.iter().any(|other| user_of(other) == *name) {
            return Some("another instance uses it".into());
        }
        if let Some(service) = other_service(name, facts) {
            return Some(format!("{service} runs as this account").into());
        }
    }
    if desktop::is_needed_by_others(record, facts) {
        return Some("another instance needs it".into());
    }
    let Target::File(path) = &record.target else { return None };
    let expected = record.after.as_ref().and_then(|after| after.digest.as_ref())?;
    let fact = facts.path(path);
    if let Some(failure) = fact.failure.as_ref().filter(|_| !options.force) {
        return Some(format!("it cannot be compared with the recorded content: {failure}").into());
    }
    let changed = fact.meta.is_some() && fact.digest.as_ref() != Some(expected);
    (changed && !options.force)
        .then_some("it was changed since the install; --force removes it anyway".into())
}
