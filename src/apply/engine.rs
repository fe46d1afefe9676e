//! Does the steps of a plan, in order, with a journal; undoes them when one fails.

use super::{
    act::{Tools, temporary_name},
    host::Host,
    journal::{Event, Journal, Unfinished},
    receipt::Receipt,
    state::{self, StateFolder},
    step::Step,
    target::{Record, State, Target},
};
use crate::{Code, Error, Result};

/// Steps to do, and what the receipt is to say when they are done.
#[derive(Debug)]
pub struct Task<'a> {
    /// Such as `install`; stands in the journal.
    pub command: &'a str,
    /// The steps.
    pub steps: &'a [Step],
    /// The receipt with its settings and binary as they are to be; the engine keeps its records.
    pub receipt: Receipt,
}

/// A step that was begun.
struct Begun {
    number: usize,
    target: Target,
    before: State,
    restores: bool,
}

/// Does the task. `Ok(None)`: nothing of the instance is left, and so no receipt.
///
/// # Errors
/// The failed step's own error when everything was rolled back ([`Code::StepFailed`] unless the
/// cause is the network, a verification or an interruption), [`Code::RollbackIncomplete`] when
/// something could not be undone.
pub fn run(task: Task<'_>, host: &Host<'_>) -> Result<Option<Receipt>> {
    let state = StateFolder::lock(host.root)?;
    let Task { command, steps, mut receipt } = task;
    let known = state::read(host.root, &receipt.instance)?;
    refuse_stale(&receipt, known.receipt.as_ref())?;
    let fresh = known.receipt.is_none();
    if let Some(unfinished) = known.unfinished.as_ref() {
        clean_up(host, unfinished)?;
        // On disk before the old journal goes, so that nothing is forgotten if this run is cut
        // off too.
        for other in known.others.iter().filter(|other| other.instance == unfinished.instance) {
            state.write_receipt(other)?;
        }
    }
    if let Some(earlier) = known.receipt {
        state.write_receipt(&earlier)?;
        receipt.records = earlier.records;
        receipt.made_for_state = earlier.made_for_state;
    }
    for folder in state.made() {
        if !receipt.made_for_state.contains(folder) {
            receipt.made_for_state.push(folder.clone());
        }
    }
    let run = random_name()?;
    let key = state.key()?;
    let mut journal = state.journal()?;
    journal.write(&Event::Begin {
        command: command.to_owned(),
        instance: receipt.instance.clone(),
        at: now(),
        run: run.clone(),
        made: receipt.made_for_state.clone(),
    })?;
    let tools = Tools { host, state: &state, run: &run, key: &key };
    let mut begun = Vec::new();
    if let Err(error) = go(steps, &tools, &mut journal, &mut begun, &mut receipt) {
        let failed = roll_back(error, &tools, &mut journal, &begun);
        let made = receipt.made_for_state.clone();
        if failed.code() != Code::RollbackIncomplete {
            if fresh {
                state.remove_receipt(&receipt.instance)?;
            }
            state.close(&made)?;
        }
        return Err(failed);
    }
    receipt.written = now();
    receipt.complete = true;
    let made = receipt.made_for_state.clone();
    let left = if receipt.records.is_empty() && !receipt.installed {
        state.remove_receipt(&receipt.instance)?;
        None
    } else {
        state.write_receipt(&receipt)?;
        Some(receipt)
    };
    state.close(&made)?;
    Ok(left)
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
        tools.host.report.begins(number, steps.len(), &what);
        let failed = |error: Error| error.context(format!("step {number}, {what}"));
        let target = step.target();
        let before = tools.before(step).map_err(failed)?;
        if is_others_folder(step, &before) && receipt.record(&target).is_none() {
            tools.host.report.done();
            continue;
        }
        let restores = matches!(step, Step::Restore { .. } | Step::Stop { .. });
        journal.write(&Event::Intent {
            step: number,
            what: what.clone(),
            target: target.clone(),
            before: before.clone(),
            restores,
            data: step.is_data(),
        })?;
        begun.push(Begun { number, target: target.clone(), before: before.clone(), restores });
        let after = tools.apply(step).map_err(failed)?;
        journal.write(&Event::Done { step: number, after: after.clone() })?;
        if restores {
            receipt.restored(&target);
        } else {
            receipt.changed(Record { target, before, after, data: step.is_data() });
        }
        tools.host.report.done();
    }
    Ok(())
}

/// A plan that was made before another run ended is about a host that is no more.
fn refuse_stale(planned: &Receipt, now: Option<&Receipt>) -> Result<()> {
    if now.map_or("", |now| now.written.as_str()) == planned.written {
        return Ok(());
    }
    Err(Error::new(
        Code::Locked,
        "another run of runnerup changed this host since the plan was made",
    )
    .help("run it again: it plans anew"))
}

/// A shared folder that came to be since the plan was made, as the state folder's parents do, is
/// neither changed nor ours to put back.
fn is_others_folder(step: &Step, before: &State) -> bool {
    matches!((step, before), (Step::Folder(folder), State::Folder { .. }) if folder.shared)
}

fn roll_back(error: Error, tools: &Tools<'_>, journal: &mut Journal, begun: &[Begun]) -> Error {
    let mut left = Vec::new();
    for Begun { number, target, before, restores } in begun.iter().rev() {
        tools.host.report.undoes(&target.to_string());
        // A folder that this very run made holds nothing of anyone else's.
        let purge = !restores && *before == State::Absent;
        match tools.restore(target, before, purge) {
            // The journal serves a later run; a full disk must not keep this one from undoing.
            Ok(()) => drop(journal.write(&Event::Undone { step: *number })),
            Err(trouble) => left.push(format!("{target}: {trouble}")),
        }
    }
    if left.is_empty() {
        return match error.code() {
            code if matches!(code.exit(), 4 | 5 | 130) => error,
            _ => error.recode(Code::StepFailed),
        }
        .help("everything was rolled back");
    }
    let sum = format!("{}; not undone: {}", error.message(), left.join("; "));
    Error::new(Code::RollbackIncomplete, sum)
        .help("runnerup uninstall   # cleans up from the journal")
        .help("runnerup install     # goes on from it")
}

/// Takes away the temporary files of a run that was cut off.
fn clean_up(host: &Host<'_>, unfinished: &Unfinished) -> Result<()> {
    for path in unfinished.renamed_to() {
        if let Some(spot) = host.root.find(path)? {
            spot.sibling(temporary_name(path, &unfinished.run))?.remove()?;
        }
    }
    Ok(())
}

fn random_name() -> Result<String> {
    let number = getrandom::u64()
        .map_err(|error| Error::new(Code::HostUnfit, format!("no random numbers: {error}")))?;
    Ok(format!("{number:016x}"))
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
