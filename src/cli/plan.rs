//! A plan, for people and for programs.

mod group;
mod summary;

pub(super) use group::Group;

use super::{
    Output,
    text::{Line, Text},
};
use crate::{Result, plan::Plan, record::Step, settings::Source, text::shown};
use serde::Serialize;

/// What is said of an install that changes nothing.
pub(super) const ALREADY_INSTALLED: &str =
    "Nothing to do: the agent is already installed with these settings.";

/// The JSON document of a plan.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Document<'a> {
    instance: &'a str,
    /// Whether there is nothing to do.
    satisfied: bool,
    steps: Vec<Described<'a>>,
    settings: &'a [crate::plan::Setting],
    notes: &'a [String],
}

/// A step with the sentence that people see.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Described<'a> {
    what: String,
    #[serde(flatten)]
    step: &'a Step,
}

/// Prints the plan of an install as the command's result: by what it means, or each step by `-v`.
pub(super) fn of_install(plan: &Plan, out: &Output) -> Result<()> {
    match out.options().verbose {
        0 => result(plan, overview(plan), out),
        _ => result(plan, steps(plan), out),
    }
}

/// Prints the plan of an uninstall, or of cures, as the command's result: each step.
pub(super) fn of_steps(plan: &Plan, out: &Output) -> Result<()> {
    result(plan, steps(plan), out)
}

fn result(plan: &Plan, steps: Text, out: &Output) -> Result<()> {
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
    let mut text = if out.options().verbose > 0 { details(plan) } else { settings(plan) };
    text.append(steps);
    out.result(text)?;
    plan.notes.iter().for_each(|note| out.note(note));
    Ok(())
}

/// What will be done, by what it means, on one screen.
pub(super) fn overview(plan: &Plan) -> Text {
    if plan.is_satisfied() { steps(plan) } else { summary::summary(plan) }
}

/// What will be done, a numbered line for each step.
pub(super) fn steps(plan: &Plan) -> Text {
    if plan.is_satisfied() {
        return match plan.receipt.installed {
            true => ALREADY_INSTALLED.into(),
            false => "Nothing to do.".into(),
        };
    }
    let mut text = Text::from("Steps");
    for (index, step) in plan.steps.iter().enumerate() {
        text.line(format!("{:>4}. {step}", index + 1));
    }
    text
}

/// Every file that will be written, whole, with secrets as `***`.
pub(super) fn details(plan: &Plan) -> Text {
    let mut text = Text::new();
    for step in &plan.steps {
        if let Step::File(file) = step {
            text.line(format!("--- {}", shown(&file.path)));
            for line in file.content.shown().lines() {
                text.line(Line::new().foreign(line).hang(2).lead("    "));
            }
        }
    }
    text.append(settings(plan));
    text
}

fn settings(plan: &Plan) -> Text {
    let mut text = Text::new();
    if plan.settings.is_empty() {
        return text;
    }
    let names = plan.settings.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
    let values = plan.settings.iter().map(|setting| setting.value.len()).max().unwrap_or_default();
    let values = values.min(40);
    text.line("Settings");
    for setting in &plan.settings {
        let (name, value) = (setting.name, &setting.value);
        let line = Line::new().text(format!("  {name:names$}  "));
        let line = match &setting.source {
            Source::Default => line.text(value.clone()),
            Source::Existing(_) => line.foreign(&format!("{value:values$}  ({})", setting.source)),
            source => line.text(format!("{value:values$}  ({source})")),
        };
        // A value stays in the column of values.
        text.line(line.hang(names + 2));
    }
    text.blank();
    text
}
