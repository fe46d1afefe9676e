//! `doctor --fix`: all remedies as one plan, applied with journal and undo, then a second examination.

use super::{code, examined, report};
use crate::{
    Code, Command, Error, Help, Result,
    cli::{
        Output, confirm, elevate,
        guided::{Ask, Person, Prompt, Reply},
        interrupt,
        options::DoctorArgs,
        plan as shown,
        progress::Progress,
        text::Text,
    },
    doctor::{Consent, Diagnosis, Finding, Selection},
    plan::Plan,
    platform::fs::Provenance,
    record,
    session::{Cures, Examination, Session},
};
use serde::Serialize;
use std::{collections::BTreeSet, process::ExitCode};

/// The JSON document of `doctor --fix`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Document<'a> {
    #[serde(flatten)]
    diagnosis: &'a Diagnosis,
    /// What was done, a sentence for each step.
    steps: Vec<String>,
    /// Checks that failed or warned before and pass now.
    cured: Vec<&'a str>,
}

/// Plans, shows, asks, applies, examines again.
pub(super) fn run(
    args: &DoctorArgs,
    selection: &Selection,
    before: &Examination,
    is_asking: bool,
    out: &Output,
) -> Result<ExitCode> {
    let mut allowed = allowed(&args.allow)?;
    let session = Session::open(args.root.as_deref())?;
    let mut found = session.plan_cures(before, &allowed)?;
    if is_asking {
        // What is wrong comes before what is asked about it.
        let is_fixed = |finding: &Finding| {
            finding.remedy.as_ref().is_some_and(|remedy| !remedy.steps().is_empty())
        };
        out.line(report::problems(&before.diagnosis, is_fixed));
        let asked = ask(&found, out)?;
        if !asked.is_empty() {
            allowed.extend(asked);
            found = session.plan_cures(before, &allowed)?;
        }
    }
    let whole = merged(&found.plans);
    if args.dry_run && !whole.is_satisfied() {
        shown::of_steps(&whole, out)?;
        return Ok(code(&before.diagnosis, args.strict));
    }
    for (check, consent) in &found.held {
        out.note(&format!("{check} was left: it needs --allow {}", consent.word()));
    }
    if whole.is_satisfied() {
        if elevate::is_needed(args.root.as_deref()) && !args.dry_run {
            elevate::refuse_without_sudo()?;
            return Err(Error::new(
                Code::NeedsRoot,
                "facts that only root can read were not examined, and a fix needs root",
            )
            .help(Help::of_program(again(args), "")));
        }
        report::tell(&before.survey, &before.diagnosis, out)?;
        if found.held.is_empty() && before.diagnosis.problems().next().is_some() {
            out.note("there is nothing that --fix can do");
        }
        return Ok(code(&before.diagnosis, args.strict));
    }
    if is_asking {
        out.line(shown::steps(&whole));
        if !confirm::apply(&whole, out)? {
            out.line("Nothing was changed.");
            return Ok(code(&before.diagnosis, args.strict));
        }
    }
    if elevate::is_needed(args.root.as_deref()) {
        elevate::refuse_without_sudo()?;
        return Err(Error::new(Code::NeedsRoot, "a fix changes the host, which needs root")
            .help(Help::of_program(again(args), "")));
    }
    interrupt::applying();
    let progress = Progress::new(out);
    for plan in &found.plans {
        session.apply(record::FIX, plan, None, &progress)?;
        if let Some(service) = &plan.prove {
            // The second examination reports why the service did not come up.
            if let Err(error) = session.prove(service, None, &progress) {
                out.warning(error.message());
            }
        }
    }
    progress.finish();
    let after = examined(args, selection, out)?;
    tell(&before.diagnosis, &after, &whole, out)?;
    Ok(code(&after.diagnosis, args.strict))
}

/// The same command as root.
fn again(args: &DoctorArgs) -> Command {
    let with = |command: Command, option: &'static str, value: &str| {
        command.then(option).trusted_value(value, Provenance::Root)
    };
    let fix = Command::root("runnerup doctor --fix");
    let fix = args.instance.iter().fold(fix, |fix, name| with(fix, "--instance", name));
    args.allow_path.iter().fold(fix, |fix, path| with(fix, "--allow-path", path))
}

/// One plan for people to read; each part of it has a receipt of its own.
fn merged(plans: &[Plan]) -> Plan {
    Plan {
        instance: plans.iter().map(|plan| plan.instance.as_str()).collect::<Vec<_>>().join(", "),
        steps: plans.iter().flat_map(|plan| plan.steps.iter().cloned()).collect(),
        notes: Vec::new(),
        settings: Vec::new(),
        unfinished: false,
        prove: None,
        receipt: record::Receipt::new("doctor"),
    }
}

/// Asks for consent to what is never done without it.
fn ask(cures: &Cures, out: &Output) -> Result<Vec<Consent>> {
    let wanted: BTreeSet<Consent> = cures.held.iter().map(|(_, consent)| *consent).collect();
    let mut given = Vec::new();
    for consent in wanted {
        let prompt = Prompt::yes_or_no(consent.question(), false);
        if let Reply::Answer(answer) = Person::new(out).ask(&prompt, false)?
            && prompt.chosen(&answer) == Some("y")
        {
            given.push(consent);
        }
    }
    Ok(given)
}

fn allowed(words: &[String]) -> Result<BTreeSet<Consent>> {
    words
        .iter()
        .map(|word| match word.as_str() {
            "restart-busy" => Ok(Consent::RestartBusy),
            other => Err(Error::new(Code::ValueInvalid, format!("--allow: there is no {other:?}"))
                .help("it takes: restart-busy")),
        })
        .collect()
}

fn tell(before: &Diagnosis, after: &Examination, done: &Plan, out: &Output) -> Result<()> {
    let is_now = |was: &Finding| {
        let same = |now: &&Finding| now.check == was.check && now.instance == was.instance;
        after.diagnosis.findings.iter().find(same).is_some_and(|now| !now.is_problem())
    };
    let cured: Vec<&str> =
        before.problems().filter(|was| is_now(was)).map(|was| was.check).collect();
    if out.is_json() {
        let steps = done.steps.iter().map(ToString::to_string).collect();
        return out.document(&Document { diagnosis: &after.diagnosis, steps, cured });
    }
    let count = done.steps.len();
    let steps = if count == 1 { "1 step".to_owned() } else { format!("{count} steps") };
    let fixed = if cured.is_empty() { "nothing".to_owned() } else { cured.join(", ") };
    let mut text = Text::from(format!("Done, {steps}. Fixed: {fixed}."));
    text.blank();
    out.result(text)?;
    report::tell(&after.survey, &after.diagnosis, out)
}
