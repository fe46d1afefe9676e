//! From question to question, forth and back; knows no terminal.

use super::{
    ask::{Ask, Reply},
    questions::{Draft, Known, Question, Verdict},
};
use crate::{Error, Result};

const INTRODUCTION: &str = "Enter takes what stands in brackets, < goes back, q or Esc quits. Nothing is changed before you have seen the plan and said yes.";

const DECLINED: &str = "Machine runner 3 is in CircleCI's package repositories, for Linux, macOS and Windows. Nothing was installed here.";

/// Asks what is missing. `None`: the person quit.
pub(super) fn hold(known: &Known<'_>, ask: &mut dyn Ask) -> Result<Option<Draft>> {
    let mut draft = Draft::default();
    let mut earlier: Vec<(usize, Draft)> = Vec::new();
    let (mut at, mut is_again) = (0, false);
    while let Some(question) = Question::ALL.get(at) {
        if !question.is_open(known, &draft) {
            at += 1;
            continue;
        }
        if earlier.is_empty() && !is_again {
            ask.say(INTRODUCTION);
        }
        let mut next = draft.clone();
        let verdict = match ask.ask(&question.prompt(known, &draft), is_again)? {
            Reply::Quit => return Ok(None),
            Reply::Back => Ok(Verdict::Back),
            Reply::Answer(text) => question.take(&text, known, &mut next),
        };
        is_again = false;
        match verdict {
            Ok(Verdict::Taken) => {
                earlier.push((at, std::mem::replace(&mut draft, next)));
                at += 1;
            }
            Ok(Verdict::Back) => match earlier.pop() {
                Some(before) => (at, draft) = before,
                None => {
                    ask.refuse("This is the first question.");
                    is_again = true;
                }
            },
            Ok(Verdict::Declined) => {
                ask.say(DECLINED);
                return Ok(None);
            }
            Err(error) => {
                ask.refuse(&reason(&error));
                is_again = true;
            }
        }
    }
    Ok(Some(draft))
}

fn reason(error: &Error) -> String {
    let mut text = error.message().to_owned();
    if let Some(first) = text.get(..1) {
        text = format!("{}{}", first.to_uppercase(), &text[1..]);
    }
    std::iter::once(text).chain(error.help_lines().iter().cloned()).collect::<Vec<_>>().join("\n")
}
