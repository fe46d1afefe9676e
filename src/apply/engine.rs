//! Does the steps of a plan in order, with a journal, and undoes them when one fails.

use super::{
    act::{Outcome, Tools, purged_by, temporary_name},
    host::Host,
    state::StateFolder,
    undo::{Begun, roll_back},
};
use crate::{
    Code, Command, Error, Result,
    platform::{fs::Root, system::System},
    record::{self, Event, Journal, Receipt, Record, State, StateSnapshot, Step, Unfinished},
    text::shown,
};
use std::path::{Path, PathBuf};

/// Steps to do, and the receipt for them.
#[derive(Debug)]
pub struct Task<'a> {
    /// Such as `install`, or [`FIX`](record::FIX); it goes into the journal.
    pub command: &'a str,
    /// The steps.
    pub steps: &'a [Step],
    /// The receipt with the new settings and binary; the engine adds its records.
    pub receipt: Receipt,
}

/// Does the task. `Ok(None)`: nothing of the instance is left, so there is no receipt.
///
/// # Errors
/// The failed step's own error when everything was rolled back ([`Code::StepFailed`] unless the
/// cause is the network, a verification or an interruption), [`Code::RollbackIncomplete`] when
/// something could not be undone, [`Code::InTheWay`] when something is mounted where everything is
/// to be removed: then nothing was changed.
pub fn run(task: Task<'_>, host: &Host<'_>) -> Result<Option<Receipt>> {
    let Task { command, steps, mut receipt } = task;
    refuse_mounts(steps, host.root, host.system)?;
    let state = StateFolder::lock(host.root, host.system)?;
    let known = record::read(host.root, &receipt.instance)?;
    let begun = begin(command, &mut receipt, &known, host, &state);
    let made = receipt.made_for_state.clone();
    let (run, key, mut journal) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            // Nothing on the host was changed; an empty state folder is removed again.
            if known.is_bare() {
                let _ = state.close(&made);
            }
            return Err(error);
        }
    };
    let mut tools = Tools {
        host,
        state: &state,
        run: &run,
        key: &key,
        cures: record::cures(command),
        undoes: false,
        lost: std::cell::RefCell::default(),
    };
    let mut steps_begun = Vec::new();
    let finished = go(steps, &tools, &mut journal, &mut steps_begun, &mut receipt)
        .and_then(|()| commit(&mut receipt, &state));
    if let Err(error) = finished {
        tools.undoes = true;
        let failed = roll_back(error, &tools, &mut journal, &steps_begun, &receipt);
        if failed.code() != Code::RollbackIncomplete {
            let forgotten = match known.receipt.as_ref() {
                Some(earlier) => state.write_receipt(earlier),
                None => state.remove_receipt(&receipt.instance),
            };
            report_left(forgotten.and_then(|()| state.close(&made)), host);
        }
        return Err(failed);
    }
    report_left(state.close(&made), host);
    Ok(is_kept(&receipt).then_some(receipt))
}

/// Adopts what earlier runs left, and begins the journal. Returns the name of the run, the key of the
/// fingerprints, and the journal.
fn begin(
    command: &str,
    receipt: &mut Receipt,
    known: &StateSnapshot,
    host: &Host<'_>,
    state: &StateFolder<'_>,
) -> Result<(String, Vec<u8>, Journal)> {
    receipt.made_for_state = state.made().to_owned();
    refuse_stale(receipt, known.receipt.as_ref())?;
    if let Some(unfinished) = known.unfinished.as_ref() {
        clean_up(host, unfinished)?;
        // Written before the old journal is removed, in case this run is cut off too.
        for other in known.others.iter().filter(|other| other.instance == unfinished.instance) {
            state.write_receipt(other)?;
        }
    }
    if let Some(earlier) = known.receipt.as_ref() {
        state.write_receipt(earlier)?;
        receipt.records.clone_from(&earlier.records);
        let made = receipt.made_for_state.iter();
        let made: Vec<_> = made.filter(|made| !earlier.made_for_state.contains(made)).collect();
        receipt.made_for_state = earlier.made_for_state.iter().chain(made).cloned().collect();
    }
    let (run, key) = (random_name()?, state.key()?);
    let mut journal = state.journal()?;
    journal.write(&Event::Begin {
        command: command.to_owned(),
        instance: receipt.instance.clone(),
        at: now(),
        run: run.clone(),
        made: receipt.made_for_state.clone(),
    })?;
    Ok((run, key, journal))
}

/// Writes the receipt, or removes it when nothing of the instance is left.
fn commit(receipt: &mut Receipt, state: &StateFolder<'_>) -> Result<()> {
    receipt.written = now();
    receipt.complete = true;
    if is_kept(receipt) {
        state.write_receipt(receipt)
    } else {
        state.remove_receipt(&receipt.instance)
    }
}

fn is_kept(receipt: &Receipt) -> bool {
    receipt.installed || !receipt.records.is_empty()
}

/// Reports what could not be cleaned up; the next run removes it.
fn report_left(closed: Result<()>, host: &Host<'_>) {
    if let Err(error) = closed {
        host.report.leaves(&format!("the journal stays until the next run: {error}"));
    }
}

fn go(
    steps: &[Step],
    tools: &Tools<'_>,
    journal: &mut Journal,
    begun: &mut Vec<Begun>,
    receipt: &mut Receipt,
) -> Result<()> {
    for (index, step) in steps.iter().enumerate() {
        let number = index + 1;
        let what = step.to_string();
        tools.host.check_interrupted()?;
        tools.host.report.begins(number, steps.len(), step);
        let failed = |error: Error| error.context(format!("step {number}, {what}"));
        let target = step.target();
        let before = tools.before(step).map_err(failed)?;
        if is_others_folder(step, &before) && receipt.record(&target).is_none() {
            tools.host.report.done();
            continue;
        }
        let restores =
            matches!(step, Step::Restore { .. } | Step::Stop { .. } | Step::EndProcesses { .. });
        journal.write(&Event::Intent {
            step: number,
            what: what.clone(),
            target: target.clone(),
            before: before.clone(),
            restores,
            data: step.is_data(),
        })?;
        let purges = matches!(step, Step::Restore { purge: true, .. });
        let (target_begun, before_begun) = (target.clone(), before.clone());
        begun.push(Begun { number, target: target_begun, before: before_begun, restores, purges });
        let mut after = match tools.apply(step, receipt.record(&target)).map_err(failed)? {
            Outcome::Done(after) => after,
            // The record stays, so that a later uninstall finds what is left.
            Outcome::Stays => {
                tools.host.report.done();
                continue;
            }
        };
        if let (Step::SetPermissions(_), Some(after)) = (step, after.as_mut()) {
            // The content is what it was.
            let known = receipt.record(&target).and_then(|record| record.after.as_ref());
            after.digest = known.and_then(|known| known.digest.clone());
        }
        journal.write(&Event::Done { step: number, after: after.clone() })?;
        if restores {
            receipt.restored(&target);
        } else {
            let (data, cure) = (step.is_data(), tools.cures);
            receipt.changed(Record { target, before, after, data, cure });
        }
        tools.host.report.done();
    }
    Ok(())
}

/// Refuses the run before anything is changed if something is mounted in a folder to be removed: the
/// mounted files do not belong to the folder.
///
/// # Errors
/// [`Code::InTheWay`] with the mount points.
pub fn refuse_mounts(steps: &[Step], root: &Root, system: &dyn System) -> Result<()> {
    steps
        .iter()
        .filter_map(|step| purged_by(step, system))
        .try_for_each(|folder| refuse_mounts_in(&folder, root))
}

/// The same for one folder that is to be removed. Sends no request to a mounted file system.
///
/// # Errors
/// [`Code::InTheWay`] with the mount points.
pub fn refuse_mounts_in(folder: &Path, root: &Root) -> Result<()> {
    let points = root.mounts_below(folder)?;
    if points.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = points.iter().map(|point| format!("{point:?}")).collect();
    let message = format!(
        "{} must be removed with its content, but something is mounted in it: {}; nothing was \
         changed",
        shown(folder),
        names.join(", ")
    );
    // A later mount may be inside an earlier one.
    let commands: Vec<_> =
        points.iter().rev().map(|point| unmounting(root, point, &points)).collect();
    let is_whole = commands.iter().all(|command| command.line().is_some());
    let error = Error::new(Code::InTheWay, message);
    let helped = commands.into_iter().fold(error, Error::help);
    if is_whole {
        return Err(helped);
    }
    Err(helped.help(
        "unmount it while no process of the account is running: until then the account can replace \
         the mount point",
    ))
}

/// Unmounts a mount point; left out where the account could redirect the path to another mount.
fn unmounting(root: &Root, point: &Path, points: &[PathBuf]) -> Command {
    // The mounted file system may never answer: only the folders above it are examined.
    let is_inside = points.iter().any(|outer| outer != point && point.starts_with(outer));
    let above = point.parent().filter(|_| root.is_host() && !is_inside);
    let changed_by = above.and_then(|above| root.walk(above).ok()).map(|way| way.changed_by());
    match changed_by.filter(|by| by.is_root()) {
        Some(root) => Command::root("umount").path(point, root),
        None => Command::left_out(),
    }
}

/// Refuses a plan that was made before another run changed the host.
fn refuse_stale(planned: &Receipt, now: Option<&Receipt>) -> Result<()> {
    if now.map_or("", |now| now.written.as_str()) == planned.written {
        return Ok(());
    }
    Err(Error::new(
        Code::Locked,
        "another run of runnerup changed this host since the plan was made",
    )
    .help("run the command again: it makes a new plan"))
}

/// Whether a shared folder was created since the plan was made, as the state folder's parents are. It
/// is neither changed nor restored.
fn is_others_folder(step: &Step, before: &State) -> bool {
    matches!((step, before), (Step::Folder(folder), State::Folder { .. }) if folder.shared)
}

/// Removes the temporary files of a run that was cut off.
fn clean_up(host: &Host<'_>, unfinished: &Unfinished) -> Result<()> {
    for path in unfinished.renamed_to() {
        if let Some(spot) = host.root.find(path)? {
            spot.sibling(temporary_name(path, &unfinished.run))?.remove()?;
        }
    }
    Ok(())
}

fn random_name() -> Result<String> {
    let number = getrandom::u64().map_err(|error| {
        Error::new(Code::HostUnfit, format!("the system gives no random numbers: {error}"))
    })?;
    Ok(format!("{number:016x}"))
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
