//! `runnerup install`, and `runnerup plan`, which is the same up to the plan.

use super::{
    Inputs, Output,
    confirm::{self, Consent},
    elevate,
    guided::{self, Dialogue},
    interrupt, next_steps, plan,
    progress::Progress,
    service_report::ServiceReport,
    text::Line,
};
use crate::{
    Result,
    host::ServiceState,
    plan::Plan,
    record::Receipt,
    session::{Install, Session},
};
use serde::Serialize;
use std::{path::Path, process::ExitCode, time::Instant};

/// How an install ended.
#[derive(Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Outcome {
    #[serde(rename = "nothing to do")]
    NothingToDo,
    #[serde(rename = "installed")]
    Installed,
}

/// The JSON document of an install.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Document<'a> {
    outcome: Outcome,
    instance: &'a str,
    steps_done: usize,
    notes: &'a [String],
    receipt: Option<&'a Receipt>,
    service: Option<ServiceReport<'a>>,
}

/// Installs; with `plan_only` it stops once the plan was shown.
pub(super) fn run(inputs: Inputs, plan_only: bool, out: &Output) -> Result<ExitCode> {
    let Inputs { mut settings, token } = inputs;
    let plan_only = plan_only || settings.switch("dry-run")?;
    let is_asking = !plan_only && out.is_asking(settings.switch("yes")?)?;
    let root = out.about(settings.text("root").as_deref().map(Path::new))?;
    let session = Session::open(root.as_deref())?;
    let discovery = session.discover(&mut settings, token)?;
    if let Some(token) = &discovery.token {
        // One that was given is known already; this one may be what an account has written.
        out.found().add_found(token.expose());
    }
    if !plan_only && !is_asking && elevate::is_needed(root.as_deref()) {
        // Nobody to ask for a password: said before the network is asked for anything.
        return elevate::install(&settings, discovery.token.as_ref(), is_asking, out);
    }
    let mut dialogue = Dialogue::default();
    let (settings, token, install) = loop {
        let (mut settings, mut discovery) = (settings.clone(), discovery.clone());
        if is_asking && !guided::ask(&mut dialogue, &mut settings, &mut discovery, out)? {
            return nothing_done(out);
        }
        let token = discovery.token.clone();
        let install = session.plan_install(&settings, discovery)?;
        let plan = &install.plan;
        if plan_only {
            plan::of_install(plan, out)?;
            return Ok(ExitCode::SUCCESS);
        }
        if plan.is_satisfied() {
            tell(plan, Outcome::NothingToDo, None, None, out)?;
            return Ok(ExitCode::SUCCESS);
        }
        plan.notes.iter().for_each(|note| out.note(note));
        if is_asking {
            out.line(plan::overview(plan));
            match confirm::apply_or_back(plan, dialogue.has_questions(), out)? {
                Consent::Yes => {}
                Consent::No => return nothing_done(out),
                Consent::Back => continue,
            }
        }
        break (settings, token, install);
    };
    let Install { spec, plan, supply } = &install;
    if elevate::is_needed(root.as_deref()) {
        let code = elevate::install(&settings, token.as_ref(), is_asking, out)?;
        let os = spec.platform.os();
        let is_installed = is_asking && code == ExitCode::SUCCESS;
        if let Some(command) = next_steps::unattended(&settings, os, out).filter(|_| is_installed) {
            out.line(command);
        }
        return Ok(code);
    }
    interrupt::applying();
    let progress = Progress::of_install(out);
    let receipt = session.apply("install", plan, Some((supply, &progress)), &progress)?;
    let state = match plan.prove.as_deref() {
        Some(service) => {
            let begun = Instant::now();
            let state = session.prove(service, Some(&install.expected()), &progress)?;
            progress.passed(&format!("{service} came up, and stays up"), begun.elapsed());
            Some(state)
        }
        None => None,
    };
    progress.finish();
    tell(plan, Outcome::Installed, receipt.as_ref(), state.as_ref(), out)?;
    let hints = session.hints(spec.service, &spec.layout.service).filter(|_| state.is_some());
    if let Some(hints) = hints.filter(|_| !out.is_json()) {
        out.line(format!("Follow it with: {}", hints.follow));
    }
    let os = spec.platform.os();
    if !out.is_json() {
        out.line(next_steps::after_install(os, out));
    }
    if let Some(command) = next_steps::unattended(&settings, os, out).filter(|_| is_asking) {
        out.line(command);
    }
    Ok(ExitCode::SUCCESS)
}

fn nothing_done(out: &Output) -> Result<ExitCode> {
    out.line("Nothing was changed.");
    Ok(ExitCode::SUCCESS)
}

fn tell(
    plan: &Plan,
    outcome: Outcome,
    receipt: Option<&Receipt>,
    service: Option<&ServiceState>,
    out: &Output,
) -> Result<()> {
    if out.is_json() {
        return out.document(&Document {
            outcome,
            instance: &plan.instance,
            steps_done: plan.steps.len(),
            notes: &plan.notes,
            receipt,
            service: service.map(ServiceReport::from),
        });
    }
    if plan.is_satisfied() {
        return out.result(plan::ALREADY_INSTALLED);
    }
    let version = receipt.and_then(|receipt| receipt.binary.as_ref());
    let version = version.map_or_else(String::new, |binary| format!(" {}", binary.version));
    let agent = receipt.map(Receipt::agent).unwrap_or_default().profile().title;
    let steps = plan.steps.len();
    let line = Line::new().text(format!("Installed {agent}{version}, {steps} steps done"));
    let line = match service {
        Some(state) => {
            let line = line.text("; ").foreign(&state.to_string());
            match &state.health {
                Some(health) => line.text(", ").foreign(health),
                None => line,
            }
        }
        None => line,
    };
    out.result(line.text(".").hang(2))
}
