//! `runnerup uninstall`.

use super::{
    Output, confirm, elevate, interrupt, options::UninstallArgs, plan, progress::Progress,
};
use crate::{
    Code, Command, Error, Help, Result,
    apply::{Receipt, Step},
    plan::{BY_HAND, Leave, Plan},
    platform::fs::Provenance,
    session::Session,
    spec::values::InstanceName,
};
use serde::Serialize;
use std::process::ExitCode;

/// The JSON document of an uninstall.
#[derive(Serialize)]
struct Document<'a> {
    outcome: &'static str,
    instance: &'a str,
    steps_done: usize,
    notes: &'a [String],
    /// What stays until `uninstall --purge`.
    kept: Vec<String>,
}

/// Takes an instance away.
pub(super) fn run(args: &UninstallArgs, out: &Output) -> Result<ExitCode> {
    let mut args = args.filled()?;
    args.root = out.about(args.root.as_deref())?;
    let instance = match args.instance.as_deref() {
        // No install has this name; its receipt is that of `doctor --fix`, which this takes back.
        Some(name) if name == BY_HAND => name.to_owned(),
        Some(name) => name.parse::<InstanceName>()?.to_string(),
        None => "default".to_owned(),
    };
    let is_asking = !args.dry_run && out.is_asking(args.yes)?;
    let session = Session::open(args.root.as_deref())?;
    let leave = Leave { purge: args.purge, force: args.force };
    let Some(found) = session.plan_uninstall(&instance, leave)? else {
        if !args.dry_run && !elevate::is_needed(args.root.as_deref()) {
            session.tidy()?;
        }
        tell(&instance, "nothing installed", 0, &[], None, out)?;
        return Ok(ExitCode::SUCCESS);
    };
    if args.dry_run {
        plan::result(&found, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    found.notes.iter().for_each(|note| out.note(note));
    if found.is_satisfied() {
        tell(&instance, "nothing to do", 0, &found.notes, None, out)?;
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
    tell(&instance, "uninstalled", found.steps.len(), &found.notes, left.as_ref(), out)?;
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
    Err(Error::new(Code::RemovalIncomplete, message).help(Help::own(again, "goes on from here")))
}

fn of_instance(command: Command, instance: &str) -> Command {
    match instance {
        "default" => command,
        name => command.then("--instance").own(name, Provenance::Root),
    }
}

fn tell(
    instance: &str,
    outcome: &'static str,
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
    match outcome {
        "nothing installed" => return out.result("Nothing to do: nothing was installed here."),
        "nothing to do" => return out.result("Nothing to do: only what stays is left."),
        _ => {}
    }
    let only_data = left.is_none_or(|receipt| receipt.records.iter().all(|record| record.data));
    out.result(format!("Uninstalled, {steps_done} steps done."))?;
    if !kept.is_empty() {
        let how = if only_data { "--purge" } else { "--purge --force" };
        let how = out.own(of_instance(Command::fixed("runnerup uninstall").then(how), instance));
        let how = how.map_or(String::new(), |line| format!("; `{line}` takes it away too"));
        out.note(&format!("kept: {}{how}", kept.join(", ")));
    }
    Ok(())
}
