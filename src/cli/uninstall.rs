//! `runnerup uninstall`.

use super::{
    Output, confirm, elevate, interrupt, options::UninstallArgs, plan, progress::Progress,
};
use crate::{
    Code, Command, Error, Help, Result,
    plan::{Plan, UninstallOptions},
    platform::fs::Provenance,
    record::{Receipt, Record, Step, Target},
    session::{BY_HAND, Session},
    text::shown,
    values::InstanceName,
};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

/// How an uninstall ended.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Outcome {
    #[serde(rename = "nothing installed")]
    NothingInstalled,
    #[serde(rename = "installed by hand")]
    InstalledByHand,
    #[serde(rename = "nothing to do")]
    NothingToDo,
    #[serde(rename = "uninstalled")]
    Uninstalled,
}

/// The JSON document of an uninstall.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Document<'a> {
    outcome: Outcome,
    instance: &'a str,
    steps_done: usize,
    notes: &'a [String],
    /// What stays until `uninstall --purge`, or was put there without this program.
    kept: Vec<String>,
}

/// Takes an instance away.
pub(super) fn run(args: &UninstallArgs, out: &Output) -> Result<ExitCode> {
    let mut args = args.clone();
    args.fill()?;
    args.root = out.about(args.root.as_deref())?;
    // No install has this name; its receipt is that of `doctor --fix`, which this takes back.
    let is_of_cures = args.instance.as_deref() == Some(BY_HAND);
    let name = match args.instance.as_deref().filter(|_| !is_of_cures) {
        Some(name) => Some(name.parse::<InstanceName>()?),
        None => None,
    };
    let instance = match &name {
        Some(name) => name.to_string(),
        None if is_of_cures => BY_HAND.to_owned(),
        None => "default".to_owned(),
    };
    let is_asking = !args.dry_run && out.is_asking(args.yes)?;
    let session = Session::open(args.root.as_deref())?;
    let leave = UninstallOptions { purge: args.purge, force: args.force };
    let Some(found) = session.plan_uninstall(&instance, leave)? else {
        if !args.dry_run && !elevate::is_needed(args.root.as_deref()) {
            session.remove_empty_state()?;
        }
        let found = if is_of_cures { Vec::new() } else { session.found_by_hand(name.as_ref())? };
        tell_unknown(&instance, &found, &session.instances()?, out)?;
        return Ok(ExitCode::SUCCESS);
    };
    if args.dry_run {
        plan::of_steps(&found, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    found.notes.iter().for_each(|note| out.note(note));
    if found.is_satisfied() {
        tell(&instance, Outcome::NothingToDo, 0, &found.notes, None, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    if is_asking {
        out.line(plan::steps(&found));
    }
    if is_asking && !confirm::apply(&found, out)? {
        out.line("Nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    if elevate::is_needed(args.root.as_deref()) {
        return elevate::uninstall(&args, out);
    }
    interrupt::applying();
    let progress = Progress::new(out);
    let left = session.apply("uninstall", &found, None, &progress)?;
    progress.finish();
    if let Some(left) = left.as_ref().filter(|_| args.purge) {
        refuse_rest(&found, left)?;
    }
    tell(&instance, Outcome::Uninstalled, found.steps.len(), &found.notes, left.as_ref(), out)?;
    Ok(ExitCode::SUCCESS)
}

/// What the plan was to remove and is on record all the same.
///
/// # Errors
/// [`Code::RemovalIncomplete`] when there is any.
fn refuse_rest(plan: &Plan, left: &Receipt) -> Result<()> {
    let is_left = |step: &&Step| {
        matches!(step, Step::Restore { .. }) && left.record(&step.target()).is_some()
    };
    let rest: Vec<String> =
        plan.steps.iter().filter(is_left).map(|step| step.target().to_string()).collect();
    if rest.is_empty() {
        return Ok(());
    }
    let again = of_instance(Command::fixed("runnerup uninstall --purge"), &left.instance);
    let message = format!("uninstalled, but this stays: {}", rest.join(", "));
    Err(Error::new(Code::RemovalIncomplete, message)
        .help(Help::of_program(again, "goes on from here")))
}

fn of_instance(command: Command, instance: &str) -> Command {
    match instance {
        "default" => command,
        name => command.then("--instance").trusted_value(name, Provenance::Root),
    }
}

/// Without a receipt nothing is removed: what stands there, a person or a package put there.
fn tell_unknown(instance: &str, found: &[PathBuf], others: &[String], out: &Output) -> Result<()> {
    let kept: Vec<String> = found.iter().map(shown).collect();
    let outcome =
        if kept.is_empty() { Outcome::NothingInstalled } else { Outcome::InstalledByHand };
    if out.is_json() {
        return out.document(&Document { outcome, instance, steps_done: 0, notes: &[], kept });
    }
    if kept.is_empty() && others.is_empty() {
        return out.result("Nothing to remove: runnerup has not installed an agent here.");
    }
    if kept.is_empty() {
        let others = others.join(", ");
        return out.result(format!(
            "Nothing to remove: runnerup has not installed the instance {instance} here, but it has: \
             {others}."
        ));
    }
    let files = kept.join(", ");
    out.result(format!("Nothing was removed. Put here without runnerup: {files}."))?;
    out.note(
        "without a receipt it is not known how the host was before; stop the service, and remove \
         these files by hand or with the package that they came with",
    );
    Ok(())
}

fn tell(
    instance: &str,
    outcome: Outcome,
    steps_done: usize,
    notes: &[String],
    left: Option<&Receipt>,
    out: &Output,
) -> Result<()> {
    let kept: Vec<String> = left.map_or_else(Vec::new, |receipt| {
        receipt.records.iter().map(|record| record.target.to_string()).collect()
    });
    if out.is_json() {
        return out.document(&Document { outcome, instance, steps_done, notes, kept });
    }
    if outcome == Outcome::NothingToDo {
        return out.result("Nothing to do: only what stays is left.");
    }
    // A folder stays for what is in it: a file that was changed is on record by itself.
    let is_changed = |record: &Record| !record.data && matches!(record.target, Target::File(_));
    let needs_force = left.is_some_and(|receipt| receipt.records.iter().any(is_changed));
    out.result(format!("Uninstalled, {steps_done} steps done."))?;
    if !kept.is_empty() {
        let how = if needs_force { "--purge --force" } else { "--purge" };
        let how =
            out.command_line(of_instance(Command::fixed("runnerup uninstall").then(how), instance));
        let how = how.map_or(String::new(), |line| format!("; `{line}` takes it away too"));
        out.note(&format!("kept: {}{how}", kept.join(", ")));
    }
    Ok(())
}
