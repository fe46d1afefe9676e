//! The last question: whether to do what the plan says.

use super::{
    Output,
    guided::{Ask, Person, Prompt, Reply},
    plan,
};
use crate::{Result, plan::Plan};

/// Asks; shows every file and setting for the asking. The plan itself was shown already.
pub(super) fn apply(plan: &Plan, out: &Output) -> Result<bool> {
    let prompt = Prompt::new("Do this?")
        .choice("y", "yes, go on")
        .choice("n", "no, change nothing")
        .choice("e", "explain: every step, file and setting");
    let mut person = Person::new(out);
    let mut is_again = false;
    loop {
        let answer = match person.ask(&prompt, is_again)? {
            Reply::Quit => return Ok(false),
            Reply::Back => String::new(),
            Reply::Answer(answer) => answer,
        };
        is_again = true;
        match prompt.chosen(&answer) {
            Some("y") => return Ok(true),
            Some("n") => return Ok(false),
            Some(_) => {
                out.line(plan::details(plan));
                out.line(plan::steps(plan));
            }
            None => person.refuse("Answer y, n or e."),
        }
    }
}
