//! The last question: whether to do what the plan says.

use super::{
    Output,
    guided::{Ask, Exit, Person, Prompt, Reply},
    plan,
};
use crate::{Result, plan::Plan};

/// What a person said to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    Yes,
    No,
    /// Back to the questions that the plan came from.
    Back,
}

/// Asks; shows every file and setting for the asking. The plan itself was shown already.
pub(super) fn apply(plan: &Plan, out: &Output) -> Result<bool> {
    Ok(asked("Do this?", plan, &[], out)? == Consent::Yes)
}

/// Asks likewise, where one may go back to questions.
pub(super) fn apply_or_back(plan: &Plan, may_go_back: bool, out: &Output) -> Result<Consent> {
    let exits: &[Exit] = if may_go_back { &[Exit::Back] } else { &[] };
    asked("Install this?", plan, exits, out)
}

fn asked(
    title: &'static str,
    plan: &Plan,
    exits: &'static [Exit],
    out: &Output,
) -> Result<Consent> {
    let prompt = Prompt::new(title)
        .preset("n")
        .choice("y", "go on")
        .choice("n", "change nothing")
        .choice("e", "show every step, file and setting")
        .exits(exits);
    let mut person = Person::new(out);
    let mut is_again = false;
    loop {
        let answer = match person.ask(&prompt, is_again)? {
            Reply::Quit => return Ok(Consent::No),
            Reply::Back if !exits.is_empty() => return Ok(Consent::Back),
            Reply::Back => String::new(),
            Reply::Answer(answer) => answer,
        };
        let chosen = prompt.chosen(&answer);
        is_again = chosen.is_none();
        match chosen {
            Some(choice @ ("y" | "n")) => {
                person.taken(&prompt, choice);
                return Ok(if choice == "y" { Consent::Yes } else { Consent::No });
            }
            Some(_) => {
                out.line(plan::details(plan));
                out.line(plan::steps(plan));
            }
            None => person.refuse("Answer y, n or e."),
        }
    }
}
