//! A plan, for people and for programs.

use super::Output;
use crate::{Result, apply::Step, plan::Plan, platform::layout::shown, spec::Source};
use serde::Serialize;
use std::fmt::Write;

/// The JSON document of a plan.
#[derive(Serialize)]
struct Document<'a> {
    instance: &'a str,
    /// Whether there is nothing to do.
    satisfied: bool,
    steps: Vec<Described<'a>>,
    settings: &'a [crate::plan::Setting],
    notes: &'a [String],
}

/// A step with the sentence that people see.
#[derive(Serialize)]
struct Described<'a> {
    what: String,
    #[serde(flatten)]
    step: &'a Step,
}

/// Prints the plan as the command's result.
pub(super) fn result(plan: &Plan, out: &Output) -> Result<()> {
    if out.is_json() {
        let describe = |step| Described { what: format!("{step}"), step };
        return out.document(&Document {
            instance: &plan.instance,
            satisfied: plan.is_satisfied(),
            steps: plan.steps.iter().map(describe).collect(),
            settings: &plan.settings,
            notes: &plan.notes,
        });
    }
    let details = if out.manner().verbose > 0 { details(plan) } else { settings(plan) };
    out.result(&format!("{details}{}", steps(plan)))?;
    plan.notes.iter().for_each(|note| out.note(note));
    Ok(())
}

/// What will be done, a numbered line a step.
pub(super) fn steps(plan: &Plan) -> String {
    if plan.is_satisfied() {
        return "Nothing to do: everything is as it should be.\n".to_owned();
    }
    let mut text = String::from("Steps\n");
    for (index, step) in plan.steps.iter().enumerate() {
        let _ = writeln!(text, "{:>4}. {step}", index + 1);
    }
    text
}

/// Every file that will be written, whole, with secrets as `***`.
pub(super) fn details(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        if let Step::File(file) = step {
            let _ = writeln!(text, "--- {}", shown(&file.path));
            for line in file.content.shown().lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    text + &settings(plan)
}

fn settings(plan: &Plan) -> String {
    if plan.settings.is_empty() {
        return String::new();
    }
    let names = plan.settings.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
    let values = plan.settings.iter().map(|setting| setting.value.len()).max().unwrap_or_default();
    let values = values.min(40);
    let mut text = String::from("Settings\n");
    for setting in &plan.settings {
        let (name, value) = (setting.name, &setting.value);
        let _ = match &setting.source {
            Source::Default => writeln!(text, "  {name:names$}  {value}"),
            source => writeln!(text, "  {name:names$}  {value:values$}  ({source})"),
        };
    }
    text.push('\n');
    text
}
